"""Our brokers on whatever ensemble they are given: one is killed under load and comes back, and a client tells of it.

Three brokers, three replicas, two in sync. What is told must be the same on our own ZooKeeper and on Apache's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # they are there

from kafkalite.net.serve import ServedCluster, serve
from tests.oracle.served import SESSION_TIMEOUT_MS, first_port

COUNT = 200
PATIENCE_S = 60.0


@contextmanager
def three_on(folder: Path, *zookeeper: str) -> Iterator[ServedCluster]:
    """Three brokers of ours on that ensemble; on one of our own if there is none."""
    plan = {"brokers": 3, "session_timeout_ms": SESSION_TIMEOUT_MS}
    with serve(folder, port=first_port(), zookeeper=zookeeper, **plan) as cluster:
        yield cluster


def survived(cluster: ServedCluster) -> list[Any]:
    """What a client sees of a cluster whose brokers are killed one after another, each time under load."""
    told: list[Any] = []
    quiet: dict[str, Any] = {"bootstrap.servers": cluster.bootstrap, "log_level": 0}
    admin = AdminClient(quiet)
    topic = NewTopic("survivors", 1, 3, config={"min.insync.replicas": "2"})
    admin.create_topics([topic])["survivors"].result(PATIENCE_S)
    producer = Producer(quiet | {"acks": "all", "enable.idempotence": True})
    for name in [name for name, one in cluster.processes.items() if one.process.kind == "broker"]:
        _write(producer, name, "before")
        cluster.processes[name].kill()
        _write(producer, name, "after")
        cluster.processes[name].start()
        cluster.processes[name].wait_until_ready()
        told.append((name, "in sync again", _is_whole(admin)))
    told.append(_read(cluster.bootstrap, 6 * COUNT))
    return told


def all_is_well(brokers: tuple[str, ...]) -> list[Any]:
    """What is told when nothing is lost, doubled or out of order."""
    return [
        *((name, "in sync again", True) for name in brokers),
        [f"{when} {name} {number}" for name in brokers for when in ("before", "after") for number in range(COUNT)],
    ]


def _write(producer: Any, name: str, when: str) -> None:
    for number in range(COUNT):
        producer.produce("survivors", f"{when} {name} {number}".encode())
    left = producer.flush(PATIENCE_S)
    assert left == 0, f"{left} records {when} the death of {name} are not acknowledged"


def _is_whole(admin: Any) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        [partition] = admin.list_topics("survivors", timeout=PATIENCE_S).topics["survivors"].partitions.values()
        if len(partition.isrs) == 3:
            return True
        time.sleep(0.1)
    return False


def _read(bootstrap: str, count: int) -> list[str]:
    """Every record there is, in the order of the partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["survivors"])
    found: list[str] = []
    while len(found) < count:
        message = consumer.poll(PATIENCE_S)
        assert message is not None, f"{len(found)} of {count} records came"
        assert message.error() is None, message.error()
        found.append((message.value() or b"").decode())
    consumer.close()
    return found
