"""A replicated cluster in the simulator: deliveries a second, what a longer run costs, and a large one losing a broker.

A delivery here is one event handled by a broker, a ZooKeeper server or a client, Kafka's messages and batches and all;
`bench_simulator` has the simulator's own speed. Medians of interleaved runs, and ratios from this one run.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter

from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST

ROUNDS = 5
RECORDS = 1_500
PARTITIONS = 4


def busy(replicas: int, records: int, *, record: bool) -> tuple[float, float]:
    """Deliveries a second, and records a second, of a producer with acks=all and a consumer."""
    cluster = Cluster(3, 1, seed=1, record=record).topic("orders", PARTITIONS, replicas)
    everything = [("orders", partition, EARLIEST) for partition in range(PARTITIONS)]
    producer = cluster.producer()
    cluster.consumer().assign(*everything)
    cluster.run_for(100)
    before, now_ms = cluster.sim.deliveries, cluster.now_ms
    for number in range(records):
        cluster.call_at(
            now_ms + 2 * number, producer.name, "produce", number, "orders", b"%d" % number, b"v", None, None
        )
    began_s = perf_counter()
    cluster.run_for(2 * records + 100)
    took_s = perf_counter() - began_s
    assert len(cluster.view.polled["c1"]) == records
    return (cluster.sim.deliveries - before) / took_s, records / took_s


def large(brokers: int, partitions: int) -> None:
    """Build a large cluster and let it lose a broker."""
    began_s = perf_counter()
    cluster = Cluster(brokers, 3, seed=1, record=False, broker={"zookeeper_session_timeout_ms": 6000})
    cluster.topic("orders", partitions, 3)
    built_s = perf_counter() - began_s
    led = [partition for partition, leader in cluster.view.leaders.items() if leader.broker == "b101"]
    cluster.kill("b101")
    before_ms = cluster.now_ms
    cluster.run_until(lambda: all(cluster.view.leaders[partition].broker != "b101" for partition in led), "new leaders")
    print(f"{brokers} brokers, {partitions:,} partitions, RF 3")
    print(f"  built          {built_s:>8.1f} s")
    print(
        f"  lost a broker  {perf_counter() - began_s - built_s:>8.1f} s; the {len(led)} partitions it led had new "
        f"leaders after {cluster.now_ms - before_ms:,.0f} virtual ms, {cluster.sim.deliveries:,} deliveries in all"
    )


def main() -> None:
    """Print the figures."""
    names = ["RF 1", "RF 1, with a trace", "RF 3", "RF 3, with a trace", "RF 3, a run four times longer"]
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        rates["RF 1"].append(busy(1, RECORDS, record=False))
        rates["RF 1, with a trace"].append(busy(1, RECORDS, record=True))
        rates["RF 3"].append(busy(3, RECORDS, record=False))
        rates["RF 3, with a trace"].append(busy(3, RECORDS, record=True))
        rates["RF 3, a run four times longer"].append(busy(3, 4 * RECORDS, record=False))
    print(f"cluster of 3 brokers, a second, median of {ROUNDS} interleaved runs   deliveries   records")
    base = median(rate for rate, _ in rates["RF 3"])
    for name, found in rates.items():
        rate = median(rate for rate, _ in found)
        records = median(records for _, records in found)
        print(f"  {name:<44} {rate:>20,.0f} {records:>9,.0f}   {rate / base:.2f} of RF 3")
    print()
    large(100, 10_000) if "--small" not in sys.argv else large(10, 200)


if __name__ == "__main__":
    main()
