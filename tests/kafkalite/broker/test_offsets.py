"""Questions about offsets, and DeleteRecords."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import LogStartMoved
from kafkalite.log.settings import LogConfig
from kafkalite.protocol.offsets import OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import Freeze
from tests.kafkalite.replication.rig import Rig

LATEST, EARLIEST = -1, -2


def led_by_1(brokers: int = 3, **config: Any) -> Rig:
    rig = Rig(brokers, **config)
    rig.elect(1)
    rig.run(20)
    return rig


def test_the_end_is_the_watermark_for_a_consumer_and_the_logs_end_for_a_replica() -> None:
    """R3."""
    rig = led_by_1()
    rig.produce("a")
    rig.run(20)
    rig.sim.inject(Freeze("b3", 500))
    rig.produce("b", acks=1)
    rig.run(20)
    answers = [rig.latest(1), rig.latest(1, replica_id=2), rig.latest(1, timestamp=EARLIEST)]
    rig.run(10)

    assert [1, 2, 0] == [answer.partition.offset for answer in answers]
    assert [0, 0, 0] == [answer.partition.leader_epoch for answer in answers]


def test_an_offset_is_found_by_time() -> None:
    rig = led_by_1(1)
    times = []
    for value in "abc":
        times.append(int(rig.sim.now_ms))
        rig.produce(value)
        rig.run(100)
    answers = [rig.latest(1, timestamp=at_ms) for at_ms in (0, times[1], times[1] + 1, times[2] + 1)]
    rig.run(10)

    assert [0, 1, 2, -1] == [answer.partition.offset for answer in answers]
    assert [times[0], times[1], times[2], -1] == [answer.partition.timestamp for answer in answers]
    assert ["NONE"] * 4 == [answer.error for answer in answers]


def test_a_record_that_is_not_committed_is_not_found_by_its_time() -> None:
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 500))
    rig.produce("a", acks=1)
    rig.run(20)
    answer = rig.latest(1, timestamp=0)
    rig.run(10)

    assert -1 == answer.partition.offset


@pytest.mark.parametrize(("epoch", "expected"), [(0, (0, 2)), (1, (1, 3)), (7, (-1, -1)), (-1, (-1, -1))])
def test_where_an_epoch_ended(epoch: int, expected: tuple[int, int]) -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(20)
    rig.elect(1)
    rig.produce("c")
    rig.run(20)
    topics = (OffsetForLeaderTopic("t", (OffsetForLeaderPartition(0, 1, epoch),)),)
    answer = rig.ask(1, OffsetForLeaderEpochRequest(-1, topics))
    rig.run(10)

    assert expected == (answer.partition.leader_epoch, answer.partition.end_offset)


def test_who_is_not_the_leader_does_not_know() -> None:
    rig = led_by_1()
    topics = (OffsetForLeaderTopic("t", (OffsetForLeaderPartition(0, -1, 0),)),)
    answers = [rig.latest(2), rig.ask(2, OffsetForLeaderEpochRequest(-1, topics))]
    rig.run(10)

    assert ["NOT_LEADER_OR_FOLLOWER"] * 2 == [answer.error for answer in answers]


def test_records_are_deleted_once_every_live_replica_has_done_so() -> None:
    """T4: by hand, before their time (KIP-107)."""
    rig = led_by_1()
    rig.produce("a", "b", "c")
    rig.run(600)
    rig.sim.inject(Freeze("b3", 1000))
    answer = rig.delete_before(2, timeout_ms=3000)
    rig.run(600)  # followers hear of it with their next answer

    assert answer.value is None
    assert [2, 2] == [rig.log(broker).log_start_offset for broker in (1, 2)]

    rig.run(1500)

    assert 2 == answer.partition.low_watermark
    assert [(2,)] * 3 == [tuple(f.start for f in rig.facts_of(LogStartMoved, broker)) for broker in rig.replicas]


def test_a_replica_that_is_dead_is_not_waited_for() -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(600)
    rig.sim.inject(Freeze("b3", 5000))
    rig.knows.live = {1, 2}
    answer = rig.delete_before(-1)
    rig.run(700)

    assert 2 == answer.partition.low_watermark


def test_who_waits_too_long_for_a_deletion_is_told_so() -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(600)
    rig.sim.inject(Freeze("b3", 5000))
    answer = rig.delete_before(1, timeout_ms=200)
    rig.run(300)

    assert "REQUEST_TIMED_OUT" == answer.error
    assert -1 == answer.partition.low_watermark


def test_what_is_not_committed_cannot_be_deleted() -> None:
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 500))
    rig.produce("a", acks=1)
    rig.run(20)
    answer = rig.delete_before(1)
    rig.run(10)

    assert "OFFSET_OUT_OF_RANGE" == answer.error


def test_nothing_is_deleted_by_hand_from_a_topic_that_is_only_compacted() -> None:
    """T4: it keeps the last value of every key."""
    rig = led_by_1(1, settings=TopicSettings(LogConfig(compact=True, delete=False)))
    rig.produce_keyed(b"k", b"v")
    rig.run(20)
    answer = rig.delete_before(1)
    rig.run(10)

    assert "POLICY_VIOLATION" == answer.error
    assert ["v"] == rig.values(1)
