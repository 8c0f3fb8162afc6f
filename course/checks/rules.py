"""Small tools for writing rules: what every chapter's rules need to say in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from course.checks.model import Run, Unjudged, Violation
from course.checks.plug import Call, Raised, Returned

Judge = Callable[[Run], Violation | Unjudged | None]


def per_instance(run: Run) -> dict[int, list[tuple[int, Call]]]:
    """The calls of each instance with their place in the run."""
    calls: dict[int, list[tuple[int, Call]]] = {}
    for index, call in enumerate(run.calls):
        calls.setdefault(call.instance, []).append((index, call))
    return calls


def numbered(run: Run, *names: str) -> Iterator[tuple[int, Call]]:
    """The calls of these names with their place in the run."""
    return ((index, call) for index, call in enumerate(run.calls) if call.name in names)


def violation(run: Run, index: int, expected: str) -> Violation:
    """A call went wrong: what was expected, and what came."""
    call = run.calls[index]
    came = call.outcome.message if isinstance(call.outcome, Raised) and call.outcome.name == "WrongShape" else None
    if came is not None:
        return Violation(f"{call_text(call)} {came}", index, call.step)
    got = f"it {call.outcome}" if isinstance(call.outcome, Raised) else f"it returned {call.outcome.value!r}"
    return Violation(f"{call_text(call)} must {expected}; {got}", index, call.step)


def call_text(call: Call) -> str:
    """The call as it is written in code."""
    return f"{call.name}({', '.join(map(repr, call.args))})"


def returned(call: Call, value: Any) -> bool:
    """The call came back with exactly this."""
    return isinstance(call.outcome, Returned) and call.outcome.value == value


def raised(call: Call, name: str) -> bool:
    """The call raised the error of that name."""
    return isinstance(call.outcome, Raised) and call.outcome.name == name


def could_not_begin(run: Run) -> Violation | None:
    """An instance could not even be made; every rule is broken by that."""
    for index, call in enumerate(run.calls):
        if call.name[:1].isupper() and isinstance(call.outcome, Raised):
            return violation(run, index, "make a new instance")
    return None


def after_construction(judge: Judge) -> Judge:
    """A rule about the calls of instances: broken, too, where an instance could not be made."""

    def judging(run: Run) -> Violation | Unjudged | None:
        return could_not_begin(run) or judge(run)

    return judging
