"""A consumer reads its partitions in offset order, from wherever their leaders are, and knows where it is."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.clients.consumer import Consumer
from kafkalite.clients.position import TRANSITIONS, Happening, Position, State
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import MetadataRefreshed, PollFailed, PositionReset, RecordsPolled
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.protocol.offsets import ListOffsetsRequest
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import BreakConnection, Kill
from tests.kafkalite.clients.fake_cluster import Run, Truth, producer


def _run(leaders: tuple[int, ...] = (101,), seed: int = 1, **settings: Any) -> Run:
    """A producer and a consumer that begins at the beginning unless it is told otherwise."""
    truth = Truth(tuple(sorted({101, 102, *leaders}))).topic("orders", *leaders)
    client = {key: settings.pop(key) for key in list(settings) if key in ClientConfig.__dataclass_fields__}
    config = ConsumerConfig(**{"auto_offset_reset": "earliest", **settings})
    consumer = Consumer("c1", ClientConfig(("b101",), **client), config, REFERENCE)
    return Run(truth, producer(truth, partitioner="round_robin"), consumer, seed=seed)


def _assign(run: Run, *partitions: tuple[int, int | None]) -> Run:
    run.sim.call("c1", "assign", tuple(("orders", partition, offset) for partition, offset in partitions))
    return run


def _polled(run: Run, partition: int = 0) -> list[int]:
    """The offsets that were handed over of a partition."""
    return [offset for fact in run.of(RecordsPolled) if fact.partition == partition for offset in fact.offsets]


def test_a_partition_is_read_in_offset_order_and_each_by_itself() -> None:
    """C1, C8. Two partitions, two leaders; across them there is no order."""
    run = _assign(_run((101, 102)), (0, None), (1, None)).produce(100, every_ms=2).until_done()
    run.sim.run_for(100)

    assert [list(range(50))] * 2 == [_polled(run, partition) for partition in (0, 1)]
    values = [value for fact in run.of(RecordsPolled) if fact.partition == 1 for value in fact.values]
    assert [b"v%d" % number for number in range(1, 100, 2)] == values
    assert {("b101", (0,)), ("b102", (1,))} == {
        (broker, tuple(one.partition for one in request.topics[0].partitions))
        for broker, request in run.requests(FetchRequest)
    }


@pytest.mark.parametrize(
    ("offset", "policy", "expected", "reason"),
    [
        (None, "earliest", 0, "earliest"),
        (None, "latest", 5, "latest"),
        (-2, "none", 0, "sought"),
        (-1, "none", 5, "sought"),
        (3, "none", 3, "sought"),
        (99, "earliest", 0, "out of range: earliest"),
        (99, "latest", 5, "out of range: latest"),
    ],
)
def test_a_consumer_begins_where_it_is_told_or_as_configured(
    offset: int | None, policy: str, expected: int, reason: str
) -> None:
    """M39: the policy counts only where there is no valid position."""
    run = _run(auto_offset_reset=policy).produce(5).until_done()
    _assign(run, (0, offset)).sim.run_for(300)
    run.produce(2).until_done()
    run.sim.run_for(300)

    assert PositionReset("orders", 0, expected, reason) == run.of(PositionReset)[-1]
    assert list(range(expected, 7)) == _polled(run)


@pytest.mark.parametrize("offset", [None, 99])
def test_with_policy_none_a_consumer_without_a_position_says_so_and_waits_for_seek(offset: int | None) -> None:
    run = _run(auto_offset_reset="none").produce(5).until_done()
    _assign(run, (0, offset)).sim.run_for(300)
    said = run.of(PollFailed)
    run.sim.call("c1", "seek", "orders", 0, 4)
    run.sim.run_for(300)

    error = "NO_OFFSET_FOR_PARTITION" if offset is None else "OFFSET_OUT_OF_RANGE"
    assert [PollFailed("orders", 0, -1 if offset is None else 99, error)] == said
    assert [4] == _polled(run)


def test_a_consumer_can_begin_at_a_time() -> None:
    run = _assign(_run().produce(5, every_ms=100).until_done(), (0, -1))
    run.sim.run_for(50)
    times_ms = [record.timestamp_ms for record in run.truth.records()]
    run.sim.call("c1", "seek_to_time", "orders", 0, times_ms[3])
    run.sim.run_for(800)
    run.sim.call("c1", "seek_to_time", "orders", 0, times_ms[4] + 1_000_000)
    run.sim.run_for(800)

    assert [(5, "sought"), (3, "time"), (5, "time")] == [(f.position, f.reason) for f in run.of(PositionReset)]
    assert [3, 4] == _polled(run)


def test_reading_again_removes_nothing_and_seeking_back_replays() -> None:
    """C6."""
    run = _assign(_run().produce(4).until_done(), (0, None))
    run.sim.run_for(100)
    run.sim.call("c1", "seek", "orders", 0, 2)
    run.sim.run_for(600)

    assert [0, 1, 2, 3, 2, 3] == _polled(run)


def test_an_answer_that_a_seek_has_overtaken_is_ignored() -> None:
    run = _assign(_run().produce(4).until_done(), (0, None))
    while not run.requests(FetchRequest):
        run.sim.step()
    run.sim.call("c1", "seek", "orders", 0, 3)
    run.sim.run_for(600)

    assert [3] == _polled(run)


def test_a_poll_hands_over_at_most_so_many_records_and_the_next_one_goes_on() -> None:
    run = _assign(_run(max_poll_records=7).produce(40).until_done(), (0, None))
    run.sim.run_for(100)

    assert [7, 7, 7, 7, 7, 5] == [len(fact.offsets) for fact in run.of(RecordsPolled)]
    assert [7, 14, 21, 28, 35, 40] == [fact.position for fact in run.of(RecordsPolled)]


def test_a_poll_of_many_partitions_has_one_limit() -> None:
    run = _run((101, 101), max_poll_records=7).produce(20).until_done()
    _assign(run, (0, None), (1, None)).sim.run_for(100)
    polls: dict[float, int] = {}

    assert [list(range(10))] * 2 == [_polled(run, partition) for partition in (0, 1)]
    assert 7 >= max(len(fact.offsets) for fact in run.of(RecordsPolled))
    assert {} == polls


def test_a_paused_partition_is_left_alone_and_goes_on_where_it_was() -> None:
    run = _assign(_run((101, 101)).produce(4).until_done(), (0, None), (1, None))
    run.sim.run_for(100)
    run.sim.call("c1", "pause", ("orders", 0))
    run.sim.run_for(600)  # the fetch that was under way is over
    run.produce(4).until_done()
    run.sim.run_for(600)
    before = _polled(run, 0), _polled(run, 1)
    run.sim.call("c1", "resume", ("orders", 0))
    run.sim.run_for(600)

    assert ([0, 1], [0, 1, 2, 3]) == before
    assert [0, 1, 2, 3] == _polled(run, 0)


def test_a_stopped_consumer_reads_nothing_any_more_and_comes_to_rest() -> None:
    run = _assign(_run().produce(2).until_done(), (0, None))
    run.sim.run_for(100)
    run.sim.call("c1", "stop")
    run.sim.call("p1", "close")
    run.produce(2)
    run.sim.run()

    assert [0, 1] == _polled(run)


# Leaders come and go --------------------------------------------------------------------------------------------------


def test_a_consumer_finds_the_new_leader_by_itself() -> None:
    """C8, P6."""
    run = _assign(_run((101,)).produce(3).until_done(), (0, None))
    run.sim.run_for(100)
    run.truth.partitions["orders", 0].move(102)
    run.produce(3).until_done()
    run.sim.run_for(1_000)

    assert list(range(6)) == _polled(run)
    assert "b102" == run.requests(FetchRequest)[-1][0]
    assert "NOT_LEADER_OR_FOLLOWER" in {fact.reason for fact in run.of(MetadataRefreshed, "c1")}


def test_a_consumer_survives_the_death_of_the_broker_it_read_from() -> None:
    """C8, P6, D3."""
    run = _assign(_run((101,)).produce(3).until_done(), (0, None))
    run.sim.run_for(100)
    run.sim.inject(Kill("b101"))
    run.truth.partitions["orders", 0].move(102)
    run.produce(3).until_done()
    run.sim.run_for(1_000)

    assert list(range(6)) == _polled(run)


def test_a_consumer_that_read_what_an_unclean_election_threw_away_goes_back_and_says_so() -> None:
    """KIP-320: the new leader's log ends below the position, and goes on differently."""
    run = _assign(_run((101,)).produce(6).until_done(), (0, None))
    run.sim.run_for(100)
    led = run.truth.partitions["orders", 0]
    led.log.truncate_to(0)
    led.move(102)
    led.log.begin_epoch(led.leader_epoch)
    run.produce(8).until_done()
    run.sim.run_for(2_000)

    assert PositionReset("orders", 0, 0, "truncated") == run.of(PositionReset)[-1]
    assert [*range(6), *range(8)] == _polled(run)


