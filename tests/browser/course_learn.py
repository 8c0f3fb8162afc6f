"""`course learn`, started as a learner starts it: as a program, on a folder of its own and a free port.

Nothing of the person who runs the tests reaches it: its home is a fresh one, so settings, kernels, saved workspaces
and signatures of notebooks are what a new learner has. Left out: what it prints and returns (test_learn_command), and
that it works from the wheel alone (test_packaging).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TOKEN = "known-to-the-test"
START_SECONDS_MAX = 240  # a cold start on a busy two-core machine takes about ten
STOP_SECONDS_MAX = 20
KEEP_ENVIRONMENT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Lab:
    """A running `course learn`.

    notebook  the first chapter in the learner's own folder
    url       what the browser opens: the first chapter, as the command's own browser would
    origin    where every request of the page must go
    """

    notebook: Path
    url: str
    origin: str


@contextmanager
def course_learn(place: Path) -> Iterator[Lab]:
    """Run `course learn` on a new folder in `place`; stop it, kernels and all, when the block ends.

    Raises AssertionError with all it said, if it ends by itself or does not answer.
    """
    folder, said = place / "my-notebooks", place / "said.txt"
    command = [str(_program("course")), "learn", str(folder), "--no-browser", "--port", str(_free_port())]
    with said.open("w", encoding="utf-8") as log:
        process = _start(command, place, log)
        try:
            origin = _origin(process, place / "runtime", said)
            (notebook,) = folder.glob("01_*.ipynb")
            yield Lab(notebook, f"{origin}/lab/tree/{notebook.name}?token={TOKEN}", origin)
        finally:
            _stop(process)


def _program(name: str) -> Path:
    """A program of this very environment, whatever PATH says."""
    return Path(sys.executable).with_name(name + (".exe" if os.name == "nt" else ""))


def _free_port() -> int:
    """A port that is free now. Jupyter takes the next one if somebody is faster, and writes down which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(command: list[str], place: Path, log: IO[str]) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in KEEP_ENVIRONMENT if name in os.environ}
    own = {"HOME": str(place / "home"), "JUPYTER_RUNTIME_DIR": str(place / "runtime"), "JUPYTER_TOKEN": TOKEN}
    (place / "home").mkdir()
    return subprocess.Popen(
        command, env={**kept, **own}, cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
    )


def _origin(process: subprocess.Popen[str], runtime: Path, said: Path) -> str:
    """Jupyter writes down where it listens once it does."""
    written = runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            return f"http://127.0.0.1:{json.loads(written.read_text(encoding='utf-8'))['port']}"
        except (OSError, ValueError):
            assert not _has_ended(process), f"course learn ended by itself:\n{said.read_text(encoding='utf-8')}"
    raise AssertionError(f"JupyterLab did not start in {START_SECONDS_MAX} s:\n{said.read_text(encoding='utf-8')}")


def _has_ended(process: subprocess.Popen[str]) -> bool:
    """Whether it has, after waiting a tenth of a second for it."""
    try:
        process.wait(timeout=0.1)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask it to stop, so that it stops its kernels too; by force if that is not enough.

    Not by an interrupt, as from a keyboard: without a terminal it can end the event loop in the middle of a request,
    whose thread Python then waits for without end.
    """
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
