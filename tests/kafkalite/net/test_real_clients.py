"""Clients that others wrote talk to our nodes over TCP, and find Kafka and ZooKeeper."""

from __future__ import annotations

import contextlib
import queue
import warnings
from typing import Any

import kazoo.client
import kazoo.exceptions
import kazoo.recipe.lock
import pytest

from .conftest import SECONDS, RealCluster

with warnings.catch_warnings():  # kafka-python reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, KafkaProducer


def produced(cluster: RealCluster, count: int, topic: str = "orders") -> list[int]:
    producer = KafkaProducer(bootstrap_servers=cluster.bootstrap.split(","), acks="all")
    with contextlib.closing(producer):
        sent = [producer.send(topic, b"v%d" % number, key=b"k%d" % (number % 3)) for number in range(count)]
        return [one.get(timeout=SECONDS).offset for one in sent]


def consumed(cluster: RealCluster, count: int, topic: str = "orders") -> list[bytes]:
    consumer: Any = KafkaConsumer(
        topic,
        bootstrap_servers=cluster.bootstrap.split(","),
        auto_offset_reset="earliest",
        group_id=None,
        consumer_timeout_ms=int(SECONDS * 1000),
    )
    with contextlib.closing(consumer):
        return [record.value for _, record in zip(range(count), consumer, strict=False)]


def test_kafka_python_writes_with_idempotence_and_reads_it_back(one_broker: RealCluster) -> None:
    """D1, P1, C1."""
    assert list(range(300)) == produced(one_broker, 300)
    assert [b"v%d" % number for number in range(300)] == consumed(one_broker, 300)


def test_what_was_written_is_there_after_the_broker_dropped_dead(one_broker: RealCluster) -> None:
    produced(one_broker, 50)

    one_broker.restart(one_broker.brokers[0])

    assert [b"v%d" % number for number in range(50)] == consumed(one_broker, 50)
    assert [50] == produced(one_broker, 1)


def test_three_brokers_and_an_ensemble_serve_a_client_that_was_told_of_one(three_brokers: RealCluster) -> None:
    """D1, D3, Z8."""
    assert list(range(100)) == produced(three_brokers, 100)
    assert [b"v%d" % number for number in range(100)] == consumed(three_brokers, 100)


@pytest.mark.parametrize("size", ["one_broker", "three_brokers"])
def test_kazoo_finds_a_zookeeper(size: str, request: pytest.FixtureRequest) -> None:
    """Z1, Z3: ephemerals, versions, watches, locks, elections, multi. No session ends but the one that is closed."""
    cluster: RealCluster = request.getfixturevalue(size)
    one, other = (kazoo.client.KazooClient(cluster.ensemble, timeout=SECONDS) for _ in range(2))
    seen: queue.Queue[Any] = queue.Queue()  # watches are told in a thread of kazoo's
    one.start(timeout=SECONDS)
    other.start(timeout=SECONDS)
    try:
        one.sync("/brokers/ids")  # its server may be behind
        assert "/brokers/ids/101" in [f"/brokers/ids/{name}" for name in one.get_children("/brokers/ids")]
        one.create("/lab", b"0")
        one.set("/lab", b"1", version=0)
        other.sync("/lab")
        assert b"1" == other.get("/lab", watch=seen.put)[0]
        with pytest.raises(kazoo.exceptions.BadVersionError):
            other.set("/lab", b"2", version=0)
        one.create("/lab/here", ephemeral=True)
        assert "/lab/n0000000001" == one.create("/lab/n", sequence=True)
        with kazoo.recipe.lock.Lock(other, "/locks/a"):
            assert 1 == len(other.get_children("/locks/a"))
        multi = one.transaction()
        multi.check("/lab", 1)
        multi.set_data("/lab", b"3")
        assert 2 == len(multi.commit())
        other.sync("/lab")
        assert "CHANGED" == seen.get(timeout=SECONDS).type
        assert seen.empty()
        one.stop()
        other.sync("/lab")
        assert other.exists("/lab/here") is None
    finally:
        for client in (one, other):
            client.stop()
            client.close()
