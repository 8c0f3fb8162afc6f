"""Steady mixed load on a cluster, by the clients that people use; a worker is a thread that does one thing at its pace.

What the load itself lets a cluster keep is bounded: logs are short, the idempotent producers, the groups and the
transactional ids are always the same ones, and what comes and goes (topics, groups, members, connections, sessions) is
deleted, or closed, or dropped. Left out: idempotent producers that come and go; a broker remembers each of them for
a day (producer.id.expiration.ms), as Kafka does.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

import confluent_kafka
import kazoo.client
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # they are there

from kafkalite.protocol.metadata import MetadataRequest
from tests.oracle.programs.saying import fetch
from tests.oracle.session import Connection

with warnings.catch_warnings():  # both import or call what a later Python no longer has
    warnings.simplefilter("ignore", DeprecationWarning)
    import aiokafka
    import aiokafka.errors
    import kafka
    import kafka.errors

ORDERS, PACKED, RESULTS, QUIET = "orders", "packed", "results", "quiet"
READERS, PIPELINE, PASSERS_BY = "readers", "pipeline", "passers-by"
PARTITIONS = 6
COMPRESSIONS = {"none": ORDERS, "gzip": ORDERS, "snappy": PACKED, "lz4": PACKED, "zstd": PACKED}  # all can read gzip
VALUE_BYTES = (100, 4000)  # of a record: from, to
MEMBERS = 3  # that stay in the group
STAY_S = 3.0  # of a member that comes and goes
SECONDS = 60.0  # a client's patience
CROWDS = 40  # well within the warm-up
ABORT_EVERY = 5  # transactions
COMMIT_EVERY = 5  # polls of a member
CLIENT = {"log_level": 2}
FETCHES = {"fetch.max.bytes": 1 << 20, "max.partition.fetch.bytes": 256 << 10, "queued.max.messages.kbytes": 4096}

Topic = tuple[str, int, tuple[tuple[str, str], ...]]


def topics() -> list[Topic]:
    """Name, partitions and settings of what the load writes to: each partition is full after about a minute."""
    full = {ORDERS: 1 << 20, RESULTS: 1 << 20, PACKED: 128 << 10}  # bytes of a partition; values pack well
    limits = {name: (("segment.bytes", f"{size // 2}"), ("retention.bytes", f"{size}")) for name, size in full.items()}
    return [*((name, PARTITIONS, configs) for name, configs in limits.items()), (QUIET, 1, ())]


class MixedLoad:
    """The workers. `steps` counts what each has done; whatever one of them raises is a trouble, and ends that one."""

    def __init__(self, bootstrap: str, ensemble: str) -> None:
        self.bootstrap, self.ensemble = bootstrap, ensemble
        self.steps: Counter[str] = Counter()
        self.troubles: list[str] = []
        self._ended = threading.Event()
        self._threads = [
            *(self._thread(f"producer {one}", partial(_producing, self, one), 0.2) for one in COMPRESSIONS),
            *(self._thread(f"member {one}", partial(_reading, self), 0.1) for one in range(MEMBERS)),
            self._thread("transactions", partial(_transacting, self), 0.2),
            self._thread("members that come and go", partial(_coming_and_going, self), 5.0),
            self._thread("asyncio programs", partial(_asyncio_programs, self), 5.0),
            self._thread("topics that come and go", partial(_administering, self), 2.0),
            self._thread("connections that come and go", partial(_connecting, self), 0.5),
            self._thread("sessions that come and go", partial(_in_zookeeper, self), 3.0),
        ]

    def _thread(self, name: str, begin: Callable[[], Iterator[None]], every_s: float) -> threading.Thread:
        return threading.Thread(target=self._work, args=(name, begin, every_s), name=name)

    def start(self) -> None:
        """Let all of them begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all of them end what they are at."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def has_begun(self) -> bool:
        """Every worker has done something."""
        return self.steps.keys() == {thread.name for thread in self._threads}

    def _work(self, name: str, begin: Callable[[], Iterator[None]], every_s: float) -> None:
        try:
            with closing(begin()) as steps:  # type: ignore[type-var]  # they are generators
                for _ in steps:
                    self.steps[name] += 1
                    if self._ended.wait(every_s):
                        break
        except Exception:  # noqa: BLE001 - whatever it is, it is told, and the soak is over
            self.troubles.append(f"{name}: {traceback.format_exc(limit=-4)}")


