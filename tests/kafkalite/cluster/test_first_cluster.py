"""Three brokers and one ZooKeeper server: a topic is created, written with acks=all, replicated and read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kafkalite.facts import BatchAppended, BatchSent, BrokerRegistered, ControllerElected, RequestRefused, TopicCreated
from kafkalite.sim.cluster import Cluster

from .reading import answer_of, facts, isr_of, leader_of, values_of


@dataclass(frozen=True)
class UnheardOfRequest:
    """What no broker has a handler for."""


def test_a_record_is_acknowledged_when_every_in_sync_replica_has_it_and_then_it_is_read() -> None:
    cluster = Cluster(brokers=3, zookeepers=1, seed=1).topic("orders", partitions=1, replicas=3)

    offset = cluster.producer(acks="all").send("orders", b"5 apples").result()

    assert 0 == offset
    appended = Counter(one.is_leader for one in facts(cluster, BatchAppended))
    assert {True: 1, False: 2} == appended
    assert [b"5 apples"] == values_of(cluster, "orders", 0, 1)


def test_brokers_register_and_one_of_them_is_controller() -> None:
    """B1, Z1."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=2).start()

    registered = facts(cluster, BrokerRegistered)
    assert [101, 102, 103] == sorted(one.broker for one in registered)
    assert 3 == len({one.broker_epoch for one in registered})
    assert 1 == len(facts(cluster, ControllerElected))


def test_every_broker_holds_some_partitions_and_leads_some() -> None:
    """B1, B2, B3: Topic-A with three partitions and Topic-B with two, over brokers 101, 102, 103."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=3).topic("Topic-A", partitions=3).topic("Topic-B", partitions=2)

    held = {one.topic: Counter(replicas[0] for replicas in one.assignment) for one in facts(cluster, TopicCreated)}

    assert {101: 1, 102: 1, 103: 1} == held["Topic-A"]
    assert [1, 1] == list(held["Topic-B"].values())


def test_a_producer_knows_by_itself_which_broker_to_send_to() -> None:
    """P1, B2: connected to one, connected to all."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=4).topic("orders", partitions=3, replicas=2)
    producer = cluster.producer(bootstrap_servers=("b101",))

    pending = [producer.send("orders", b"%d" % number, partition=number % 3) for number in range(9)]

    assert [0, 0, 0, 1, 1, 1, 2, 2, 2] == [one.result() for one in pending]
    sent = {(one.partition, one.to) for one in facts(cluster, BatchSent)}
    assert {(partition, leader_of(cluster, "orders", partition)) for partition in range(3)} == sent
    assert 3 == len({to for _, to in sent})


def test_many_publish_to_a_topic_by_its_name_and_many_read_it() -> None:
    """T1: each of two topics has two producers and two subscribers."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=9).topic("orders").topic("alarms")

    for topic in ("orders", "alarms"):
        for producer in ("p1", "p2"):
            cluster.producer(producer).send(topic, f"{topic} by {producer}".encode()).result()

    for topic in ("orders", "alarms"):
        for consumer in ("c1", "c2"):
            read = cluster.consumer(f"{consumer} of {topic}").assign((topic, 0, 0)).poll(2)
            assert [b"%b by p1" % topic.encode(), b"%b by p2" % topic.encode()] == [one.value for one in read]


def test_order_is_kept_within_a_partition() -> None:
    """T3, C1."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=5).topic("orders", partitions=2, replicas=3)
    producer = cluster.producer()
    values = [b"%03d" % number for number in range(60)]

    for value in values:
        last = producer.send("orders", value, key=b"alice")
    partition = last.wait().partition

    assert values == values_of(cluster, "orders", partition, 60)


def test_a_topic_that_is_asked_for_comes_about() -> None:
    cluster = Cluster(brokers=3, zookeepers=1, seed=6, broker={"default_replication_factor": 3}).start()

    assert 0 == cluster.producer().send("new", b"first").result()

    [created] = facts(cluster, TopicCreated)
    assert ("new", 3) == (created.topic, len(created.assignment[0]))
    assert (101, 102, 103) == isr_of(cluster, "new")


def test_a_topic_s_settings_reach_the_broker_that_leads_it() -> None:
    """With min.insync.replicas=3 and two of three brokers, nothing is acknowledged with acks=all."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=7).topic("orders", replicas=3, min_insync_replicas=3)
    other = next(name for name in cluster.brokers if name != leader_of(cluster, "orders"))
    cluster.producer().send("orders", b"all three").result()

    cluster.kill(other).run_for(40_000)
    outcome = cluster.producer("p2", delivery_timeout_ms=5000, request_timeout_ms=2000).send("orders", b"two").wait()

    assert ("REQUEST_TIMED_OUT", True) == (outcome.error, outcome.is_definite)
    assert {"NOT_ENOUGH_REPLICAS"} == {one.error for one in facts(cluster, RequestRefused) if one.api == "Produce"}


def test_a_request_that_a_broker_does_not_serve_closes_the_connection_and_nothing_else() -> None:
    cluster = Cluster(brokers=1, zookeepers=1, seed=8).topic("orders")

    answer = answer_of(cluster, "b101", UnheardOfRequest())

    assert answer is None
    assert ["UnheardOf"] == [one.api for one in facts(cluster, RequestRefused)]
    assert 0 == cluster.producer().send("orders", b"still here").result()
