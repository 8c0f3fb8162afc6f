"""A cluster of processes: it serves a real client, loses a process to `kill -9` and nothing else, and goes on later."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kafkalite.errors import ErrorCode
from kafkalite.net.plan import ZOOKEEPER_PORTS, Process, ServePlan
from kafkalite.net.serve import ServedCluster, ServeFailed, serve
from kafkalite.protocol.api_versions import ApiVersionsRequest
from tests.oracle.session import Connection

from .ports import HOST, free_ports

SECONDS = 120.0
FEW_FILES = 200


class OnPorts(TypedDict):
    """How large, and where."""

    brokers: int
    zookeepers: int
    port: int


def plan_on_free_ports(brokers: int = 1, zookeepers: int = 1) -> OnPorts:
    """A first port above which everything that the cluster needs is free."""
    return {"brokers": brokers, "zookeepers": zookeepers, "port": free_ports(ZOOKEEPER_PORTS + 2 * zookeepers)[0]}


def produced(cluster: ServedCluster, values: list[bytes]) -> list[int]:
    """The offsets at which they are."""
    offsets: list[int] = []

    def acknowledged(error: Any, message: Any) -> None:
        assert error is None, error
        offsets.append(message.offset())

    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "enable.idempotence": True})
    for value in values:
        producer.produce("orders", value, partition=0, on_delivery=acknowledged)
    assert 0 == producer.flush(SECONDS)
    return offsets


def consumed(cluster: ServedCluster, count: int) -> list[bytes]:
    """What is there, from the beginning."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "nobody", "enable.auto.commit": False})
    consumer.assign([TopicPartition("orders", 0, 0)])
    found: list[bytes] = []
    while len(found) < count:
        message = consumer.poll(SECONDS)
        assert message is not None, f"{len(found)} of {count} records, and no more"
        if message.error() is None:
            found.append(message.value() or b"")
    consumer.close()
    return found


def wait_until_whole(cluster: ServedCluster) -> None:
    """Until all three replicas are in sync: what is written while one alone is in sync is lost with that one."""
    admin, end, found = AdminClient({"bootstrap.servers": cluster.bootstrap}), time.monotonic() + SECONDS, 0
    while found < 3:
        assert time.monotonic() < end, f"{found} in sync"
        [partition] = admin.list_topics("orders", timeout=SECONDS).topics["orders"].partitions.values()
        found = len(partition.isrs)


def test_one_broker_serves_and_goes_on_from_its_files(tmp_path: Path) -> None:
    values = [b"v%d" % number for number in range(100)]
    plan = plan_on_free_ports()
    with serve(tmp_path, **plan) as cluster:
        assert list(range(100)) == produced(cluster, values)

    with serve(tmp_path, **plan) as cluster:
        assert values == consumed(cluster, 100)
        assert [100] == produced(cluster, [b"later"])


def test_kill_9_of_any_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """R4, R6, Z5: one broker of three, one ZooKeeper server of three, one after the other."""
    written: list[bytes] = []
    with serve(tmp_path, **plan_on_free_ports(3, 3)) as cluster:
        for name in cluster.processes:
            values = [b"%s %d" % (name.encode(), number) for number in range(20)]
            produced(cluster, values)
            written += values
            wait_until_whole(cluster)
            cluster.processes[name].kill()
            assert {name: -signal.SIGKILL} == cluster.died()
            produced(cluster, [b"without " + name.encode()])
            written.append(b"without " + name.encode())
            cluster.processes[name].start()
            cluster.processes[name].wait_until_ready()

        assert written == consumed(cluster, len(written))


def test_a_taken_port_is_told_and_nothing_is_left_running(tmp_path: Path) -> None:
    plan = plan_on_free_ports()
    with socket.create_server((HOST, plan["port"])):
        cluster = ServedCluster(ServePlan(**plan), tmp_path)
        with pytest.raises(ServeFailed, match=r"broker-101 did not begin; it said: .*address already in use"):
            cluster.start()

    assert {"zookeeper-1", "broker-101"} == set(cluster.died())


def test_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    plan = plan_on_free_ports()
    command = [sys.executable, "-m", "kafkalite", "serve", "--port", str(plan["port"]), "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        said = parent.stdout.readline()
        parent.kill()

    assert f"bootstrap.servers={HOST}:{plan['port']}\n" == said
    cluster = ServedCluster(ServePlan(**plan), tmp_path)
    while any(is_listening(name) for name in (cluster.bootstrap, *cluster.plan.ensemble)):
        pass  # the test's own limit ends this


def is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def test_ctrl_c_stops_in_order(tmp_path: Path) -> None:
    plan = plan_on_free_ports()
    command = [sys.executable, "-m", "kafkalite", "serve", "--port", str(plan["port"]), "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        os.kill(parent.pid, signal.SIGINT)
        _, errors = parent.communicate(timeout=SECONDS)

    assert (0, "") == (parent.returncode, errors)
    assert "BrokerStopped" in (tmp_path / "broker-101.log").read_text()
    assert (tmp_path / "broker-101" / ".kafka_cleanshutdown").exists()


def test_a_broker_has_more_connections_than_a_shell_usually_lets_a_process_have(tmp_path: Path) -> None:
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, most))
    try:
        cluster = ServedCluster(ServePlan(**plan_on_free_ports()), tmp_path)
        cluster.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))
    try:
        connections = [Connection(cluster.bootstrap) for _ in range(FEW_FILES + 1)]
        for connection in connections:
            connection.send(ApiVersionsRequest("many", "1"))

        assert [ErrorCode.NONE] * len(connections) == [one.receive().error_code for one in connections]
        for connection in connections:
            connection.close()
    finally:
        cluster.stop()


def test_what_a_process_is_told_survives_being_written_down() -> None:
    for process in ServePlan(brokers=3, zookeepers=3).processes():
        assert process == Process.from_data(process.to_data())
