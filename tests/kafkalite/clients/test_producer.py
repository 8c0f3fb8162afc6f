"""A producer finds partition and broker itself; each record has one outcome, and a failure says whether it is sure."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import pytest

from kafkalite.clients.accumulator import Accumulator
from kafkalite.clients.partitioner import partition_for
from kafkalite.clients.producer import Producer
from kafkalite.config import ClientConfig, ProducerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import BatchSent, RecordsAcknowledged, RecordSent, RecordsFailed
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import BreakConnection, Freeze, Kill
from tests.kafkalite.clients.fake_cluster import Run, Truth, producer


def _run(leaders: tuple[int, ...] = (101,), *, faults: Any = (), **settings: Any) -> Run:
    truth = Truth(tuple(sorted({101, *leaders}))).topic("orders", *leaders)
    return Run(truth, producer(truth, **settings), faults=faults)


# Partitions ----------------------------------------------------------------------------------------------------------


def test_records_of_a_key_share_a_partition_and_their_order() -> None:
    """T5, P5, T9."""
    run = _run((101, 102, 103))
    keys = [b"alice", b"bob", b"", b"carol"]
    for number in range(40):
        run.produce(key=keys[number % 4], from_ms=number)
    run.until_done()

    for key in keys:
        partition = partition_for(key, 3)
        assert partition is not None
        found = [record.value for record in run.truth.records(partition=partition) if record.key == key]
        assert [b"v%d" % number for number in range(40) if keys[number % 4] == key] == found


def test_a_partition_that_the_program_chose_is_used_whatever_the_key() -> None:
    run = _run((101, 101)).produce(key=b"alice", partition=1).produce(key=b"alice", partition=0).until_done()

    assert [1, 0] == [fact.partition for fact in run.of(RecordSent)]


def test_round_robin_sends_to_each_partition_in_turn() -> None:
    """P5, as the note has it."""
    run = _run((101, 102, 103), partitioner="round_robin").produce(6).until_done()

    assert [0, 1, 2, 0, 1, 2] == [fact.partition for fact in run.of(RecordSent)]


def test_sticky_makes_fewer_batches_than_round_robin() -> None:
    """T5, M22: a thousand records over eight partitions, one every millisecond."""
    batches = {}
    for partitioner in ("sticky", "round_robin"):
        run = _run((101, 102) * 4, partitioner=partitioner, batch_size=1_000).produce(1_000, every_ms=1).until_done()
        batches[partitioner] = len(run.of(BatchSent))

    assert 2 * batches["sticky"] < batches["round_robin"]


def test_keys_can_be_ignored() -> None:
    run = _run((101, 101, 101), partitioner="round_robin", partitioner_ignore_keys=True)
    run.produce(3, key=b"alice").until_done()

    assert [0, 1, 2] == [fact.partition for fact in run.of(RecordSent)]


# Batches and requests ------------------------------------------------------------------------------------------------


def test_records_gather_for_linger_ms_and_leave_as_one_batch() -> None:
    run = _run(linger_ms=50).produce(1).until_done()
    begun_ms = run.sim.now_ms
    run.produce(5, every_ms=9).until_done()

    assert [(0,), (1, 2, 3, 4, 5)] == [fact.records for fact in run.of(BatchSent)]
    assert begun_ms + 50 <= run.sim.now_ms < begun_ms + 60


def test_a_full_batch_leaves_at_once() -> None:
    run = _run(linger_ms=10_000, batch_size=200)
    run.produce(60)
    run.sim.run_for(100)

    assert [6, 5, 5] == [len(fact.records) for fact in run.of(BatchSent)][:3]  # 139 bytes for 21 + 2 or 3 each
    assert 55 <= len(run.outcomes()) < 60


def test_flushing_does_not_wait() -> None:
    run = _run(linger_ms=10_000).produce(3)
    run.sim.run_for(50)
    run.sim.call("p1", "flush_batches")
    run.sim.run_for(10)

    assert {0: 0, 1: 1, 2: 2} == run.outcomes()


def test_one_request_takes_a_batch_of_each_partition_a_broker_leads() -> None:
    run = _run((101, 102, 101), partitioner="round_robin").produce(6).until_done()
    taken = [
        (broker, [d.index for d in one.topic_data[0].partition_data]) for broker, one in run.requests(ProduceRequest)
    ]

    assert [("b101", [0, 2]), ("b102", [1])] == sorted(taken)


@pytest.mark.parametrize("in_flight", [1, 3, 5])
def test_no_more_requests_are_in_flight_than_allowed(in_flight: int) -> None:
    run = _run(linger_ms=0, max_in_flight_requests_per_connection=in_flight)
    run.truth.work_ms = 20
    client: Any = run.sim.nodes["p1"]
    most = 0
    run.produce(100, every_ms=1)
    while len(run.outcomes()) < 100:
        run.sim.step()
        most = max(most, len(client.sender._in_flight.get("b101", ())))

    assert in_flight == most
    assert [b"v%d" % number for number in range(100)] == run.truth.values()


def test_the_same_records_take_more_partitions_less_time() -> None:
    """T11: each leader works for itself."""
    took_ms = []
    for leaders in ((101,), (101, 102), (101, 102, 103, 104)):
        run = _run(leaders, partitioner="round_robin", batch_size=300, linger_ms=1)
        run.truth.work_ms = 10
        run.produce(400).until_done()
        took_ms.append(run.sim.now_ms)

    assert 1.8 * took_ms[1] < took_ms[0]
    assert 3.2 * took_ms[2] < took_ms[0]


# acks ----------------------------------------------------------------------------------------------------------------


def test_acks_0_is_acknowledged_as_soon_as_sent_without_an_offset() -> None:
    """P2, M38."""
    run = _run(acks=0).produce(2).until_done()
    known_ms, before = run.sim.now_ms, run.truth.values()
    run.sim.run_for(10)

    assert [RecordsAcknowledged("orders", 0, (0, 1), -1)] == run.of(RecordsAcknowledged)
    assert [] == before
    assert [b"v0", b"v1"] == run.truth.values()
    assert known_ms < 20


def test_acks_0_does_not_notice_what_is_lost() -> None:
    """P2."""
    run = _run(acks=0).produce().until_done()
    run.sim.inject(BreakConnection("p1", "b101"))
    run.sim.run_for(1_000)

    assert {0: -1} == run.outcomes()
    assert [] == run.truth.values()


def test_acks_1_and_all_are_acknowledged_with_the_offset() -> None:
    """P3, P4: here the difference is the broker's; the request says which."""
    for acks in (1, -1):
        run = _run(acks=acks).produce(2).until_done()

        assert {0: 0, 1: 1} == run.outcomes()
        assert {acks} == {request.acks for _, request in run.requests(ProduceRequest)}


