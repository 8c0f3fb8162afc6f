"""How soon a cluster that is started acknowledges a record, and what many connections to one broker cost.

The first: `python -m kafkalite serve` as one types it, then librdkafka, which asks for a topic that is not there yet.
Medians of five starts, with Python's bytecode there (it is, after the first start ever).

The second: 200 connections that each write a record of 100 bytes five times a second, acks=1; alone, beside a thousand
that are open and say nothing, and beside a consumer that asks for megabytes and takes them slowly. Time is from the
request to the response, and includes this process, which is one thread, as the broker is.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from confluent_kafka import Producer

from kafkalite.net.serve import serve
from kafkalite.protocol.api_versions import ApiVersionsRequest
from kafkalite.protocol.registry import encode_request, entry_of

sys.path.append(str(Path(__file__).resolve().parents[1]))  # tests/ is not installed

from tests.kafkalite.net.ports import free_ports
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import batch, session

STARTS = 5
PORTS = 110
IDLE, BUSY = 1000, 200
EVERY_S, SECONDS, WARM_S = 0.2, 8.0, 1.0
SLOW_BYTES, SLOW_EVERY_S = 64 << 10, 0.1  # what a slow consumer takes, and how often
PATIENCE_S = 60.0


# From `serve` to the first acknowledged record ---------------------------------------------------------------------


def first_record_s(size: int) -> float:
    """Seconds from the command to the acknowledgement."""
    port = free_ports(PORTS)[0]
    command = [sys.executable, "-m", "kafkalite", "serve", "--port", str(port)]
    command += ["--brokers", str(size), "--zookeepers", str(size)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began_s = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as served:
        try:
            assert served.stdout is not None
            served.stdout.readline()
            producer = Producer({"bootstrap.servers": f"127.0.0.1:{port}", "acks": "all", "log_level": 0})
            producer.produce("first", b"v")
            assert not producer.flush(PATIENCE_S), "nothing was acknowledged"
            return time.monotonic() - began_s
        finally:
            served.terminate()


def starts() -> None:
    """Print the medians."""
    for size, goal_s in ((1, 1.0), (3, 5.0)):
        found = sorted(first_record_s(size) for _ in range(STARTS))
        every = " ".join(f"{seconds:.2f}" for seconds in found)
        print(
            f"{size} broker{'s' * (size > 1)}, {size} ZooKeeper server{'s' * (size > 1)}: first acknowledged record "
            f"after {median(found):.2f} s (goal: under {goal_s:g} s; {every})"
        )


# Many connections --------------------------------------------------------------------------------------------------


class Connection:
    """A connection that says one thing again and again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect, and be known as a client."""
        one = cls(*await asyncio.open_connection("127.0.0.1", port))
        await one.ask(frame_of(ApiVersionsRequest("bench", "1")))
        return one

    def send(self, frame: bytes) -> None:
        """Say something."""
        self._writer.write(frame)

    async def ask(self, frame: bytes) -> float:
        """Say something and wait for the answer: how long it took, in ms."""
        began_s = time.monotonic()
        self._writer.write(frame)
        size = int.from_bytes(await self.reader.readexactly(4), "big")
        await self.reader.readexactly(size)
        return (time.monotonic() - began_s) * 1000

    async def close(self) -> None:
        """Close it."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


def frame_of(request: Any) -> bytes:
    """A request in its newest version."""
    version = entry_of(type(request)).api.versions[1]
    return bytes(encode_request(request, version=version, correlation_id=1, client_id="bench"))


async def busy(connections: list[Connection], frame: bytes, seconds: float) -> list[float]:
    """Let every connection ask at its own times; how long each answer took, in ms."""
    rng = Random(1)
    end_s = time.monotonic() + seconds

    async def one(connection: Connection, first_s: float) -> list[float]:
        times_ms: list[float] = []
        due_s = first_s
        while due_s < end_s:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            times_ms.append(await connection.ask(frame))
            due_s += EVERY_S
        return times_ms

    now_s = time.monotonic()
    found = await asyncio.gather(*(one(each, now_s + rng.random() * EVERY_S) for each in connections))
    return [ms for times_ms in found for ms in times_ms]


@asynccontextmanager
async def opened(port: int, count: int) -> AsyncIterator[list[Connection]]:
    """So many connections, while the `async with` lasts."""
    found = [await Connection.open(port) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            await one.close()


@asynccontextmanager
async def slow_consumer(port: int, topic: str) -> AsyncIterator[None]:
    """Somebody who always has requests for a megabyte open, and takes a little of the answers now and then."""
    async with opened(port, 1) as [one]:

        async def take() -> None:
            asked = fetch(topic)
            while True:
                one.send(frame_of(asked))
                left = int.from_bytes(await one.reader.readexactly(4), "big")
                while left > 0:
                    left -= len(await one.reader.readexactly(min(left, SLOW_BYTES)))
                    await asyncio.sleep(SLOW_EVERY_S)

        taking = asyncio.create_task(take())
        try:
            yield
        finally:
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking


def resident_kb(pid: int) -> int:
    """What a process holds in memory."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


async def many_connections(port: int, pid: int, written: str, read: str) -> None:
    """Print what the busy ones meet."""
    frame = frame_of(produce(written, batch(b"x" * 100), acks=1))
    async with opened(port, BUSY) as connections:
        await busy(connections, frame, WARM_S)
        alone = await busy(connections, frame, SECONDS)
        before_kb = resident_kb(pid)
        async with opened(port, IDLE):
            idle_kb = resident_kb(pid) - before_kb
            beside = await busy(connections, frame, SECONDS)
        async with slow_consumer(port, read):
            with_slow = await busy(connections, frame, SECONDS)
    for what, times_ms in (("alone", alone), (f"beside {IDLE:,} idle ones", beside), ("with a slow one", with_slow)):
        percentiles = quantiles(times_ms, n=100)
        print(
            f"{BUSY} busy connections {what:<22} p50 {percentiles[49]:6.2f} ms   p99 {percentiles[98]:6.2f} ms   "
            f"({len(times_ms):,} requests; p99 {percentiles[98] / quantiles(alone, n=100)[98]:.2f} times alone)"
        )
    print(f"an idle connection takes {idle_kb / IDLE:.1f} kB of the broker's memory")


def connections() -> None:
    """One broker, as served."""
    port = free_ports(PORTS)[0]
    with serve(port=port) as cluster:
        with session(cluster.bootstrap, "bench") as one:
            written, read = one.topic(), one.topic()
            for _ in range(4):
                one.ask(produce(read, batch(b"x" * 900_000)))
        asyncio.run(many_connections(port, cluster.processes["broker-101"].pid, written, read))


def main() -> None:
    """Print all."""
    starts()
    connections()


if __name__ == "__main__":
    main()
