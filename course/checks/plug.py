"""The plug: a learner's answer in the shape of a part, with every call and its outcome written down.

A broker calls `log.append(...)` and does not know that the log is a learner's, or behind a pipe. The calls that a run
leaves behind are what rules read, what a misconception is recognised by, and what a counterexample shows.
"""

from __future__ import annotations

import inspect
import types as python_types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from course.checks.port import AnswerLost, AnswerRaised, Port
from kafkalite import plain
from kafkalite.errors import BY_NAME, NotPlainData


@dataclass(frozen=True, slots=True)
class Returned:
    """A call came back with a value of the expected shape."""

    value: Any

    def __str__(self) -> str:
        return f"-> {self.value!r}"


@dataclass(frozen=True, slots=True)
class Raised:
    """A call raised an error, or came back with something that is no answer (`name` is then `WrongShape`)."""

    name: str
    message: str

    def __str__(self) -> str:
        return self.message if self.name == WRONG_SHAPE else f"raised {self.name}: {self.message}".removesuffix(": ")


WRONG_SHAPE = "WrongShape"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the answer: on which instance (0 for a function), during which step, and what came of it.

    `changed` tells that the answer changed what it was given.
    """

    step: int
    instance: int
    name: str
    args: tuple[Any, ...]
    outcome: Returned | Raised
    changed: bool = False

    def __str__(self) -> str:
        call = f"{self.name}({', '.join(map(repr, self.args))})"
        return call if self.name[:1].isupper() and isinstance(self.outcome, Returned) else f"{call} {self.outcome}"


class Plug:
    """An answer, ready to be put where a part goes. Call it as the part is called: `Plug(...)(start=0)`."""

    def __init__(self, port: Port, name: str, reference: Any, step: Callable[[], int] = lambda: 0) -> None:
        """`reference` is the object the answer stands for: its signatures say what shape each result must have."""
        self.calls: list[Call] = []
        self.lost: AnswerLost | None = None
        self.step = step
        self._port, self._name, self._reference = port, name, reference
        self._instances = 0

    def __call__(self, *args: Any) -> Any:
        if not isinstance(self._reference, type):
            return self._record(0, self._name, args, self._reference, lambda: self._port.call(None, self._name, args))
        self._instances += 1
        instance = self._instances
        handle = self._record(
            instance,
            self._name,
            args,
            None,
            lambda: self._port.construct(self._name, args),
            bare=True,
        )
        return _Instance(self, instance, handle)

    def method(self, instance: int, handle: int, name: str, args: tuple[Any, ...]) -> Any:
        """Call a method of one instance; record it, and raise what it raised."""
        return self._record(
            instance, name, args, getattr(self._reference, name), lambda: self._port.call(handle, name, args)
        )

    def _record(
        self, instance: int, name: str, args: tuple[Any, ...], like: Any, ask: Callable[[], Any], *, bare: bool = False
    ) -> Any:
        outcome: Returned | Raised
        value: Any = None
        hint = None if bare else _returns(like)
        try:
            value = ask()
            outcome = Returned(None) if hint is None else _shaped(value, hint)
        except AnswerRaised as error:
            outcome = _not_an_answer(error, ignored=hint is None and not bare)
        except AnswerLost as lost:
            self.lost = AnswerLost(lost.outcome, f"{name}({', '.join(map(repr, args))}): {lost.message}")
            raise self.lost from None
        changed = self._port.changed_arguments
        self.calls.append(Call(self.step(), instance, name, plain.copy(args), outcome, changed))
        if isinstance(outcome, Raised):
            if outcome.name in BY_NAME:
                raise type(outcome.name, (BY_NAME[outcome.name],), {"__str__": lambda _: outcome.message})
            raise AnswerRaised(outcome.name, outcome.message)
        return value if bare or hint is not None else None


def _not_an_answer(error: AnswerRaised, *, ignored: bool) -> Returned | Raised:
    """What to record of an error. One that is about what came back was not raised by the answer."""
    if error.name != NotPlainData.__name__:
        return Raised(error.name, error.message)
    # Where nothing is expected, anything may come back: `seek` that returns self is no worse for it.
    return Returned(None) if ignored else Raised(WRONG_SHAPE, f"returned {error.message}")


class _Instance:
    """Looks to a broker like the part it stands for."""

    def __init__(self, plug: Plug, instance: int, handle: int) -> None:
        self._plug, self._instance, self._handle = plug, instance, handle

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Method(self._plug, self._instance, self._handle, name)


@dataclass(frozen=True, slots=True)
class _Method:
    plug: Plug
    instance: int
    handle: int
    name: str

    def __call__(self, *args: Any) -> Any:
        return self.plug.method(self.instance, self.handle, self.name, args)


# Shapes -------------------------------------------------------------------------------------------------------------


@cache
def _hints(like: Any) -> dict[str, Any]:
    """The type hints of a reference's function or of a record; Python reads them anew each time it is asked."""
    return typing.get_type_hints(like)