# What goes wrong -----------------------------------------------------------------------------------------------------


def test_a_retriable_error_is_retried_with_growing_waits() -> None:
    run = _run()
    run.truth.script["orders", 0] = [ErrorCode.NOT_ENOUGH_REPLICAS] * 4
    run.produce().until_done()

    assert {0: 0} == run.outcomes()
    assert [1, 2, 3, 4, 5] == [fact.attempt for fact in run.of(BatchSent)]
    assert 0.8 * 1500 < run.sim.now_ms < 1.2 * 1500 + 50


def test_an_error_that_is_not_retriable_fails_at_once_and_for_sure() -> None:
    run = _run()
    run.truth.script["orders", 0] = [ErrorCode.MESSAGE_TOO_LARGE]
    run.produce().until_done()

    assert [RecordsFailed("orders", 0, (0,), "MESSAGE_TOO_LARGE", True)] == run.of(RecordsFailed)


@pytest.mark.parametrize(
    ("errors", "is_definite"),
    [
        ([ErrorCode.NOT_ENOUGH_REPLICAS] * 3, True),  # checked before the append
        (
            [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.NOT_ENOUGH_REPLICAS],
            False,
        ),
        ([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NOT_ENOUGH_REPLICAS], False),
        ([ErrorCode.REQUEST_TIMED_OUT] * 3, False),
    ],
)
def test_a_failure_is_definite_only_if_every_attempt_was_refused(errors: list[ErrorCode], is_definite: bool) -> None:
    """A time-out may have happened; that nothing was appended must have been said each time."""
    run = _run(retries=2)
    run.truth.script["orders", 0] = list(errors)
    run.produce().until_done()

    assert [(errors[-1].name, is_definite)] == [(fact.error, fact.is_definite) for fact in run.of(RecordsFailed)]


def test_a_failure_after_a_broken_connection_is_never_definite() -> None:
    """The record is in the log, and the producer is told that it may be."""
    run = _run(retries=1)
    run.truth.hang_ups = 1
    run.truth.script["orders", 0] = [ErrorCode.NONE, ErrorCode.MESSAGE_TOO_LARGE]
    run.produce().until_done()

    assert [(False, [b"v0"])] == [(fact.is_definite, run.truth.values()) for fact in run.of(RecordsFailed)]


def test_after_delivery_timeout_a_record_in_flight_fails_and_may_have_happened() -> None:
    run = _run(faults=[(50, Freeze("b101", 60_000))], delivery_timeout_ms=5_000).produce().until_done()
    run.produce(from_ms=100).until_done()

    assert [RecordsFailed("orders", 0, (1,), "REQUEST_TIMED_OUT", False)] == run.of(RecordsFailed)
    run.sim.run_for(60_000)
    assert {0: 0} == {record: offset for record, offset in run.outcomes().items() if isinstance(offset, int)}


