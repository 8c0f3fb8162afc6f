"""Fetch: how long it waits, how much it gives, and who may read where."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.sim.faults import BreakConnection, Freeze
from tests.kafkalite.replication.rig import Rig, fetched, values_in


def led_by_1(brokers: int = 1, **config: Any) -> Rig:
    rig = Rig(brokers, **config)
    rig.elect(1)
    rig.run(20)
    return rig


def test_at_the_end_it_waits_until_something_is_there() -> None:
    """R2: followers and consumers wait at the leader instead of asking again and again."""
    rig = led_by_1()
    answer = rig.fetch(0, max_wait_ms=500, min_bytes=1)
    rig.run(100)

    assert answer.value is None

    rig.produce("a")
    rig.run(4)

    assert ["a"] == values_in(fetched(answer).records)


def test_it_waits_no_longer_than_it_was_told_to() -> None:
    rig = led_by_1()
    asked_ms = rig.sim.now_ms
    answer = rig.fetch(0, max_wait_ms=300, min_bytes=1)
    rig.run(400)

    assert 302 <= answer.at_ms - asked_ms <= 303
    assert b"" == fetched(answer).records


def test_it_waits_until_there_are_as_many_bytes_as_it_wants() -> None:
    rig = led_by_1()
    answer = rig.fetch(0, max_wait_ms=5000, min_bytes=200)
    for value in "abc":
        rig.produce(value)
        rig.run(10)
        if value != "c":
            assert answer.value is None

    assert ["a", "b", "c"] == values_in(fetched(answer).records)


def test_many_wait_and_each_is_answered() -> None:
    rig = led_by_1()
    answers = [rig.fetch(0, max_wait_ms=100 * n, min_bytes=1) for n in range(1, 6)]
    rig.run(250)
    rig.produce("a")
    rig.run(5)

    assert [b""] * 2 == [fetched(answer).records for answer in answers[:2]]
    assert [["a"]] * 3 == [values_in(fetched(answer).records) for answer in answers[2:]]


@pytest.mark.parametrize("offset", [-1, 3, 100])
def test_an_offset_outside_the_log_is_said_at_once(offset: int) -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(10)
    answer = rig.fetch(offset, max_wait_ms=1000, min_bytes=1)
    rig.run(10)

    assert "OFFSET_OUT_OF_RANGE" == answer.error


def test_the_first_batch_is_given_even_if_it_is_above_every_limit() -> None:
    """KIP-74: or a reader could never pass it."""
    rig = led_by_1()
    rig.produce("x" * 500)
    rig.produce("small")
    rig.run(10)
    answer = rig.fetch(0, max_bytes=100)
    rig.run(10)

    assert ["x" * 500] == values_in(fetched(answer).records)


def test_a_partition_that_comes_later_gives_nothing_above_the_limit() -> None:
    rig = led_by_1()
    rig.produce("x" * 500)
    rig.run(10)
    asked = FetchTopic("t", (FetchPartition(0, -1, 0, -1, 600), FetchPartition(0, -1, 0, -1, 600)))
    answer = rig.ask(1, FetchRequest(max_bytes=600, topics=(asked,)))
    rig.run(10)

    sizes = [len(data.records) for data in answer.value.responses[0].partitions]
    assert [True, False] == [size > 500 for size in sizes]


def test_sessions_are_declined() -> None:
    """KIP-227: id 0 says that there is none."""
    rig = led_by_1()
    answer = rig.fetch(0, session_id=0, session_epoch=0)
    rig.run(10)

    assert 0 == answer.value.session_id


def test_a_wait_whose_connection_is_gone_is_forgotten() -> None:
    rig = led_by_1()
    rig.fetch(0, max_wait_ms=500, min_bytes=1)
    rig.run(5)

    assert 1 == len(rig.broker(1).replicas.waiting.fetches)

    rig.sim.inject(BreakConnection("c", "b1"))
    rig.run(5)

    assert not rig.broker(1).replicas.waiting.fetches


def test_a_follower_that_was_not_assigned_is_not_counted() -> None:
    rig = led_by_1(2)
    answer = rig.fetch(0, replica_id=9)
    rig.run(10)

    assert "NOT_LEADER_OR_FOLLOWER" == answer.error
    assert {2} == set(rig.partition(1).progress)


def test_a_consumer_in_another_rack_is_sent_to_the_follower_there() -> None:
    """R2, KIP-392."""
    rig = led_by_1(3, replica_selector_rack_aware=True)
    rig.produce("a")
    rig.run(1200)
    at_leader = rig.fetch(0, rack_id="rack3")
    rig.run(10)

    assert 3 == fetched(at_leader).preferred_read_replica
    assert b"" == fetched(at_leader).records

    near = rig.fetch(0, broker=3, rack_id="rack3")
    rig.run(10)

    assert ["a"] == values_in(fetched(near).records)


def test_a_follower_serves_what_is_below_its_own_watermark() -> None:
    """R2 (M46): it lags behind the leader's."""
    rig = led_by_1(2, replica_selector_rack_aware=True)
    rig.produce("a")
    rig.run(600)
    rig.produce("b")
    rig.run(20)

    assert (2, 1) == (rig.log(1).high_watermark, rig.log(2).high_watermark)
    assert 2 == rig.log(2).log_end_offset

    near = rig.fetch(0, broker=2)
    rig.run(10)

    assert ["a"] == values_in(fetched(near).records)


def test_a_follower_outside_the_isr_is_not_named() -> None:
    rig = led_by_1(3, replica_selector_rack_aware=True)
    rig.produce("a")
    rig.run(1200)
    rig.sim.inject(Freeze("b3", 1000))
    rig.elect(1, isr=(1, 2), to=(1, 2))
    rig.run(5)
    answer = rig.fetch(0, rack_id="rack3")
    rig.run(10)

    assert -1 == fetched(answer).preferred_read_replica
    assert ["a"] == values_in(fetched(answer).records)


def test_nobody_is_sent_to_a_follower_unless_the_broker_is_set_to_it() -> None:
    """R2: the leader serves, by default."""
    rig = led_by_1(3)
    rig.produce("a")
    rig.run(1200)
    answer = rig.fetch(0, rack_id="rack3")
    rig.run(10)

    assert ["a"] == values_in(fetched(answer).records)