@contextmanager
def mixed_load(bootstrap: str, ensemble: str) -> Iterator[MixedLoad]:
    """Load while the `with` lasts, however it ends."""
    load = MixedLoad(bootstrap, ensemble)
    load.start()
    try:
        yield load
    finally:
        load.stop()


# Workers: what stays is made before the first step ------------------------------------------------------------------


def _value(rng: random.Random) -> bytes:
    return rng.randbytes(16) * (rng.randint(*VALUE_BYTES) // 16)


def _client(load: MixedLoad, **settings: Any) -> dict[str, Any]:
    return {"bootstrap.servers": load.bootstrap, **CLIENT, **settings}


def _producing(load: MixedLoad, compression: str) -> Iterator[None]:
    """An idempotent producer."""
    settings = {"enable.idempotence": True, "compression.type": compression, "linger.ms": 5}
    producer, rng = confluent_kafka.Producer(_client(load, **settings)), random.Random(compression)

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            load.troubles.append(f"producer {compression}: {error}")

    for _ in itertools.count():
        for _ in range(20):
            producer.produce(COMPRESSIONS[compression], _value(rng), key=rng.randbytes(4), on_delivery=delivered)
        producer.poll(0)
        yield


def _consumer(load: MixedLoad, group: str, *topics: str, **settings: Any) -> confluent_kafka.Consumer:
    times = {"session.timeout.ms": 20_000, "heartbeat.interval.ms": 500, "auto.offset.reset": "earliest"}
    ours = {"group.id": group, "enable.auto.commit": False, "partition.assignment.strategy": "range"}
    consumer = confluent_kafka.Consumer(_client(load, **times, **ours, **FETCHES, **settings))
    consumer.subscribe([*topics])
    return consumer


def _reading(load: MixedLoad) -> Iterator[None]:
    """A member that stays."""
    with closing(_consumer(load, READERS, ORDERS, PACKED)) as consumer:
        for count in itertools.count():
            if consumer.consume(500, 0.1) and count % COMMIT_EVERY == 0:
                consumer.commit(asynchronous=True)
            yield


def _transacting(load: MixedLoad) -> Iterator[None]:
    """Reads, writes and commits where it is, all or nothing."""
    producer, rng = confluent_kafka.Producer(_client(load, **{"transactional.id": PIPELINE})), random.Random(PIPELINE)
    producer.init_transactions(SECONDS)
    with closing(_consumer(load, PIPELINE, ORDERS, **{"isolation.level": "read_committed"})) as consumer:
        for count in itertools.count():
            read = consumer.consume(200, 0.2)
            producer.begin_transaction()
            for _ in read:
                producer.produce(RESULTS, _value(rng))
            where = consumer.position(consumer.assignment())
            producer.send_offsets_to_transaction(
                [one for one in where if one.offset >= 0], consumer.consumer_group_metadata(), SECONDS
            )
            if count % ABORT_EVERY:
                producer.commit_transaction(SECONDS)
            else:
                producer.abort_transaction(SECONDS)
            yield


def _coming_and_going(load: MixedLoad) -> Iterator[None]:
    """A member by kafka-python: the group rebalances twice for each; and a producer without idempotence."""
    servers, rng = load.bootstrap.split(","), random.Random(READERS)
    for compression in itertools.cycle((None, "gzip")):
        consumer: Any = kafka.KafkaConsumer(
            ORDERS,
            bootstrap_servers=servers,
            group_id=READERS,
            partition_assignment_strategy=[kafka.coordinator.assignors.range.RangePartitionAssignor],
            session_timeout_ms=20_000,
            fetch_max_bytes=FETCHES["fetch.max.bytes"],
            max_partition_fetch_bytes=FETCHES["max.partition.fetch.bytes"],
            enable_auto_commit=False,
            consumer_timeout_ms=int(STAY_S * 1000),
        )
        with closing(consumer):
            list(itertools.islice(consumer, 200))
            with suppress(kafka.errors.KafkaError):  # another rebalance came before it
                consumer.commit()
        producer: Any = kafka.KafkaProducer(
            bootstrap_servers=servers, enable_idempotence=False, acks=1, compression_type=compression
        )
        with closing(producer):
            for sent in [producer.send(ORDERS, _value(rng)) for _ in range(20)]:
                sent.get(SECONDS)
        yield


def _asyncio_programs(load: MixedLoad) -> Iterator[None]:
    """A group of its own by aiokafka, whose one member comes and goes; it reads what is committed."""

    async def once() -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=load.bootstrap, acks=1) as producer:
            await producer.send_and_wait(RESULTS, b"v" * 100)
        async with aiokafka.AIOKafkaConsumer(
            RESULTS,
            bootstrap_servers=load.bootstrap,
            group_id=PASSERS_BY,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_bytes=FETCHES["fetch.max.bytes"],
            max_partition_fetch_bytes=FETCHES["max.partition.fetch.bytes"],
            enable_auto_commit=False,
        ) as consumer:
            await consumer.getmany(timeout_ms=int(STAY_S * 1000))
            with suppress(aiokafka.errors.KafkaError):
                await consumer.commit()

    while True:
        asyncio.run(once())
        yield


