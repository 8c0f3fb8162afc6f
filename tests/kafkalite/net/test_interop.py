"""The clients that people use, against one broker and against three: each finds the Kafka it expects."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined]  # they are there

from kafkalite.net.serve import ServedCluster, serve

from .test_serve import plan_on_free_ports

with warnings.catch_warnings():  # kafka-python reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka
    import kafka.admin
with warnings.catch_warnings():  # aiokafka imports what a later Python no longer has
    warnings.simplefilter("ignore", DeprecationWarning)
    import aiokafka

pytestmark = [pytest.mark.slow]

SECONDS = 120.0
COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture(scope="module", params=[1, 3], ids=["one broker", "three brokers"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    size: int = request.param
    with serve(tmp_path_factory.mktemp("served"), **plan_on_free_ports(size, size)) as one:
        yield one


@pytest.fixture
def topic(cluster: ServedCluster, request: pytest.FixtureRequest) -> str:
    """A topic of four partitions, on every broker."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    replicas = len(cluster.bootstrap.split(","))
    [made] = admin.create_topics([NewTopic(name, 4, replicas)], operation_timeout=SECONDS).values()
    made.result(SECONDS)
    return name


def values(count: int, prefix: bytes = b"v") -> list[bytes]:
    return [b"%s%d" % (prefix, number) for number in range(count)]


# librdkafka, by confluent-kafka -----------------------------------------------------------------------------------


def confluent_producer(cluster: ServedCluster, **settings: Any) -> confluent_kafka.Producer:
    return confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 5, **settings})


def confluent_consumer(cluster: ServedCluster, group: str, topic: str, **settings: Any) -> confluent_kafka.Consumer:
    times = {"session.timeout.ms": 30_000, "heartbeat.interval.ms": 300}
    begin = {"bootstrap.servers": cluster.bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = confluent_kafka.Consumer({**begin, **times, "enable.auto.commit": False, **settings})
    consumer.subscribe([topic])
    return consumer


def polled(consumer: confluent_kafka.Consumer, count: int) -> list[bytes]:
    """The values of so many records."""
    found: list[bytes] = []
    while len(found) < count:
        message = consumer.poll(SECONDS)
        assert message is not None, f"{len(found)} of {count} records, and no more"
        assert message.error() is None, message.error()
        found.append(message.value() or b"")
    return found


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_confluent_writes_idempotently_in_every_compression_and_reads_it_back(
    cluster: ServedCluster, topic: str, compression: str
) -> None:
    """P1, P4."""
    producer = confluent_producer(cluster, **{"enable.idempotence": True, "compression.type": compression})
    for value in values(400):
        producer.produce(topic, value, key=value[-1:])
    assert 0 == producer.flush(SECONDS)

    with closing(confluent_consumer(cluster, f"group-{topic}", topic)) as consumer:
        assert sorted(values(400)) == sorted(polled(consumer, 400))


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_a_group_of_confluents_shares_and_goes_on_from_what_was_committed(
    cluster: ServedCluster, topic: str, strategy: str
) -> None:
    """C1, C3, O1: two members share four partitions; the one that is left takes over where the other had been."""
    settings = {"partition.assignment.strategy": strategy}
    producer = confluent_producer(cluster)
    with (
        closing(confluent_consumer(cluster, f"group-{topic}", topic, **settings)) as first,
        closing(confluent_consumer(cluster, f"group-{topic}", topic, **settings)) as second,
    ):
        while not len(first.assignment()) == len(second.assignment()) == 2:
            assert (None, None) == (first.poll(0.05), second.poll(0.05))
        write_to_each_partition(producer, topic, b"before")
        for consumer in (first, second):
            assert [b"before"] * 2 == polled(consumer, 2)
            consumer.commit(asynchronous=False)
        second.close()
        write_to_each_partition(producer, topic, b"after")

        assert [b"after"] * 4 == polled(first, 4)


def write_to_each_partition(producer: confluent_kafka.Producer, topic: str, value: bytes) -> None:
    for partition in range(4):
        producer.produce(topic, value, partition=partition)
    assert 0 == producer.flush(SECONDS)


def test_confluents_transactions_are_seen_whole_or_not_at_all(cluster: ServedCluster, topic: str) -> None:
    """O5, KIP-98."""
    producer = confluent_producer(cluster, **{"transactional.id": f"id-{topic}"})
    producer.init_transactions(SECONDS)
    for prefix, commits in ((b"a", True), (b"b", False), (b"c", True)):
        producer.begin_transaction()
        for value in values(20, prefix):
            producer.produce(topic, value)
        producer.flush(SECONDS)
        producer.commit_transaction(SECONDS) if commits else producer.abort_transaction(SECONDS)

    settings = {"isolation.level": "read_committed"}
    with closing(confluent_consumer(cluster, f"group-{topic}", topic, **settings)) as consumer:
        assert sorted(values(20, b"a") + values(20, b"c")) == sorted(polled(consumer, 40))


def test_confluents_offsets_are_committed_with_its_transaction(cluster: ServedCluster, topic: str) -> None:
    """KIP-447: what was read, and where that was, become visible together."""
    producer = confluent_producer(cluster, **{"transactional.id": f"id-{topic}"})
    producer.init_transactions(SECONDS)
    source = confluent_producer(cluster)
    source.produce(topic, b"read me", partition=0)
    assert 0 == source.flush(SECONDS)
    with closing(confluent_consumer(cluster, f"group-{topic}", topic)) as consumer:
        [_] = polled(consumer, 1)
        for commits, expected in ((False, confluent_kafka.OFFSET_INVALID), (True, 1)):
            producer.begin_transaction()
            producer.send_offsets_to_transaction(
                consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), SECONDS
            )
            producer.commit_transaction(SECONDS) if commits else producer.abort_transaction(SECONDS)
            [committed] = consumer.committed([confluent_kafka.TopicPartition(topic, 0)], SECONDS)
            assert expected == committed.offset


