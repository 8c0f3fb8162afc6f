"""All checkers in one: give `Checker.observe` every fact of a run as it happens, then `finish`, and read `violations`.

    checker = Checker(Expectations(topics={"orders": TopicPromise(min_insync_replicas=2)}))
    simulator.observers.append(checker.observe)
    ...
    checker.finish(simulator.now_ms)

A fact costs a few dictionary look-ups; an election costs a look at every committed batch of its partition. Of
violations of one name about one partition the first is kept and the others are counted in `repeats`: they mostly follow
from it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kafkalite import facts
from kafkalite.node import handler_name
from kafkalite.sim.checkers import (
    anomalies,
    commits,
    effects,
    ensemble,
    group_invariants,
    leadership,
    logs,
    polls,
    transactions,
    watermark,
)
from kafkalite.sim.checkers.coverage import FACTS, Coverage
from kafkalite.sim.checkers.expectations import Expectations
from kafkalite.sim.checkers.group_world import Groups
from kafkalite.sim.checkers.history import History
from kafkalite.sim.checkers.transaction_world import Ledger
from kafkalite.sim.checkers.violation import Announced, Invariant, Violation, place_of
from kafkalite.sim.checkers.world import World
from kafkalite.types import NodeName

INVARIANTS: tuple[type[Invariant], ...] = (
    # what a leader promises
    watermark.WatermarkRetreat,
    watermark.WatermarkAhead,
    watermark.WatermarkBelowMinimum,
    watermark.UncommittedRead,
    watermark.AcknowledgedUncommitted,
    watermark.AcknowledgedBelowMinimum,
    watermark.TruncatedCommitted,
    watermark.JoinedEarly,
    watermark.ShrunkEarly,
    # what replicas hold
    logs.LostCommitted,
    logs.Divergence,
    logs.LogOrder,
    logs.GrewWhileDown,
    logs.CleanLogLost,
    # who decides
    leadership.TwoLeaders,
    leadership.EpochRetreat,
    leadership.UncleanElection,
    leadership.IsrOutsideReplicas,
    leadership.IsrByStranger,
    leadership.TwoControllers,
    leadership.StaleControllerObeyed,
    ensemble.TwoServerLeaders,
    ensemble.TreesDiverge,
    ensemble.ChangeLost,
)
POLL_CHECKS = (polls.NonmonotonicPoll, polls.NonmonotonicInPoll, polls.InconsistentOffsets, polls.Phantom)
GROUP_CHECKS: tuple[type[group_invariants.GroupCheck], ...] = (
    *group_invariants.INVARIANTS,
    *commits.INVARIANTS,
)
CHECKS: tuple[type[Invariant], ...] = (
    *INVARIANTS,
    *POLL_CHECKS,
    *GROUP_CHECKS,
    *transactions.INVARIANTS,
    *effects.INVARIANTS,
)
NAMES = frozenset(
    (
        *(check.name for check in CHECKS),
        *anomalies.NAMES,
        *commits.NAMES,
        *transactions.NAMES,
        *effects.NAMES,
    )
)
AROUND = 30  # facts before a violation that are kept with it: about the same place, or about no place
LOOKED_AT = 1000  # facts among which they are found
NOISE = (facts.ChangeCommitted, facts.WatchFired, facts.MetadataRefreshed)  # about no place, and no news


class Checker:
    """Every invariant and every anomaly, over the facts of one run."""

    def __init__(self, expectations: Expectations | None = None) -> None:
        self.world = World(expectations or Expectations())
        self.history = History()
        self.groups = Groups(self.world)
        self.coverage = Coverage()
        self.violations: list[Violation] = []  # the first of each name and place, in the order they were found
        self.repeats: Counter[tuple[str, str]] = Counter()  # (name, place) -> how many there were
        self._recent: deque[Announced] = deque(maxlen=LOOKED_AT)
        checks: list[Any] = [invariant(self.world, self._report) for invariant in INVARIANTS]
        checks += [check(self.world, self._report, self.history) for check in POLL_CHECKS]
        checks += [check(self.world, self._report, self.groups) for check in GROUP_CHECKS]
        self.ledger = Ledger(self.world)
        checks += [check(self.world, self._report, self.ledger, self.history) for check in transactions.INVARIANTS]
        self.effects = effects.Effects()
        checks += [check(self.world, self._report, self.effects) for check in effects.INVARIANTS]
        # Judged first, taken in afterwards: a check sees the world as it was before the fact.
        self._handlers = _by_fact([*checks, self.world, self.history, self.groups, self.ledger, self.effects])

    def observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        """Take in one fact."""
        self.coverage.count(fact)
        at = Announced(now_ms, node, fact)
        for handler in self._handlers.get(type(fact), ()):
            handler(at)
        self._recent.append(at)

    def finish(self, now_ms: float) -> list[Violation]:
        """The run has ended: look at the whole history. Returns all violations."""
        self._recent.clear()
        for violation in anomalies.found(self.history, self.world, self.ledger.mistakable):
            self._report(violation)
        for violation in commits.found(self.groups, self.history, self.world):
            self._report(violation)
        for violation in transactions.found(self.ledger, self.history, self.world):
            self._report(violation)
        for violation in effects.found(self.effects, self.history, self.world):
            self._report(violation)
        return self.violations

    def _report(self, violation: Violation) -> None:
        key = (violation.name, violation.place)
        self.repeats[key] += 1
        if self.repeats[key] == 1:
            self.violations.append(replace(violation, around=self._around(violation.place)))

    def _around(self, place: str) -> tuple[Announced, ...]:
        about = [at for at in self._recent if place_of(at.fact) in {place, ""} and not isinstance(at.fact, NOISE)]
        return tuple(about[-AROUND:])


def _by_fact(listeners: list[Any]) -> dict[type, tuple[Callable[[Announced], None], ...]]:
    """Who wants to hear of which kind of fact, in the order of the listeners."""
    handlers: dict[type, tuple[Callable[[Announced], None], ...]] = {}
    for name in sorted(FACTS):
        kind: type = getattr(facts, name)
        found = [getattr(listener, handler_name(kind), None) for listener in listeners]
        heard = tuple(handler for handler in found if handler is not None)
        if heard:
            handlers[kind] = heard
    return handlers
