"""Once and in order, with five in flight, whatever happens to connections; and what happens without idempotence."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from kafkalite.clients.idempotence import EPOCH_MAX, Identity
from kafkalite.errors import ErrorCode
from kafkalite.facts import BatchSent, RecordsAcknowledged, RecordsFailed
from kafkalite.log.batch import split
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.sim.faults import BreakConnection, Fault, Freeze
from tests.kafkalite.clients.fake_cluster import Run, Truth, producer

WEAK: dict[str, Any] = {"enable_idempotence": False}


def _run(seed: int = 1, leaders: tuple[int, ...] = (101,), faults: Any = (), **settings: Any) -> Run:
    truth = Truth((101, 102)).topic("orders", *leaders)
    return Run(truth, producer(truth, **settings), seed=seed, faults=faults)


def _breaks(seed: int, until_ms: float = 400) -> list[tuple[float, Fault]]:
    """Broken connections, and pauses, at random times."""
    rng = Random(f"breaks/{seed}")
    breaks: list[tuple[float, Fault]] = [
        (rng.uniform(10, until_ms), BreakConnection("p1", rng.choice(["b101", "b102"]))) for _ in range(6)
    ]
    return [*breaks, (rng.uniform(10, until_ms), Freeze("b101", rng.uniform(5, 60)))]


# The lost acknowledgement --------------------------------------------------------------------------------------------


def test_a_lost_acknowledgement_is_harmless_with_idempotence() -> None:
    """P4: appended, and the connection broke; the retry is recognised and acknowledged with its old offset."""
    run = _run()
    run.truth.hang_ups = 1
    run.produce(3).until_done()

    assert [b"v0", b"v1", b"v2"] == run.truth.values()
    assert {0: 0, 1: 1, 2: 2} == run.outcomes()
    assert [1, 2] == [fact.attempt for fact in run.of(BatchSent)]


def test_a_lost_acknowledgement_makes_duplicates_without_idempotence() -> None:
    run = _run(**WEAK)
    run.truth.hang_ups = 1
    run.produce(3).until_done()

    assert [b"v0", b"v1", b"v2"] * 2 == run.truth.values()
    assert {0: 3, 1: 4, 2: 5} == run.outcomes()


def test_what_the_program_sends_twice_is_two_records() -> None:
    """M36."""
    run = _run()
    for record in (0, 1):
        run.sim.call("p1", "produce", record, "orders", b"k", b"same")
    run.records = 2
    run.until_done()

    assert [b"same", b"same"] == run.truth.values()


def test_the_same_program_started_again_is_another_producer() -> None:
    """M36: its first life's lost acknowledgement is not recognised in the second."""
    truth = Truth().topic("orders", 101)
    run = Run(truth, producer(truth), producer(truth, "p2"))
    run.produce().until_done()
    run.sim.call("p2", "produce", 0, "orders", None, b"v0")
    run.sim.run_for(100)
    ids = [header.producer_id for header, _ in split(truth.partitions["orders", 0].log.read(0, 10_000))]

    assert [b"v0", b"v0"] == truth.values()
    assert 2 == len({*ids})


# Order ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("work_ms", [0, 7])
def test_order_is_kept_and_nothing_doubled_with_five_in_flight_under_breaks_over_many_seeds(work_ms: float) -> None:
    """T9, M37."""
    retried = most = 0
    for seed in range(60):
        run = _run(seed, (101, 102), _breaks(seed), linger_ms=0, partitioner="round_robin")
        run.truth.work_ms = work_ms
        run.truth.hang_ups = seed % 3
        client: Any = run.sim.nodes["p1"]
        run.produce(200, every_ms=1.7)
        while len(run.outcomes()) < 200:
            run.sim.step()
            most = max(most, len(client.sender._in_flight.get("b101", ())))
        retried += sum(fact.attempt > 1 for fact in run.of(BatchSent))

        for partition in (0, 1):
            sent = [b"v%d" % number for number in range(partition, 200, 2)]
            assert sent == run.truth.values(partition=partition), f"seed {seed}"
        assert _offsets_are_right(run), f"seed {seed}"

    assert retried > 200
    assert 5 == most


