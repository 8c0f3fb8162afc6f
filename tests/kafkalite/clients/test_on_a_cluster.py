"""Clients and real brokers: what each acks can lose, and what a retry does, when brokers die and connections break."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from kafkalite.facts import BatchSent, DuplicateFound, RecordsAcknowledged, RecordsFailed
from kafkalite.node import Send
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection, Fault, Kill, SlowLink

PATIENCE_MS = 60_000


def _cluster(seed: int, partitions: int = 1) -> Cluster:
    """Three brokers; the topic `orders` on all of them."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=seed, record=False, through_codec=seed % 3 == 0)
    return cluster.topic("orders", partitions=partitions, replicas=3, min_insync_replicas=2)


class Told:
    """What the producer p1 was told, and what a reader then finds."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.acknowledged: dict[int, int] = {}
        self.failed: dict[int, bool] = {}  # record -> is it definite?
        self.facts: list[Any] = []
        cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: str, fact: Any) -> None:
        if type(fact) in (RecordsAcknowledged, RecordsFailed, BatchSent, DuplicateFound):
            self.facts.append(fact)
        for index, record in enumerate(fact.records if type(fact) in (RecordsAcknowledged, RecordsFailed) else ()):
            if isinstance(fact, RecordsFailed):
                self.failed[record] = fact.is_definite
            else:
                self.acknowledged[record] = fact.base_offset + index

    def send(self, count: int, every_ms: float, faults: list[tuple[float, Fault]], **settings: Any) -> Told:
        """Send so many records while faults happen, and wait until each has an outcome."""
        producer = self.cluster.producer("p1", **settings)
        begun_ms = self.cluster.now_ms
        for at_ms, fault in faults:
            self.cluster.inject(fault, begun_ms + at_ms)
        for number in range(count):
            producer.send("orders", b"%d" % number)
            self.cluster.run_for(every_ms)
        self.cluster.run_until(lambda: len(self.acknowledged) + len(self.failed) == count, "all outcomes", 300_000)
        return self

    def found(self, partitions: int = 1) -> list[list[int]]:
        """The records in each partition, as a new reader gets them once all is quiet."""
        self.cluster.run_for(PATIENCE_MS)
        reader = self.cluster.consumer("reader", auto_offset_reset="earliest")
        reader.assign(*[("orders", partition) for partition in range(partitions)])
        self.cluster.run_for(PATIENCE_MS)
        values: list[list[int]] = [[] for _ in range(partitions)]
        for one in reader.records:
            values[one.partition].append(int(one.value or b""))
        return values


def _kill_the_leader(cluster: Cluster, seed: int) -> list[tuple[float, Fault]]:
    """The leader dies while its followers are behind it by a slow link."""
    leader = cluster.view.leaders["orders", 0].broker
    slow: list[tuple[float, Fault]] = [
        (0.0, SlowLink(leader, other, 30)) for other in cluster.brokers if other != leader
    ]
    return [*slow, (Random(seed).uniform(60, 140), Kill(leader))]


def _lost(acks: Any, seed: int) -> int:
    cluster = _cluster(seed)
    faults = _kill_the_leader(cluster, seed)
    told = Told(cluster).send(100, 2, faults, acks=acks, linger_ms=1, enable_idempotence=acks == "all")
    (found,) = told.found()
    # The program numbers its records from 1, their values count from 0.
    return len({record - 1 for record in told.acknowledged} - {*found})


def test_acks_0_and_1_lose_what_they_acknowledged_when_the_leader_dies_and_acks_all_does_not() -> None:
    """P2, P3, P4, R4: ten seeds each; the followers lag a little."""
    lost = {acks: sum(_lost(acks, seed) for seed in range(10)) for acks in (0, 1, "all")}

    assert 0 == lost["all"]
    assert lost[1] > 10
    assert lost[0] > lost[1]


def test_each_record_is_there_once_and_in_order_whatever_happens_to_connections() -> None:
    """T9, P4, M37: five in flight, idempotence, connections broken at random, a leader that dies."""
    duplicates = retries = 0
    for seed in range(12):
        cluster, rng = _cluster(seed, partitions=2), Random(f"breaks/{seed}")
        faults: list[tuple[float, Fault]] = [
            (rng.uniform(5, 500), BreakConnection("p1", rng.choice(cluster.brokers))) for _ in range(25)
        ]
        faults.append((rng.uniform(100, 400), Kill(rng.choice(cluster.brokers))))
        told = Told(cluster).send(250, 2, faults, linger_ms=1, partitioner="round_robin")
        found = told.found(2)
        duplicates += sum(isinstance(fact, DuplicateFound) for fact in told.facts)
        retries += sum(isinstance(fact, BatchSent) and fact.attempt > 1 for fact in told.facts)

        assert {} == told.failed, f"seed {seed}"
        assert [list(range(partition, 250, 2)) for partition in (0, 1)] == found, f"seed {seed}"

    assert duplicates > 10
    assert retries > 100


def test_the_same_without_idempotence_doubles_and_reorders() -> None:
    """M37. So the runs above are hard enough."""
    doubled = reordered = 0
    for seed in range(6):
        cluster, rng = _cluster(seed), Random(f"breaks/{seed}")
        leader = cluster.view.leaders["orders", 0].broker
        faults: list[tuple[float, Fault]] = [(rng.uniform(5, 500), BreakConnection("p1", leader)) for _ in range(25)]
        told = Told(cluster).send(250, 2, faults, linger_ms=1, enable_idempotence=False)
        (found,) = told.found()
        doubled += max(Counter(found).values()) > 1
        reordered += found != sorted(found)

        assert {*range(250)} == {*found}, f"seed {seed}"

    assert doubled >= 5
    assert reordered >= 3


def test_a_consumer_reads_on_through_the_death_of_each_leader() -> None:
    """C1, C8, P6: nothing twice, nothing left out, in offset order."""
    for seed in range(4):
        cluster = _cluster(seed, partitions=2)
        reader = cluster.consumer("c1", auto_offset_reset="earliest").assign(("orders", 0), ("orders", 1))
        first = cluster.view.leaders["orders", 0].broker
        faults: list[tuple[float, Fault]] = [(50.0, Kill(first))]
        told = Told(cluster).send(200, 5, faults, partitioner="round_robin")
        cluster.restart(first).run_for(30_000)
        second = cluster.view.leaders["orders", 1].broker
        cluster.kill(second).run_for(PATIENCE_MS)
        polled: list[list[int]] = [[], []]
        for one in reader.records:
            polled[one.partition].append(one.offset)

        assert {} == told.failed
        assert [list(range(100))] * 2 == polled, f"seed {seed}"


class FetchesAt:
    """Counts the brokers that a client's Fetch requests are sent to."""

    def __init__(self, cluster: Cluster, client: str) -> None:
        self._cluster, self._client, self._seen = cluster, client, len(cluster.steps)

    def look(self) -> Counter[str]:
        """Those since the last look."""
        counts: Counter[str] = Counter()
        for step in self._cluster.steps[self._seen :]:
            sends = [one for one in step.effects if isinstance(one, Send) and step.node == self._client]
            counts.update(one.to for one in sends if isinstance(one.message, FetchRequest))
        self._seen = len(self._cluster.steps)
        return counts


