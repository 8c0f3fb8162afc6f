"""One running box: its pipes, what it prints, and its end.

Each box has a thread of its own on our side. It starts the box, drains what is printed, watches the limits that the
kernel cannot watch for us (clock, output, number of files), and reaps. One thread for all of that is correctness:
Linux kills a box with "die with parent" when the *thread* that started it goes, not the process.

Left out: what is said over the pipes. `requests` and `replies` are raw descriptors for whoever speaks the protocol.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from autograder.box.ending import Ending, Outcome
from autograder.box.family import Family
from autograder.box.prologue import GO, READY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autograder.box.limits import Limits

START_S_MAX = 20.0
"""From starting the process to its ready byte; 0.03 s is usual, a loaded class server is not."""
LOOK_EVERY_S = 0.1
"""How often we look what a box has used: at 100,000 new files a second, ten thousand too many."""
CHUNK_BYTES = 1 << 16


class BoxFailed(Exception):
    """A box could not be started; nothing of the submission ran. Never the student's fault."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a backend has prepared: how to start one box."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    lent_fds: tuple[int, ...] = ()
    """Descriptors the started process inherits under the same numbers; closed on our side once it has them."""
    has_namespaces: bool = False
    """True if the process we start is bubblewrap, with the worker two generations below."""
    scratch: Path | None = None
    """The worker's folder; removed with the box."""


