"""What a check found: data only. How it looks is `course.checks.feedback`'s business."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from course.checks.model import Run, Violation, WrongAnswer
from course.checks.port import Outcome


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's end. `hidden` tells that it holds on the shown cases and breaks only on one that grading adds."""

    id: str
    says: str
    points: float
    passed: bool
    hidden: bool = False
    ran: bool = True
    violation: Violation | None = None
    run: Run | None = None  # the run that shows the violation; never a hidden one
    history: tuple[str, ...] = ()  # the calls that led to it, a line each, the bad one last


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's end. `score` is the sum of the points of the rules that hold; 0 unless the answer could be asked."""

    check: str
    outcome: Outcome
    points: float
    rules: tuple[RuleResult, ...]
    message: str = ""  # why the answer could not be asked, or was lost
    misconception: WrongAnswer | None = None
    unfinished: bool = False  # the stub still raises NotImplementedError
    graded: bool = False  # hidden cases were among those judged
    printed: str = ""
    cases: int = 0
    behaviour: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def score(self) -> float:
        """The points of the rules that hold."""
        return float(sum(rule.points for rule in self.rules if rule.passed))

    @property
    def broken(self) -> frozenset[str]:
        """The ids of the rules that do not hold."""
        return frozenset(rule.id for rule in self.rules if not rule.passed)

    def as_data(self) -> dict[str, Any]:
        """The result as a program reads it, JSON-able: the score and each rule's end. Nothing of a case is in it."""
        return {
            "check": self.check,
            "outcome": self.outcome.name,
            "score": self.score,
            "points": self.points,
            "graded": self.graded,
            "misconception": self.misconception.name if self.misconception is not None else None,
            "rules": [
                {"id": r.id, "points": r.points, "passed": r.passed, "hidden": r.hidden, "ran": r.ran}
                for r in self.rules
            ],
        }
