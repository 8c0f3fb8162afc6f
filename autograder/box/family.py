"""The processes of one box, held by descriptors, so that a signal never reaches a stranger with a recycled pid.

    grader -- bwrap, outside -- bwrap, pid 1 of the box -- worker

bubblewrap outside exits as soon as it hears of the worker's end, without waiting for the box's pid 1: its exit does
not mean that nothing is left, and what the kernel adds up for it is not what the worker used. So pid 1 is waited for,
and the worker's use is read while it lives.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autograder.box import pidfd


@dataclass(frozen=True, slots=True)
class Usage:
    """What a worker has used up so far."""

    cpu_s: float = 0.0
    peak_rss_bytes: int = 0
    files: int = 0
    """Files and folders made in the box's /tmp."""


class Family:
    """The process we started and, where it is bubblewrap, the box's pid 1 and the worker."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._worker = pid
        self._first: int | None = None
        self._tmp: int | None = None
        self._used = Usage()
        self.exited_fd = pidfd.hold(pid)
        """Readable once the process we started is dead."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in (self.exited_fd, self._first, self._tmp):
            if fd is not None:
                os.close(fd)

    def hold_namespaces(self) -> None:
        """Take hold of the box's pid 1, its worker and its /tmp, all of which must be there and at rest.

        Raises OSError if one is gone or may not be looked into: then the box could not be watched.
        """
        first = _only_child(self._pid)
        self._first = pidfd.hold(first)
        self._worker = _only_child(first)
        self._tmp = os.open(f"/proc/{first}/root/tmp", os.O_PATH | os.O_DIRECTORY)

    def usage(self) -> Usage:
        """What the worker has used up, or had when it was last seen alive."""
        with contextlib.suppress(OSError, StopIteration):  # it is gone, or half gone
            self._used = Usage(_cpu_s(self._worker), _peak_rss_bytes(self._worker), self._count_files())
        return self._used

    def end(self) -> None:
        """Kill them all, and return when all but the one we started (which is ours to reap) are gone."""
        if self._first is not None:
            pidfd.kill(self._first)
            pidfd.wait_readable(self._first)  # the kernel lets pid 1 go after all others in its namespace
            if pidfd.wait_readable(self.exited_fd, 1.0):
                return  # by itself, with the exit code of what it ran
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
        pidfd.wait_readable(self.exited_fd)

    def _count_files(self) -> int:
        if self._tmp is None:
            return 0
        filesystem = os.fstatvfs(self._tmp)
        return filesystem.f_files - filesystem.f_ffree - 1  # /tmp itself


def _only_child(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    if len(children) != 1:
        raise ProcessLookupError(f"expected process {parent} to have one child, found {children}")
    return int(children[0])


def _cpu_s(pid: int) -> float:
    """Processor time of all threads of `pid`, dead ones included: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime((~pid << 3) | 2)


def _peak_rss_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
