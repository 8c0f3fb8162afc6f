"""A client knows one broker and reaches all; any of them may die."""

from __future__ import annotations

import pytest

from kafkalite.clients.backoff import backoff_ms
from kafkalite.errors import ErrorCode
from kafkalite.facts import BatchSent, MetadataRefreshed, RecordsFailed
from kafkalite.node import Send
from kafkalite.protocol.metadata import MetadataRequest
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.sim.faults import BreakConnection, Fault, Freeze, Kill, PowerLoss, Restart
from tests.kafkalite.clients.fake_cluster import Run, Truth, producer

FIVE = (101, 102, 103, 104, 105)


def _asked(run: Run) -> list[str]:
    return [broker for broker, _ in run.requests(MetadataRequest)]


def test_one_bootstrap_server_is_enough_to_reach_every_leader() -> None:
    """D1, D3, D4, P1: ask 101 once; then talk to whoever leads."""
    truth = Truth(FIVE).topic("orders", *FIVE)
    run = Run(truth, producer(truth, partitioner="round_robin", linger_ms=0)).produce(10).until_done()

    assert [FIVE] == [fact.brokers for fact in run.of(MetadataRefreshed)][-1:]
    assert {"b101"} == {*_asked(run)[:1]}
    assert {(index, f"b{broker}") for index, broker in enumerate(FIVE)} == {
        (fact.partition, fact.to) for fact in run.of(BatchSent)
    }


def test_every_broker_is_a_bootstrap_server() -> None:
    """D1."""
    for broker in FIVE:
        truth = Truth(FIVE).topic("orders", 103)
        run = Run(truth, producer(truth, bootstrap=(f"b{broker}",))).produce().until_done()

        assert {0: 0} == run.outcomes()
        assert f"b{broker}" == _asked(run)[0]


@pytest.mark.parametrize("death", [Kill, PowerLoss])
def test_bootstrap_servers_are_tried_in_turn_and_any_of_them_may_be_dead(death: type[Kill | PowerLoss]) -> None:
    """D1, P6. All but one are dead; without power, nobody even says so."""
    servers = tuple(f"b{broker}" for broker in FIVE)
    for alive in servers:
        truth = Truth(FIVE).topic("orders", int(alive[1:]))
        faults = [(0.0, death(server)) for server in servers if server != alive]
        run = Run(truth, producer(truth, bootstrap=servers), faults=faults).produce().until_done()

        assert {0: 0} == run.outcomes()
        assert [alive] == [fact.source for fact in run.of(MetadataRefreshed)][:1]


def test_once_metadata_are_there_the_bootstrap_server_is_needed_no_more() -> None:
    """D3, M40. It dies; the producer goes on, and asks others when it must."""
    truth = Truth((101, 102, 103)).topic("orders", 102)
    run = Run(truth, producer(truth, linger_ms=0), faults=[(100, Kill("b101"))]).produce(11, every_ms=50)
    run.sim.run_for(275)
    truth.partitions["orders", 0].move(103)
    run.until_done()

    assert set(range(11)) == run.outcomes().keys()
    assert [] == run.of(RecordsFailed)
    assert {"b102", "b103"} == {fact.to for fact in run.of(BatchSent)}
    assert {"b102", "b103"} >= {fact.source for fact in run.of(MetadataRefreshed)[2:]}
    assert 3 <= len(run.of(MetadataRefreshed))


def test_produce_goes_to_leaders_and_never_to_the_bootstrap_server_for_its_sake() -> None:
    """M40."""
    truth = Truth((101, 102)).topic("orders", 102)
    run = Run(truth, producer(truth)).produce(5).until_done()

    assert {"b102"} == {broker for broker, _ in run.requests(ProduceRequest)}


def test_a_moved_leader_is_found_by_new_metadata_and_not_by_a_fixed_order() -> None:
    """P6: NOT_LEADER_OR_FOLLOWER, refresh, retry."""
    truth = Truth((101, 102, 103)).topic("orders", 101)
    run = Run(truth, producer(truth)).produce().until_done()
    truth.partitions["orders", 0].move(103)
    run.produce().until_done()

    assert {0: 0, 1: 1} == run.outcomes()
    assert ["b101", "b101", "b103"] == [fact.to for fact in run.of(BatchSent)]
    assert "NOT_LEADER_OR_FOLLOWER" == run.of(MetadataRefreshed)[-1].reason


def test_when_a_broker_dies_the_others_are_asked_who_leads_now() -> None:
    """P6, C8."""
    truth = Truth((101, 102, 103)).topic("orders", 101)
    run = Run(truth, producer(truth)).produce().until_done()
    run.sim.inject(Kill("b101"))
    run.produce()
    run.sim.run_for(300)
    truth.partitions["orders", 0].move(102)
    run.until_done()

    assert {0: 0, 1: 1} == run.outcomes()
    assert "b102" == run.of(BatchSent)[-1].to
    assert "b101" not in {fact.source for fact in run.of(MetadataRefreshed) if fact.reason == "connection lost"}


