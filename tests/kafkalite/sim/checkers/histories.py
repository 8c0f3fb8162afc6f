"""Hand-made histories: facts in a row, and the names of what a checker finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafkalite.facts import (
    BatchAppended,
    BecameFollower,
    BecameLeader,
    HighWatermarkAdvanced,
    IsrChanged,
    IsrExpandProposed,
    IsrShrinkProposed,
    LeaderElected,
    LogLoaded,
    LogTruncated,
    RecordsAcknowledged,
    RecordSent,
    RecordsPolled,
)
from kafkalite.sim.checkers import Checker, Expectations, TopicPromise, Violation, value_of

Told = tuple[str, Any]  # who announced it, and the fact; one ms passes between two
ORDERS = ("orders", 0)
UNCLEAN = Expectations(topic=TopicPromise(unclean_leader_election_enable=True))
READ_ALL = Expectations(reads_everything=True)


def violations(facts: Iterable[Told], expectations: Expectations | None = None) -> list[Violation]:
    """What a checker finds, in the order it finds it."""
    checker = Checker(expectations)
    now_ms = 0.0
    for node, fact in facts:
        if node == "wait":
            now_ms += fact
            continue
        now_ms += 1
        checker.observe(now_ms, node, fact)
    return checker.finish(now_ms)


def names(facts: Iterable[Told], expectations: Expectations | None = None) -> list[str]:
    """The names of what a checker finds."""
    return [violation.name for violation in violations(facts, expectations)]


def wait(for_ms: float) -> Told:
    """Let time pass."""
    return "wait", for_ms


def leads(broker: int, epoch: int = 0, end: int = 0, isr: tuple[int, ...] = (1, 2, 3)) -> Told:
    """A broker leads orders-0, which has replicas on 1, 2 and 3."""
    return f"b{broker}", BecameLeader(*ORDERS, epoch, end, isr, (1, 2, 3))


def loads(broker: int, end: int = 0, start: int = 0, *, was_clean: bool = False) -> Told:
    """A broker opens its log."""
    return f"b{broker}", LogLoaded(*ORDERS, start, end, was_clean)


def append(broker: int, base: int, epoch: int = 0, crc: int | None = None, count: int = 1, leads: int = 1) -> Told:
    """A replica appends a batch; its checksum is its base offset unless it is said to be something else."""
    crc = base if crc is None else crc
    return f"b{broker}", BatchAppended(*ORDERS, base, base + count - 1, epoch, crc, broker == leads)


def everywhere(base: int, epoch: int = 0, count: int = 1, on: tuple[int, ...] = (1, 2, 3)) -> list[Told]:
    """Replicas, the leader first, append a batch."""
    return [append(broker, base, epoch, count=count, leads=on[0]) for broker in on]


def watermark(broker: int, was: int, now: int, epoch: int = 0, *, is_leader: bool = True) -> Told:
    """A replica's watermark moves."""
    return f"b{broker}", HighWatermarkAdvanced(*ORDERS, was, now, epoch, is_leader)


def sent(record: int, producer: str = "p1", partition: int = 0) -> Told:
    """A producer is handed a record."""
    return producer, RecordSent(record, "orders", partition, None, value_of(producer, record))


def acknowledged(record: int, offset: int, producer: str = "p1") -> Told:
    """One record is acknowledged."""
    return producer, RecordsAcknowledged(*ORDERS, (record,), offset)


def polled(*read: tuple[int, int | bytes | None], consumer: str = "c1", position: int | None = None) -> Told:
    """A consumer is handed pairs of an offset and a record of p1 (or a value)."""
    offsets = tuple(offset for offset, _ in read)
    values = tuple(value_of("p1", what) if isinstance(what, int) else what for _, what in read)
    position = offsets[-1] + 1 if position is None else position
    return consumer, RecordsPolled(*ORDERS, offsets, values, position)


def committed(count: int, isr: tuple[int, ...] = (1, 2, 3)) -> list[Told]:
    """b1 leads; so many records stand on all of its ISR and are below the watermark."""
    begin = [loads(broker) for broker in (1, 2, 3)] + [leads(1, isr=isr)]
    return [*begin, *(told for base in range(count) for told in everywhere(base, on=isr)), watermark(1, 0, count)]


def served(*records: int) -> list[Told]:
    """Records that p1 sent, in this order, from offset 0 on: committed and acknowledged."""
    asked = [sent(record) for record in records]
    answered = [acknowledged(record, offset) for offset, record in enumerate(records)]
    return [*committed(len(records)), *asked, *answered]


def truncated(broker: int, was_end: int, end: int) -> Told:
    """A replica cuts its log."""
    return f"b{broker}", LogTruncated(*ORDERS, was_end, end, "epoch")


def elected(leader: int, epoch: int, isr: tuple[int, ...], *, is_unclean: bool = False) -> Told:
    """A controller elects a leader."""
    return "b9", LeaderElected(*ORDERS, leader, epoch, isr, is_unclean, "offline")


def follows(broker: int, epoch: int, leader: int) -> Told:
    """A broker follows."""
    return f"b{broker}", BecameFollower(*ORDERS, epoch, leader)


def shrinks(broker: int, isr: tuple[int, ...], *lagging: int) -> Told:
    """A leader proposes to put replicas out of the ISR."""
    return f"b{broker}", IsrShrinkProposed(*ORDERS, isr, lagging)


def expands(broker: int, isr: tuple[int, ...], *joining: int) -> Told:
    """A leader proposes to let replicas into the ISR."""
    return f"b{broker}", IsrExpandProposed(*ORDERS, isr, joining)


def changed(broker: int, was: tuple[int, ...], isr: tuple[int, ...], epoch: int = 0, version: int = 1) -> Told:
    """The coordination service has a leader's new ISR."""
    return f"b{broker}", IsrChanged(*ORDERS, was, isr, epoch, version)


WITHOUT_3 = [*committed(1, isr=(1, 2)), append(1, 1), append(2, 1), watermark(1, 1, 2)]
# b2's disk is replaced, and when it copies b1's log again, nothing is left there of epoch 1, which had offset 2.
AN_EPOCH_COMPACTED = [
    *committed(2),
    *(leads(1, 1, 2), *everywhere(2, 1), watermark(1, 2, 3, 1)),
    *(leads(1, 2, 3), *everywhere(3, 2), watermark(1, 3, 4, 2)),
    *(loads(2, end=0), follows(2, 2, 1), append(2, 0), append(2, 1), append(2, 3, 2)),
]
