"""What ZooKeeper holds for Kafka, and what brokers make of its changes."""

from __future__ import annotations

import json

import pytest

from kafkalite.controller.znodes import encode_topic_config
from kafkalite.protocol.configs import DescribeConfigsRequest, DescribeConfigsResource
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed

from .reading import answer_of, leader_of


def test_who_is_alive_who_is_controller_and_who_leads_stands_in_znodes_as_kafka_writes_them() -> None:
    """Z1, Z2, Z8: five brokers, three ZooKeeper servers."""
    cluster = Cluster(brokers=5, zookeepers=3, seed=41).topic("orders", partitions=2, replicas=3, retention_ms=50)
    shell = cluster.shell()

    state = json.loads(shell.get("/brokers/topics/orders/partitions/0/state"))

    assert ["101", "102", "103", "104", "105"] == shell.children("/brokers/ids")
    assert ["PLAINTEXT://b103:0"] == json.loads(shell.get("/brokers/ids/103"))["endpoints"]
    assert cluster.view.controller == f"b{json.loads(shell.get('/controller'))['brokerid']}"
    assert "1" == shell.get("/controller_epoch")
    assert leader_of(cluster, "orders") == f"b{state['leader']}"
    assert 3 == len(state["isr"])
    assert {"0", "1"} == json.loads(shell.get("/brokers/topics/orders"))["partitions"].keys()
    assert {"retention.ms": "50"} == json.loads(shell.get("/config/topics/orders"))["config"]


def test_a_broker_s_znode_goes_with_its_session() -> None:
    """Z1, Z3."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=42).start()
    shell = cluster.shell()

    cluster.kill("b102").run_for(5000)
    assert ["101", "102", "103"] == shell.children("/brokers/ids"), "its session has not expired yet"
    cluster.run_for(20_000)

    assert ["101", "103"] == shell.children("/brokers/ids")


def test_clients_do_not_touch_zookeeper_nor_does_it_keep_their_offsets() -> None:
    """Z7."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=43).topic("orders", partitions=3)
    cluster.producer().send("orders", b"v", partition=0).result()
    cluster.consumer().assign(("orders", 0, 0)).poll(1)

    assert cluster.peers_of("p1") | cluster.peers_of("c1") <= set(cluster.brokers)
    assert "z1" in cluster.peers_of("b101")
    with pytest.raises(RequestFailed, match="NO_NODE"):
        cluster.shell().children("/consumers")


def test_a_topic_s_changed_settings_reach_its_leader() -> None:
    """Z3: an operator makes messages smaller."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=44).topic("orders", replicas=2)
    producer = cluster.producer()
    assert 0 == producer.send("orders", b"x" * 1000).result()

    cluster.shell().set("/config/topics/orders", encode_topic_config({"max.message.bytes": "500"}))
    cluster.run_for(100)
    outcome = producer.send("orders", b"x" * 1000).wait()
    described = answer_of(
        cluster,
        leader_of(cluster, "orders"),
        DescribeConfigsRequest((DescribeConfigsResource(2, "orders", ("max.message.bytes",)),)),
    )

    assert ("MESSAGE_TOO_LARGE", True) == (outcome.error, outcome.is_definite)
    assert ("500", 1) == (described.results[0].configs[0].value, described.results[0].configs[0].config_source)
    assert 1 == producer.send("orders", b"x" * 100).result()


def test_without_zookeeper_no_topic_is_made_and_no_leader_elected_but_what_works_goes_on() -> None:
    """Z4: the data path needs it only for changes."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=45).topic("orders", replicas=3)
    producer = cluster.producer()
    assert 0 == producer.send("orders", b"before").result()

    cluster.kill("z1").run_for(1000)
    assert 1 == producer.send("orders", b"acknowledged by all three").result()
    with pytest.raises(RequestFailed, match="TIMED_OUT"):
        cluster.admin().create_topic("later", 1, 1)
    cluster.restart("z1")
    cluster.topic("last", replicas=3)

    assert 0 == cluster.producer().send("last", b"v").result()