def test_a_frozen_broker_is_given_up_after_a_time_and_another_one_is_asked() -> None:
    truth = Truth((101, 102)).topic("orders", 102)
    faults: list[tuple[float, Fault]] = [(0, Freeze("b101", 60_000))]
    run = Run(truth, producer(truth, bootstrap=("b101", "b102")), faults=faults).produce().until_done()

    assert {0: 0} == run.outcomes()
    assert 10_000 <= run.sim.now_ms < 11_000  # socket.connection.setup.timeout.ms


def test_when_no_broker_that_is_known_answers_the_bootstrap_servers_are_asked_again() -> None:
    """KIP-899, KIP-1102: every broker was replaced, the address one starts from still leads somewhere."""
    truth = Truth((101, 102, 103, 104), listed=(102, 103)).topic("orders", 102)
    run = Run(truth, producer(truth)).produce().until_done()
    for broker in (102, 103):
        run.sim.inject(Kill(f"b{broker}"))
    truth.listed = (104,)
    truth.partitions["orders", 0].move(104)
    run.produce().until_done()

    assert {0: 0, 1: 1} == run.outcomes()
    assert "b104" == run.of(BatchSent)[-1].to


def test_when_nobody_answers_the_asking_slows_down_and_goes_on_until_somebody_does() -> None:
    truth = Truth((101, 102)).topic("orders", 101)
    faults: list[tuple[float, Fault]] = [(0, Kill("b101")), (0, Kill("b102")), (60_000, Restart("b102"))]
    client = producer(truth, bootstrap=("b101", "b102"), max_block_ms=300_000)
    run = Run(truth, client, faults=faults, record=True)
    run.sim.run_for(59_000)
    sent = [effect.message for step in run.sim.steps for effect in step.effects if isinstance(effect, Send)]
    asks = sum(isinstance(message, MetadataRequest) for message in sent)
    truth.partitions["orders", 0].move(102)
    run.produce().until_done()

    assert 60 < asks < 250  # each of the two about once a second
    assert {0: 0} == run.outcomes()
    assert run.sim.now_ms < 63_000


def test_metadata_are_refreshed_by_age() -> None:
    """D3. What nobody complains about may have changed all the same: brokers were added."""
    truth = Truth((101, 102), listed=(101,)).topic("orders", 101)
    run = Run(truth, producer(truth, metadata_max_age_ms=5_000)).produce().until_done()
    truth.listed = (101, 102)
    run.sim.run_for(5_500)

    assert ("age", (101, 102)) == (run.of(MetadataRefreshed)[-1].reason, run.of(MetadataRefreshed)[-1].brokers)


def test_a_topic_without_a_leader_is_asked_about_until_it_has_one() -> None:
    truth = Truth((101, 102)).topic("orders", -1)
    run = Run(truth, producer(truth)).produce()
    run.sim.run_for(20_000)
    asked = len(_asked(run))
    truth.partitions["orders", 0].move(102)
    run.until_done()

    assert 20 < asked < 45
    assert {0: 0} == run.outcomes()


def test_a_topic_that_never_comes_does_not_slow_down_the_search_for_a_leader() -> None:
    truth = Truth((101, 102)).topic("orders", 101)
    run = Run(truth, producer(truth)).produce().produce(topic="never")
    run.sim.run_for(10_000)
    truth.partitions["orders", 0].move(102)
    moved_ms = run.sim.now_ms
    run.produce()
    run.sim.run(lambda: 2 in run.outcomes())

    assert run.sim.now_ms < moved_ms + 250


def test_a_topic_that_was_given_up_is_asked_for_no_more() -> None:
    truth = Truth().topic("orders", 101)
    run = Run(truth, producer(truth, max_block_ms=2_000)).produce().produce(topic="never").until_done()
    asked = len(_asked(run))
    run.sim.run_for(60_000)

    assert 3 < asked
    assert 1 >= len(_asked(run)) - asked


def test_a_broken_connection_is_left_alone_for_a_while_and_used_again() -> None:
    truth = Truth((101, 102)).topic("orders", 102)
    run = Run(truth, producer(truth, linger_ms=0)).produce().until_done()
    run.sim.inject(BreakConnection("p1", "b102"))
    broken_ms = run.sim.now_ms
    run.produce().until_done()

    assert {0: 0, 1: 1} == run.outcomes()
    assert broken_ms + 40 <= run.sim.now_ms < broken_ms + 100


def test_an_error_of_a_topic_that_will_not_change_ends_the_wait() -> None:
    truth = Truth()
    truth.topic_errors["a/b"] = ErrorCode.INVALID_TOPIC_EXCEPTION
    run = Run(truth, producer(truth)).produce(topic="a/b").until_done()

    assert [RecordsFailed("a/b", -1, (0,), "INVALID_TOPIC_EXCEPTION", True)] == run.of(RecordsFailed)


def test_waits_double_up_to_a_limit_and_differ_by_a_fifth() -> None:
    assert [80, 160, 320, 640, 800] == [round(backoff_ms(n, 100, 1000, 0.0)) for n in range(1, 6)]
    assert [120, 1200] == [round(backoff_ms(n, 100, 1000, 0.999999)) for n in (1, 500)]
