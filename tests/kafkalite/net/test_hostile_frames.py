"""Bytes that no client sends: they cost their connection and nothing else."""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.net.kafka_peers import KafkaServerPeer
from kafkalite.protocol.api_versions import ApiVersionsRequest
from kafkalite.protocol.frames import FRAME_BYTES_MAX
from kafkalite.protocol.registry import encode_request, entry_of
from tests.kafkalite.cluster.test_any_request import REQUESTS, drawn
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import Closed, Connection, batch, session

from .conftest import SECONDS, RealCluster


def frames(seed: int, count: int) -> Iterator[bytes]:
    """Requests of every kind, whole, cut, lengthened, and with bytes changed."""
    rng = Random(seed)
    for number in range(count):
        frame = encoded(drawn(rng, REQUESTS[number % len(REQUESTS)]), rng, number)
        match number % 4:
            case 0:
                for _ in range(3):
                    frame[rng.randrange(len(frame))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 1:
                frame[4:] = frame[4 : rng.randrange(5, len(frame) + 1)]
            case 2:
                frame += rng.randbytes(rng.randrange(1, 50))
        if number % 8 < 4:  # the length is right, whatever became of the rest
            frame[:4] = struct.pack(">i", len(frame) - 4)
        yield bytes(frame)


def encoded(request: Any, rng: Random, number: int) -> bytearray:
    """The request in some version that has words for it; the newest one has."""
    first, newest = entry_of(type(request)).api.versions
    for version in (rng.randint(first, newest), newest):
        with contextlib.suppress(ProtocolError):
            return encode_request(request, version=version, correlation_id=number, client_id="hostile")
    raise AssertionError(f"{request} cannot be written")


def test_hostile_frames_disturb_nobody_else(one_broker: RealCluster, caplog: pytest.LogCaptureFixture) -> None:
    """Another client writes all the while; and no handler of ours has raised."""
    caplog.set_level(logging.ERROR)
    host, _, port = one_broker.bootstrap.rpartition(":")
    with session(one_broker.bootstrap, "good") as good:
        topic, written = good.topic(), []
        for number, frame in enumerate(frames(1, 600)):
            with socket.create_connection((host, int(port)), timeout=SECONDS) as hostile:
                hostile.sendall(frame)
                if number % 3 == 0:
                    hostile.shutdown(socket.SHUT_WR)
            if number % 20 == 0:
                [answer] = good.ask(produce(topic, batch(b"still here"))).responses[0].partition_responses
                written.append((answer.error_code, answer.base_offset))
        good.ask(fetch(topic), on=good.connection())  # accepted after all others: none is left half open

    assert [(ErrorCode.NONE, offset) for offset in range(30)] == written
    assert [] == [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("length", [-1, -(2**31), FRAME_BYTES_MAX + 1, 2**31 - 1])
def test_a_length_that_is_none_closes_the_connection_at_once(one_broker: RealCluster, length: int) -> None:
    connection = Connection(one_broker.bootstrap)

    connection.send_bytes(struct.pack(">i", length) + b"more")

    with pytest.raises(Closed):
        connection.receive_bytes()
    connection.close()


def test_a_frame_that_is_announced_and_does_not_come_takes_no_memory(one_broker: RealCluster) -> None:
    """Fifty connections announce 100 MiB each; what is kept is what has arrived."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    waiting = [Connection(one_broker.bootstrap) for _ in range(50)]
    for connection in waiting:
        connection.send_bytes(struct.pack(">i", FRAME_BYTES_MAX) + bytes(1000))
    good = Connection(one_broker.bootstrap)
    good.send(ApiVersionsRequest("good", "1"))

    assert 0 == good.receive().error_code
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50 << 10, f"{grown >> 10} MiB more"  # of KiB: a half of one such frame
    for connection in (*waiting, good):
        connection.close()


def test_a_reader_that_takes_nothing_does_not_keep_others_waiting(one_broker: RealCluster) -> None:
    """It asks a hundred times for a megabyte and reads nothing: its requests wait, nobody else's do."""
    with session(one_broker.bootstrap, "good") as good:
        topic, slow = good.topic(), good.connection()
        good.ask(produce(topic, batch(b"x" * 900_000)))
        for _ in range(100):
            slow.send(fetch(topic))

        for _ in range(20):
            [answer] = good.ask(fetch(topic, 1)).responses[0].partitions
            assert ErrorCode.NONE is answer.error_code

        peers = one_broker.served["b101"].driver.peers()
        unsent = sum(peer.stream.unsent_bytes for peer in peers if isinstance(peer, KafkaServerPeer))
    assert unsent < 4 << 20, f"{unsent:,} bytes wait for a reader that takes nothing"