def test_a_consumer_reads_from_the_replica_in_its_rack_and_from_the_leader_when_that_is_gone() -> None:
    """R2, M46, KIP-392: only where the brokers select by rack, and the consumer says where it is."""
    cluster = Cluster(
        brokers=3, zookeepers=1, seed=5, racks=("r1", "r2", "r3"), broker={"replica_selector_rack_aware": True}
    ).topic("orders", replicas=3)
    leader = cluster.view.leaders["orders", 0].broker
    near = next(name for name in cluster.brokers if name != leader)
    fetches = FetchesAt(cluster, "c1")
    reader = cluster.consumer("c1", auto_offset_reset="earliest", client_rack=f"r{int(near[1:]) - 100}")
    reader.assign(("orders", 0))
    producer = cluster.producer()

    for number in range(20):
        producer.send("orders", b"%d" % number)
        cluster.run_for(50)
    reader.poll(20)
    far = fetches.look()
    cluster.kill(near).run_for(40_000)
    producer.send("orders", b"20").result()
    reader.poll(1)

    assert far[near] > 10 > far[leader] > 0
    assert fetches.look()[leader] > 0
    assert list(range(21)) == [one.offset for one in reader.records]


def test_a_consumer_reads_from_the_leader_unless_it_says_where_it_is() -> None:
    """R2, M46."""
    cluster = Cluster(
        brokers=3, zookeepers=1, seed=5, racks=("r1", "r2", "r3"), broker={"replica_selector_rack_aware": True}
    ).topic("orders", replicas=3)
    fetches = FetchesAt(cluster, "c1")
    reader = cluster.consumer("c1", auto_offset_reset="earliest").assign(("orders", 0))
    cluster.producer().send("orders", b"0").result()
    reader.poll(1)

    assert {cluster.view.leaders["orders", 0].broker} == {*fetches.look()}
