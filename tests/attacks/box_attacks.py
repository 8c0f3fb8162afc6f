"""Every attack on the box, what it is told, and what has to come of it.

Also a script, for trying them all as somebody else: `python box_attacks.py FOLDER` prints what went wrong, as JSON.
It uses nothing but the standard library and the sandbox.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import autograder.box
from autograder.box import Backend, Ending, Limits, Outcome, best_backend
from autograder.box.scene import processes_with

MIB = 1 << 20
LIMITS = Limits(memory_bytes=256 * MIB, cpu_s=1, wall_s=20.0)
OTHER_LIMITS = {
    "r04_sigstop_self": Limits(wall_s=0.5),  # these two use nothing up: only the clock ends them
    "r20_closed_stderr": Limits(wall_s=0.5),
    "r18_python_recursion": Limits(memory_bytes=64 * MIB),  # memory shall run out before time
}

EXITED, CRASH, TIMEOUT = {Outcome.EXITED}, {Outcome.CRASH}, {Outcome.TIMEOUT}
MEMORY, OUTPUT_LIMIT = {Outcome.MEMORY}, {Outcome.OUTPUT_LIMIT}
EXPECTED = {
    "r01_cpu_loop": TIMEOUT,
    "r01_ignored_sigxcpu": TIMEOUT,
    "r04_sigstop_self": TIMEOUT,
    "r05_c_level_hang": TIMEOUT,
    "r07_mem_bomb": MEMORY,
    "r08_mem_multi": EXITED,
    "r10_fork_bomb": EXITED,
    "r11_thread_bomb": EXITED,
    "r13_disk_fill": EXITED,
    "r13_sparse_file": EXITED,
    "r14_file_flood": OUTPUT_LIMIT,
    "r15_output_flood": OUTPUT_LIMIT,
    # From 3.12 on, CPython counts its C stack and raises RecursionError; out of memory, 3.11 may also exit with
    # "SystemError: error return without exception set".
    "r18_deep_recursion": CRASH | MEMORY | EXITED,
    "r18_python_recursion": CRASH | MEMORY | EXITED,
    "r19_segfault": CRASH,
    "r20_closed_stderr": TIMEOUT,
    "e01_tcp_out": EXITED,
    "e02_udp_out": EXITED,
    "e08_read_gradebook": EXITED,
    "e09_symlink_gradebook": EXITED,
    "e12_proc_env": EXITED,
    "e14_inherited_fd": EXITED,
    "e16_kill_grader": EXITED,
    "e20_write_site_packages": EXITED,
    "e21_persist_between_runs": EXITED,
    "e22_become_root": EXITED,
    "e23_system_calls": EXITED,
    "e24_other_tables": CRASH,
    "e25_reference_in_reach": EXITED,
}
"""How the box ends. Whoever gets to EXITED must have tried all they meant to, and got nothing."""


@dataclass(frozen=True)
class Teacher:
    """What an attack is after: a gradebook anyone may read, a listening socket, a process."""

    folder: Path
    image: Path
    gradebook: Path
    secret: str
    bystander: subprocess.Popen[bytes]
    port: int

    def told(self, attack: str) -> list[str]:
        """What the attack has to know, to be given every chance."""
        return {
            "e01_tcp_out": [str(self.port)],
            "e02_udp_out": [str(self.port)],
            "e08_read_gradebook": [str(self.gradebook)],
            "e09_symlink_gradebook": [str(self.gradebook)],
            "e16_kill_grader": [str(self.bystander.pid)],
            "e25_reference_in_reach": [str(autograder.box.__file__)],
        }.get(attack, [])

    def files(self) -> set[Path]:
        """All there is in the teacher's folder."""
        return set(self.folder.rglob("*"))


@contextlib.contextmanager
def teacher(attacks: Path) -> Iterator[Teacher]:
    """A teacher with a folder of their own, and an image that holds every attack."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attacks-")))
        image, gradebook, secret = folder / "image", folder / "gradebook.db", secrets.token_hex(8)
        shutil.copytree(attacks, image, ignore=shutil.ignore_patterns("__pycache__"))
        gradebook.write_text(secret)
        for path in (folder, image, *image.iterdir(), gradebook):
            path.chmod(0o755)
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        bystander = stack.enter_context(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        stack.callback(bystander.kill)
        yield Teacher(folder, image, gradebook, secret, bystander, server.getsockname()[1])


def run(backend: Backend, attack: str, victim: Teacher, mark: str = "") -> Ending:
    """Let it loose; `mark` goes onto its command line."""
    limits = OTHER_LIMITS.get(attack, LIMITS)
    with backend.start([f"{attack}.py", *victim.told(attack), mark], victim.image, limits) as box:
        return box.wait()


def complaints(backend: Backend, attack: str, victim: Teacher) -> list[str]:
    """All that went wrong when it was let loose; empty if it got nothing and left nothing."""
    mark, before = secrets.token_hex(8), victim.files()
    ending = run(backend, attack, victim, mark)
    lines = ending.printed.decode(errors="replace").splitlines()
    found = [line for line in lines if line.startswith("GOT") or victim.secret in line]
    if ending.outcome not in EXPECTED[attack]:
        found.append(f"expected {sorted(EXPECTED[attack])}, got {ending.outcome}: {lines[-3:]}")
    if EXPECTED[attack] == EXITED and "done" not in lines:
        found.append(f"it did not try everything: {lines[-3:]}")
    if victim.bystander.poll() is not None:
        found.append("a process of the teacher is dead")
    found += [f"process {pid} is left" for pid in processes_with(mark)]
    return found + [f"{path} is left" for path in sorted(victim.files() - before)]


if __name__ == "__main__":
    sandbox = best_backend()
    with teacher(Path(sys.argv[1])) as someone, ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda name: complaints(sandbox, name, someone), EXPECTED)
        json.dump(dict(zip(EXPECTED, found, strict=True)), sys.stdout)
