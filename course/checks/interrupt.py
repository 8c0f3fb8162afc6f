"""Ends what does not end: one call of a learner's code, in the learner's own process.

In the main thread of a Unix process a timer interrupts it, also while it sleeps. A bare `except:` may swallow that;
then it comes again and again, and also at the very next bytecode, which is the handler's own. Elsewhere (Windows, other
threads) bytecodes are counted (lines are not enough: `while True: pass` is one), which does not see a sleep or a loop
inside one call of C. The autograder needs neither: there the answer is another process, and is killed.
"""

from __future__ import annotations

import linecache
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from random import uniform
from time import monotonic, process_time
from typing import Any, Self

from course.checks import limits
from course.checks.port import AnswerLost, Outcome

AGAIN_S = 0.1  # the second interruption, for who swallowed the first
AND_AGAIN_S = 0.0001  # all further ones, at odd moments: soon one meets a handler before it can swallow it


class Watch:
    """Runs calls and interrupts those that exceed their limit. Use as a context manager; calls do not nest.

    On leaving, the process's own timer and handler are as they were.
    """

    def __init__(self, own_code: Callable[[str], bool]) -> None:
        """`own_code(filename)` tells the learner's frames from the library's, to say where a loop is."""
        self._own_code = own_code
        self._armed = False
        self._rung: AnswerLost | None = None
        self._ringing = False
        self._raised_s = 0.0
        self._began_s = self._computed_s = 0.0
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
        self._armed, self._rung, self._ringing = True, None, False
        self._limit_s = limit_s
        self._began_s, self._computed_s = monotonic(), process_time()
        before, stopped = sys.gettrace(), list[StopIteration]()
        apart = _apart(function, args, stopped)
        signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
        try:
            value = next(apart)
        except BaseException:
            self._armed = False
            if self._rung is not None:  # whatever came of the interruption, it was one
                raise self._rung.with_traceback(None) from None
            raise
        finally:
            self._armed = False  # an alarm that comes from here on is void
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.settrace(before)
        if self._rung is not None:  # swallowed, and what the call returned comes too late
            raise self._rung
        if stopped:
            raise stopped.pop()
        return value

    def _on_alarm(self, signum: int, frame: types.FrameType | None) -> None:
        if not self._armed:
            return
        if self._rung is None:
            if self._has_time_left():
                return
            where = self._where(frame)
            self._rung = AnswerLost(Outcome.TIMEOUT, f"did not come back within {self._limit_s:g} s{where}")
            self._raised_s = monotonic()
            raise self._rung.with_traceback(None)
        self._ring_again(self._rung, frame)

    def _ring_again(self, rung: AnswerLost, frame: types.FrameType | None) -> None:
        """The first one was swallowed. On a slow machine the next alarm would come while this one is still at work."""
        if self._ringing:
            return
        self._ringing = True
        self._interrupt_the_next_bytecode(frame)
        is_due = self._is_due(frame)
        if is_due:
            self._raised_s = monotonic()
        self._ringing = False
        signal.setitimer(signal.ITIMER_REAL, uniform(AND_AGAIN_S / 10, AND_AGAIN_S), AGAIN_S)
        if is_due:
            raise rung.with_traceback(None)

    def _has_time_left(self) -> bool:
        """The limit is on computing; who was kept from it by others, or sleeps, has until patience ends."""
        computed_s, passed_s = process_time() - self._computed_s, monotonic() - self._began_s
        return computed_s < 0.9 * self._limit_s and passed_s < limits.PATIENCE * self._limit_s

    def _is_due(self, frame: types.FrameType | None) -> bool:
        """So often only the learner's own code is interrupted: the library may be at something that must not fail."""
        own = frame is not None and self._own_code(frame.f_code.co_filename)
        return own or monotonic() - self._raised_s > AGAIN_S

    def _interrupt_the_next_bytecode(self, frame: types.FrameType | None) -> None:
        """In whichever of the learner's frames: it may be the handler that is about to swallow an interruption."""

        def interrupt(frame: types.FrameType, event: str, _: Any) -> Any:
            if not self._own_code(frame.f_code.co_filename):
                return None
            frame.f_trace_opcodes = True
            if event in ("opcode", "line") and self._armed and self._rung is not None:
                raise self._rung.with_traceback(None)  # Python then stops tracing, until the next alarm
            return interrupt

        while frame is not None:
            if self._own_code(frame.f_code.co_filename):
                frame.f_trace, frame.f_trace_opcodes = interrupt, True
            frame = frame.f_back
        sys.settrace(interrupt)

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

        before, stopped = sys.gettrace(), list[StopIteration]()
        apart = _apart(function, args, stopped)
        sys.settrace(count)
        try:
            value = next(apart)
        finally:
            sys.settrace(before)
        if stopped:
            raise stopped.pop()
        return value

    def _where(self, frame: types.FrameType | None) -> str:
        while frame is not None and not self._own_code(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return ""
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return f"; it was at line {frame.f_lineno} of `{frame.f_code.co_name}`" + (f": `{line}`" if line else "")


def _apart(function: Callable[..., Any], args: tuple[Any, ...], stopped: list[StopIteration]) -> Iterator[Any]:
    """Yields `function(*args)`; a StopIteration of its own, which no generator can raise, is put into `stopped`.

    Who is interrupted between two bytecodes of a handler leaves behind what it handled, and every later exception of
    the thread would have come "during the handling" of that. A generator has a place of its own for it, left with it.
    """
    try:
        yield function(*args)
    except StopIteration as error:
        stopped.append(error)
        yield None
