"""The words of checking: exercise, check, case, rule, run, violation.

A check drives the answer once per case and *then* judges: a rule is a pure function of what the run left behind. So
one run serves every rule, a counterexample is at hand without running again, and two answers that leave the same calls
behind on every case are the same answer, which is how a misconception is recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from importlib import import_module
from random import Random
from typing import Any

from course.checks.plug import Call, Plug, Raised
from course.checks.port import AnswerLost
from kafkalite.sim.simulator import Step


@dataclass(frozen=True, slots=True)
class Run:
    """What one case left behind. `lost` is set if the answer was lost on the way; the run then ends there."""

    case: Any
    calls: tuple[Call, ...]
    steps: tuple[Step, ...]
    lost: AnswerLost | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule is broken: what was expected and what came, at which call or step of the run it first shows."""

    message: str
    call: int | None = None
    step: int | None = None


class Unjudged(Enum):
    """A run that has nothing a rule could judge: it counts neither for the answer nor against it."""

    UNJUDGED = "nothing in this run is the rule's business"


UNJUDGED = Unjudged.UNJUDGED


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing an answer must do, with the points it is worth.

    `judge` returns the first violation of a run, None if the run shows that the rule holds, or UNJUDGED. A rule that no
    run has shown to hold does not pass: whoever does nothing does nothing wrong, and gets nothing for it.
    """

    id: str
    says: str
    points: float
    judge: Callable[[Run], Violation | Unjudged | None]


def asked_and_answered(call: Call) -> Any:
    """The arguments, and what came back or the name of the error; the learner's wording does not count."""
    return call.args, call.outcome.name if isinstance(call.outcome, Raised) else call.outcome


@dataclass(frozen=True)
class Check:
    """Rules, and the cases they are judged on: directed ones, each made to expose one mistake, and drawn ones.

    Everybody sees the directed cases and `shown` drawn ones; grading adds `hidden` more from a secret seed. `play`
    runs one case with the answer plugged in and returns the steps of the simulation (none if it needs no cluster).
    `tell` says a call in a line of history; `observe` is what of it two answers are compared by.
    """

    id: str
    rules: tuple[Rule, ...]
    directed: tuple[Any, ...]
    draw: Callable[[Random], Any]
    play: Callable[[Any, Plug], Sequence[Step]]
    shown: int = 4
    hidden: int = 12
    tell: Callable[[Call], str] = str
    observe: Callable[[Call], Any] = asked_and_answered

    @property
    def points(self) -> float:
        """All its rules' points."""
        return sum(rule.points for rule in self.rules)


@dataclass(frozen=True)
class Exercise:
    """What a learner writes: one name, one solution cell, one check or more.

    `reference` is `module:name`, the object the build pulls the solution and the stub from.
    """

    id: str
    title: str
    reference: str
    checks: tuple[Check, ...]
    hints: tuple[str, str, str]
    minutes: int
    claims: tuple[str, ...]
    core: bool = True
    given: tuple[str, ...] = field(default=())  # methods whose body the learner is given

    @property
    def name(self) -> str:
        """The name the learner gives the answer."""
        return self.reference.partition(":")[2]

    @cached_property
    def object(self) -> Any:
        """The reference object itself."""
        module, _, name = self.reference.partition(":")
        return getattr(import_module(module), name)

    @property
    def points(self) -> float:
        """All its checks' points."""
        return sum(check.points for check in self.checks)


@dataclass(frozen=True)
class Written:
    """A question answered in words and graded by a person."""

    id: str
    title: str
    points: float
    minutes: int
    claims: tuple[str, ...] = ()
    core: bool = True


@dataclass(frozen=True)
class WrongAnswer:
    """An answer that must lose exactly the points of the rules it breaks.

    `misconception` is an id of the curriculum's table, or None for a slip; `asks` is the question a learner who thinks
    so is asked instead of being told. `breaks` maps a check's id to the ids of its rules that fail.
    """

    name: str
    exercise: str
    breaks: dict[str, frozenset[str]]
    asks: str
    source: str
    object: Any
    misconception: str | None = None
