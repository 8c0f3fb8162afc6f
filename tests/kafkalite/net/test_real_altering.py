"""Clients that somebody else wrote set topics otherwise, over TCP; what they set holds for their records."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource as ResourceOfAiokafka
from aiokafka.admin.config_resource import ConfigResourceType as TypeOfAiokafka
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from .conftest import SECONDS, RealCluster, real_cluster

with warnings.catch_warnings():  # kafka-python reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import AlterConfigOp, KafkaAdminClient
    from kafka.admin import ConfigResource as ResourceOfKafkaPython
    from kafka.admin import ConfigResourceType as TypeOfKafkaPython

SET, DELETE, APPEND = AlterConfigOpType.SET, AlterConfigOpType.DELETE, AlterConfigOpType.APPEND


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    yield from real_cluster(tmp_path_factory.mktemp("cluster"), 2, 1)


@pytest.fixture
def admin(cluster: RealCluster) -> AdminClient:
    return AdminClient({"bootstrap.servers": cluster.bootstrap})


@pytest.fixture
def topic(cluster: RealCluster, admin: AdminClient, request: pytest.FixtureRequest) -> str:
    """A topic of the test's own, on both brokers."""
    return made(cluster, admin, request.function.__name__[:100])


def made(cluster: RealCluster, admin: AdminClient, topic: str) -> str:
    """A topic that both brokers have heard of: whichever is asked knows it."""
    admin.create_topics([NewTopic(topic, 1, 2, config={"segment.ms": "77"})])[topic].result(SECONDS)
    cluster.wait_for_topic(topic)
    return topic


def change(admin: AdminClient, topic: str, name: str, how: AlterConfigOpType, value: str | None) -> None:
    entry = ConfigEntry(name, value, incremental_operation=how)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(SECONDS)


def expect(admin: AdminClient, topic: str, **settings: str) -> None:
    """Ask, whichever broker it is, until it shows these: brokers hear of a change a moment after it was made."""
    wanted = {name.replace("_", "."): value for name, value in settings.items()}
    resource, end, shown = ConfigResource(ResourceType.TOPIC, topic), time.monotonic() + SECONDS, {}
    while time.monotonic() < end:
        found = admin.describe_configs([resource])[resource].result(SECONDS)
        shown = {name: found[name].value for name in wanted}
        if shown == wanted:
            return
    assert wanted == shown


def outcome_of(cluster: RealCluster, topic: str, value: bytes) -> int | None:
    """The code of the error with which the brokers refuse a record; None if they take it."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    errors: list[Any] = []
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert 0 == producer.flush(SECONDS)
    return errors[0].code() if errors[0] else None


def test_confluent_changes_one_setting_and_leaves_the_others(admin: AdminClient, topic: str) -> None:
    change(admin, topic, "retention.ms", SET, "123456")
    change(admin, topic, "cleanup.policy", APPEND, "compact")
    expect(admin, topic, retention_ms="123456", cleanup_policy="delete,compact", segment_ms="77")

    change(admin, topic, "retention.ms", DELETE, None)
    expect(admin, topic, retention_ms="604800000", cleanup_policy="delete,compact", segment_ms="77")


def test_confluent_replaces_all_settings_at_once(admin: AdminClient, topic: str) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic, set_config={"retention.ms": "5000"})

    with warnings.catch_warnings():  # advised against in favour of the other
        warnings.simplefilter("ignore", DeprecationWarning)
        admin.alter_configs([resource])[resource].result(SECONDS)

    expect(admin, topic, retention_ms="5000", segment_ms="604800000")


def test_records_are_judged_by_what_was_set_last(cluster: RealCluster, admin: AdminClient, topic: str) -> None:
    assert outcome_of(cluster, topic, b"v" * 5000) is None

    change(admin, topic, "max.message.bytes", SET, "1000")
    end = time.monotonic() + SECONDS
    while outcome_of(cluster, topic, b"v" * 5000) is None:
        assert time.monotonic() < end, "the leader goes by what was set before"

    assert KafkaError.MSG_SIZE_TOO_LARGE == outcome_of(cluster, topic, b"v" * 5000)
    assert outcome_of(cluster, topic, b"v") is None


def test_what_is_refused_is_named(admin: AdminClient, topic: str) -> None:
    for where, name, value, code in (
        (topic, "retention.ms", "soon", KafkaError.INVALID_CONFIG),
        (topic, "no.such.setting", "1", KafkaError.INVALID_CONFIG),
        ("nowhere", "retention.ms", "1", KafkaError.UNKNOWN_TOPIC_OR_PART),
    ):
        with pytest.raises(KafkaException) as refused:
            change(admin, where, name, SET, value)
        assert code == refused.value.args[0].code()


@pytest.mark.parametrize("incremental", [True, False])
def test_kafka_python_sets_a_topic(cluster: RealCluster, admin: AdminClient, incremental: bool) -> None:
    topic = f"kafka-python-{incremental}"
    made(cluster, admin, topic)
    client = KafkaAdminClient(bootstrap_servers=cluster.bootstrap.split(","))
    try:
        configs = {"retention.ms": (AlterConfigOp.SET, "4321")}
        resource = ResourceOfKafkaPython(TypeOfKafkaPython.TOPIC, topic, configs)
        client.alter_configs([resource], raise_on_unknown=False, incremental=incremental)
    finally:
        client.close()

    expect(admin, topic, retention_ms="4321", segment_ms="77")


def test_aiokafka_sets_a_topic(cluster: RealCluster, admin: AdminClient, topic: str) -> None:
    async def alter() -> Any:
        client = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
        await client.start()
        try:
            resource = ResourceOfAiokafka(TypeOfAiokafka.TOPIC, topic, {"retention.ms": "8765"})
            [answer] = await client.alter_configs([resource])
            return answer
        finally:
            await client.close()

    answer = asyncio.run(asyncio.wait_for(alter(), SECONDS))

    assert 0 == answer.resources[0][0]
    expect(admin, topic, retention_ms="8765", segment_ms="604800000")
