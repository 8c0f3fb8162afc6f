"""Replicas move on a real cluster, written to all the while: nothing is lost, whoever dies, and it comes to its end."""

from __future__ import annotations

from random import Random

import pytest

from kafkalite.facts import GroupStabilized, LogDeleted, ReplicasReassigned
from kafkalite.sim.checkers import Checker, Expectations, TopicPromise
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import Pending, RequestFailed
from kafkalite.sim.trace import facts_of

FROM, TO = (101, 102, 103), (102, 103, 104)
IMPATIENT = {
    "zookeeper_session_timeout_ms": 3000,
    "replica_lag_time_max_ms": 3000,
    "replica_socket_timeout_ms": 3000,
    "controller_socket_timeout_ms": 3000,
}


def four_brokers(seed: int = 1, *, through_codec: bool = False) -> Cluster:
    cluster = Cluster(brokers=4, zookeepers=1, seed=seed, broker=IMPATIENT, through_codec=through_codec)
    return cluster.topic("orders", assignment=(FROM,), min_insync_replicas=2)


def violations(cluster: Cluster) -> list[str]:
    """What the checkers say of the run so far."""
    lag_ms = IMPATIENT["replica_lag_time_max_ms"]
    promise = TopicPromise(min_insync_replicas=2)
    checker = Checker(Expectations(topics={"orders": promise}, replica_lag_time_max_ms=lag_ms))
    for at in facts_of(cluster.steps):
        checker.observe(at.now_ms, at.node, at.fact)
    return [str(one) for one in checker.finish(cluster.now_ms)]


def write(cluster: Cluster, count: int = 20) -> list[Pending]:
    producer = cluster.producer("p1", linger_ms=0, request_timeout_ms=3000)
    return [producer.send("orders", b"%d" % number, partition=0) for number in range(count)]


def is_there(cluster: Cluster, target: tuple[int, ...] = TO) -> bool:
    """Are these in sync, and is one of them leading?"""
    has_ended = target == cluster.view.assignments["orders", 0]
    return has_ended and tuple(sorted(target)) == cluster.isr("orders")


def check(cluster: Cluster, written: list[Pending], target: tuple[int, ...] = TO) -> None:
    """It is where it was to go, and all that was acknowledged is there, once and in order."""
    cluster.run_until(lambda: is_there(cluster, target), f"replicas on {target}", 300_000)
    values = [one.result() for one in written]
    assert values == sorted(values)
    assert [b"%d" % number for number in range(len(written))] == cluster.values("orders")
    assert [] == violations(cluster)


@pytest.mark.parametrize("through_codec", [False, True])
def test_replicas_move_while_records_are_written(through_codec: bool) -> None:
    cluster = four_brokers(through_codec=through_codec)
    written = write(cluster)

    cluster.admin().reassign("orders", 0, *TO)

    check(cluster, written)
    cluster.run_until(lambda: bool(cluster.facts(LogDeleted, "b101")), "the old replica's end")
    assert () == cluster.admin().reassignments()
    assert TO == cluster.admin().describe_topic("orders").partitions[0].replicas
    assert [] == cluster.files("b101", "orders-0")


def test_what_moves_is_listed_and_can_be_cancelled() -> None:
    cluster = four_brokers()
    written = write(cluster)
    cluster.freeze("b104", 2000)  # so that it cannot catch up
    cluster.admin().reassign("orders", 0, *TO)
    [moving] = cluster.admin().reassignments()

    cluster.admin().reassign("orders", 0)

    assert ((104,), (101,)) == (moving.adding, moving.removing)
    check(cluster, written, (102, 103, 101))
    cluster.run_until(lambda: () == cluster.admin().reassignments(), "nothing under way")
    with pytest.raises(RequestFailed, match="NO_REASSIGNMENT_IN_PROGRESS"):
        cluster.admin().reassign("orders", 0)


def test_a_newcomer_that_is_dead_for_a_while_is_waited_for() -> None:
    cluster = four_brokers()
    written = write(cluster)
    cluster.freeze("b104", 1000)
    cluster.admin().reassign("orders", 0, *TO)
    cluster.kill("b104").run_for(20_000)
    assert [moving.adding for moving in cluster.admin().reassignments()] == [(104,)]
    assert 101 in cluster.isr("orders"), "nothing is taken away before"

    cluster.restart("b104")

    check(cluster, written)


@pytest.mark.parametrize("after_ms", [0, 2, 4, 6, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40, 50])
def test_the_controller_may_die_at_any_moment(after_ms: float) -> None:
    """KIP-455: all of it stands in ZooKeeper."""
    cluster = four_brokers()
    written = write(cluster)
    cluster.admin().topics()  # it knows who is the controller
    victim = cluster.view.controller
    assert victim is not None
    cluster.call("admin", "reassign", 99, "orders", 0, TO)
    cluster.run_for(after_ms)
    cluster.kill(victim).run_for(5000)
    cluster.restart(victim)
    cluster.run_until(lambda: ("admin", 99) in cluster.view.answers, "an answer", 120_000)

    assert "NONE" == cluster.view.answers["admin", 99].error, "it is asked again of the next one"
    check(cluster, written)