def _offsets_are_right(run: Run) -> bool:
    said: dict[int, dict[int, bytes]] = {fact.partition: {} for fact in run.of(RecordsAcknowledged)}
    for fact in run.of(RecordsAcknowledged):
        said[fact.partition] |= {fact.base_offset + n: b"v%d" % record for n, record in enumerate(fact.records)}
    return all(dict(enumerate(run.truth.values(partition=partition))) == found for partition, found in said.items())


def test_order_is_kept_when_the_leader_moves_over_many_seeds() -> None:
    """P6, T9. The new leader has the log of the old one."""
    for seed in range(40):
        run = _run(seed, faults=_breaks(seed), linger_ms=0)
        run.truth.work_ms = 3
        run.produce(150, every_ms=2)
        for _ in range(4):
            run.sim.run_for(70)
            led = run.truth.partitions["orders", 0]
            led.move(203 - led.leader)
        run.until_done()

        assert [b"v%d" % number for number in range(150)] == run.truth.values(), f"seed {seed}"
        assert [] == run.of(RecordsFailed)


def test_retries_reorder_without_idempotence_and_more_than_one_in_flight() -> None:
    """M37, T9: seed 3. The first batch is refused for a moment, and those behind it are not."""
    run = _run(3, linger_ms=0, **WEAK)
    run.truth.work_ms = 5
    run.truth.script["orders", 0] = [ErrorCode.NOT_ENOUGH_REPLICAS]
    run.produce(6, every_ms=3).until_done()

    assert [(0, 1, 2), (3,), (4,), (5,), (0, 1, 2)] == [fact.records for fact in run.of(BatchSent)]
    assert [b"v3", b"v4", b"v5", b"v0", b"v1", b"v2"] == run.truth.values()


@pytest.mark.parametrize("settings", [{}, {**WEAK, "max_in_flight_requests_per_connection": 1}])
def test_retries_keep_order_with_idempotence_or_with_one_in_flight(settings: dict[str, Any]) -> None:
    """T9, today's half."""
    for seed in range(20):
        run = _run(seed, linger_ms=0, **settings)
        run.truth.work_ms = 5
        rng = Random(seed)
        choices = [ErrorCode.NONE, ErrorCode.NONE, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.LEADER_NOT_AVAILABLE]
        run.truth.script["orders", 0] = [rng.choice(choices) for _ in range(30)]
        run.produce(40, every_ms=3).until_done()

        assert [b"v%d" % number for number in range(40)] == run.truth.values(), f"seed {seed}"


def test_without_idempotence_breaks_double_records_on_some_seed() -> None:
    """The same runs as above, so that they are known to be hard enough."""
    doubled = 0
    for seed in range(20):
        run = _run(seed, faults=_breaks(seed), linger_ms=0, **WEAK)
        run.truth.work_ms = 7
        run.produce(150, every_ms=1.7).until_done()
        doubled += max(Counter(run.truth.values()).values()) > 1
        assert {b"v%d" % number for number in range(150)} == {*run.truth.values()}

    assert doubled > 10


def test_with_idempotence_a_partition_has_no_more_than_five_in_flight_whatever_is_allowed() -> None:
    """A leader remembers the last five batches: a sixth could not be told from a new one."""
    run = _run(linger_ms=0, max_in_flight_requests_per_connection=20)
    run.truth.work_ms = 30
    client: Any = run.sim.nodes["p1"]
    most = 0
    run.produce(60, every_ms=2)
    while len(run.outcomes()) < 60:
        run.sim.step()
        most = max(most, len(client.sender._in_flight.get("b101", ())))

    assert 5 == most


# Holes ---------------------------------------------------------------------------------------------------------------


