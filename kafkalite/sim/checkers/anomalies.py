"""Anomalies that the whole history shows, by the names Jepsen gave them. Looked for when a run has ended.

    lost-write            acknowledged, and a consumer has read past its offset without seeing it
    unseen                acknowledged, and everything was read to the end without it
    inconsistent-offsets  acknowledged at an offset where something else was read
    duplicate             read at two offsets, though its producer is idempotent
    failed-but-read       read, though its producer was told that it surely is not there
    nonmonotonic-send     two records of one producer stand the other way round than they were sent
    poll-skip             a consumer was handed a later record, and not one that it should have met on the way
    int-poll-skip         the same within one poll
    unavailable           sent when all faults were over, and not acknowledged

What settings do not promise is no anomaly: a write with acks=1 or 0 may be lost, and without idempotence a record may
appear twice. Nor is what the world forgives: records lost by an unclean election where that is allowed, or with a disk;
or, where a coordinator lost with its disk which epochs it had given, those that leaders may have taken for others.
"""

from __future__ import annotations

from collections.abc import Iterator

from kafkalite.config import ProducerConfig
from kafkalite.sim.checkers.history import History, PartitionHistory, Record
from kafkalite.sim.checkers.violation import Announced, Violation, place_of
from kafkalite.sim.checkers.world import PartitionView, World
from kafkalite.types import NodeName

ALL = -1  # acks
NAMES = (
    *("lost-write", "unseen", "inconsistent-offsets", "duplicate", "failed-but-read", "nonmonotonic-send"),
    *("poll-skip", "int-poll-skip", "unavailable"),
)


