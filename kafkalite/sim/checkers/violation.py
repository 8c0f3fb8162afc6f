"""What a checker says when something is wrong: a name, a sentence, and the few facts that show it.

A checker is one of two kinds. An *invariant* holds at every step; it is a small class here and in the files beside
this one. An *anomaly* is found in what clients did, mostly at the end of a run (`anomalies`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from kafkalite.types import NodeName

if TYPE_CHECKING:
    from kafkalite.sim.checkers.world import World


class Announced(NamedTuple):
    """A fact, with who announced it and when."""

    now_ms: float
    node: NodeName
    fact: Any

    def __str__(self) -> str:
        return f"{self.now_ms:>12.1f} ms  {self.node:<6} {self.fact}"


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be. `place` is what it is about, "orders-0"; `around` are the facts just before it."""

    name: str
    sentence: str
    at_ms: float
    facts: tuple[Announced, ...]
    place: str = ""
    around: tuple[Announced, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence} ({self.at_ms:.1f} ms)"


Report = Callable[[Violation], None]


class Invariant:
    """Something that holds at every step: the first line of its docstring says what.

    Its `on_<fact>` methods see the world as it was just before the fact.
    """

    name: ClassVar[str]

    def __init__(self, world: World, report: Report) -> None:
        self.world, self._report = world, report

    def violated(self, sentence: str, at: Announced, *earlier: Announced | None) -> None:
        """Say what was seen instead; `at` is the fact that shows it, `earlier` those it contradicts."""
        facts = (*(fact for fact in earlier if fact is not None), at)
        self._report(Violation(self.name, sentence, at.now_ms, facts, place_of(at.fact)))


def place_of(fact: Any) -> str:
    """What a fact is about: a partition where it names one."""
    topic = getattr(fact, "topic", "")
    return f"{topic}-{fact.partition}" if topic and hasattr(fact, "partition") else topic
