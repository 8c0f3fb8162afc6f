"""An administrator's client that somebody else wrote moves replicas and leaders, and forgets bookmarks, over TCP."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from kafkalite.facts import LogDeleted, ReplicasReassigned
from kafkalite.net.client import AdminClient
from kafkalite.protocol.reassignment import PREFERRED

from .conftest import SECONDS, RealCluster, real_cluster

with warnings.catch_warnings():  # kafka-python reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient

ORDERS = TopicPartition("orders", 0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Three brokers; orders-0 is on 101 and 102 and has a hundred records."""
    for one in real_cluster(tmp_path_factory.mktemp("cluster"), 3, 1):
        asyncio.run(make_topic(one))
        one.wait_for_topic("orders")
        produce(one, 100)
        yield one


async def make_topic(cluster: RealCluster) -> None:
    async with AdminClient(cluster.bootstrap.split(","), SECONDS) as admin:
        while len(await admin.ask("describe_cluster")) < len(cluster.brokers):
            pass
        await admin.ask("create_topic", "orders", -1, -1, (), ((101, 102),))


async def wait_until(cluster: RealCluster, replicas: tuple[int, ...], leader: int | None = None) -> None:
    """Ask until the partition is there, in sync, and perhaps led by that one."""
    async with AdminClient(cluster.bootstrap.split(","), SECONDS) as admin:
        async with asyncio.timeout(SECONDS):
            while True:
                found = (await admin.ask("describe_topic", "orders"))[0].partitions[0]
                is_led = leader in {None, found.leader}
                if found.replicas == replicas and sorted(found.isr) == sorted(replicas) and is_led:
                    return


def produce(cluster: RealCluster, count: int) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for number in range(count):
        producer.produce("orders", b"v%d" % number, partition=0)
    assert 0 == producer.flush(SECONDS)


def read(cluster: RealCluster, group: str, count: int) -> Any:
    """A member that has read so many, and committed."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    values: list[bytes | None] = []
    while len(values) < count:
        message = consumer.poll(SECONDS)
        assert message is not None, f"{len(values)} of {count} records, and no more"
        if message.error() is None:
            values.append(message.value())
    assert [b"v%d" % (number % 100) for number in range(count)] == values
    consumer.commit(asynchronous=False)
    return consumer


@pytest.fixture
def admin(cluster: RealCluster) -> Iterator[Any]:
    client = KafkaAdminClient(bootstrap_servers=cluster.bootstrap.split(","))
    yield client
    client.close()


def test_replicas_move_and_a_leader_is_elected_and_nothing_is_lost(cluster: RealCluster, admin: Any) -> None:
    """KIP-455, KIP-183."""
    assert {ORDERS: None} == admin.alter_partition_reassignments({ORDERS: [103, 102]})
    asyncio.run(wait_until(cluster, (103, 102)))

    assert {} == admin.list_partition_reassignments()
    admin.alter_partition_reassignments({ORDERS: [102, 103]})
    asyncio.run(wait_until(cluster, (102, 103)))
    admin.elect_leaders(PREFERRED, {"orders": [0]}, raise_errors=False)
    asyncio.run(wait_until(cluster, (102, 103), leader=102))

    read(cluster, "reader", 100).close()
    cluster.wait_for_fact(ReplicasReassigned("orders", 0, (103, 102), (), ()))
    cluster.wait_for_fact(LogDeleted("orders", 0))


def test_what_cannot_be_is_named(admin: Any) -> None:
    elsewhere = TopicPartition("orders", 9)

    found = admin.alter_partition_reassignments({ORDERS: [999], elsewhere: [101]})

    assert "InvalidReplicationAssignmentError" == found[ORDERS].__name__
    assert "UnknownTopicOrPartitionError" == found[elsewhere].__name__


def test_bookmarks_of_a_group_without_members_are_forgotten(cluster: RealCluster, admin: Any) -> None:
    """KIP-496."""
    consumer = read(cluster, "done", 100)
    [refused] = admin.delete_group_offsets("done", [ORDERS]).values()
    consumer.close()

    [forgotten] = admin.delete_group_offsets("done", [ORDERS]).values()

    assert ("GroupSubscribedToTopicError", "NoError") == (refused.__name__, forgotten.__name__)
    read(cluster, "done", 100).close()
