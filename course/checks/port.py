"""The port: how a check reaches an answer, wherever the answer lives.

Two adapters: `local.LocalPort` (the learner's own process) and the autograder's remote one (a sandbox behind a pipe).
Values that cross are plain data, copied; errors cross by name.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol


class Outcome(Enum):
    """How a check ended: a closed set. Only PASS means that every rule holds."""

    PASS = "every rule holds"  # noqa: S105 - no password
    FAIL = "a rule is broken"
    ERROR = "the answer raised an error"
    TIMEOUT = "the answer did not come to an end"
    MEMORY = "the answer used too much memory"
    OUTPUT_LIMIT = "the answer printed too much"
    CRASH = "the answer's process died"
    PROTOCOL = "the answer's process sent something that is not an answer"
    REJECTED = "the answer was not accepted"
    INFRA = "the grader itself failed; not the learner's fault"


class AnswerRaised(Exception):
    """The answer raised an error: its name (built in, or of `kafkalite.errors`) and its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name, self.message = name, message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


class AnswerLost(BaseException):
    """The answer cannot be asked any more; the check stops here. No `except Exception` may swallow it."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(outcome, message)
        self.outcome, self.message = outcome, message

    def __str__(self) -> str:
        return self.message


class Port(Protocol):
    """What an adapter offers. Every method raises AnswerRaised, or AnswerLost once nothing more can be asked."""

    changed_arguments: bool
    """The last call changed what it was given. (It was given a copy.)"""

    def open(self, name: str) -> None:
        """Make sure that there is an answer of that name and that it is acceptable; AnswerLost says why not."""

    def construct(self, name: str, args: tuple[Any, ...]) -> int:
        """Make an instance of the class of that name; return its handle."""

    def call(self, handle: int | None, name: str, args: tuple[Any, ...]) -> Any:
        """Call a method of that instance, or a function if there is no handle; return plain data."""

    def printed(self) -> str:
        """What the answer has printed since `open`, for the learner to read; opaque."""
