"""A replicated cluster in the simulator: deliveries a second, what a longer run costs, and a large one losing a broker.

A delivery here is one event handled by a broker, a ZooKeeper server or a client, Kafka's messages and batches and all;
`bench_simulator` has the frame alone, with the simplest nodes there are, and this prints that figure next to its own.
Medians of interleaved runs, in CPU seconds of this process, and ratios from this one run.
"""

from __future__ import annotations

import sys
from collections import Counter
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from statistics import median
from time import process_time

import bench_simulator

from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST

ROUNDS = 5
RECORDS = 1_500
PARTITIONS = 4
PATIENT_MS = 120_000  # of an administrator: 10,000 partitions are as many writes to ZooKeeper, one after the other


def working(replicas: int, records: int, *, record: bool) -> Cluster:
    """A cluster with a producer that is about to write a record every 2 ms, acks=all, and a consumer that reads."""
    cluster = Cluster(3, 1, seed=1, record=record).topic("orders", PARTITIONS, replicas)
    everything = [("orders", partition, EARLIEST) for partition in range(PARTITIONS)]
    producer = cluster.producer()
    cluster.consumer().assign(*everything)
    cluster.run_for(100)
    now_ms = cluster.now_ms
    for number in range(records):
        cluster.call_at(
            now_ms + 2 * number, producer.name, "produce", number, "orders", b"%d" % number, b"v", None, None
        )
    return cluster


def work(cluster: Cluster, records: int) -> None:
    """Let all be written and read."""
    cluster.run_for(2 * records + 100)
    assert len(cluster.view.polled["c1"]) == records


def busy(replicas: int, records: int, *, record: bool = False) -> tuple[float, float]:
    """Deliveries and records a CPU second."""
    cluster = working(replicas, records, record=record)
    before, began_s = cluster.sim.deliveries, process_time()
    work(cluster, records)
    took_s = process_time() - began_s
    return (cluster.sim.deliveries - before) / took_s, records / took_s


def layers(replicas: int, delivery_us: float) -> None:
    """What a delivery costs, by package: the share of each in a profile, times what a delivery takes without one."""
    cluster = working(replicas, RECORDS, record=False)
    profile = Profile()
    profile.runcall(work, cluster, RECORDS)
    own_s: Counter[str] = Counter()
    for (path, _, _), found in Stats(profile).stats.items():  # type: ignore[attr-defined]  # typeshed leaves it out
        own_s[_package(Path(path).parts)] += found[2]
    total_s = own_s.total()
    print(f"  a delivery, {delivery_us:.1f} us, by package (the simulator's `sim` and `node` are the frame)")
    for name, seconds in own_s.most_common():
        if seconds >= 0.01 * total_s:
            print(f"    {name:<14} {delivery_us * seconds / total_s:>5.1f} us")


def _package(path: tuple[str, ...]) -> str:
    """The part of kafkalite that a file belongs to, or Python."""
    if "kafkalite" not in path:
        return "Python"
    return path[len(path) - path[::-1].index("kafkalite")].removesuffix(".py")


def large(brokers: int, partitions: int) -> None:
    """Build a large cluster and let it lose a broker."""
    began_s = process_time()
    cluster = Cluster(
        brokers,
        3,
        seed=1,
        record=False,
        broker={"zookeeper_session_timeout_ms": 6000},
        client={"request_timeout_ms": PATIENT_MS, "default_api_timeout_ms": PATIENT_MS},
    )
    cluster.topic("orders", partitions, 3)
    built_s, built_ms, building = process_time() - began_s, cluster.now_ms, cluster.sim.deliveries
    led = [partition for partition, leader in cluster.view.leaders.items() if leader.broker == "b101"]
    cluster.kill("b101")
    cluster.run_until(lambda: all(cluster.view.leaders[partition].broker != "b101" for partition in led), "new leaders")
    lost_s, losing = process_time() - began_s - built_s, cluster.sim.deliveries - building
    print(f"{brokers} brokers, {partitions:,} partitions, RF 3: {built_s + lost_s:.1f} CPU seconds")
    print(f"  built          {built_s:>6.1f} s, {built_ms:>7,.0f} virtual ms, {building:>7,} deliveries")
    print(f"  lost a broker  {lost_s:>6.1f} s, {cluster.now_ms - built_ms:>7,.0f} virtual ms, {losing:>7,} deliveries")
    print(f"  until each of the {len(led)} partitions that it led had a new leader")


def main() -> None:
    """Print the figures."""
    names = ["RF 1", "RF 1, with a trace", "RF 3", "RF 3, with a trace", "RF 3, a run ten times longer"]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    frame: list[float] = []
    busy(1, 10)  # what is made once is made before
    for _ in range(ROUNDS):
        frame.append(bench_simulator.rate(bench_simulator.BATCHES, record=False))
        found["RF 1"].append(busy(1, RECORDS))
        found["RF 1, with a trace"].append(busy(1, RECORDS, record=True))
        found["RF 3"].append(busy(3, RECORDS))
        found["RF 3, with a trace"].append(busy(3, RECORDS, record=True))
        found["RF 3, a run ten times longer"].append(busy(3, 10 * RECORDS))
    print(f"cluster of 3 brokers, a CPU second, median of {ROUNDS} interleaved runs   deliveries   records")
    base = median(rate for rate, _ in found["RF 3"])
    for name, rates in found.items():
        rate, records = median(rate for rate, _ in rates), median(records for _, records in rates)
        print(f"  {name:<44} {rate:>28,.0f} {records:>9,.0f}   {rate / base:.2f} of RF 3")
    name, rate = "the frame, with the simplest nodes", median(frame)
    print(f"  {name:<44} {rate:>28,.0f} {'':>9}   {rate / base:.2f} of RF 3")
    layers(3, 1e6 / base)
    print()
    large(100, 10_000) if "--small" not in sys.argv else large(10, 200)


if __name__ == "__main__":
    main()
