"""What every process of a served cluster holds in memory under steady load, and whether it grows.

    0            warm-up           from then on: so many minutes, looked at every two seconds
    | clients    | caches and      | first fifth |          ...           | last fifth |
    | begin      | logs fill up    |  median     ------- growth -------> |  median    |

The warm-up is a fifth of the minutes on top of them. Within it the logs reach the size at which retention and
compaction keep them, Python's own pools and the allocator's reach what the busiest second needs, and every kind of
client has come and gone some times: until then memory grows, as it should. Medians, because one look may fall into a
moment in which a large answer is being written; of fifths, because compaction and snapshots come and go within one.

RssAnon is what a process has made itself; VmRSS has the files it has mapped in it, too (its program, libraries). Both
are judged. Left out: what the system's page cache holds of the logs, which is nobody's memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from kafkalite.config import ZooKeeperConfig
from kafkalite.net.client import AdminClient, RequestFailed
from kafkalite.net.plan import ServePlan
from kafkalite.net.serve import ServedCluster

from .memory_load import MixedLoad, mixed_load, topics
from .ports import free_ports

GROWTH_PERCENT_MAX = 5.0
KINDS = ("RssAnon", "VmRSS")
LOOK_EVERY_S = 2.0
LOOKS_MIN = 10  # however short a soak is
SOON_S = 0.1
WARM_UP_SHARE = 0.2  # of the time that is judged, before it
PARTS = 5  # the first of which is compared with the last
PORTS = 110
PATIENCE_S = 60.0

# So small that everything a broker keeps reaches its size within the warm-up: what grows after that is kept for ever.
# Topics are not made by asking for them: a producer that has heard of one would make it again after it was deleted.
BROKER_SETTINGS = (
    "auto.create.topics.enable=false",
    "log.retention.check.interval.ms=2000",
    "log.cleaner.backoff.ms=2000",
    "log.flush.offset.checkpoint.interval.ms=5000",
    "offsets.topic.num.partitions=4",
    "offsets.topic.segment.bytes=65536",
    "transaction.state.log.num.partitions=4",
    "transaction.state.log.segment.bytes=65536",
)
SNAPSHOT_EVERY = 200  # changes of the tree: a ZooKeeper server keeps those since its last snapshot

Look = Mapping[str, int]  # kB, by kind


@dataclass(frozen=True, slots=True)
class Growth:
    """What one process held in the first fifth of a soak and in the last, as medians in kB."""

    process: str
    kind: str
    was_kb: float
    is_kb: float

    @property
    def percent(self) -> float:
        """How much more it is in the end."""
        return (self.is_kb - self.was_kb) / self.was_kb * 100

    @property
    def is_too_much(self) -> bool:
        """A leak, or something that looks like one."""
        return self.percent > GROWTH_PERCENT_MAX

    def __str__(self) -> str:
        return (
            f"{self.process:<12} {self.kind:<8} {self.was_kb / 1024:8.2f} MB {self.is_kb / 1024:8.2f} MB "
            f"{self.percent:+7.2f} %{'   too much' if self.is_too_much else ''}"
        )


def growth_of(process: str, looks: Sequence[Look]) -> list[Growth]:
    """One growth for each kind, from all looks after the warm-up. Raises ValueError if there are too few."""
    size = len(looks) // PARTS
    if not size:
        raise ValueError(f"{process} was looked at {len(looks)} times; a growth takes at least {PARTS}")
    return [
        Growth(process, kind, *(median(one[kind] for one in part) for part in (looks[:size], looks[-size:])))
        for kind in KINDS
    ]


def look(pid: int) -> Look:
    """What a process holds now."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    return {words[0][:-1]: int(words[1]) for words in lines if words[0][:-1] in KINDS}


def _say_nothing(_: str) -> None:
    pass


@dataclass
class Soak:
    """A cluster under load, and what was seen of its processes' memory."""

    cluster: ServedCluster
    load: MixedLoad
    looks: dict[str, list[Look]] = field(default_factory=dict)

    def wait_until_begun(self) -> None:
        """Until every worker has done something, or one has trouble."""
        end_s = time.monotonic() + PATIENCE_S
        while not self.load.has_begun() and not self.load.troubles:
            assert time.monotonic() < end_s, f"after {PATIENCE_S:g} s only these have begun: {[*self.load.steps]}"
            time.sleep(SOON_S)

    def run(self, seconds: float, tell: Callable[[str], None] = _say_nothing) -> list[Growth]:
        """Warm up, look for so many seconds, and say what has grown: nothing if a client had trouble."""
        self.wait_until_begun()
        warm_up_s = seconds * WARM_UP_SHARE
        self._until(time.monotonic() + warm_up_s, f"warming up for {warm_up_s:g} s", tell)
        self.looks.clear()
        self._until(time.monotonic() + seconds, f"looking for {seconds:g} s", tell)
        if self.load.troubles:
            return []
        return [one for name, looks in self.looks.items() for one in growth_of(name, looks)]

    def _until(self, end_s: float, doing: str, tell: Callable[[str], None]) -> None:
        look_every_s = min(LOOK_EVERY_S, (end_s - time.monotonic()) / LOOKS_MIN)
        looks = 0  # enough of them, also where the machine stood still meanwhile
        while (time.monotonic() < end_s or looks < LOOKS_MIN) and not self.load.troubles:
            time.sleep(look_every_s)
            looks += 1
            assert not (died := self.cluster.died()), f"ended, with these exit codes: {died}"
            for name, process in self.cluster.processes.items():
                self.looks.setdefault(name, []).append(look(process.pid))
            sizes = " ".join(f"{looks[-1]['RssAnon'] // 1024}" for looks in self.looks.values())
            tell(f"{doing}, {max(0, end_s - time.monotonic()):.0f} s left; RssAnon in MB: {sizes}")


@contextmanager
def soaked(folder: Path, brokers: int, zookeepers: int) -> Iterator[Soak]:
    """A cluster under mixed load while the `with` lasts."""
    cluster = ServedCluster(ServePlan(brokers, zookeepers, port=free_ports(PORTS)[0], settings=BROKER_SETTINGS), folder)
    for served in cluster.processes.values():
        if isinstance(config := served.process.config, ZooKeeperConfig):
            served.process = replace(served.process, config=replace(config, snapshot_every=SNAPSHOT_EVERY))
    cluster.start()
    try:
        asyncio.run(_make_topics(cluster.bootstrap, brokers))
        with mixed_load(cluster.bootstrap, ",".join(cluster.plan.ensemble)) as load:
            yield Soak(cluster, load)
    finally:
        cluster.stop()


async def _make_topics(bootstrap: str, brokers: int) -> None:
    async with AdminClient(bootstrap.split(","), PATIENCE_S) as admin:
        for topic, partitions, configs in topics():
            while True:
                try:
                    await admin.ask("create_topic", topic, partitions, min(3, brokers), configs)
                except RequestFailed as failure:  # the controller has not heard of all brokers yet
                    if failure.error != "INVALID_REPLICATION_FACTOR":
                        raise
                else:
                    break
