"""How a box ended, in a closed set of words.

None of this is a verdict. Exit codes are chosen by the code in the box; the words are for the report ("your answer
ran out of memory"), and no way of ending scores points.
"""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from autograder.box.prologue import OUT_OF_MEMORY

if TYPE_CHECKING:
    from autograder.box.family import Usage
    from autograder.box.limits import Limits


class Outcome(enum.StrEnum):
    """Why nothing runs in the box any more."""

    EXITED = "EXITED"
    """It went by itself, with whatever exit code."""
    CRASH = "CRASH"
    """A signal ended it: a segmentation fault, an abort, its own hand."""
    TIMEOUT = "TIMEOUT"
    """Processor time or time on the clock ran out."""
    MEMORY = "MEMORY"
    """The memory limit was reached."""
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    """It printed too much, or made too many files."""
    KILLED = "KILLED"
    """We ended it, having no more questions."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one box. Everything but `outcome` is information only."""

    outcome: Outcome
    exit_code: int | None
    """None if a signal ended it."""
    signal: int | None
    cpu_s: float
    """Processor time of the worker when we last looked, at most 0.1 s before its end."""
    wall_s: float
    """From ready to gone."""
    peak_rss_bytes: int
    """As `cpu_s`."""
    printed: bytes
    """What it wrote to stderr, at most `Limits.output_bytes`. Opaque: to be escaped and shown, never parsed."""

    @classmethod
    def of(
        cls, *, code: int, cause: Outcome | None, used: Usage, wall_s: float, printed: bytes, limits: Limits
    ) -> Self:
        """From the exit code of the process we started, and `cause` if it was we who ended it."""
        # bubblewrap says in the way of shells that a signal ended what ran in it.
        number = -code if code < 0 else code - 128 if 128 < code < 128 + signal.NSIG else None
        return cls(
            outcome=cause or _own_end(code, number, used, limits),
            exit_code=code if number is None else None,
            signal=number,
            cpu_s=used.cpu_s,
            wall_s=wall_s,
            peak_rss_bytes=used.peak_rss_bytes,
            printed=printed,
        )


def _own_end(code: int, number: int | None, used: Usage, limits: Limits) -> Outcome:
    """A kernel that enforces a limit leaves no note, so deaths by signal are told apart by what had been used up."""
    if code == OUT_OF_MEMORY:
        return Outcome.MEMORY
    if number is None:
        return Outcome.EXITED
    if number == signal.SIGXCPU or (number == signal.SIGKILL and used.cpu_s >= 0.9 * limits.cpu_s):
        return Outcome.TIMEOUT
    if used.peak_rss_bytes >= 0.8 * limits.memory_bytes:
        return Outcome.MEMORY  # an allocation failed where C code did not look
    return Outcome.CRASH