@pytest.mark.parametrize("seed", [*range(10), 69])  # 69: the old leader joined the ISR again, unknown to its leader
def test_whoever_dies_and_returns_it_comes_to_its_end(seed: int) -> None:
    cluster = four_brokers(seed)
    draw = Random(seed)
    written = write(cluster)
    cluster.run_for(draw.choice([0, 20, 200]))
    cluster.admin().reassign("orders", 0, *TO)
    for _ in range(3):
        cluster.run_for(draw.choice([0, 5, 20, 400, 4000]))
        victim = draw.choice(cluster.brokers)
        disaster = draw.randrange(3)
        if disaster == 0:
            cluster.kill(victim).run_for(draw.choice([100, 6000]))
            cluster.restart(victim)
        elif disaster == 1:
            cluster.freeze(victim, draw.choice([500, 5000]))
        else:
            cluster.cut(victim, "z1", draw.choice([1000, 6000]))

    check(cluster, written)
    cluster.run_until(lambda: () == cluster.admin().reassignments(), "nothing under way", 60_000)


def test_it_is_told_when_it_begins_and_when_it_ends() -> None:
    cluster = four_brokers()
    cluster.admin().reassign("orders", 0, *TO)
    cluster.run_until(lambda: is_there(cluster), "the end")

    assert [((104,), (101,)), ((), ())] == [(one.adding, one.removing) for one in cluster.facts(ReplicasReassigned)]


def test_groups_move_with_the_partition_that_keeps_them() -> None:
    """C3, O2: the coordinator gives its replica away; members find the next one and go on where they were."""
    cluster = four_brokers()
    cluster.topic("__consumer_offsets", assignment=((101, 102, 103),), cleanup_policy="compact")
    cluster.member("c1", "g", "orders", auto_offset_reset="earliest", auto_commit_interval_ms=1000)
    write(cluster, 20)
    cluster.run_until(lambda: 20 == cluster.committed("g", "orders"), "the first commit")

    cluster.admin().reassign("__consumer_offsets", 0, 104, 102)
    cluster.run_until(lambda: (104, 102) == cluster.view.assignments["__consumer_offsets", 0], "the end")
    cluster.run_until(lambda: "b104" == cluster.leader("__consumer_offsets"), "the new coordinator")
    cluster.producer("p2").send("orders", b"20").result()
    cluster.run_until(lambda: 21 == cluster.committed("g", "orders"), "the commit at the new coordinator")

    assert [b"%d" % number for number in range(21)] == [one.value for one in cluster.view.polled["c1"]]
    assert 1 == len(cluster.facts(GroupStabilized)), "nobody had to join again"


# Leaders --------------------------------------------------------------------------------------------------------------


def test_a_preferred_leader_is_elected_on_request() -> None:
    """KIP-183."""
    cluster = four_brokers()
    cluster.admin().reassign("orders", 0, 103, 102, 101)
    assert "b101" == cluster.leader("orders")

    cluster.admin().elect_leader("orders", 0)

    cluster.run_until(lambda: "b103" == cluster.leader("orders"), "the preferred leader")
    with pytest.raises(RequestFailed, match="ELECTION_NOT_NEEDED"):
        cluster.admin().elect_leader("orders", 0)
    with pytest.raises(RequestFailed, match="UNKNOWN_TOPIC_OR_PARTITION"):
        cluster.admin().elect_leader("orders", 7)


def test_a_preferred_leader_that_is_dead_is_not_elected() -> None:
    cluster = four_brokers()
    cluster.kill("b101")
    cluster.run_until(lambda: "b101" != cluster.leader("orders"), "another leader")

    with pytest.raises(RequestFailed, match="PREFERRED_LEADER_NOT_AVAILABLE"):
        cluster.admin().elect_leader("orders", 0)


def test_an_administrator_may_let_one_lead_that_was_not_in_sync_where_nobody_else_is_alive() -> None:
    """KIP-460: the partition works again, and what only the dead one had is lost."""
    cluster = Cluster(brokers=4, zookeepers=1, seed=1, broker=IMPATIENT).topic("orders", assignment=((101, 102),))
    cluster.producer().send("orders", b"both").result()
    cluster.kill("b102").run_until(lambda: (101,) == cluster.isr("orders"), "an ISR of one")
    cluster.producer().send("orders", b"one").result()
    cluster.kill("b101").run_for(6000)
    cluster.restart("b102").run_for(6000)
    assert ("orders", 0) in cluster.view.offline

    cluster.admin().elect_leader("orders", 0, unclean=True)

    cluster.run_until(lambda: "b102" == cluster.leader("orders"), "an unclean leader")
    assert [b"both"] == cluster.values("orders")
    with pytest.raises(RequestFailed, match="ELECTION_NOT_NEEDED"):
        cluster.admin().elect_leader("orders", 0, unclean=True)
