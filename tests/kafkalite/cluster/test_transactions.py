"""Transactions while brokers die: what is decided is completed, by whoever coordinates next; all of it, or nothing."""

from __future__ import annotations

from functools import partial

import pytest

from kafkalite.broker.transaction_coordinator import TransactionCoordinator
from kafkalite.errors import ErrorCode
from kafkalite.facts import MarkerRefused, MarkerWritten, TransactionsLoaded, TransactionTurned
from kafkalite.protocol.inter_broker import WriteTxnMarkersRequest
from kafkalite.sim.cluster import Cluster
from kafkalite.transactions.states import State
from tests.kafkalite.broker.transacting import Transactor, cluster_of

A0, B1 = ("A", 0), ("B", 1)
NONE = ErrorCode.NONE


def begun(cluster: Cluster, node: str = "p1") -> Transactor:
    producer = Transactor(cluster, node=node)
    assert [NONE, NONE] == [producer.init(), producer.add(A0, B1)]
    assert [NONE, NONE] == [producer.write(A0, b"a"), producer.write(B1, b"b")]
    return producer


def states(cluster: Cluster) -> list[str]:
    return [one.state for one in cluster.facts(TransactionTurned)]


def until(cluster: Cluster, state: str, at_least: int = 1) -> None:
    cluster.run_until(lambda: states(cluster).count(state) >= at_least, f"the transaction to be {state}")


def is_over(producer: Transactor) -> bool:
    """Whether some coordinator has it complete; it may have read that in its log and done nothing for it."""
    for name in producer.cluster.brokers:
        coordinator = producer.cluster.sim.nodes[name].components["transactions"]
        assert isinstance(coordinator, TransactionCoordinator)
        known = coordinator.known(producer.name)
        if known is not None and known.state in {State.COMPLETE_COMMIT, State.COMPLETE_ABORT}:
            return True
    return False


@pytest.mark.parametrize("how", ["kill", "power_off"])
@pytest.mark.parametrize("state", ["Ongoing", "PrepareCommit", "CompleteCommit"])
def test_a_commit_survives_its_coordinator_in_every_state(state: str, how: str) -> None:
    """It dies the moment it has written that state, before it can do anything about it."""
    cluster = cluster_of()
    producer = begun(cluster)
    coordinator = producer.coordinator()
    if state != "Ongoing":
        producer.member.send(coordinator, producer.end_request(is_commit=True))
        until(cluster, state)

    getattr(cluster, how)(coordinator)

    assert NONE is producer.commit()
    until(cluster, "CompleteCommit")
    cluster.run_for(1000)
    assert ([b"a"], [b"b"]) == (producer.values(A0), producer.values(B1))
    assert [NONE, NONE, NONE] == [producer.add(A0), producer.write(A0, b"c"), producer.commit()]


@pytest.mark.parametrize("state", ["PrepareAbort", "CompleteAbort"])
def test_an_abort_survives_its_coordinator_in_every_state(state: str) -> None:
    cluster = cluster_of()
    producer = begun(cluster)
    coordinator = producer.coordinator()
    producer.member.send(coordinator, producer.end_request(is_commit=False))
    until(cluster, state)

    cluster.kill(coordinator)

    assert NONE is producer.abort()
    until(cluster, "CompleteAbort")
    cluster.run_for(1000)
    assert ([], []) == (producer.values(A0), producer.values(B1))
    answer = producer.fetch(A0)
    assert answer.high_watermark == answer.last_stable_offset


def test_the_next_coordinator_fences_and_times_out_what_the_last_one_had_begun() -> None:
    cluster = cluster_of()
    producer = begun(cluster)
    cluster.kill(producer.coordinator())

    cluster.run_for(80_000)

    assert ErrorCode.PRODUCER_FENCED is producer.commit()
    assert ["PrepareAbort", "CompleteAbort"] == states(cluster)[-2:]
    assert [] == producer.values(A0)


@pytest.mark.parametrize("is_commit", [True, False])
@pytest.mark.parametrize("victim", ["coordinator", "leader"])
def test_killed_after_any_number_of_steps_of_its_end_a_transaction_is_seen_whole_or_not_at_all(
    victim: str, is_commit: bool
) -> None:
    """The coordinator, or a leader that is to write a marker, dies behind each event from EndTxn to the last marker."""
    ends = []
    for steps in range(0, 60, 3):
        cluster = cluster_of(seed=steps + 1)
        producer = begun(cluster)
        coordinator = producer.coordinator()
        dies = coordinator if victim == "coordinator" else producer.leader(B1)
        producer.member.send(coordinator, producer.end_request(is_commit=is_commit))
        target = cluster.sim.deliveries + steps
        while cluster.sim.deliveries < target:
            cluster.run_for(0.1)
        cluster.kill(dies)

        assert NONE is (producer.commit() if is_commit else producer.abort())
        cluster.run_until(partial(is_over, producer), "the end of the transaction")
        cluster.run_for(1000)

        expected = ([b"a"], [b"b"]) if is_commit else ([], [])
        assert expected == (producer.values(A0), producer.values(B1)), f"killed after {steps} steps"
        ends.append(len(cluster.facts(MarkerWritten)))

    assert {2} < {*ends}, "some markers had to be written again, and some had not"