def test_after_a_batch_was_refused_for_good_the_producer_begins_anew_and_the_rest_arrives() -> None:
    """KIP-360: the next epoch, and sequences from 0."""
    run = _run(linger_ms=0)
    run.truth.work_ms = 5
    run.truth.script["orders", 0] = [ErrorCode.NONE, ErrorCode.MESSAGE_TOO_LARGE]
    run.produce(8, every_ms=3).until_done()
    epochs = [header.producer_epoch for header, _ in split(run.truth.partitions["orders", 0].log.read(0, 1 << 20))]

    failed = {record for fact in run.of(RecordsFailed) for record in fact.records}
    assert all(fact.is_definite for fact in run.of(RecordsFailed))
    assert [b"v%d" % number for number in range(8) if number not in failed] == run.truth.values()
    assert {0, 1} == {*epochs}


def test_a_refused_batch_does_not_make_those_before_it_begin_anew() -> None:
    """The one before it may be in the log: renumbered, it would be appended twice."""
    run = _run(linger_ms=0).produce().until_done()
    run.truth.work_ms = 5
    run.truth.script["orders", 0] = [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.MESSAGE_TOO_LARGE]
    run.produce(3, every_ms=2).until_done()

    assert [b"v0", b"v1", b"v3"] == run.truth.values()
    assert [(2, True)] == [(*fact.records, fact.is_definite) for fact in run.of(RecordsFailed)]
    assert {0: 0, 1: 1, 3: 2} == {record: at for record, at in run.outcomes().items() if record != 2}


def test_after_a_batch_expired_the_rest_arrives_in_order_and_once_over_many_seeds() -> None:
    """An expired batch may be in the log; those that follow are there once, in order."""
    expired = 0
    for seed in range(30):
        rng = Random(f"freeze/{seed}")
        faults = [(rng.uniform(20, 300), Freeze("b101", rng.uniform(300, 900))), *_breaks(seed)]
        run = _run(seed, faults=faults, linger_ms=0, delivery_timeout_ms=400, request_timeout_ms=150)
        run.truth.work_ms = 4
        run.produce(200, every_ms=4).until_done()
        failed = {record for fact in run.of(RecordsFailed) for record in fact.records}
        definite = {record for fact in run.of(RecordsFailed) if fact.is_definite for record in fact.records}
        values = [int(value[1:]) for value in run.truth.values() if value]
        expired += len(failed)

        assert sorted({*values}) == values, f"seed {seed}"
        assert {*range(200)} - failed <= {*values}, f"seed {seed}"
        assert not definite & {*values}, f"seed {seed}"

    assert expired > 100


ANSWERS = [
    *[ErrorCode.NONE] * 12,
    ErrorCode.NOT_ENOUGH_REPLICAS,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.MESSAGE_TOO_LARGE,
    ErrorCode.INVALID_RECORD,
]


def test_whatever_brokers_answer_each_record_is_there_at_most_once_in_order_and_as_it_was_said() -> None:
    """P4, M37: answers, breaks, freezes, moves and time-outs at random, over many seeds."""
    ends = Counter[str]()
    for seed in range(120):
        rng = Random(f"anything/{seed}")
        faults = [*_breaks(seed), (rng.uniform(20, 600), Freeze("b101", rng.uniform(100, 900)))]
        patience: dict[str, Any] = {
            "delivery_timeout_ms": 700,
            "request_timeout_ms": 200,
            "retries": rng.choice([1, 3, 1_000_000]),
        }
        run = _run(seed, faults=faults, linger_ms=rng.choice([0, 2]), **patience)
        run.truth.work_ms = rng.choice([0, 4])
        run.truth.hang_ups = rng.randrange(4)
        run.truth.script["orders", 0] = [rng.choice(ANSWERS) for _ in range(60)]
        run.produce(150, every_ms=rng.uniform(1, 6))
        run.sim.run_for(rng.uniform(100, 400))
        run.truth.partitions["orders", 0].move(102)
        run.until_done()
        run.sim.run_for(2_000)  # whatever is late arrives
        values = [int(value[1:]) for value in run.truth.values() if value]

        assert sorted({*values}) == values, f"seed {seed}"
        for record, said in run.outcomes().items():
            is_failure = isinstance(said, RecordsFailed)
            ends[f"failed {said.is_definite}" if is_failure else "acknowledged"] += 1
            if is_failure:
                assert not (said.is_definite and record in values), f"seed {seed}, record {record}"
            else:
                assert record == values[said], f"seed {seed}, record {record}"

    assert {"acknowledged", "failed True", "failed False"} == {*ends}
    assert min(ends.values()) > 500, ends