def _returns(like: Any) -> Any:
    """The hint of what a call returns; None where it returns nothing."""
    hint = _hints(like).get("return", Any)
    return None if hint is type(None) else hint


def _shaped(value: Any, hint: Any) -> Returned | Raised:
    wrong = mismatch(value, hint)
    if wrong is None:
        return Returned(value)
    place, found, wanted = wrong
    if not place:
        forgot = ". Did you forget to return?" if value is None else ""
        return Raised(WRONG_SHAPE, f"returned {_short(value)}; expected {shape_name(hint)}{forgot}")
    what = f"where `result{place}` is {_short(found)}; expected {shape_name(wanted)} there"
    return Raised(WRONG_SHAPE, f"returned a {type(value).__name__} {what}")


def mismatch(value: Any, hint: Any, place: str = "") -> tuple[str, Any, Any] | None:
    """The first part of a value that has not the type its hint says: where it is, what is there, what should be.

    >>> mismatch((1, ["a"]), tuple[int, list[int]])
    ('[1][0]', 'a', <class 'int'>)
    """
    if conforms(value, hint):
        return None
    origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
    if type(value) is origin:
        for step, part, wanted in _parts_of(value, args):
            found = mismatch(part, wanted, f"{place}{step}")
            if found is not None:
                return found
    return place, value, hint


def _parts_of(value: Any, args: tuple[Any, ...]) -> Iterator[tuple[str, Any, Any]]:
    """What a value consists of: how each part is reached, the part, and its hint."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        yield from ((f".{f.name}", getattr(value, f.name), hints[f.name]) for f in fields(value))
    elif isinstance(value, tuple) and not (len(args) == 2 and args[1] is Ellipsis):
        yield from ((f"[{i}]", part, wanted) for i, (part, wanted) in enumerate(zip(value, args, strict=False)))
    elif isinstance(value, list | tuple):
        yield from ((f"[{i}]", part, args[0]) for i, part in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f"[{key!r}]", part, args[1]) for key, part in value.items())


def conforms(value: Any, hint: Any) -> bool:  # noqa: PLR0911 - one line a kind of hint
    """The value has exactly the type that the hint says, all the way down: True is no int, [1] no tuple.

    >>> conforms([1, 2], list[int]), conforms([True], list[int]), conforms((1, "a"), tuple[int, str])
    (True, False, True)
    """
    if hint is Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, python_types.UnionType):
        return any(conforms(value, arg) for arg in args)
    if type(value) is not (origin or hint):
        return False
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return all(conforms(item, args[0]) for item in value)
        return len(value) == len(args) and all(map(conforms, value, args))
    if origin in (list, frozenset):
        return all(conforms(item, args[0]) for item in value)
    if origin is dict:
        return all(conforms(k, args[0]) and conforms(v, args[1]) for k, v in value.items())
    if is_dataclass(hint):
        hints = _hints(typing.cast("Any", hint))
        return all(conforms(getattr(value, f.name), hints[f.name]) for f in fields(hint))
    return True


def shape_name(hint: Any) -> str:
    """The hint in words: `a list[str]`, `nothing (None)`."""
    if hint is None or hint is type(None):
        return "nothing (None)"
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    text = text.replace("kafkalite.types.", "").replace("typing.", "")
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def signature_of(reference: Any) -> inspect.Signature:
    """How an answer is called; for a class, its constructor."""
    return inspect.signature(reference)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