def test_markers_wait_for_a_partition_without_leader_and_the_transaction_for_its_markers() -> None:
    cluster = cluster_of()
    producer = begun(cluster)
    coordinator = producer.coordinator()
    others = [name for name in cluster.brokers if name != coordinator]
    cluster.kill(others[0])
    assert NONE is producer.commit()
    cluster.run_for(40_000)
    assert "CompleteCommit" == states(cluster)[-1], "one broker of three is not missed"
    assert [NONE, NONE] == [producer.add(A0, B1), producer.write(A0, b"c")]
    cluster.kill(others[1])

    producer.member.send(coordinator, producer.end_request(is_commit=True))
    cluster.run_for(20_000)

    assert "Ongoing" == states(cluster)[-1], "its log has not enough replicas to decide anything"
    cluster.restart(others[0])
    assert NONE is producer.commit()
    until(cluster, "CompleteCommit", 2)
    cluster.run_for(1000)
    assert [b"a", b"c"] == producer.values(A0)


def test_a_marker_whose_answer_is_lost_is_written_again_and_does_no_harm() -> None:
    cluster = cluster_of()
    producer = begun(cluster)
    coordinator = producer.coordinator()
    for other in cluster.brokers:
        if other != coordinator:
            cluster.cut(other, coordinator, 3000)  # requests go there, answers do not come back

    producer.member.send(coordinator, producer.end_request(is_commit=True))
    until(cluster, "CompleteCommit")
    cluster.run_for(1000)

    assert ([b"a"], [b"b"]) == (producer.values(A0), producer.values(B1))


def test_a_deposed_coordinator_that_does_not_know_it_writes_no_marker() -> None:
    """It is cut off from ZooKeeper and its followers, not from the leaders of the data; its successor has the say."""
    cluster = cluster_of()
    producer = begun(cluster)
    zombie = producer.coordinator()
    producer.member.send(zombie, producer.end_request(is_commit=True))
    until(cluster, "PrepareCommit")
    cluster.freeze(zombie, 30_000)
    until(cluster, "CompleteCommit")
    cluster.run_for(40_000)

    epochs = {one.coordinator_epoch for one in cluster.facts(MarkerWritten)}
    refused = {one.error for one in cluster.facts(MarkerRefused)}

    assert ([b"a"], [b"b"]) == (producer.values(A0), producer.values(B1))
    assert 1 in epochs
    assert refused <= {"TRANSACTION_COORDINATOR_FENCED", "NOT_LEADER_OR_FOLLOWER"}
    assert 2 <= len(cluster.facts(TransactionsLoaded))
    assert NONE is producer.add(A0)


def test_a_coordinator_acts_on_nothing_that_its_followers_may_not_have() -> None:
    """A decision that is only in a leader's log could be lost with it: no marker is sent for it."""
    cluster = cluster_of()
    producer = begun(cluster)
    coordinator = producer.coordinator()
    others = [name for name in cluster.brokers if name != coordinator]
    for other in others:
        cluster.freeze(other, 2000)

    producer.member.send(coordinator, producer.end_request(is_commit=True))
    cluster.run_for(1900)

    assert [] == cluster.facts(MarkerWritten)
    assert "Ongoing" == states(cluster)[-1]
    assert WriteTxnMarkersRequest not in {type(getattr(step.event, "message", None)) for step in cluster.steps}
    until(cluster, "CompleteCommit")


def test_a_transaction_is_complete_as_soon_as_there_are_enough_replicas_to_say_so() -> None:
    """Every marker is written, and then the coordinator's own log takes nothing for a while."""
    cluster = cluster_of()
    producer = Transactor(cluster)
    assert NONE is producer.init()
    coordinator = producer.coordinator()
    mine = next(("A", index) for index in range(3) if cluster.leader("A", index) == coordinator)
    assert [NONE, NONE] == [producer.add(mine), producer.write(mine, b"a")]
    producer.member.send(coordinator, producer.end_request(is_commit=True))
    until(cluster, "PrepareCommit")
    others = [name for name in cluster.brokers if name != coordinator]
    for other in others:
        cluster.kill(other)
    cluster.run_for(60_000)
    assert [b"a"] == producer.values(mine), "its readers need not wait"
    assert "PrepareCommit" == states(cluster)[-1]

    cluster.restart(others[0])

    until(cluster, "CompleteCommit")
    assert NONE is producer.commit()