def test_a_leader_that_lost_what_it_had_makes_the_producer_begin_anew() -> None:
    """Its log is gone, as after an unclean election: the next sequence cannot follow, and is renumbered."""
    run = _run().produce(2).until_done()
    before = run.truth.partitions["orders", 0].log
    run.produce(1).until_done()
    run.truth.partitions["orders", 0].log.truncate_to(2)
    run.truth.partitions["orders", 0].log.producers.put(
        4001,
        before.producers.get(4001)._replace(batches=before.producers.get(4001).batches[:1]),  # type: ignore[union-attr]
    )
    run.produce(2).until_done()

    assert [b"v0", b"v1", b"v3", b"v4"] == run.truth.values()
    assert [(0, 0), (0, 2), (0, 3), (1, 0)] == _numbers(run)


def _numbers(run: Run) -> list[tuple[int, int]]:
    """Epoch and base sequence of every batch sent, in the order of sending."""
    return [
        (header.producer_epoch, header.base_sequence)
        for _, request in run.requests(ProduceRequest)
        for data in request.topic_data[0].partition_data
        for header, _ in split(data.records)
    ]


def test_a_producer_id_is_asked_for_until_there_is_one() -> None:
    run = _run(faults=[(4.0, BreakConnection("p1", "b101"))])
    run.truth.script["producer ids", 0] = [ErrorCode.COORDINATOR_NOT_AVAILABLE] * 3
    run.produce(3, from_ms=1).until_done()

    assert {0: 0, 1: 1, 2: 2} == run.outcomes()
    assert 1 == run.truth.producer_ids
    assert 0.8 * 1500 < run.sim.now_ms < 1.2 * 1500 + 50  # 100, 200, 400 and 800 ms


def test_when_the_epochs_are_used_up_another_id_is_asked_for() -> None:
    run = _run(linger_ms=0).produce().until_done()
    client: Any = run.sim.nodes["p1"]
    numbers = client.sender._producer_id
    numbers._identity = Identity(4001, EPOCH_MAX)
    run.truth.script["orders", 0] = [ErrorCode.MESSAGE_TOO_LARGE]
    run.produce(2, every_ms=50).until_done()

    assert Identity(4002, 0) == numbers.identity
    assert [b"v0", b"v2"] == run.truth.values()
    assert [(0, 0), (EPOCH_MAX, 0), (0, 0)] == _numbers(run)


@pytest.mark.parametrize("settings", [{"acks": 1}, {"acks": 0}, {"retries": 0}])
def test_without_acks_all_or_without_retries_nothing_is_numbered(settings: dict[str, Any]) -> None:
    """As in Kafka, where idempotence was not asked for by name."""
    run = _run(**settings).produce(2).until_done()

    assert 0 == run.truth.producer_ids
    assert {-1} == {fact.base_sequence for fact in run.of(BatchSent)}


def test_a_producer_goes_on_across_the_wrap_with_a_real_log() -> None:
    """The leader's half agrees where 2^31 - 1 is followed by 0."""
    run = _run(linger_ms=0).produce().until_done()
    client: Any = run.sim.nodes["p1"]
    (lane,) = client.sender._lanes.values()
    lane.next_sequence, lane.last_acknowledged = 2**31 - 3, 2**31 - 4
    log = run.truth.partitions["orders", 0].log
    known = log.producers.get(4001)
    assert known is not None
    log.producers.put(4001, known._replace(batches=(known.batches[0]._replace(last_sequence=2**31 - 4),)))
    run.produce(7, every_ms=3).until_done()

    assert [b"v%d" % number for number in range(8)] == run.truth.values()
    assert [0, 2**31 - 3, 2**31 - 2, 2**31 - 1, 0, 1, 2, 3] == [sequence for _, sequence in _numbers(run)]