class _Partition:
    """One partition's history beside what may be demanded of it."""

    def __init__(
        self, history: History, seen: PartitionHistory, world: World, view: PartitionView, mistakable: set[Record]
    ) -> None:
        self.history, self.seen, self.world, self.view = history, seen, world, view
        self.mistakable = mistakable

    def config(self, record: Record) -> ProducerConfig:
        return self.world.expectations.of_producer(record[0])

    def promised(self) -> Iterator[tuple[Record, int, Announced]]:
        """Acknowledged records that must be there, and where."""
        for record, (offset, at) in self.seen.acknowledged.items():
            is_kept = self.view.start <= offset < self.view.forgiven_from and record not in self.mistakable
            if self.config(record).acks == ALL and is_kept:
                yield record, offset, at

    def lost(self) -> Iterator[Violation]:
        reads_everything = self.world.expectations.reads_everything
        for record, offset, at in self.promised():
            read_at = self.seen.offsets.get(record, [])
            if offset in read_at or self.is_ambiguous(record):
                continue
            sent = self.history.sent.get(record)
            other = self.seen.values.get(offset)
            if other is not None:
                value = self.seen.value_at(offset)
                yield _violation(
                    "inconsistent-offsets", f"{record} is said to be at {offset}; {value!r} was read", at, other
                )
            is_compacted = self.world.expectations.of_topic(at.fact.topic).is_compacted
            may_be_a_copy = is_compacted and not self.config(record).enable_idempotence
            if read_at:
                if other is None and not may_be_a_copy:  # else the one read is another, and this one was replaced
                    yield _violation("inconsistent-offsets", f"{record} is said to be at {offset}, not {read_at}", at)
            elif is_compacted:
                continue  # a later record of its key may have taken its place
            elif self.seen.is_covered(offset, self.may_skip(record)):
                yield _violation("lost-write", f"{record} was acknowledged at {offset} and is not there", sent, at)
            elif reads_everything:
                yield _violation("unseen", f"{record} was acknowledged at {offset} and nobody has read it", sent, at)

    def may_skip(self, record: Record) -> frozenset[NodeName]:
        """Consumers that need not be handed this record: it may have been aborted. `transactions` looks at that."""
        is_transactional = self.config(record).transactional_id is not None
        return self.world.expectations.read_committed if is_transactional else frozenset()

    def is_ambiguous(self, record: Record) -> bool:
        sent = self.history.sent.get(record)
        return sent is None or self.history.record_of(sent.fact.value) != record

    def repeated(self) -> Iterator[Violation]:
        for record, offsets in self.seen.offsets.items():
            certain = [offset for offset in offsets if offset < self.view.forgiven_from]
            if len(certain) > 1 and self.config(record).enable_idempotence:
                polls = (self.seen.values[offset] for offset in certain)
                yield _violation("duplicate", f"{record} stands at {certain}", self.history.sent[record], *polls)

    def denied(self) -> Iterator[Violation]:
        for record, offsets in self.seen.offsets.items():
            failed = self.history.failed.get(record)
            if failed is not None and failed.fact.is_definite:
                poll = self.seen.values[offsets[0]]
                yield _violation("failed-but-read", f"{record} failed for sure and is at {offsets[0]}", failed, poll)

    def out_of_order(self) -> Iterator[Violation]:
        """Records of one producer must stand as they were sent. Only acknowledged ones: the rest may come late."""
        before: dict[str, tuple[int, Record, Announced]] = {}
        promised = {record: (offset, at) for record, offset, at in self.promised()}
        for record in [record for record in self.history.sent if record in promised]:
            offset, at = promised[record]
            config = self.config(record)
            if not config.enable_idempotence and config.max_in_flight_requests_per_connection > 1:
                continue
            first = min(self.seen.offsets.get(record, [offset])[0], offset)
            known = before.get(record[0])
            if known is not None and first < known[0]:
                yield _violation(
                    "nonmonotonic-send", f"{record} stands at {first}, before {known[1]} at {known[0]}", known[2], at
                )
            before[record[0]] = (first, record, at)

    def is_transactional(self, offset: int) -> bool:
        """Was the record that somebody read there sent by a transactional producer, as far as is known?"""
        value = self.seen.value_at(offset)
        record = self.history.record_of(value)
        return record is None or self.config(record).transactional_id is not None

    def skipped(self) -> Iterator[Violation]:
        for node, reading in self.seen.readings.items():
            for start, end, at in reading.gaps:
                passed = next((offset for offset in range(start, end) if offset in self.seen.values), None)
                if passed is None or not self.view.start <= passed < self.view.forgiven_from:
                    continue
                is_between_polls = not at.fact.offsets or end == at.fact.offsets[0]
                name = "poll-skip" if is_between_polls else "int-poll-skip"
                if self.world.expectations.of_topic(at.fact.topic).is_compacted:
                    continue  # whoever came earlier may have read what is gone by now
                if node in self.world.expectations.read_committed and self.is_transactional(passed):
                    continue  # it may have been aborted; what was committed is looked for in `transactions`
                yield _violation(name, f"{node} went from {start} to {end} past {passed}", self.seen.values[passed], at)


def found(history: History, world: World, mistakable: set[Record]) -> Iterator[Violation]:
    """Everything that is wrong with a history, at its end. `mistakable` records may be acknowledged for others."""
    for place, seen in sorted(history.partitions.items()):
        if place[0] not in world.deleted:
            partition = _Partition(history, seen, world, world.partition(*place), mistakable)
            yield from partition.lost()
            yield from partition.repeated()
            yield from partition.denied()
            yield from partition.out_of_order()
            yield from partition.skipped()
    yield from _unavailable(history, world)


def _unavailable(history: History, world: World) -> Iterator[Violation]:
    from_ms = world.expectations.available_from_ms
    if from_ms == float("inf"):
        return
    done = {record for seen in history.partitions.values() for record in seen.acknowledged}
    for record, at in history.sent.items():
        if at.now_ms >= from_ms and record not in done and at.fact.topic not in world.deleted:
            failed = history.failed.get(record)
            yield _violation("unavailable", f"{record} was sent with all faults over and not acknowledged", at, failed)


def _violation(name: str, sentence: str, *facts: Announced | None) -> Violation:
    shown = tuple(fact for fact in facts if fact is not None)
    return Violation(name, sentence, shown[-1].now_ms, shown, place_of(shown[-1].fact))
