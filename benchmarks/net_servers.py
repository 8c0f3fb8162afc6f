"""The servers that `bench_net` measures, each a process or several, and what they have cost so far.

They are these:

kafkalite      as `python -m kafkalite serve` starts it
mock           librdkafka's own mock broker: C, in memory, looks at no checksum; in a process of its own
Apache Kafka   where a JDK and Maven are found
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from kafkalite.net.serve import serve

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))  # tests/ is not installed

from tests.kafkalite.net.ports import free_ports  # noqa: E402 - the line above
from tests.oracle.apache import NoJudge, apache_kafka, apache_zookeeper, classpath  # noqa: E402 - the same

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
MOCK_PARTITIONS = 4  # of every topic that librdkafka's mock makes
RETENTION_CHECK_MS = 300
SEGMENT_BYTES = 64 << 20
KEEPS_LITTLE = {  # a topic that is written and deleted all the time, in files whose memory is used again
    "segment.bytes": str(SEGMENT_BYTES),
    "retention.bytes": str(SEGMENT_BYTES),
    "file.delete.delay.ms": str(RETENTION_CHECK_MS),
}

MOCK = """
import sys
from confluent_kafka import Producer
mock = Producer({"bootstrap.servers": "nobody", "test.mock.num.brokers": 1, "log_level": 0})
broker = next(iter(mock.list_topics(timeout=10).brokers.values()))
print(f"{broker.host}:{broker.port}", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Server:
    """Something that speaks Kafka's protocol."""

    name: str
    bootstrap: str
    pids: tuple[int, ...]  # of its brokers
    replicas: int = 1
    makes_topics: bool = True

    def cpu_s(self) -> float:
        """What its brokers have used so far, in user mode and in the system's."""
        return sum(cpu_s(pid) for pid in self.pids)

    def make_topics(self, partitions: Mapping[str, int], config: Mapping[str, str] | None = None) -> None:
        """Make topics with so many partitions each, unless they come into being by being written to."""
        if self.makes_topics:
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            asked = [
                NewTopic(name, count, self.replicas, config=dict(config or {})) for name, count in partitions.items()
            ]
            for made in admin.create_topics(asked, operation_timeout=30).values():
                made.result()


def cpu_s(pid: int) -> float:
    """The CPU seconds of a process so far, to a hundredth."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS_A_SECOND


@contextmanager
def kafkalite(brokers: int) -> Iterator[Server]:
    """Our own, every topic on all brokers."""
    (port,) = free_ports(1, apart=200)
    settings = (f"log.retention.check.interval.ms={RETENTION_CHECK_MS}",)
    with serve(brokers=brokers, port=port, settings=settings) as cluster:
        pids = tuple(one.pid for one in cluster.processes.values() if one.process.kind == "broker")
        yield Server(f"kafkalite, RF {brokers}", cluster.bootstrap, pids, brokers)


@contextmanager
def mock() -> Iterator[Server]:
    """The mock broker of librdkafka."""
    command = [sys.executable, "-c", MOCK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            bootstrap = process.stdout.readline().strip()
            yield Server("librdkafka's mock", bootstrap, (process.pid,), makes_topics=False)
        finally:
            process.kill()


@contextmanager
def apache(folder: Path) -> Iterator[Server]:
    """Apache Kafka. Raises NoJudge where it cannot be run."""
    jars = classpath(folder)
    zookeeper_port, port = free_ports(2)
    with apache_zookeeper(jars, folder / "zookeeper", zookeeper_port) as zookeeper:
        before = _children()
        more = {"log.retention.check.interval.ms": RETENTION_CHECK_MS, "log.initial.task.delay.ms": 0}
        with apache_kafka(jars, folder / "kafka", port, zookeeper, more) as bootstrap:
            yield Server("Apache Kafka", bootstrap, tuple(_children() - before))


def _children() -> set[int]:
    threads = Path("/proc/self/task").iterdir()
    return {int(pid) for one in threads for pid in (one / "children").read_text(encoding="utf-8").split()}


__all__ = ["MOCK_PARTITIONS", "NoJudge", "Server", "apache", "cpu_s", "kafkalite", "mock"]
