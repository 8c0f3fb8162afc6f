"""A leader and its followers: copying, the watermark, what is visible to whom, and who is fenced."""

from __future__ import annotations

import pytest

from kafkalite.facts import BatchAppended, BecameFollower, BecameLeader, HighWatermarkAdvanced
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import Cut, Freeze

from .rig import KEY, Rig, fetched, produced, values_in


def led_by_1(brokers: int = 3, **config: object) -> Rig:
    rig = Rig(brokers, **config)  # type: ignore[arg-type]
    rig.elect(1)
    rig.run(20)
    return rig


def test_followers_copy_what_the_leader_appends_byte_for_byte() -> None:
    """R1, R2."""
    rig = led_by_1()
    rig.produce("a", "b")
    rig.produce("c")
    rig.run(50)

    assert [["a", "b", "c"]] * 3 == [rig.values(broker) for broker in rig.replicas]
    appended = [[(f.base_offset, f.crc) for f in rig.facts_of(BatchAppended, broker)] for broker in rig.replicas]
    assert appended[0] == appended[1] == appended[2]
    assert [0, 2] == [base_offset for base_offset, _ in appended[0]]


def test_only_the_leader_takes_and_serves() -> None:
    """R2."""
    rig = led_by_1()
    answers = [rig.produce("a", to=2), rig.fetch(0, broker=3)]
    rig.run(20)

    assert ["NOT_LEADER_OR_FOLLOWER"] * 2 == [answer.error for answer in answers]


def test_the_watermark_moves_when_the_last_of_the_isr_asks_for_more() -> None:
    """R3: a follower's next fetch is its acknowledgement."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 300))
    rig.produce("a", acks=1)
    rig.run(100)

    assert [1, 1, 0] == [rig.log(broker).log_end_offset for broker in rig.replicas]
    assert 0 == rig.log(1).high_watermark

    rig.run(300)

    assert 1 == rig.log(1).high_watermark


def test_a_consumer_does_not_see_what_is_not_on_the_whole_isr() -> None:
    """R3."""
    rig = led_by_1()
    rig.produce("a")
    rig.run(20)
    rig.sim.inject(Freeze("b3", 300))
    rig.produce("b", acks=1)
    rig.run(20)
    early = rig.fetch(0)
    at_the_end = rig.fetch(1, max_wait_ms=1000, min_bytes=1)
    rig.run(20)

    assert ["a"] == values_in(fetched(early).records)
    assert at_the_end.value is None

    rig.run(300)

    assert ["b"] == values_in(fetched(at_the_end).records)


def test_a_follower_learns_the_watermark_with_the_answer_to_its_next_fetch() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(20)

    assert [1, 0, 0] == [rig.log(broker).high_watermark for broker in rig.replicas]

    rig.run(600)

    assert [1, 1, 1] == [rig.log(broker).high_watermark for broker in rig.replicas]
    assert [False] == [fact.is_leader for fact in rig.facts_of(HighWatermarkAdvanced, 2)]


def test_a_leader_alone_commits_at_once() -> None:
    rig = led_by_1(1)
    answer = rig.produce("a", "b")
    rig.run(5)

    assert 0 == produced(answer).base_offset
    assert 2 == rig.log(1).high_watermark


def test_under_min_isr_nothing_new_becomes_visible() -> None:
    """R6: what is below the watermark stays readable, acks=1 still appends, and nobody sees it (KAFKA-15583)."""
    rig = Rig(3, settings=TopicSettings(min_insync_replicas=2))
    rig.elect(1)
    rig.produce("a")
    rig.run(50)
    rig.elect(1, isr=(1,), to=(1,))
    rig.run(5)
    rig.produce("b", acks=1)
    rig.run(5)

    assert (1, 2) == (rig.log(1).high_watermark, rig.log(1).log_end_offset)


def test_whoever_waits_for_the_watermark_of_a_leader_that_loses_its_office_is_told_at_once() -> None:
    rig = led_by_1()
    rig.sim.inject(Cut("b2", "b1", 5000))
    rig.sim.inject(Cut("b3", "b1", 5000))
    waiting = [rig.produce("a", timeout_ms=4000), rig.fetch(0, max_wait_ms=4000, min_bytes=1)]
    rig.run(20)
    asked_ms = rig.sim.now_ms
    rig.elect(2)
    rig.run(20)

    assert ["NOT_LEADER_OR_FOLLOWER"] * 2 == [answer.error for answer in waiting]
    assert all(answer.at_ms < asked_ms + 5 for answer in waiting)
    assert not rig.broker(1).replicas.waiting.acks
    assert not rig.broker(1).replicas.waiting.fetches


@pytest.mark.parametrize(
    ("epoch", "error"), [(0, "FENCED_LEADER_EPOCH"), (1, "NONE"), (2, "UNKNOWN_LEADER_EPOCH"), (-1, "NONE")]
)
def test_who_asks_with_another_leader_epoch_is_told_which_is_older(epoch: int, error: str) -> None:
    """KIP-320: a fetch from a deposed leader, or by someone with old metadata, is refused."""
    rig = led_by_1()
    rig.elect(1)
    rig.run(20)
    answer = rig.fetch(0, epoch=epoch)
    rig.run(5)

    assert error == answer.error


def test_an_order_of_an_older_epoch_is_not_obeyed_and_one_said_twice_changes_nothing() -> None:
    rig = led_by_1()
    old = rig.state
    rig.elect(2)
    rig.run(20)
    rig.tell()
    rig.run(1)

    assert ["NONE"] * 3 == [answer.partition_errors[0].error_code.name for answer in rig.broker(1).answers]
    assert 2 == len(rig.facts_of(BecameLeader))
    assert 4 == len(rig.facts_of(BecameFollower))

    rig.epoch, rig.leader = old.leader_epoch - 1, 1
    rig.elect(1)
    rig.run(1)

    assert "STALE_CONTROLLER_EPOCH" == rig.broker(1).answers[-1].partition_errors[0].error_code.name
    assert 2 == rig.partition(1).leader


def test_a_replica_that_is_stopped_serves_nobody_and_one_that_is_deleted_leaves_no_files() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(20)
    rig.stop(3)
    rig.run(5)

    assert ["a"] == rig.values(3)
    assert rig.broker(3).storage.names("t-0")

    rig.stop(3, delete=True, epoch=-2)
    answer = rig.fetch(0, broker=3)
    rig.run(5)

    assert "NOT_LEADER_OR_FOLLOWER" == answer.error
    assert [] == rig.broker(3).storage.names("t-0")
    assert KEY not in rig.broker(3).replicas.partitions


def test_a_topic_made_anew_does_not_inherit_what_was_known_of_the_old_one() -> None:
    """Or a watermark checkpoint of the old one would commit what the new one has not."""
    rig = led_by_1()
    rig.produce("a", "b", "c")
    rig.run(6000)
    for broker in rig.replicas:
        rig.stop(broker, delete=True, epoch=-2)
    rig.run(5)
    storage = rig.broker(1).storage
    names = ("replication-offset-checkpoint", "recovery-point-offset-checkpoint", "log-start-offset-checkpoint")

    assert [b"0\n0\n"] * 3 == [storage.read(name, 0, 100) for name in names]


def test_an_order_to_stop_of_an_older_epoch_is_fenced() -> None:
    rig = led_by_1()
    rig.elect(1)
    rig.run(5)
    rig.stop(1, epoch=0)
    rig.run(5)

    assert "FENCED_LEADER_EPOCH" == rig.broker(1).answers[-1].partition_errors[0].error_code.name
    assert rig.partition(1).is_leader
