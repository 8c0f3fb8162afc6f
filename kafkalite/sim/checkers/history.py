"""What clients did and saw: who sent which record, what became of it, who read what at which offset.

A record is (its producer's node, its number there). A value leads back to its record because the workload sends every
value once: `value_of` makes such values. A value that was sent twice, or none (a tombstone), says nothing about one
record; it counts for what is said of offsets only.
Transactions have books of their own, in `transaction_world`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kafkalite.facts import PositionReset, RecordsAcknowledged, RecordSent, RecordsFailed, RecordsPolled
from kafkalite.sim.checkers.violation import Announced
from kafkalite.types import NodeName, TopicPartition

Record = tuple[NodeName, int]


def value_of(producer: NodeName, record: int, size: int = 0) -> bytes:
    """A value that no other record has, padded to a size.

    >>> value_of("p1", 17), value_of("p1", 17, size=8)
    (b'p1:17', b'p1:17...')
    """
    return f"{producer}:{record}".encode().ljust(size, b".")


@dataclass(slots=True)
class Reading:
    """How far one consumer has come in one partition."""

    position: int | None = None  # the offset it wants next; None: nobody knows, it may begin anywhere
    covered: list[list[int]] = field(default_factory=list)  # ranges [from, to) that it has read through
    gaps: list[tuple[int, int, Announced]] = field(default_factory=list)  # ranges it passed without a record


class PartitionHistory:
    """One partition, as its readers saw it."""

    __slots__ = ("acknowledged", "offsets", "readings", "values")

    def __init__(self) -> None:
        self.values: dict[int, Announced] = {}  # offset -> the first poll that handed it out
        self.offsets: dict[Record, list[int]] = {}  # record -> where it was read
        self.acknowledged: dict[Record, tuple[int, Announced]] = {}  # record -> where it is said to be (-1: unknown)
        self.readings: dict[NodeName, Reading] = {}

    def is_covered(self, offset: int, but: frozenset[NodeName] = frozenset()) -> bool:
        """Has some consumer, other than these, read through there?"""
        readings = (reading for node, reading in self.readings.items() if node not in but)
        return any(start <= offset < end for reading in readings for start, end in reading.covered)

    def value_at(self, offset: int) -> bytes | None:
        """What was read there; it must have been read."""
        poll: RecordsPolled = self.values[offset].fact
        return poll.values[poll.offsets.index(offset)]


class History:
    """All that clients announced. `on_<fact>` methods take it in."""

    def __init__(self) -> None:
        self.sent: dict[Record, Announced] = {}
        self.failed: dict[Record, Announced] = {}
        self.partitions: dict[TopicPartition, PartitionHistory] = {}
        self._records: dict[bytes | None, Record | None] = {None: None}  # value -> record; None: not just one

    def partition(self, topic: str, partition: int) -> PartitionHistory:
        """What happened in a partition."""
        known = self.partitions.get((topic, partition))
        if known is None:
            known = self.partitions[topic, partition] = PartitionHistory()
        return known

    def is_known(self, value: bytes | None) -> bool:
        """Has anybody sent this value?"""
        return value in self._records

    def record_of(self, value: bytes | None) -> Record | None:
        """The one record that has this value."""
        return self._records.get(value)

    def on_record_sent(self, at: Announced) -> None:
        fact: RecordSent = at.fact
        record = (at.node, fact.record)
        self.sent[record] = at
        known = self._records.setdefault(fact.value, record)
        if known != record:
            self._records[fact.value] = None

    def on_records_acknowledged(self, at: Announced) -> None:
        fact: RecordsAcknowledged = at.fact
        acknowledged = self.partition(fact.topic, fact.partition).acknowledged
        offset = fact.base_offset
        for record in fact.records:
            acknowledged[at.node, record] = (offset, at)
            if offset >= 0:
                offset += 1

    def on_records_failed(self, at: Announced) -> None:
        fact: RecordsFailed = at.fact
        for record in fact.records:
            self.failed[at.node, record] = at

    def on_position_reset(self, at: Announced) -> None:
        fact: PositionReset = at.fact
        self._reading(at).position = fact.position

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        history = self.partition(fact.topic, fact.partition)
        values, places = history.values, history.offsets
        for offset, value in zip(fact.offsets, fact.values, strict=True):
            values.setdefault(offset, at)
            record = self._records.get(value)
            if record is not None:
                where = places.setdefault(record, [])
                if offset not in where:
                    where.append(offset)
        self._move(self._reading(at), at)

    def on_topic_deleted(self, at: Announced) -> None:
        for place in [place for place in self.partitions if place[0] == at.fact.topic]:
            del self.partitions[place]

    def _reading(self, at: Announced) -> Reading:
        readings = self.partition(at.fact.topic, at.fact.partition).readings
        return readings.setdefault(at.node, Reading())

    def _move(self, reading: Reading, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        wanted = reading.position
        if wanted is None:
            wanted = fact.offsets[0] if fact.offsets else fact.position
        expected = wanted
        for offset in fact.offsets:
            if offset > expected:
                reading.gaps.append((expected, offset, at))
            expected = offset + 1
        if fact.position > expected:
            reading.gaps.append((expected, fact.position, at))
        if reading.covered and reading.covered[-1][1] == wanted:
            reading.covered[-1][1] = fact.position
        else:
            reading.covered.append([wanted, fact.position])
        reading.position = fact.position
