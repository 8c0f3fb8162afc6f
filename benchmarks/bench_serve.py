"""How soon a cluster that is started acknowledges a record, and what many connections to one broker cost.

The first: `python -m kafkalite serve` as one types it, then librdkafka, which asks for a topic that is not there yet.
Medians of five starts, with Python's bytecode there (it is, after the first start ever).

The second: 200 connections that each write a record of 100 bytes five times a second, acks=1; alone, beside a thousand
that are open and say nothing, and beside a consumer that asks for megabytes and takes them slowly. Time is from the
request to the response, and includes this process, which is one thread, as the broker is.

A p99 differs from one moment to the next more than by what is measured here. So everything is measured in each of many
rounds, in an order drawn anew, and held against what was met alone in the same round; what counts is the median of
these ratios. How far they spread is told, and so is how much one half of "alone" differs from the other: that is noise.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
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
EVERY_S, SECONDS, WARM_S = 0.2, 4.0, 2.0
ROUNDS = 9
SLOW_BYTES, SLOW_EVERY_S = 64 << 10, 0.1  # what a slow consumer takes, and how often
SETTLE_S = 0.5  # after somebody came
PATIENCE_S = 60.0
ALONE, AGAIN, IDLE_ONES, SLOW_ONE = "alone", "alone, once more", "beside idle ones", "beside a slow one"


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


async def rounds(port: int, pid: int, written: str, read: str) -> tuple[list[dict[str, list[float]]], float]:
    """What the busy ones met in each round, in ms and by who else was there, and what an idle one takes, in kB."""
    frame, rng = frame_of(produce(written, batch(b"x" * 100), acks=1)), Random(1)
    company = {ALONE: nobody, AGAIN: nobody, IDLE_ONES: partial(opened, port, IDLE)}
    company[SLOW_ONE] = partial(slow_consumer, port, read)
    found: list[dict[str, list[float]]] = []
    idle_kb: list[float] = []
    async with opened(port, BUSY) as connections:
        await busy(connections, frame, WARM_S)
        for _ in range(ROUNDS):
            met: dict[str, list[float]] = {}
            for who in rng.sample([*company], len(company)):
                before_kb = resident_kb(pid)
                async with company[who]():
                    if who == IDLE_ONES:
                        idle_kb.append((resident_kb(pid) - before_kb) / IDLE)
                    await busy(connections, frame, SETTLE_S)
                    gc.collect()
                    gc.disable()  # or this process's own pauses are among what it measures
                    met[who] = await busy(connections, frame, SECONDS)
                    gc.enable()
            found.append(met)
    return found, max(idle_kb)  # of the first time: later ones find the memory there


@asynccontextmanager
async def nobody() -> AsyncIterator[None]:
    """Nobody else."""
    yield


def p99(times_ms: list[float]) -> float:
    """What one in a hundred exceeds."""
    return quantiles(times_ms, n=100)[98]


def compared(found: list[dict[str, list[float]]], who: str) -> list[float]:
    """By how much the p99 beside somebody is that of alone, a round each, sorted."""
    alone = [p99(met[ALONE]) if who == AGAIN else p99(met[ALONE] + met[AGAIN]) for met in found]
    return sorted(p99(met[who]) / one for met, one in zip(found, alone, strict=True))


def tell(found: list[dict[str, list[float]]]) -> None:
    """Print what the busy ones met, all rounds together, and the ratios of the rounds."""
    for who in (ALONE, AGAIN, IDLE_ONES, SLOW_ONE):
        times_ms = [ms for met in found for ms in met[who]]
        line = f"{BUSY} busy connections {who:<20} p50 {median(times_ms):6.2f} ms   p99 {p99(times_ms):7.2f} ms"
        if who != ALONE:
            ratios = compared(found, who)
            line += f"   p99 {median(ratios):.2f} times alone (rounds: {' '.join(f'{one:.2f}' for one in ratios)})"
        print(line)


def connections() -> None:
    """One broker, as served."""
    port = free_ports(PORTS)[0]
    with serve(port=port) as cluster:
        with session(cluster.bootstrap, "bench") as one:
            written, read = one.topic(), one.topic()
            for _ in range(4):
                one.ask(produce(read, batch(b"x" * 900_000)))
        found, idle_kb = asyncio.run(rounds(port, cluster.processes["broker-101"].pid, written, read))
    tell(found)
    print(f"one of {IDLE:,} idle connections takes {idle_kb:.1f} kB of the broker's memory")


def main() -> None:
    """Print all."""
    starts()
    connections()


if __name__ == "__main__":
    main()