def test_confluents_admin_sees_topics_and_groups(cluster: ServedCluster, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    with closing(confluent_consumer(cluster, f"group-{topic}", topic)) as consumer:
        while not consumer.assignment():
            consumer.poll(0.05)

        for asked in (topic, None):  # or all
            found = admin.list_topics(asked, SECONDS).topics[topic]
            assert [0, 1, 2, 3] == sorted(found.partitions)
        assert f"group-{topic}" in [one.group_id for one in admin.list_consumer_groups().result(SECONDS).valid]
        [group] = admin.describe_consumer_groups([f"group-{topic}"]).values()
        assert "STABLE" == group.result(SECONDS).state.name
    [grown] = admin.create_partitions([NewPartitions(topic, 6)]).values()
    grown.result(SECONDS)
    [deleted] = admin.delete_topics([topic], operation_timeout=SECONDS).values()
    deleted.result(SECONDS)
    [gone] = admin.delete_consumer_groups([f"group-{topic}"]).values()
    gone.result(SECONDS)


# kafka-python -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "gzip"])  # those that need no package beside it
def test_kafka_python_writes_and_reads_it_back(cluster: ServedCluster, topic: str, compression: str | None) -> None:
    producer = kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap.split(","), compression_type=compression)
    with closing(producer):
        sent = [producer.send(topic, value, key=value[-1:]) for value in values(200)]
        for one in sent:
            one.get(timeout=SECONDS)

    assert sorted(values(200)) == sorted(read_by_kafka_python(cluster, topic, 200))


def read_by_kafka_python(cluster: ServedCluster, topic: str, count: int, **settings: Any) -> list[bytes]:
    """So many values, by a group of one that commits."""
    consumer: Any = kafka.KafkaConsumer(
        topic,
        bootstrap_servers=cluster.bootstrap.split(","),
        group_id=f"group-of-{topic}",
        auto_offset_reset="earliest",
        consumer_timeout_ms=int(SECONDS * 1000),
        **settings,
    )
    with closing(consumer):
        found = [record.value for _, record in zip(range(count), consumer, strict=False)]
        consumer.commit()
    return found


