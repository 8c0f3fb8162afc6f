"""A served broker against what else could be served: how fast, at what cost, how late.

One client writes or reads: librdkafka as it is in C (`librdkafka.py`), acks=all, linger 5 ms. The servers take turns
in every round, so that whatever else this machine does meets all of them. Wall clock figures are medians of rounds;
what they are worth is their ratio to librdkafka's mock broker, which does the least that a Kafka broker can. CPU is
that of the broker's processes, over all rounds: it is nearly the same on a busy machine.

    produce   one partition
    consume   twenty partitions of 4 MB: more the mock does not keep
    latency   a record every 2 ms, linger 0; from the call to the acknowledgement

Whoever writes files needs new memory all the time, whoever keeps 5 MB, as the mock does, never. On a machine that is a
guest, memory that was free for some seconds costs ten times what is done with it: that is the host's work, and no
server's. So every server meets memory that was in use a moment ago (`warm_memory`), and what is produced goes to topics
that keep two segments, 128 MB. The line "file" says what writing a file alone costs meanwhile, the line "file, cold"
what it costs here otherwise: the difference is what the first seconds of a load on an idle guest cost on top.

    python benchmarks/bench_net.py [--long] [--without-apache]
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from io import FileIO
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, TemporaryFile

import bare_sockets
import confluent_kafka
from librdkafka import Consumer, Producer
from net_servers import KEEPS_LITTLE, MOCK_PARTITIONS, NoJudge, Server, apache, kafkalite, mock
from warm_memory import WarmMemory

SIZES = (100, 1000)  # bytes of a record
PRODUCED_MB = 96  # in a round, of each size
TOPICS = 5
KEPT_BYTES = 4_000_000  # in each partition that is read
WARM_MB = 2000  # several times what is written and held in a round: what was let go is mixed with what was free before
WAITED_FOR = 250  # records of a round whose acknowledgement is waited for
MOCK_NAME = "librdkafka's mock"
CPU_MAX_S = {"produce 100 B": 1.2, "consume 100 B": 0.5, "consume 1000 B": 0.5}  # a GB, of one broker

Found = dict[tuple[str, str], list[tuple[float, float, float]]]  # (work, server) -> MB, seconds, CPU seconds


class Bench:
    """What was found so far, and the clients that are kept over all rounds."""

    def __init__(self, servers: list[Server], bare: Server, produced_mb: int) -> None:
        self.servers, self.bare, self.produced_mb = servers, bare, produced_mb
        self._memory = WarmMemory(WARM_MB)
        self.found: Found = defaultdict(list)
        self.latencies_ms: dict[str, list[float]] = defaultdict(list)
        self._producers: dict[tuple[str, int], Producer] = {}
        self._batches = {size: bare_sockets.batch_of(size) for size in SIZES}

    def prepare(self) -> None:
        """Make the topics, fill those that are read, let everything run once."""
        for server in self.servers:
            kept = {name: MOCK_PARTITIONS for size in SIZES for name, _ in _kept(size)}
            server.make_topics({"warm": 1, "late": 1, **kept})
            server.make_topics({f"{kind}-{size}": 1 for kind in ("written", "raw") for size in SIZES}, KEEPS_LITTLE)
            for size in SIZES:
                producer = self._producers[server.name, size] = Producer(server.bootstrap, size)
                producer.send(f"written-{size}", 0, 20_000)
                for name, partition in _kept(size):
                    producer.hand_over(name, partition, KEPT_BYTES // size)
                producer.flush()
            self._producers[server.name, SIZES[0]].send("warm", 0, 1)
        ours = self.servers[0]
        ours.make_topics({f"full-{size}": 1 for size in SIZES})
        for size, (batch, _) in self._batches.items():
            bare_sockets.produce(ours.bootstrap, f"raw-{size}", batch, 2)
            bare_sockets.produce(ours.bootstrap, f"full-{size}", batch, self.produced_mb)

    def round(self) -> None:
        """Everything once."""
        self._time_file("file, cold")
        for size in SIZES:
            for server in self.servers:
                self._produce(server, size)
            for server in self.servers:
                self._consume(server, size)
        for server in self.servers:
            with self._memory.let_go():
                self._wait(server)
        self._raw()

    def close(self) -> None:
        """Let go of the clients, before the servers go."""
        for producer in self._producers.values():
            producer.close()

    def _time(self, work: str, server: Server, mb: float, do: Callable[[], None]) -> None:
        with self._memory.let_go():
            self._time_as_it_is(work, server, mb, do)

    def _time_as_it_is(self, work: str, server: Server, mb: float, do: Callable[[], None]) -> None:
        before_s, began_s = server.cpu_s(), time.perf_counter()
        do()
        took_s = time.perf_counter() - began_s
        self.found[work, server.name].append((mb, took_s, server.cpu_s() - before_s))

    def _time_file(self, work: str) -> None:
        time_it = self._time if work == "file" else self._time_as_it_is
        process, mb = Server("one process", "", (os.getpid(),)), self.produced_mb
        with TemporaryFile(buffering=0) as file:
            assert isinstance(file, FileIO)
            time_it(work, process, mb, partial(_fill, file, mb))

    def _produce(self, server: Server, size: int) -> None:
        producer, count = self._producers[server.name, size], self.produced_mb * 1_000_000 // size
        self._time(f"produce {size} B", server, self.produced_mb, lambda: producer.send(f"written-{size}", 0, count))

    def _consume(self, server: Server, size: int) -> None:
        kept = _kept(size)
        count = len(kept) * (KEPT_BYTES // size)
        consumer = Consumer(server.bootstrap)
        consumer.read([("warm", 0)], 1)  # it is connected
        self._time(f"consume {size} B", server, count * size / 1e6, lambda: consumer.read(kept, count))
        consumer.close()

    def _wait(self, server: Server) -> None:
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": server.bootstrap, "acks": "all", "linger.ms": 0, "log_level": 0}
        )
        taken_ms: list[float] = []

        def delivered(error: object, message: confluent_kafka.Message) -> None:
            assert error is None, error
            taken_ms.append(message.latency() * 1000)

        producer.produce("late", b"")
        producer.flush()
        for _ in range(WAITED_FOR):
            producer.produce("late", bytes(100), on_delivery=delivered)
            producer.poll(0.002)
        producer.flush()
        self.latencies_ms[server.name] += taken_ms

    def _raw(self) -> None:
        bare, ours, mb = self.bare, self.servers[0], self.produced_mb
        self._time_file("file")
        self._time("sink", bare, mb * 1.048576, lambda: bare_sockets.fill_sink(bare.bootstrap, mb))
        self._time("source", bare, mb * 1.048576, lambda: bare_sockets.drain_source(bare.bootstrap, mb))
        for size, (batch, count) in self._batches.items():
            moved_mb = mb * len(batch) / 1e6
            write = partial(bare_sockets.produce, ours.bootstrap, f"raw-{size}", batch, mb)
            read = partial(bare_sockets.fetch, ours.bootstrap, f"full-{size}", count, mb)
            self._time(f"produce {size} B, raw", ours, moved_mb, write)
            self._time(f"consume {size} B, raw", ours, moved_mb, read)

    # What is told ---------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Print the tables."""
        for work in (f"{verb} {size} B" for verb in ("produce", "consume") for size in SIZES):
            print(f"{work:<24} {'MB/s':>7} {'of mock':>8} {'of Apache':>10} {'CPU s/GB':>9}")
            for server in self.servers:
                ours, apaches = self.found[work, server.name], self.found.get((work, "Apache Kafka"), [])
                of_mock, of_apache = _ratio(ours, self.found[work, MOCK_NAME]), _ratio(ours, apaches)
                cost = self._cost(work, server.name)
                bound = CPU_MAX_S.get(work) if server is self.servers[0] else None
                said = "" if bound is None else f"   at most {bound}{'' if cost <= bound else ': MISSED'}"
                rate = self._rate(work, server.name)
                print(f"  {server.name:<22} {rate:>7,.0f} {of_mock:>8} {of_apache:>10} {cost:>9.2f}{said}")
        print(f"{'a blocking socket':<24} {'MB/s':>7} {'of bare':>8} {'':>10} {'CPU s/GB':>9}")
        for work in ("file", "file, cold"):
            self._tell_raw(work, "one process", "sink")
        self._tell_raw("sink", "bare asyncio", "sink")
        for size in SIZES:
            self._tell_raw(f"produce {size} B, raw", self.servers[0].name, "sink")
        self._tell_raw("source", "bare asyncio", "source")
        for size in SIZES:
            self._tell_raw(f"consume {size} B, raw", self.servers[0].name, "source")
        print(f"{'latency, ms':<24} {'p50':>7} {'p99':>8}")
        for name, taken in self.latencies_ms.items():
            cuts = quantiles(taken, n=100)
            print(f"  {name:<22} {cuts[49]:>7.2f} {cuts[98]:>8.2f}")

    def _tell_raw(self, work: str, name: str, base: str) -> None:
        ratio = _ratio(self.found[work, name], self.found[base, "bare asyncio"])
        print(f"  {work:<22} {self._rate(work, name):>7,.0f} {ratio:>8} {'':>10} {self._cost(work, name):>9.2f}")

    def _rate(self, work: str, name: str) -> float:
        return median(mb / took_s for mb, took_s, _ in self.found[work, name])

    def _cost(self, work: str, name: str) -> float:
        found = self.found[work, name]
        return sum(used_s for _, _, used_s in found) / (sum(mb for mb, _, _ in found) / 1000)


