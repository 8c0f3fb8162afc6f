"""What the doctor lets loose in a box: one attack at a time, by name.

    python hostile.py net '{"tcp_port": 40001, ...}'

Inside the box this is a plain script, alone in its image. It says what it managed, one line on stderr for each
attempt, and `done` at its end. Every attack is bounded, so that it may also be run where nothing stops it.
"""

import importlib
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BROKEN, REFUSED, MADE, DONE = "BROKEN", "refused", "made", "done"


def tell(word: str, what: object = "") -> None:
    """One line of evidence."""
    os.write(2, f"{word} {what}\n".encode())


def attempt(what: str, action: Callable[[], object]) -> None:
    """Try it; an error means that the box refused."""
    try:
        action()
    except (OSError, ImportError) as error:
        tell(REFUSED, f"{what}: {getattr(error, 'strerror', None) or error}")
    else:
        tell(BROKEN, what)


def net(scene: dict[str, Any]) -> None:
    """Call out: over TCP, over UDP, and through a socket that has no file."""

    def tcp() -> None:
        socket.create_connection(("127.0.0.1", scene["tcp_port"]), timeout=1).close()

    def udp() -> None:  # how a name server would be told
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"secret", ("127.0.0.1", scene["udp_port"]))

    def abstract() -> None:
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect("\0" + scene["abstract"])

    attempt("TCP", tcp)
    attempt("UDP", udp)
    attempt("abstract Unix socket", abstract)


def read(scene: dict[str, Any]) -> None:
    """Read what is the teacher's: a file, through its name and through a link, the home folder, the grader itself."""
    secret, link, home = Path(scene["secret"]), Path(os.environ["TMPDIR"], "out.txt"), Path(scene["home"])
    link.symlink_to(secret)
    attempt("a file of the teacher", secret.read_bytes)
    attempt("the same through a link", link.read_bytes)
    attempt("the source of the grader", Path(scene["grader"]).read_bytes)
    for package in scene["packages"]:
        attempt(f"import {package}", lambda package=package: importlib.import_module(package))  # type: ignore[misc]
    attempt(f"the files in {home}", lambda: _files_in(home))


def _files_in(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.is_file()]
    if not found:  # above a mounted interpreter there is a chain of empty folders
        raise FileNotFoundError("there are none")
    return found


def write(scene: dict[str, Any]) -> None:
    """Write where the next run would read it."""
    for folder in (*scene["folders"], Path(__file__).parent):
        attempt(f"a file in {folder}", Path(folder, scene["mark"]).touch)


def pids(_: dict[str, Any]) -> None:
    """A fork bomb that stops at the first refusal, or after sixty."""
    made = 0
    try:
        while made < 60:
            if os.fork() == 0:
                signal.pause()
            made += 1
    except OSError as error:
        tell(REFUSED, f"process {made + 1}: {error}")
    tell(MADE, made)


def memory(_: dict[str, Any]) -> None:
    """Take a gibibyte, in steps that are touched."""
    hoard = [bytearray(b"x") * (32 << 20) for _ in range(32)]
    tell(MADE, len(hoard))


def cpu(_: dict[str, Any]) -> None:
    """Never come back."""
    while True:
        pass


def cpu_in_c(_: dict[str, Any]) -> None:
    """Never come back from C code, which no Python signal handler can interrupt."""
    re.match("(a+)+$", "a" * 40 + "b")


def output(_: dict[str, Any]) -> None:
    """Print without end."""
    while True:
        os.write(2, b"x" * (1 << 16))


def disk(scene: dict[str, Any]) -> None:
    """Fill the temporary folder to twice its limit, in files that are each allowed."""
    made, part = 0, scene["tmp_bytes"] // 4
    try:
        for number in range(8):
            Path(os.environ["TMPDIR"], f"{number}.bin").write_bytes(b"x" * part)
            made += part
    except OSError as error:
        tell(REFUSED, f"byte {made + 1} and on: {error}")
    tell(MADE, made)


def files(scene: dict[str, Any]) -> None:
    """Make files without a byte in them: no limit on bytes counts those, and each costs the kernel memory."""
    for number in range(4 * scene["tmp_files"]):
        Path(os.environ["TMPDIR"], f"{number}").touch()
    time.sleep(1)  # stay to be seen


def environ(scene: dict[str, Any]) -> None:
    """Look for a secret in the environment and the command line of every process in sight."""
    secret = scene["terces"][::-1].encode()  # reversed, or it would be found in our own command line
    for process in Path("/proc").iterdir():
        for name in ("environ", "cmdline"):
            try:
                if process.name.isdigit() and secret in (process / name).read_bytes():
                    tell(BROKEN, f"{name} of process {process.name}")
            except OSError:
                continue


def signals(scene: dict[str, Any]) -> None:
    """Kill a process of the teacher."""
    attempt("SIGKILL", lambda: os.kill(scene["victim"], signal.SIGKILL))


def fds(_: dict[str, Any]) -> None:
    """Look for files that the grader had open."""
    for fd in range(3, 1024):
        try:
            os.fstat(fd)
        except OSError:
            continue
        tell(BROKEN, f"descriptor {fd}")


def daemon(_: dict[str, Any]) -> None:
    """Leave somebody behind: a process in a session of its own, which no signal to our group reaches."""
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.pause()
            os._exit(0)
        os.wait()
    except OSError as error:
        tell(REFUSED, f"a second process: {error}")


ATTACKS = (net, read, write, pids, memory, cpu, cpu_in_c, output, disk, files, environ, signals, fds, daemon)

if __name__ == "__main__":
    {attack.__name__: attack for attack in ATTACKS}[sys.argv[1]](json.loads(sys.argv[2]))
    tell(DONE)