def test_kafka_python_goes_on_from_what_it_committed(cluster: ServedCluster, topic: str) -> None:
    with closing(kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap.split(","))) as producer:
        for prefix in (b"a", b"b"):
            for value in values(10, prefix):
                producer.send(topic, value, partition=0).get(timeout=SECONDS)
            assert values(10, prefix) == read_by_kafka_python(cluster, topic, 10)


def test_kafka_pythons_transactions(cluster: ServedCluster, topic: str) -> None:
    producer = kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap.split(","), transactional_id=f"id-{topic}")
    with closing(producer):
        producer.init_transactions()
        for prefix, commits in ((b"a", False), (b"b", True)):
            producer.begin_transaction()
            for value in values(10, prefix):
                producer.send(topic, value)
            producer.commit_transaction() if commits else producer.abort_transaction()

    found = read_by_kafka_python(cluster, topic, 10, isolation_level="read_committed")
    assert sorted(values(10, b"b")) == sorted(found)


# aiokafka ---------------------------------------------------------------------------------------------------------


def test_aiokafka_writes_reads_and_commits(cluster: ServedCluster, topic: str) -> None:
    async def run() -> tuple[list[bytes], int | None]:
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=cluster.bootstrap, enable_idempotence=True, compression_type="gzip"
        ) as producer:
            for value in values(100):
                await producer.send_and_wait(topic, value, partition=1)
        async with aiokafka.AIOKafkaConsumer(
            topic,
            bootstrap_servers=cluster.bootstrap,
            group_id=f"group-{topic}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        ) as consumer:
            found = [(await consumer.getone()).value or b"" for _ in range(100)]
            await consumer.commit()
            return found, await consumer.committed(aiokafka.TopicPartition(topic, 1))

    assert (values(100), 100) == within(run)


def test_aiokafkas_transactions(cluster: ServedCluster, topic: str) -> None:
    async def run() -> list[bytes]:
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=cluster.bootstrap, transactional_id=f"id-{topic}"
        ) as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"aborted", partition=0)
            await producer.abort_transaction()
            async with producer.transaction():
                await producer.send_and_wait(topic, b"committed", partition=0)
        async with aiokafka.AIOKafkaConsumer(
            topic,
            bootstrap_servers=cluster.bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        ) as consumer:
            return [(await consumer.getone()).value or b""]

    assert [b"committed"] == within(run)


def within(run: Callable[[], Any]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(2 * SECONDS):
            return await run()

    return asyncio.run(limited())


# kcat -------------------------------------------------------------------------------------------------------------


def kcat(cluster: ServedCluster, *arguments: str, said: bytes = b"") -> bytes:
    path = shutil.which("kcat") or shutil.which("kafkacat")
    assert path is not None, "kcat is among what `make test` installs"
    command = [path, "-b", cluster.bootstrap, *arguments]
    return subprocess.run(command, input=said, stdout=subprocess.PIPE, check=True, timeout=2 * SECONDS).stdout


def test_kcat_lists_writes_and_reads(cluster: ServedCluster, topic: str) -> None:
    """A librdkafka of some years ago: other versions of the same protocol."""
    assert f'topic "{topic}" with 4 partitions:' in kcat(cluster, "-L", "-t", topic).decode()

    kcat(cluster, "-P", "-t", topic, "-p", "2", "-z", "lz4", said=b"\n".join(values(50)))

    assert values(50) == kcat(cluster, "-C", "-t", topic, "-p", "2", "-e", "-q").splitlines()
    assert values(50)[-3:] == kcat(cluster, "-C", "-t", topic, "-p", "2", "-o", "-3", "-e", "-q").splitlines()


def test_a_group_of_kcats(cluster: ServedCluster, topic: str) -> None:
    kcat(cluster, "-P", "-t", topic, "-p", "3", said=b"\n".join(values(20)))

    found = kcat(cluster, "-G", f"group-{topic}", "-X", "auto.offset.reset=earliest", "-c", "20", "-q", topic)

    assert values(20) == found.splitlines()
