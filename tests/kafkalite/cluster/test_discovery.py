"""One broker is enough to find all of them."""

from __future__ import annotations

import pytest

from kafkalite.facts import BatchSent, MetadataRefreshed
from kafkalite.protocol.metadata import MetadataRequest
from kafkalite.sim.cluster import Cluster

from .reading import answer_of, facts, isr_of, leader_of


@pytest.mark.parametrize("bootstrap", ["b101", "b102", "b103", "b104", "b105"])
def test_five_brokers_are_reached_through_any_one(bootstrap: str) -> None:
    """D1, D2, D3, D4: the client connects to one, asks for metadata, gets the list, connects to those it needs."""
    cluster = Cluster(brokers=5, zookeepers=1, seed=11).topic("orders", partitions=5)
    producer = cluster.producer(bootstrap_servers=(bootstrap,))

    pending = [producer.send("orders", b"v", partition=partition) for partition in range(5)]

    assert [0] * 5 == [one.result() for one in pending]
    first = facts(cluster, MetadataRefreshed, "p1")[0]
    assert (bootstrap, (101, 102, 103, 104, 105)) == (first.source, first.brokers)
    expected = {(partition, leader_of(cluster, "orders", partition)) for partition in range(5)}
    assert expected == {(one.partition, one.to) for one in facts(cluster, BatchSent, "p1")}
    assert 5 == len({to for _, to in expected})


def test_a_bootstrap_broker_may_be_dead() -> None:
    """D1."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=12).topic("orders", partitions=1, replicas=3)
    cluster.kill("b102").run_for(30_000)

    offset = cluster.producer(bootstrap_servers=("b102", "b103")).send("orders", b"v").result()

    assert 0 == offset
    assert "b103" == facts(cluster, MetadataRefreshed, "p1")[0].source


def test_when_a_leader_dies_the_client_finds_the_next_by_new_metadata() -> None:
    """P6, R4."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=13).topic("orders", partitions=1, replicas=3)
    producer = cluster.producer()
    first = leader_of(cluster, "orders")
    assert 0 == producer.send("orders", b"before").result()

    cluster.kill(first)
    offset = producer.send("orders", b"after").result()

    assert 1 == offset
    assert first != leader_of(cluster, "orders")
    assert leader_of(cluster, "orders") == facts(cluster, BatchSent, "p1")[-1].to


@pytest.mark.parametrize("broker", ["b101", "b102", "b103"])
def test_every_broker_says_the_same_of_the_cluster(broker: str) -> None:
    """B2, D2."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=14).topic("orders", partitions=3, replicas=2).topic("alarms")
    cluster.run_for(100)

    answer = answer_of(cluster, broker, MetadataRequest(None))

    assert [(101, "b101"), (102, "b102"), (103, "b103")] == [(one.node_id, one.host) for one in answer.brokers]
    assert cluster.view.controller == f"b{answer.controller_id}"
    leaders = {
        (topic.name, one.partition_index): f"b{one.leader_id}" for topic in answer.topics for one in topic.partitions
    }
    expected = {**{("orders", index): leader_of(cluster, "orders", index) for index in range(3)}}
    assert {**expected, ("alarms", 0): leader_of(cluster, "alarms")} == leaders


def test_a_broker_that_was_out_of_reach_learns_of_a_deletion_when_it_is_back() -> None:
    cluster = Cluster(brokers=3, zookeepers=1, seed=15).topic("kept", replicas=3)
    away, *others = sorted(cluster.brokers, key=lambda name: name == cluster.view.controller)
    cluster.topic("gone", assignment=(tuple(int(name[1:]) for name in others),))

    cluster.freeze(away, 40_000).run_for(30_000)
    cluster.admin().delete_topic("gone")
    cluster.run_until(lambda: isr_of(cluster, "kept") == (101, 102, 103), "an ISR of all three")

    assert ["kept"] == [topic.name for topic in answer_of(cluster, away, MetadataRequest(None)).topics]
