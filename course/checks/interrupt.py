"""Ends what does not end: one call of a learner's code, in the learner's own process.

In the main thread of a Unix process a timer interrupts it, also while it sleeps; elsewhere (Windows, other threads)
bytecodes are counted (lines are not enough: `while True: pass` is one), which does not see a sleep or a loop inside
one call of C. The autograder needs neither: there the
answer is another process, and is killed.
"""

from __future__ import annotations

import linecache
import signal
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, Self

from course.checks import limits
from course.checks.port import AnswerLost, Outcome

AGAIN_S = 0.1  # a bare `except:` may swallow the interruption, so it comes again and again


class Watch:
    """Runs calls and interrupts those that exceed their limit. Use as a context manager; calls do not nest.

    On leaving, the process's own timer and handler are as they were.
    """

    def __init__(self, own_code: Callable[[str], bool]) -> None:
        """`own_code(filename)` tells the learner's frames from the library's, to say where a loop is."""
        self._own_code = own_code
        self._armed = False
        self._timer = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        self._before: tuple[Any, tuple[float, float]] | None = None

    def __enter__(self) -> Self:
        if self._timer:
            self._before = (signal.signal(signal.SIGALRM, self._on_alarm), signal.setitimer(signal.ITIMER_REAL, 0))
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            handler, (left_s, every_s) = self._before
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, left_s, every_s)

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], limit_s: float = limits.CALL_S) -> Any:
        """`function(*args)`; raises AnswerLost(TIMEOUT) once it exceeds the limit."""
        if self._timer:
            return self._call_timed(function, args, limit_s)
        return self._call_counted(function, args)

    def _call_timed(self, function: Callable[..., Any], args: tuple[Any, ...], limit_s: float) -> Any:
        self._armed = True
        self._limit_s = limit_s
        signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
        try:
            return function(*args)
        finally:
            self._armed = False  # an alarm that comes from here on is void
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_alarm(self, signum: int, frame: types.FrameType | None) -> None:
        if self._armed:
            raise AnswerLost(Outcome.TIMEOUT, f"did not come back within {self._limit_s:g} s{self._where(frame)}")

    def _call_counted(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        left = limits.BYTECODES

        def count(frame: types.FrameType, _event: str, _: Any) -> Any:
            nonlocal left
            frame.f_trace_opcodes = True
            left -= 1
            if left < 0:
                raise AnswerLost(
                    Outcome.TIMEOUT, f"ran {limits.BYTECODES:,} bytecodes without an end{self._where(frame)}"
                )
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            return function(*args)
        finally:
            sys.settrace(before)

    def _where(self, frame: types.FrameType | None) -> str:
        while frame is not None and not self._own_code(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return ""
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return f"; it was at line {frame.f_lineno} of `{frame.f_code.co_name}`" + (f": `{line}`" if line else "")
