"""What the doctor's hostile scripts try to reach: things that look like a teacher's, and notice when touched."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from autograder.box import hostile
from autograder.box.interpreter import this_interpreter
from autograder.box.limits import MIB, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = "hostile.py"
PACKAGES = ("autograder", "kafkalite.reference", "pip")
LIMITS = Limits(
    memory_bytes=128 * MIB, cpu_s=1, wall_s=10.0, output_bytes=MIB // 4, tmp_bytes=4 * MIB, tmp_files=256, tasks=16
)
"""Small, so that the doctor is quick; that they hold is shown all the same."""


class Scene:
    """A secret file, listening sockets, an open file and a process to be killed, in a folder removed afterwards."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        self.mark = f"autograder-doctor-{secrets.token_hex(8)}"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autograder-doctor-")))
            self.folder.chmod(0o755)
            self.image = self.folder / "image"
            self.image.mkdir()
            shutil.copy(hostile.__file__, self.image / SCRIPT)
            for path in (self.image, self.image / SCRIPT):
                path.chmod(0o755)
            self.file = self.folder / "gradebook.db"
            self.file.write_text(self.secret)
            self._open_file = stack.enter_context(self.file.open("rb"))
            os.set_inheritable(self._open_file.fileno(), True)
            self.tcp = stack.enter_context(_bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)))
            self.udp = stack.enter_context(_bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)))
            self.abstract = stack.enter_context(_bound(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.mark))
            self.victim = stack.enter_context(_bystander(self.secret))
            self._bystander = stack.enter_context(_bystander(self.secret))  # lives on when the victim does not
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def folders(self) -> list[Path]:
        """Where nothing may be written: the teacher's folder and all that the interpreter reads."""
        names = ("stdlib", "purelib", "platlib")
        return list(
            dict.fromkeys(
                [self.folder, *(Path(sysconfig.get_path(name)) for name in names), *this_interpreter().hidden]
            )
        )

    def told(self) -> dict[str, Any]:
        """What a script is told, so that it need not search."""
        return {
            "tcp_port": self.tcp.getsockname()[1],
            "udp_port": self.udp.getsockname()[1],
            "abstract": self.mark,
            "secret": str(self.file),
            "grader": __file__,
            "home": str(Path.home()),
            "packages": PACKAGES,
            "folders": [str(folder) for folder in self.folders],
            "mark": self.mark,
            "terces": self.secret[::-1],
            "victim": self.victim.pid,
            "tmp_bytes": LIMITS.tmp_bytes,
            "tmp_files": LIMITS.tmp_files,
        }

    def calls_received(self) -> list[str]:
        """Which of our sockets somebody reached."""
        return [name for name in ("tcp", "udp", "abstract") if _was_reached(getattr(self, name))]

    def files_left(self) -> list[Path]:
        """Files with our mark, wherever they were written; they are removed."""
        left = [folder / self.mark for folder in (*self.folders, self.image) if (folder / self.mark).exists()]
        for path in left:
            path.unlink()
        return left


def processes_with(mark: str) -> list[int]:
    """Processes with `mark` on their command line."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if mark.encode() in _command_line(pid)]


@contextlib.contextmanager
def _bystander(secret: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the teacher, with a secret in its environment and on its command line."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()", secret],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"SECRET": secret},
    ) as process:
        yield process
        process.kill()


def _bound(family: int, kind: int, address: Any) -> socket.socket:
    receiver = socket.socket(family, kind)
    receiver.setblocking(False)
    receiver.bind(address)
    if kind == socket.SOCK_STREAM:
        receiver.listen()
    return receiver


def _was_reached(receiver: socket.socket) -> bool:
    try:
        if receiver.type == socket.SOCK_DGRAM:
            receiver.recv(1)
        else:
            receiver.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
