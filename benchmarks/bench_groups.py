"""What groups, their coordinators and transactions cost: rebalances, commits read again after a failover, transactions.

Medians of interleaved runs, in CPU seconds of this process; ratios are of this one run.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

from kafkalite.groups.fold import Fold
from kafkalite.groups.offsets import Offsets
from kafkalite.groups.records import offset_key, offset_value
from kafkalite.log.batch import encode_batch
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.sim.cluster import Cluster
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import CommittedOffset

ROUNDS = 3
REBALANCES = 30
TRANSACTIONS = 100
COMMITS = 100_000
CHUNK_BYTES = 5 << 20  # Kafka's offsets.load.buffer.size


def rebalances(members: int, strategy: str) -> float:
    """Rebalances a CPU second of a group in which somebody comes or goes each time."""
    cluster = Cluster(brokers=3, seed=1, record=False).topic("orders", members, 1)
    settings = {"partition_assignment_strategy": (strategy,), "heartbeat_interval_ms": 100}
    for number in range(members):
        cluster.member(f"m{number}", "readers", "orders", **settings)
    view, generation = cluster.view, 0

    def is_new() -> bool:
        return view.generations.get("readers", 0) > generation and len(view.owners["readers"]) == members

    cluster.run_until(is_new, "a first generation").run_for(1000)
    generation, began_s = view.generations["readers"], process_time()
    first = generation
    while generation - first < REBALANCES:
        guest = cluster.member(f"guest{generation}", "readers", "orders", **settings)
        cluster.run_until(is_new, "a generation with the guest")
        generation = view.generations["readers"]
        guest.close()
        cluster.run_until(is_new, "a generation without")
        generation = view.generations["readers"]
    return (generation - first) / (process_time() - began_s)


def transactions(replicas: int) -> float:
    """Transactions a CPU second: two records in two partitions each, begun, written, committed, marked."""
    cluster = Cluster(brokers=3, seed=1, record=False).topic("orders", 2, replicas)
    producer = cluster.transactional_producer().init()
    began_s = process_time()
    for number in range(TRANSACTIONS):
        producer.begin()
        producer.send("orders", b"%d" % number, partition=0)
        producer.send("orders", b"%d" % number, partition=1)
        producer.commit()
    return TRANSACTIONS / (process_time() - began_s)


def commits(partitions: int) -> PartitionLog:
    """A log of 100,000 committed offsets, so many at once, of a hundred groups that commit in turn."""
    log = PartitionLog(MemoryStorage(), "__consumer_offsets-0", LogConfig(delete=False, compact=True), now_ms=0)
    for commit in range(COMMITS // partitions):
        rows = [
            Record(
                offset_key(f"group{commit % 100}", ("orders", partition)),
                offset_value(CommittedOffset(commit, commit_ms=0)),
                offset=partition,
            )
            for partition in range(partitions)
        ]
        log.append_as_leader(encode_batch(rows), 0, 0, is_from_client=False)
    return log


def replay(log: PartitionLog) -> float:
    """Committed offsets a CPU second that a new coordinator reads."""
    began_s = process_time()
    fold = Fold(Offsets())
    while not fold.load_some(log, CHUNK_BYTES):
        pass
    took_s = process_time() - began_s
    assert len(fold.offsets.groups()) == 100
    return COMMITS / took_s


def main() -> None:
    """Print the figures."""
    one, ten = commits(1), commits(10)
    measures: dict[str, Callable[[], float]] = {
        "rebalances, 10 members, range": lambda: rebalances(10, "range"),
        "rebalances, 10 members, cooperative-sticky": lambda: rebalances(10, "cooperative-sticky"),
        "rebalances, 100 members, range": lambda: rebalances(100, "range"),
        "transactions, RF 1": lambda: transactions(1),
        "transactions, RF 3": lambda: transactions(3),
        "replay of 100,000 commits of 1 partition": lambda: replay(one),
        "replay of 100,000 commits, 10 at once": lambda: replay(ten),
    }
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            found[name].append(measure())
    print(f"a CPU second, median of {ROUNDS} interleaved runs")
    base = median(next(iter(found.values())))
    for name, rates in found.items():
        rate = median(rates)
        took = f"{COMMITS / rate:.1f} s in all" if "replay" in name else f"{rate / base:.2f} of the first"
        print(f"  {name:<44} {rate:>10,.1f}   {took}")


if __name__ == "__main__":
    main()