def _administering(load: MixedLoad) -> Iterator[None]:
    """A topic and a group that nobody has had before: made, used, described and deleted."""
    admin = AdminClient(_client(load))
    producer = confluent_kafka.Producer(_client(load, acks="1"))
    for count in itertools.count():
        name = f"for-a-moment-{count}"
        [made] = admin.create_topics([NewTopic(name, 2)], operation_timeout=SECONDS).values()
        made.result(SECONDS)
        producer.produce(name, b"v")
        assert not producer.flush(SECONDS), "nothing was acknowledged"
        with closing(_consumer(load, name, name)) as consumer:
            while (message := consumer.poll(SECONDS)) is None or message.error():  # a broker has not heard of it yet
                assert message is not None, f"nothing came from {name}"
            consumer.commit(asynchronous=False)
        admin.list_topics(timeout=SECONDS)
        [group] = admin.describe_consumer_groups([name]).values()
        group.result(SECONDS)
        [forgotten] = admin.delete_consumer_groups([name]).values()
        forgotten.result(SECONDS)
        [gone] = admin.delete_topics([name], operation_timeout=SECONDS).values()
        gone.result(SECONDS)
        yield


def _connecting(load: MixedLoad) -> Iterator[None]:
    """Connections that ask something and are closed, half of them while a Fetch waits for records that never come.

    At first more of them: a broker keeps the buffers of as many as were ever busy at once, up to that many, and when
    most of them meet is chance.
    """
    servers = load.bootstrap.split(",")
    for count in itertools.count():
        connections = [Connection(one) for one in servers for _ in range(15 if count < CROWDS else 5)]
        for one in connections:
            one.send(MetadataRequest(None, False))
            one.receive()
            if count % 2:
                one.send(fetch(QUIET, max_wait_ms=30_000, min_bytes=1))
        for one in connections:
            one.close()
        yield


def _in_zookeeper(load: MixedLoad) -> Iterator[None]:
    """A session, a node that goes with it, and a watch that is never told."""
    for count in itertools.count():
        client = kazoo.client.KazooClient(load.ensemble, timeout=SECONDS)
        client.start(SECONDS)
        path = f"/soak/{count}"
        client.create(path, b"v", ephemeral=True, makepath=True)
        client.get(path, watch=lambda _: None)
        client.get_children("/soak")
        client.stop()
        client.close()
        yield
