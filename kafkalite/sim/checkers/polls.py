"""Anomalies seen while a consumer reads: each is told at once, by the name Jepsen gave it.

They are written as invariants because one poll shows them; what only the whole history shows is in `anomalies`.
"""

from __future__ import annotations

from itertools import pairwise

from kafkalite.facts import RecordsPolled
from kafkalite.sim.checkers.history import History
from kafkalite.sim.checkers.violation import Announced, Invariant, Report
from kafkalite.sim.checkers.world import World


class PollCheck(Invariant):
    """A check of each poll, against the history before it."""

    def __init__(self, world: World, report: Report, history: History) -> None:
        super().__init__(world, report)
        self.history = history


class NonmonotonicPoll(PollCheck):
    """A consumer's next poll begins no earlier than where the last one ended, unless its position was reset."""

    name = "nonmonotonic-poll"

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        reading = self.history.partition(fact.topic, fact.partition).readings.get(at.node)
        wanted = reading.position if reading is not None else None
        if wanted is not None and (fact.position < wanted or (fact.offsets and fact.offsets[0] < wanted)):
            self.violated(f"{at.node} wanted offset {wanted} and was handed {fact.offsets[:3]}", at)


class NonmonotonicInPoll(PollCheck):
    """Within a poll, offsets rise, and the position is behind the last."""

    name = "int-nonmonotonic-poll"

    def on_records_polled(self, at: Announced) -> None:
        offsets = at.fact.offsets
        if any(one >= other for one, other in pairwise((*offsets, at.fact.position))):
            self.violated(f"{at.node} was handed {offsets}, then wants {at.fact.position}", at)


class InconsistentOffsets(PollCheck):
    """An offset has one value, whoever reads it and whenever."""

    name = "inconsistent-offsets"

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        history = self.history.partition(fact.topic, fact.partition)
        values = history.values
        for offset, value in zip(fact.offsets, fact.values, strict=True):
            before = values.get(offset)
            if before is not None and value != (was := history.value_at(offset)):
                if offset < self.world.partition(fact.topic, fact.partition).forgiven_from:
                    self.violated(f"offset {offset} was {was!r} and is {value!r}", at, before)
                return


class Phantom(PollCheck):
    """Nothing is read but what a producer sent, to this partition."""

    name = "phantom"

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        for offset, value in zip(fact.offsets, fact.values, strict=True):
            record = self.history.record_of(value)
            sent = self.history.sent[record] if record is not None else None
            if not self.history.is_known(value) and not self._is_foreign(value):
                self.violated(f"offset {offset} holds {value!r}, which nobody sent", at)
            elif sent is not None and (sent.fact.topic, sent.fact.partition) != (fact.topic, fact.partition):
                self.violated(f"offset {offset} holds {value!r}, which was sent elsewhere", at, sent)

    def _is_foreign(self, value: bytes | None) -> bool:
        prefix = self.world.expectations.foreign_prefix
        return prefix is not None and value is not None and value.startswith(prefix)