def test_nothing_is_handed_over_twice_or_left_out_under_broken_connections_over_many_seeds() -> None:
    """C1."""
    for seed in range(30):
        run = _assign(_run((101, 102), seed), (0, None), (1, None)).produce(100, every_ms=3)
        for number in range(12):
            broker = f"b{101 + (seed + number) % 2}"
            run.sim.inject(BreakConnection("c1", broker), 15 + 23.7 * number)
        run.until_done()
        run.sim.run_for(2_000)

        assert [list(range(50))] * 2 == [_polled(run, partition) for partition in (0, 1)], f"seed {seed}"


@pytest.mark.parametrize("error", [ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.OFFSET_NOT_AVAILABLE])
def test_an_error_costs_a_wait_and_nothing_else(error: ErrorCode) -> None:
    run = _run().produce(3).until_done()
    run.truth.script["orders", 0] = [error] * 4
    _assign(run, (0, None)).sim.run_for(5_000)

    assert [0, 1, 2] == _polled(run)
    assert len(run.requests(FetchRequest)) + len(run.requests(ListOffsetsRequest)) < 20


# A replica nearby (KIP-392) ------------------------------------------------------------------------------------------


def test_a_consumer_reads_from_the_replica_that_the_leader_names() -> None:
    """R2, M46."""
    run = _run((101,), client_rack="here").produce(3).until_done()
    run.truth.read_replica["orders", 0] = 102
    _assign(run, (0, None)).produce(3).until_done()
    run.sim.run_for(1_000)
    brokers = [broker for broker, _ in run.requests(FetchRequest)]

    assert list(range(6)) == _polled(run)
    assert {"here"} == {request.rack_id for _, request in run.requests(FetchRequest)}
    assert ["b101"] == [broker for broker in brokers if broker != "b102"]


def test_when_that_replica_dies_the_leader_is_asked_again() -> None:
    run = _run((101,), client_rack="here").produce(3).until_done()
    run.truth.read_replica["orders", 0] = 102
    _assign(run, (0, None)).sim.run_for(200)
    run.sim.inject(Kill("b102"))
    del run.truth.read_replica["orders", 0]
    run.produce(3).until_done()
    run.sim.run_for(1_000)

    assert list(range(6)) == _polled(run)
    assert "b101" == run.requests(FetchRequest)[-1][0]


# The table ------------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached_and_left() -> None:
    assert {*State} == {*TRANSITIONS.values()} == {state for state, _ in TRANSITIONS}
    assert {*Happening} == {happening for _, happening in TRANSITIONS}


def test_a_position_moves_behind_what_was_handed_over_and_at_last_behind_what_was_fetched() -> None:
    """An empty end of a fetch (a marker, a gap) is moved past together with the last record."""
    run = _run().produce(3).until_done()
    position = Position(("orders", 0))
    position.seek(0)
    position.buffer.extend(run.truth.records())
    position.fetched_to = 9

    assert [([0], 1), ([1, 2], 9)] == [
        ([record.offset for record in position.take(count)], position.offset) for count in (1, 5)
    ]
