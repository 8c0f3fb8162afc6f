"""Processes held by descriptors, also where Python was built without them.

Python offers both calls only if the machine it was built on had them; the builds that uv installs are made on an old
one. Their numbers are the same on every kind of Linux machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal

PIDFD_OPEN, PIDFD_SEND_SIGNAL = 434, 424


def hold(pid: int) -> int:
    """A descriptor of the process `pid`, readable once it is dead. Raises OSError if there is none."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    return _system_call(PIDFD_OPEN, pid, 0)


def kill(fd: int) -> None:
    """SIGKILL to the process that `fd` holds; nothing, if it is dead."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(signal, "pidfd_send_signal"):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        else:
            _system_call(PIDFD_SEND_SIGNAL, fd, signal.SIGKILL, 0, 0)


def wait_readable(fd: int, timeout_s: float | None = None) -> bool:
    """Whether it is, or becomes so in time: for the descriptor of a process, whether it is dead."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))


def _system_call(number: int, *arguments: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
