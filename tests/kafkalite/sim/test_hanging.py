"""A transaction of which no coordinator knows any more hangs, until the operator of a long run ends it."""

from __future__ import annotations

from kafkalite.facts import MarkerWritten
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import ConsumerFacade
from kafkalite.sim.faults import LoseDisk
from kafkalite.sim.hanging import Ender
from kafkalite.transactions.records import TRANSACTIONS_TOPIC

STATE = {
    "transaction_state_log_num_partitions": 1,
    "transaction_state_log_replication_factor": 1,
    "transaction_state_log_min_isr": 1,
}


def hanging() -> tuple[Cluster, Ender]:
    """One transaction is committed; the coordinator loses its disk, the producer dies, and the second one hangs."""
    cluster = Cluster(3, 1, 1, broker=STATE)
    ender = Ender(cluster)
    producer = cluster.start().transactional_producer(linger_ms=0, transaction_timeout_ms=5000).init()
    coordinator = cluster.leader(TRANSACTIONS_TOPIC)
    cluster.topic("orders", assignment=(tuple(one for one in (101, 102, 103) if f"b{one}" != coordinator),))
    producer.begin().send("orders", b"first").result()
    producer.commit().begin().send("orders", b"second").result()
    cluster.kill("p1").inject(LoseDisk(coordinator)).run_for(30_000).restart(coordinator).run_for(60_000)
    return cluster, ender


def reader(cluster: Cluster) -> ConsumerFacade:
    """Whoever reads what is committed, for some seconds."""
    consumer = cluster.consumer("careful", isolation_level="read_committed").assign(("orders", 0, 0))
    cluster.producer("other", linger_ms=0).send("orders", b"in no transaction").result()
    cluster.run_for(5000)
    return consumer


def test_what_hangs_keeps_readers_waiting_for_ever() -> None:
    cluster, _ = hanging()

    assert [b"first"] == [one.value for one in reader(cluster).records]


def test_what_hangs_is_aborted_and_what_was_committed_stays() -> None:
    cluster, ender = hanging()
    ender.end([("orders", 0)], timeout_ms=10_000)

    assert [b"first", b"in no transaction"] == [one.value for one in reader(cluster).records]
    assert [True, False] == [marker.is_commit for marker in cluster.facts(MarkerWritten)]


def test_a_producer_writes_again_under_the_id_whose_transaction_was_ended() -> None:
    cluster, ender = hanging()
    ender.end([("orders", 0)], timeout_ms=10_000)
    producer = cluster.transactional_producer("p2", linger_ms=0).init().begin()
    producer.send("orders", b"third").result()
    producer.commit()

    assert [b"first", b"third", b"in no transaction"] == [one.value for one in reader(cluster).records]


def test_a_leader_that_is_not_there_is_asked_again_when_there_is_one() -> None:
    cluster, ender = hanging()
    leader = cluster.leader("orders")
    cluster.kill(leader)
    ender.end([("orders", 0)], timeout_ms=60_000)

    assert [] == cluster.facts(MarkerWritten, leader, is_commit=False)
    assert [b"first", b"in no transaction"] == [one.value for one in reader(cluster).records]