def _fill(file: FileIO, mb: int) -> None:
    """Write so much in pieces of a megabyte, as a log's file is written."""
    megabyte = bytes(1_000_000)
    for _ in range(mb):
        file.write(megabyte)


def _kept(size: int) -> list[tuple[str, int]]:
    return [(f"kept-{size}-{number}", partition) for number in range(TOPICS) for partition in range(MOCK_PARTITIONS)]


def _ratio(these: list[tuple[float, float, float]], those: list[tuple[float, float, float]]) -> str:
    """The median of the rounds' ratios: both of a round met the same machine."""
    if not those:
        return "-"
    pairs = zip(these, those, strict=True)
    return f"{median((one[0] / one[1]) / (other[0] / other[1]) for one, other in pairs):.2f}"


def main() -> None:
    """Print the figures."""
    is_long = "--long" in sys.argv
    rounds, produced_mb = (21, 200) if is_long else (7, PRODUCED_MB)
    with ExitStack() as running:
        servers = [running.enter_context(kafkalite(1)), running.enter_context(kafkalite(3))]
        servers.append(running.enter_context(mock()))
        if "--without-apache" not in sys.argv:
            try:
                folder = running.enter_context(TemporaryDirectory(prefix="kafkalite-bench-"))
                servers.append(running.enter_context(apache(Path(folder))))
            except NoJudge as reason:
                print(f"without Apache Kafka: {reason}")
        bench = Bench(servers, running.enter_context(bare_sockets.bare()), produced_mb)
        bench.prepare()
        for _ in range(rounds):
            bench.round()
        bench.close()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"medians of {rounds} interleaved rounds; {os.cpu_count()} cores, load average {load}")
    bench.tell()


if __name__ == "__main__":
    main()
