"""What a disk does to a served broker: it is synced when the settings say so, and when it is full, the broker lives."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.net.serve import ServedCluster, serve
from kafkalite.protocol.api_versions import ApiVersionsRequest
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import Closed, Connection, Session, batch, session

from .conftest import RealCluster, real_cluster
from .test_serve import plan_on_free_ports

FILE_BYTES_MAX = 100_000


def written(one: Session, topic: str, value: bytes) -> ErrorCode:
    """What the producer is told."""
    error: ErrorCode = one.ask(produce(topic, batch(value))).responses[0].partition_responses[0].error_code
    return error


def read(one: Session, topic: str) -> ErrorCode:
    """What a consumer is told."""
    error: ErrorCode = one.ask(fetch(topic)).responses[0].partitions[0].error_code
    return error


def limit_files(cluster: ServedCluster, bytes_max: int) -> None:
    """No file of the broker may grow above this: to it, that is a disk that takes no more."""
    limits = (bytes_max, resource.RLIM_INFINITY)
    resource.prlimit(cluster.processes["broker-101"].pid, resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_takes_no_more_is_an_error_to_the_producer_and_the_broker_lives(tmp_path: Path) -> None:
    with serve(tmp_path, **plan_on_free_ports()) as cluster:
        with session(cluster.bootstrap, "disk") as one:
            topic = one.topic()
            assert ErrorCode.NONE is written(one, topic, b"before")
            limit_files(cluster, FILE_BYTES_MAX)
            refused = written(one, topic, bytes(2 * FILE_BYTES_MAX))
            still = written(one, topic, b"small"), read(one, topic)
            answered = one.ask(ApiVersionsRequest("disk", "1"))
        assert {} == cluster.died()

        cluster.processes["broker-101"].kill()  # the disk has room again, and the broker is started again
        cluster.processes["broker-101"].start()
        cluster.processes["broker-101"].wait_until_ready()
        with session(cluster.bootstrap, "disk") as one:
            one.wait_for(topic)
            after = one.ask(produce(topic, batch(b"after"))).responses[0].partition_responses[0]

    assert ErrorCode.KAFKA_STORAGE_ERROR is refused
    assert (ErrorCode.KAFKA_STORAGE_ERROR,) * 2 == still
    assert 0 == answered.error_code
    assert (ErrorCode.NONE, 1) == (after.error_code, after.base_offset), "of what did not fit nothing is left"
    assert "LogDirectoryFailed" in (tmp_path / "broker-101.log").read_text()


@pytest.fixture
def synced(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """A broker whose settings say when to sync."""
    yield from real_cluster(tmp_path, 1, 1, **request.param)


@pytest.mark.parametrize(
    ("synced", "is_synced"),
    [({"log_flush_interval_messages": 1}, True), ({}, False)],
    ids=["every message", "never"],
    indirect=["synced"],
)
def test_a_flush_policy_syncs_the_log_before_the_acknowledgement(
    synced: RealCluster, is_synced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[str] = []
    sync = os.fsync
    with session(synced.bootstrap, "flush") as one:
        topic = one.topic()

        def observed(descriptor: int) -> None:
            files.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", observed)
        assert ErrorCode.NONE is written(one, topic, b"v")

    assert is_synced == any(f"{topic}-0/" in name and name.endswith(".log") for name in files)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RealCluster]:
    yield from real_cluster(tmp_path, 1, 1)


def test_what_cannot_be_read_while_it_is_sent_costs_its_connection_alone(served: RealCluster, tmp_path: Path) -> None:
    with session(served.bootstrap, "cut") as one, closing(Connection(served.bootstrap)) as reader:
        topic = one.topic()
        assert ErrorCode.NONE is written(one, topic, bytes(FILE_BYTES_MAX))
        (log,) = tmp_path.rglob(f"{topic}-0/*.log")
        os.truncate(log, 100)

        reader.send(fetch(topic))
        with pytest.raises(Closed):
            reader.receive()

        assert 0 == one.ask(ApiVersionsRequest("disk", "1")).error_code
