"""How often each kind of fact, and each error, was reached: a soak that never met an error has not tested it.

Errors are counted where a node says it: refused requests, failed records, answers to admin clients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, is_dataclass
from typing import Any

from kafkalite import facts
from kafkalite.errors import ErrorCode

FACTS = frozenset(name for name, kind in vars(facts).items() if isinstance(kind, type) and is_dataclass(kind))


@dataclass(slots=True)
class Coverage:
    """Counts by the name of the fact and of the error; add those of many runs.

    >>> coverage = Coverage()
    >>> coverage.count(facts.RequestRefused("Produce", "orders", 0, "NOT_LEADER_OR_FOLLOWER"))
    >>> (coverage + coverage).errors["NOT_LEADER_OR_FOLLOWER"]
    2
    """

    facts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def count(self, fact: Any, times: int = 1) -> None:
        """One more fact."""
        self.facts[type(fact).__name__] += times
        error = getattr(fact, "error", None)
        if error is not None and error in ErrorCode.__members__:
            self.errors[error] += times

    @property
    def reached(self) -> Counter[str]:
        """Facts and errors in one: their names do not look alike."""
        return self.facts + self.errors

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(self.facts + other.facts, self.errors + other.errors)

    def missing(self, at_least: int, errors: Iterable[str] = (), facts_wanted: Iterable[str] = FACTS) -> dict[str, int]:
        """What was reached less often than that, and how often it was."""
        wanted = [(name, self.facts[name]) for name in sorted(facts_wanted)]
        wanted += [(name, self.errors[name]) for name in sorted(errors)]
        return {name: times for name, times in wanted if times < at_least}
