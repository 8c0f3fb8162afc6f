"""What the scenes of chapter 1 may be asked for, and the log that is played with: a slip of the hand is a sentence.

Left out: what an answer does in a run (`telling`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from course.chapters.ch01_why_a_log.telling import Scene
from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.memory import Log

P = ParamSpec("P")
R = TypeVar("R")


class CannotShow(ValueError):
    """A scene was asked for something that it has not; the message says what it has."""


def sentence_instead(scene: Callable[P, R]) -> Callable[P, R | Scene]:
    """The scene, which answers a call that cannot be met with a sentence and not with a traceback."""
    signature = inspect.signature(scene)
    name = getattr(scene, "__name__", "scene")

    @wraps(scene)
    def shown(*args: P.args, **kwargs: P.kwargs) -> R | Scene:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            known = ", ".join(signature.parameters) or "nothing"
            return Scene((f"`lab.{name}` takes {known}; this call does not fit: {error}.",))
        try:
            return scene(*args, **kwargs)
        except CannotShow as error:
            return Scene((str(error),))

    return shown


def number(name: str, value: object, least: float, most: float) -> float:
    """The value, if it is a number in that range. Raises CannotShow."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or not least <= value <= most:
        raise CannotShow(f"`{name}` can be a number from {least:g} to {most:g}; got {_short(value)}.")
    return value


def whole(name: str, value: object, least: int, most: int) -> int:
    """The value, if it is an int in that range. Raises CannotShow."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise CannotShow(f"`{name}` can be a whole number from {least} to {most}; got {_short(value)}.")
    return value


def answers(**given: Any) -> None:
    """Answers by name, each None or something that can be called. Raises CannotShow."""
    for name, answer in given.items():
        if answer is None or callable(answer):
            continue
        if type(answer).__name__ == name:
            raise CannotShow(f"Give the class itself: `{name}` without parentheses, not `{name}()`.")
        raise CannotShow(f"Your `{name}` was expected here; got {_short(answer)}.")


class FinishedLog:
    """A finished log to play with. What it refuses, it refuses in words about the call."""

    def __init__(self) -> None:
        self._log = Log()

    def append(self, values: object) -> int:
        """Put the values, a list of strings, at the end; return the offset of the first of them."""
        if isinstance(values, str):
            raise TypeError(f"append takes a list of values; a single one is a list too: append([{_short(values)}])")
        if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
            raise TypeError(f"append takes a list of strings; got {_short(values)}")
        return self._log.append(list(values))

    def read(self, offset: int, max_records: int) -> list[str]:
        """At most `max_records` values, from `offset` on."""
        _counts(offset=offset, max_records=max_records)
        if max_records < 0:
            raise ValueError(f"max_records is 0 or more; got {max_records}")
        return self._asked(self._log.read, offset, max_records)

    def start(self) -> int:
        """The offset of the oldest value still here."""
        return self._log.start()

    def end(self) -> int:
        """The offset that the next value will get."""
        return self._log.end()

    def delete_before(self, offset: int) -> int:
        """Forget everything below `offset`; return the new start."""
        _counts(offset=offset)
        return self._asked(self._log.delete_before, offset)

    def __repr__(self) -> str:
        return f"a log with start {self.start()} and end {self.end()}"

    def _asked(self, do: Callable[..., R], *args: int) -> R:
        """The answer of the log inside; its error is raised anew, for a traceback would show how the log is made."""
        try:
            return do(*args)
        except OffsetOutOfRange as error:
            refused = OffsetOutOfRange(error.offset, error.start, error.end)
        raise refused


def _counts(**given: object) -> None:
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} is a whole number; got {_short(value)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