class Boxed:
    """A process in a box, from ready to gone. Use it in a `with`, or call `kill`.

    `requests` leads to the worker's stdin, `replies` comes from its stdout; each is -1 once it is closed.
    All methods may be called from any thread.
    """

    def __init__(self, launch: Launch, limits: Limits) -> None:
        """Start it and return when the limits are in force; raises BoxFailed with the reason if they are not."""
        self._launch = launch
        self._limits = limits
        self._printed = bytearray()
        self._is_ready = False
        self._failure: str | None = None
        self._ending: Ending | None = None
        self._cause: Outcome | None = None
        self._started = threading.Event()
        self._closing = threading.Lock()
        self._wake_read, self._wake = os.pipe()
        self._child_requests, self.requests = os.pipe()
        self.replies, self._child_replies = os.pipe()
        self._stderr, self._child_stderr = os.pipe()
        self._thread = threading.Thread(target=self._live, name="box", daemon=True)
        self._thread.start()
        try:
            self._started.wait()
            self._check_ready()
        except BaseException:  # Ctrl-C while starting, too
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def printed(self) -> bytes:
        """What the box wrote to stderr so far, at most `Limits.output_bytes`."""
        return bytes(self._printed)

    def wait(self, timeout_s: float | None = None) -> Ending:
        """Wait for the end of the box; after `timeout_s` bring it about, as TIMEOUT.

        The pipes stay open, so that replies written before the end can still be read.
        """
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._end(Outcome.TIMEOUT)
        assert self._ending is not None, "a box that started has an ending"
        return self._ending

    def close_requests(self) -> None:
        """Say that there will be no more requests: the worker reads the end of its stdin."""
        with self._closing:
            requests, self.requests = self.requests, -1
        if requests != -1:
            os.close(requests)

    def kill(self) -> None:
        """End the box and close its pipes. When this returns no process and no file of it is left. Idempotent."""
        self._end(Outcome.KILLED)
        self.close_requests()
        with self._closing:
            replies, wake, wake_read = self.replies, self._wake, self._wake_read
            self.replies = self._wake = self._wake_read = -1
        for fd in (replies, wake, wake_read):  # not before the thread has ended: who wakes it finds a reader
            if fd != -1:
                os.close(fd)

    def _check_ready(self) -> None:
        if not self._is_ready:
            raise BoxFailed(self._failure or "its thread failed; the traceback is on stderr")

    def _end(self, cause: Outcome) -> None:
        with self._closing:
            if self._thread.is_alive() and self._wake != -1:
                self._because(cause)
                os.write(self._wake, b"!")
        self._thread.join()

    # What follows runs in the box's own thread.

    def _live(self) -> None:
        try:
            self._ending = self._supervise(self._spawn())
        except OSError as error:
            self._failure = f"{self._launch.argv[0]} could not be started: {error}"
        finally:
            self._clean_up()
            self._started.set()

    def _supervise(self, process: subprocess.Popen[bytes]) -> Ending:
        with _family_of(process) as family:
            try:
                began = self._until_ready(family)
                if self._is_ready:
                    self._started.set()
                    self._watch(family, began)
            finally:
                used = family.usage()
                family.end()
                code = process.wait()
            self._drain()
        return Ending.of(
            cause=self._cause,
            code=code,
            used=used,
            wall_s=time.monotonic() - began,
            printed=bytes(self._printed),
            limits=self._limits,
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        theirs = (self._child_requests, self._child_replies, self._child_stderr)
        try:
            return subprocess.Popen(
                self._launch.argv,
                stdin=theirs[0],
                stdout=theirs[1],
                stderr=theirs[2],
                env=self._launch.environment,
                cwd=self._launch.scratch or "/",
                pass_fds=self._launch.lent_fds,
                start_new_session=True,  # Ctrl-C at the teacher's terminal is for the grader to hear
            )
        finally:
            for fd in (*theirs, *self._launch.lent_fds):
                os.close(fd)

    def _until_ready(self, family: Family) -> float:
        """Read the prologue's ready byte, and return when it came; anything else is noted as the failure."""
        poller = select.poll()
        for fd in (self.replies, self._wake_read):
            poller.register(fd, select.POLLIN)
        events = dict(poller.poll(START_S_MAX * 1000))
        if self._wake_read in events:
            self._failure = "it was killed while it started"
        elif not events:
            self._failure = f"it was not ready after {START_S_MAX:.0f} s"
        elif os.read(self.replies, len(READY)) != READY:
            family.end()
            self._drain()
            said = self._printed.decode(errors="replace").strip()
            self._failure = f"it ended before it was ready, saying: {said or 'nothing'}"
        else:
            if self._launch.has_namespaces:
                family.hold_namespaces()
            os.write(self.requests, GO)
            self._is_ready = True
        return time.monotonic()

    def _watch(self, family: Family, began: float) -> None:
        """Until the box has ended, or has to."""
        poller = select.poll()
        for fd in (self._stderr, self._wake_read, family.exited_fd):
            poller.register(fd, select.POLLIN)
        deadline, look = began + self._limits.wall_s, began
        while self._cause is None:
            now = time.monotonic()
            if now >= deadline:
                self._because(Outcome.TIMEOUT)
            if now >= look:
                look = now + LOOK_EVERY_S
                if family.usage().files > self._limits.tmp_files:
                    self._because(Outcome.OUTPUT_LIMIT)
            ready = dict(poller.poll(max(0.0, min(deadline, look) - now) * 1000))
            if self._stderr in ready and not self._keep_printed():
                poller.unregister(self._stderr)
            if family.exited_fd in ready:
                return

    def _because(self, cause: Outcome) -> None:
        """End the box; the first cause is the one."""
        if self._cause is None:
            self._cause = cause

    def _keep_printed(self) -> bool:
        """Read what is there; False at its end. Past the limit the box has to end."""
        chunk = os.read(self._stderr, CHUNK_BYTES)
        room = self._limits.output_bytes - len(self._printed)
        self._printed += chunk[:room]
        if len(chunk) > room:
            self._because(Outcome.OUTPUT_LIMIT)
        return bool(chunk)

    def _drain(self) -> None:
        """Read what a dead box left in the pipe, without waiting for anyone who may still hold it."""
        os.set_blocking(self._stderr, False)
        with contextlib.suppress(BlockingIOError):
            while self._keep_printed():
                pass

    def _clean_up(self) -> None:
        os.close(self._stderr)
        if self._launch.scratch is not None:
            shutil.rmtree(self._launch.scratch, ignore_errors=True)


def _family_of(process: subprocess.Popen[bytes]) -> Family:
    """Take hold of a process just started; without that (no descriptor left), it does not go on."""
    try:
        return Family(process.pid)
    except OSError:
        process.kill()
        process.wait()
        raise
