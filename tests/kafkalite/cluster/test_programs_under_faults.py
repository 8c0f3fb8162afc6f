"""Programs keep their promise whatever happens around them: brokers die, connections break, others take their place."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from kafkalite.facts import EffectApplied
from kafkalite.sim import transacting
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection, Cut, Fault, Freeze, Kill, Restart
from kafkalite.sim.workload import BROKER, CLIENT, ZOOKEEPER

RECORDS, PARTITIONS = 60, 2
PROGRAM: dict[str, Any] = {
    "source": "source",
    "group_id": "work",
    "transactional_id": "work",
    "session_timeout_ms": 3000,
    "heartbeat_interval_ms": 500,
    "max_poll_interval_ms": 4000,
    "default_api_timeout_ms": 3000,
    "delivery_timeout_ms": 2500,
    "transaction_timeout_ms": 3000,
    "max_poll_records": 5,
    "linger_ms": 0,
}


class Run:
    """A cluster in trouble, and a program that is replaced now and then, dead or not."""

    def __init__(self, semantics: str, writes_to: str, seed: int) -> None:
        self.rng = Random(f"{semantics}/{writes_to}/{seed}")
        broker = BROKER | transacting.BROKER
        self.cluster = Cluster(3, 1, seed, broker=broker, zookeeper=ZOOKEEPER, client=CLIENT, record=False)
        for topic in ("source", "target"):
            self.cluster.topic(topic, PARTITIONS, 3, min_insync_replicas=2)
        self.cluster.sink("sink", is_idempotent=writes_to == "idempotent sink")
        where = {"target": "target"} if writes_to == "topic" else {"outside": "sink"}
        self.settings = {**PROGRAM, **where, "semantics": semantics}
        self.applied: list[bytes | None] = []
        self.cluster.sim.observers.append(self._observe)
        self.lives = 0

    def _observe(self, now_ms: float, node: str, fact: Any) -> None:
        if isinstance(fact, EffectApplied):
            self.applied.append(fact.value)

    def start(self) -> None:
        self.lives += 1
        self.cluster.pipeline(self.name, **self.settings)

    @property
    def name(self) -> str:
        return f"w{self.lives}"

    def _fault(self) -> list[Fault]:
        rng, broker = self.rng, self.rng.choice(self.cluster.brokers)
        kinds: list[list[Fault]] = [
            [Kill(broker), Restart(broker)],
            [Freeze(broker, rng.uniform(500, 3000))],
            [Freeze(self.name, rng.uniform(500, 6000))],
            [BreakConnection(self.name, broker)],
            [Cut(self.name, broker, rng.uniform(200, 2000))],
        ]
        return rng.choice(kinds)

    def play(self) -> Counter[bytes | None]:
        """How often each record was found by an independent reader, in the end."""
        cluster, rng = self.cluster, self.rng
        for number in range(RECORDS):
            record = (number, "source", None, b"%d" % number, None, number % PARTITIONS)
            cluster.producer("writer")
            cluster.call_at(cluster.now_ms + 100 + 150 * number, "writer", "produce", *record)
        self.start()
        for _ in range(20):
            for _ in range(2):
                at_ms = cluster.now_ms + rng.uniform(0, 500)
                for fault in self._fault():
                    cluster.inject(fault, at_ms)
                    at_ms += rng.uniform(50, 1500)
            if rng.random() < 0.3:
                if rng.random() < 0.7:
                    cluster.kill(self.name)
                self.start()
            cluster.run_for(500)
        for name in cluster.brokers:
            cluster.restart(name)
        cluster.run_for(5000)
        self.start()
        cluster.run_for(30_000)
        if "outside" in self.settings:
            return Counter(self.applied)
        read = (cluster.values("target", number, "read_committed") for number in range(PARTITIONS))
        return Counter(value for values in read for value in values)

    def written(self) -> list[bytes | None]:
        """What the source has."""
        return [value for number in range(PARTITIONS) for value in self.cluster.values("source", number)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("writes_to", ["topic", "sink"])
def test_at_most_once_never_doubles(writes_to: str, seed: int) -> None:
    """O3."""
    found = Run("at most once", writes_to, seed).play()

    assert {} == {value: count for value, count in found.items() if count > 1}
    assert len(found) > RECORDS // 2, "it works at all"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("writes_to", ["topic", "sink"])
def test_at_least_once_never_loses(writes_to: str, seed: int) -> None:
    """O4."""
    run = Run("at least once", writes_to, seed)
    found = run.play()

    assert [] == [value for value in run.written() if found[value] == 0]
    assert RECORDS == len(found)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("semantics", "writes_to"), [("exactly once", "topic"), ("at least once", "idempotent sink")])
def test_exactly_once_neither_loses_nor_doubles(semantics: str, writes_to: str, seed: int) -> None:
    """O5."""
    run = Run(semantics, writes_to, seed)
    found = run.play()

    assert dict.fromkeys(run.written(), 1) == dict(found)
