"""What asyncio itself can do: a sink that throws away what comes, a source that sends what it has, in a process of its
own; and the same exchange with a broker of ours, whose requests were made beforehand.

The client is a plain blocking socket. So this is the most that a server in Python may hope for, and how far ours is.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from net_servers import Server

from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.registry import encode_request

CHUNK_BYTES = 1 << 20
IN_FLIGHT = 5  # requests that wait for their answers, as librdkafka has them
SINK, SOURCE = b"sink", b"give"
_LENGTH = struct.Struct(">i")


class Bare(asyncio.Protocol):
    """Four bytes say which; then 1 MB pieces, as many as the next four bytes say. The sink says when it has all."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._left, self._is_sink, self._is_full = transport, 0, False, False

    def data_received(self, data: bytes) -> None:
        if self._left == 0:
            self._is_sink = data[:4] == SINK
            self._left = _LENGTH.unpack_from(data, 4)[0] * CHUNK_BYTES
            data = data[8:]
            self._give()
        if self._is_sink:
            self._left -= len(data)
            if self._left == 0:
                self._transport.write(b"done")

    def _give(self) -> None:
        while not self._is_sink and not self._is_full and self._left:
            self._left -= CHUNK_BYTES
            self._transport.write(CHUNK)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._give()


CHUNK = bytes(CHUNK_BYTES)


async def _serve_bare() -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def bare() -> Iterator[Server]:
    """The bare server; its bootstrap is its address."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server("bare asyncio", f"127.0.0.1:{process.stdout.readline().strip()}", (process.pid,))
        finally:
            process.kill()


def connected(address: str) -> socket.socket:
    """A blocking connection."""
    host, _, port = address.rpartition(":")
    made = socket.create_connection((host, int(port)), timeout=60)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def fill_sink(address: str, chunks: int) -> None:
    """Send so many MB and wait until they were taken."""
    with connected(address) as link:
        link.sendall(SINK + _LENGTH.pack(chunks))
        for _ in range(chunks):
            link.sendall(CHUNK)
        assert link.recv(4) == b"done"


def drain_source(address: str, chunks: int) -> None:
    """Take so many MB."""
    left, room = chunks * CHUNK_BYTES, bytearray(CHUNK_BYTES)
    with connected(address) as link:
        link.sendall(SOURCE + _LENGTH.pack(chunks))
        while left:
            left -= link.recv_into(room)


def batch_of(record_bytes: int) -> tuple[bytes, int]:
    """A batch of about 1 MB, and how many records it has."""
    count, now_ms = 1_000_000 // (record_bytes + 10), int(time.time() * 1000)  # older ones would not be retained
    records = [Record(None, bytes(record_bytes), now_ms, (), offset) for offset in range(count)]
    return encode_batch(records), count


def produce(address: str, topic: str, batch: bytes, requests: int) -> None:
    """Have the same batch appended so many times."""
    data = TopicProduceData(topic, (PartitionProduceData(0, batch),))
    frame = encode_request(ProduceRequest(None, -1, 30_000, (data,)), version=9, correlation_id=1, client_id="bare")
    _exchange(address, [frame] * requests, 1)


def fetch(address: str, topic: str, batch_records: int, requests: int) -> None:
    """Read so many batches."""
    frames = []
    for place in range(requests):
        partition = FetchPartition(0, -1, place * batch_records, -1, 2 * CHUNK_BYTES)
        request = FetchRequest(-1, 1000, 1, 1, 0, 0, -1, (FetchTopic(topic, (partition,)),))  # one batch at a time
        frames.append(encode_request(request, version=11, correlation_id=place, client_id="bare"))
    _exchange(address, frames, CHUNK_BYTES // 2)


def _exchange(address: str, frames: list[bytearray], answer_bytes_min: int) -> None:
    room = bytearray(4 * CHUNK_BYTES)
    with connected(address) as link:
        for place, frame in enumerate(frames):
            link.sendall(frame)
            if place >= IN_FLIGHT:
                _answer(link, room, answer_bytes_min)
        for _ in range(min(IN_FLIGHT, len(frames))):
            _answer(link, room, answer_bytes_min)


def _answer(link: socket.socket, room: bytearray, bytes_min: int) -> None:
    view = memoryview(room)
    _receive(link, view[:4])
    (length,) = _LENGTH.unpack_from(room)
    assert length >= bytes_min, f"an answer of {length} bytes: there was nothing to read"
    _receive(link, view[:length])


def _receive(link: socket.socket, into: memoryview) -> None:
    at = 0
    while at < len(into):
        taken = link.recv_into(into[at:])
        assert taken, "the connection was closed"
        at += taken


if __name__ == "__main__":
    asyncio.run(_serve_bare())
