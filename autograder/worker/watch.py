"""Interrupts what does not end, and can say where it was; a loop in C is left to the grader, who kills the box."""

from __future__ import annotations

import linecache
import signal
from collections.abc import Callable
from time import monotonic, process_time
from types import FrameType
from typing import Any

AGAIN_S = 0.1  # a bare `except:` may swallow the interruption, so it comes again and again
PATIENCE = 5
"""As `course.checks.limits` has it, which is not in the box."""
CELL = "<cell "
"""How the file names of cells begin."""


class Endless(BaseException):
    """The time is up. No `except Exception` of the learner may swallow it."""


class Watch:
    """Runs one thing at a time, and interrupts it when its time is up."""

    def __init__(self) -> None:
        self._armed = False
        self._limit_s = self._began_s = self._computed_s = 0.0
        self._rung: Endless | None = None
        signal.signal(signal.SIGALRM, self._on_alarm)

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], limit_s: float) -> Any:
        """`function(*args)`; raises Endless once it takes longer than `limit_s`."""
        self._armed, self._limit_s, self._rung = True, limit_s, None
        self._began_s, self._computed_s = monotonic(), process_time()
        signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
        try:
            value = function(*args)
        except BaseException:
            self._armed = False
            if self._rung is not None:  # whatever came of the interruption, it was one
                raise self._rung from None
            raise
        finally:
            self._armed = False  # an alarm that comes from here on is void
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._rung is not None:  # swallowed, and what the call returned comes too late
            raise self._rung
        return value

    def _has_time_left(self) -> bool:
        """The limit is on computing; who was kept from it by others, or sleeps, has until patience ends."""
        computed_s, passed_s = process_time() - self._computed_s, monotonic() - self._began_s
        return computed_s < 0.9 * self._limit_s and passed_s < PATIENCE * self._limit_s

    def _on_alarm(self, _signum: int, frame: FrameType | None) -> None:
        if self._armed and (self._rung is not None or not self._has_time_left()):
            self._rung = self._rung or Endless(f"did not come back within {self._limit_s:g} s{_where(frame)}")
            raise self._rung


def is_own(filename: str) -> bool:
    """Is that the file of the learner's code? Cells have names in angle brackets, and so has what they exec."""
    return filename.startswith("<")


def _where(frame: FrameType | None) -> str:
    while frame is not None and not frame.f_code.co_filename.startswith(CELL):
        frame = frame.f_back
    if frame is None:
        return ""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"; it was at line {frame.f_lineno} of `{frame.f_code.co_name}`" + (f": `{line}`" if line else "")