def test_after_delivery_timeout_a_record_that_never_left_has_surely_not_happened() -> None:
    run = _run(delivery_timeout_ms=5_000).produce().until_done()
    run.truth.partitions["orders", 0].move(-1)
    run.produce().until_done()  # goes to the old leader
    run.sim.run_for(500)
    run.produce().until_done()

    assert [(1, False), (2, True)] == [(fact.records[0], fact.is_definite) for fact in run.of(RecordsFailed)]
    assert [b"v0"] == run.truth.values()


def test_a_record_of_an_unknown_topic_waits_for_it_and_then_gives_up() -> None:
    run = _run(max_block_ms=2_000).produce(topic="soon").produce(topic="never")
    run.sim.run_for(1_000)
    run.truth.topic("soon", 101)
    run.until_done()

    assert 0 == run.outcomes()[0]
    assert [RecordsFailed("never", -1, (1,), "REQUEST_TIMED_OUT", True)] == run.of(RecordsFailed)
    assert [0] == [fact.record for fact in run.of(RecordSent)]


def test_a_partition_that_was_just_added_can_be_chosen() -> None:
    """T8."""
    run = _run((101,)).produce().until_done()
    run.truth.topic("orders", 101, 101)
    run.produce(partition=1).until_done()

    assert [b"v1"] == run.truth.values(partition=1)


def test_a_record_too_large_for_a_request_is_refused_before_it_is_sent() -> None:
    run = _run(max_request_size=20).produce().until_done()

    assert [RecordsFailed("orders", -1, (0,), "MESSAGE_TOO_LARGE", True)] == run.of(RecordsFailed)


def test_records_wait_for_memory_and_keep_their_order() -> None:
    run = _run(buffer_memory=200, batch_size=100, linger_ms=0)
    run.truth.work_ms = 10
    most = 0
    client: Any = run.sim.nodes["p1"]
    run.produce(100)
    while len(run.outcomes()) < 100:
        run.sim.step()
        most = max(most, client.sender.used_bytes)

    assert 150 < most <= 200
    assert [b"v%d" % number for number in range(100)] == run.truth.values()


def test_a_closed_producer_sends_what_it_has_takes_no_more_and_comes_to_rest() -> None:
    run = _run(linger_ms=1_000).produce(3, every_ms=10)
    run.sim.run_for(40)
    run.sim.call("p1", "close")
    run.produce(1).until_done()
    run.sim.run()  # nothing is left to happen

    assert [b"v0", b"v1", b"v2"] == run.truth.values()
    assert ["PRODUCER_CLOSED"] == [fact.error for fact in run.of(RecordsFailed)]


def test_a_broker_that_died_for_good_fails_its_partitions_and_no_others() -> None:
    run = _run((101, 102), faults=[(20, Kill("b102"))], delivery_timeout_ms=5_000, partitioner="round_robin")
    run.produce(20, every_ms=5).until_done()

    assert {1} == {fact.partition for fact in run.of(RecordsFailed)}
    assert 10 == len(run.truth.values(partition=0))


def test_records_bear_the_time_of_the_producers_clock_unless_they_bring_one() -> None:
    run = _run().produce()
    run.sim.call_at(500, "p1", "produce", 1, "orders", None, b"old", 1_000)
    run.records += 1
    run.until_done()
    times_ms = [record.timestamp_ms for record in run.truth.records()]

    assert [1_700_000_000_000, 1_000] == times_ms


# Parts of one's own ---------------------------------------------------------------------------------------------------


def _with_parts(**parts: Any) -> Run:
    truth = Truth().topic("orders", 101, 101, 101)
    client = ClientConfig(("b101",))
    mine = Producer("mine", client, ProducerConfig(), replace(REFERENCE, **parts))
    return Run(truth, producer(truth), mine)


def test_a_producer_with_another_hash_puts_a_key_elsewhere_and_its_order_is_gone() -> None:
    """T5, M21: all producers of a topic must agree."""
    run = _with_parts(partition_for=lambda key, partitions: zlib.crc32(key) % partitions)
    run.produce(4, key=b"truck-3").produce(4, key=b"truck-3", node="mine")
    run.sim.run_for(300)
    held = [len(run.truth.values(partition=partition)) for partition in range(3)]

    assert [4, 4, 0] == sorted(held, reverse=True)


def test_a_partitioner_and_an_accumulator_of_ones_own_are_used() -> None:
    class First:
        """Every record to the first partition there is."""

        def __init__(self, batch_bytes: int) -> None: ...

        def partition(self, available: list[int], size_bytes: int, draw: float, /) -> int:
            return available[0]

    class OneByOne(Accumulator):
        """No batch has more than one record."""

        def __init__(self, batch_bytes: int, linger_ms: float) -> None:
            super().__init__(1, linger_ms)

    run = _with_parts(sticky_partitioner=First, accumulator=OneByOne)
    run.produce(5, node="mine").until_done("mine")

    assert [b"v%d" % number for number in range(5)] == run.truth.values(partition=0)
    assert [1] * 5 == [len(fact.records) for fact in run.of(BatchSent, "mine")]
