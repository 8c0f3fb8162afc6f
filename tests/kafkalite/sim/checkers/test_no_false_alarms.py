"""What replicas may do, however odd it looks, breaks no invariant: a false alarm costs more than a missed one."""

from __future__ import annotations

import pytest

from kafkalite.config import ProducerConfig
from kafkalite.facts import (
    ControllerObeyed,
    IsrChangeRefused,
    LogDeleted,
    LogStartMoved,
    TopicDeleted,
)
from kafkalite.sim.checkers import Expectations, TopicPromise

from .histories import (
    AN_EPOCH_COMPACTED,
    ORDERS,
    UNCLEAN,
    WITHOUT_3,
    Told,
    acknowledged,
    append,
    changed,
    committed,
    elected,
    everywhere,
    expands,
    follows,
    leads,
    loads,
    names,
    sent,
    shrinks,
    truncated,
    wait,
    watermark,
)

TWO_IN_SYNC = Expectations(topic=TopicPromise(min_insync_replicas=2))
LEADER_ONLY = Expectations(producer=ProducerConfig(acks=1))
COMPACTED = Expectations(topic=TopicPromise(is_compacted=True))


FINE: dict[str, tuple[list[Told], Expectations | None]] = {
    "all have it": ([*committed(1), *everywhere(1), watermark(1, 1, 2), watermark(2, 0, 2, is_leader=False)], None),
    "a lagging replica is counted out once the service knows": (
        [
            *committed(1),
            wait(40000),
            shrinks(1, (1, 2), 3),
            changed(1, (1, 2, 3), (1, 2)),
            *everywhere(1, on=(1, 2)),
            watermark(1, 1, 2),
        ],
        None,
    ),
    "a refused proposal counts nobody": (
        [
            *WITHOUT_3,
            append(3, 0),
            append(3, 1),
            expands(1, (1, 2, 3), 3),
            ("b1", IsrChangeRefused(*ORDERS, (1, 2), 3)),
            *everywhere(2, on=(1, 2)),
            watermark(1, 2, 3),
        ],
        None,
    ),
    "a follower says it has a batch, loses power, and the leader counts it": (
        [*committed(1), *everywhere(1), loads(3, end=1), watermark(1, 1, 2)],
        None,
    ),
    "the leader of an ISR of one, where one is enough": (committed(1, isr=(1,)), None),
    "one replica in all, two wanted": (
        [loads(1), leads(1, isr=(1, 2)), *everywhere(0, on=(1, 2)), watermark(1, 0, 1)],
        TWO_IN_SYNC,
    ),
    "acknowledged by the leader alone, as asked": (
        [*committed(1), sent(1), append(1, 1), acknowledged(1, 1)],
        LEADER_ONLY,
    ),
    "an acknowledgement without an offset": ([*committed(1), sent(1), acknowledged(1, -1)], None),
    "a tail that nobody committed is cut off": (
        [
            *committed(1),
            append(3, 1, crc=8),
            leads(2, 1, 1, (1, 2, 3)),
            truncated(3, 2, 1),
            *everywhere(1, 1, on=(2, 1, 3)),
            watermark(2, 1, 2, 1),
        ],
        None,
    ),
    "a stale leader writes on, and exposes nothing": (
        [
            *committed(1),
            leads(2, 1, 1, (2, 3)),
            append(1, 1, 0),
            append(2, 1, 1, crc=5, leads=2),
            append(3, 1, 1, crc=5),
            watermark(2, 1, 2, 1),
            follows(1, 1, 2),
            truncated(1, 2, 1),
            append(1, 1, 1, crc=5, leads=2),
        ],
        None,
    ),
    "a new leader that has everything": ([*committed(2), leads(2, 1, 2, (2, 3)), *everywhere(2, 1, on=(2, 3))], None),
    "a new leader whose log starts later": (
        [*committed(3), ("b2", LogStartMoved(*ORDERS, 2)), leads(2, 1, 3, (2, 3))],
        None,
    ),
    "a replica that joins with everything": ([*WITHOUT_3, append(3, 0), append(3, 1), expands(1, (1, 2, 3), 3)], None),
    "an unclean leader, where that is allowed": (
        [
            *WITHOUT_3,
            elected(3, 1, (3,), is_unclean=True),
            leads(3, 1, 0, (3,)),
            truncated(2, 2, 0),
            truncated(1, 2, 0),
        ],
        UNCLEAN,
    ),
    "an unclean leader whose controller could not say so": ([*WITHOUT_3, leads(3, 1, 0, (3,))], UNCLEAN),
    "a leader whose disk lost the tail": (
        [*committed(2), loads(2, end=1), leads(2, 1, 1, (2, 3)), truncated(3, 2, 1)],
        None,
    ),
    "a leader epoch that is announced late": ([elected(2, 6, (2, 3)), elected(1, 5, (1, 2))], None),
    "a broker told late of the epoch it led in": (
        [
            *(loads(b) for b in (1, 2, 3)),
            leads(2, 1, 0, (2, 3)),
            *everywhere(0, 1, on=(2, 3)),
            watermark(2, 0, 1, 1),
            leads(1, 0),
        ],
        None,
    ),
    "a replica that joined lags behind at once": (
        [
            *WITHOUT_3,
            append(3, 0),
            append(3, 1),
            expands(1, (1, 2, 3), 3),
            changed(1, (1, 2), (1, 2, 3)),
            wait(20000),
            shrinks(1, (1, 2), 3),
        ],
        None,
    ),
    "a follower begins anew where its leader's log begins": (
        [
            *committed(4, isr=(1, 2)),
            ("b1", LogStartMoved(*ORDERS, 3)),
            append(3, 0),
            truncated(3, 1, 3),
            append(3, 3),
            expands(1, (1, 2, 3), 3),
        ],
        None,
    ),
    "a leader whose log had begun later loses its disk": (
        [
            *committed(4),
            ("b1", LogStartMoved(*ORDERS, 2)),
            loads(1),
            leads(1, 1, 0, (1,)),
            append(1, 0, 1, crc=9),
            watermark(1, 0, 1, 1),
            truncated(2, 4, 0),
            append(2, 0, 1, crc=9),
        ],
        None,
    ),
    "a deposed leader goes on alone after an unclean election": (
        [
            *committed(1, isr=(1,)),
            elected(2, 1, (2,), is_unclean=True),
            append(2, 0, 0),
            leads(2, 1, 1, (2,)),
            append(2, 1, 1, crc=8, leads=2),
            watermark(2, 0, 2, 1),
            append(1, 1),
            watermark(1, 1, 2),
        ],
        UNCLEAN,
    ),
    "a disk is replaced": ([*committed(2), loads(3, end=0, was_clean=True), append(3, 0)], None),
    "a leader's disk is replaced, twice, behind where retention had come": (
        [
            *committed(4, isr=(1,)),
            ("b1", LogStartMoved(*ORDERS, 3)),
            loads(1, end=0, was_clean=True),
            leads(1, 1, 0, (1,)),
            append(1, 0, 1),
            watermark(1, 0, 1, 1),
            loads(1, end=0, was_clean=True),
            leads(1, 2, 0, (1,)),
            append(1, 0, 2),
            watermark(1, 0, 1, 2),
        ],
        None,
    ),
    "a leader that came after retention loses its disk": (
        [
            *committed(4, isr=(1,)),
            ("b1", LogStartMoved(*ORDERS, 2)),
            truncated(3, 0, 2),
            append(3, 2),
            append(3, 3),
            loads(3, end=0, was_clean=True),
            leads(3, 1, 0, (3,)),
        ],
        None,
    ),
    "a leader that came when retention had left nothing loses its disk": (
        [
            *committed(4, isr=(1,)),
            ("b1", LogStartMoved(*ORDERS, 4)),
            truncated(3, 0, 4),
            loads(3, end=0, was_clean=True),
            leads(3, 1, 0, (3,)),
        ],
        None,
    ),
    "a leader that had copied what compaction left loses its disk": (
        [*committed(3), loads(3, end=0), append(3, 2, crc=9), loads(3, end=0), leads(3, 1, 0, (3,))],
        COMPACTED,
    ),
    "a follower goes back over an epoch of which compaction left nothing to the leader's copy": (
        [*AN_EPOCH_COMPACTED, leads(2, 3, 4), loads(3, end=3), follows(3, 3, 2), truncated(3, 3, 2)],
        COMPACTED,
    ),
    "a follower goes back over an epoch of which compaction left nothing before the leader crashed": (
        [*AN_EPOCH_COMPACTED, loads(1, end=4), leads(1, 3, 4), loads(3, end=3), follows(3, 3, 1), truncated(3, 3, 2)],
        COMPACTED,
    ),
    "a topic of the same name begins anew": (
        [*committed(2), ("b9", TopicDeleted("orders")), *committed(1)],
        None,
    ),
    "a replica is made again": (
        [*committed(2), ("b3", LogDeleted(*ORDERS)), loads(3), append(3, 0), append(3, 1)],
        None,
    ),
    "a compacted replica has other checksums": (
        [*committed(2), append(1, 2), append(2, 2, crc=9), append(3, 2), watermark(1, 2, 3), leads(2, 1, 3, (2, 3))],
        COMPACTED,
    ),
    "a broker that began again obeys whom it meets": ([("b1", ControllerObeyed(4)), ("b1", ControllerObeyed(5))], None),
    "the watermark of a replica that began again": (
        [*committed(3), loads(1, end=3), leads(1, 1, 3), watermark(1, 1, 3, 1)],
        None,
    ),
}


@pytest.mark.parametrize("what", FINE)
def test_what_breaks_nothing_raises_no_alarm(what: str) -> None:
    told, expectations = FINE[what]

    assert [] == names(told, expectations)
