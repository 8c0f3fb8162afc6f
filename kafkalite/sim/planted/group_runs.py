"""The runs in which bugs of groups show: small, so that a hunt over many seeds costs little.

One topic of four partitions, one producer, one reader of all, one group of three; things happen to the members as in a
long run, and brokers die: in `failing` one after the other, so that groups go from coordinator to coordinator.

eager         the range assignor
cooperative   the cooperative sticky one
static        two of the three members have an instance id
patient       static members that are late for a rebalance stay in the group: their session is long
lazy          members stand still, and commit seldom, so nothing but heartbeats tells them what has become of them
busy          members work on every record, and commit automatically
failing       brokers die again and again
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from kafkalite.parts import Parts
from kafkalite.sim.checkers import Expectations, TopicPromise, value_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST
from kafkalite.sim.faults import Fault, Freeze, Kill, Restart
from kafkalite.sim.members import BROKER as GROUP_BROKER
from kafkalite.sim.members import PATIENT, GroupPlan, Members
from kafkalite.sim.planted.bug import Attach, Play
from kafkalite.sim.workload import BROKER, CLIENT, ZOOKEEPER

PARTITIONS = 4
ROUND_MS, ROUNDS = 500.0, 30
PATIENCE_MS = 30_000.0
ZOMBIE_MAX_MS = 4000.0
GROUP = GroupPlan("g1", ("orders",), ("range",), 3)


def _deaths(rng: Random, cluster: Cluster, count: int) -> list[tuple[float, Fault]]:
    faults: list[tuple[float, Fault]] = []
    for number in range(count):
        at_ms = 2500 + number * (ROUNDS * ROUND_MS - 4000) / count
        broker = rng.choice(cluster.brokers)
        if rng.random() < 0.3:
            faults.append((at_ms, Freeze(broker, rng.uniform(1700, 2500))))
        else:
            faults += [(at_ms, Kill(broker)), (at_ms + rng.uniform(50, 2000), Restart(broker))]
    return faults


def _naps(rng: Random, count: int) -> list[tuple[float, Fault]]:
    """The first members stand still for longer than their session lives."""
    names = [f"{GROUP.name}m{number + 1}" for number in range(GROUP.count)]
    return [(rng.uniform(1500, 8000), Freeze(rng.choice(names), rng.uniform(4000, 5000))) for _ in range(count)]


def _played(group: GroupPlan, deaths: int = 1, naps: int = 0, processing_ms: float = 0, rounds: int = ROUNDS) -> Play:
    def playing(seed: int, parts: Parts, attach: Attach) -> None:
        rng = Random(f"planted groups/{seed}")
        cluster = Cluster(
            *(3, 1, seed),
            parts=parts,
            broker=BROKER | GROUP_BROKER | {"min_insync_replicas": 2},
            zookeeper=ZOOKEEPER,
            client=CLIENT,
            record=False,
        )
        promises = {"orders": TopicPromise(2), "__consumer_offsets": TopicPromise(2, is_compacted=True)}
        lag_ms = BROKER["replica_lag_time_max_ms"]
        groups = {group.name: replace(group.promise, zombie_max_ms=ZOMBIE_MAX_MS)}
        attach(cluster, Expectations(topics=promises, groups=groups, replica_lag_time_max_ms=lag_ms))
        cluster.topic("orders", PARTITIONS, 3, min_insync_replicas=2)
        cluster.producer("p1", acks="all")
        everything = [("orders", number, EARLIEST) for number in range(PARTITIONS)]
        cluster.consumer("reader", auto_offset_reset="earliest").assign(*everything)
        members = Members((group,), cluster, seed, processing_ms)
        members.begin()
        for at_ms, fault in _deaths(rng, cluster, deaths) + _naps(rng, naps):
            cluster.inject(fault, at_ms)
        _keep_busy(cluster, members, rng, rounds)
        cluster.run_for(3000)
        members.settle(PATIENCE_MS)

    return playing


def _keep_busy(cluster: Cluster, members: Members, rng: Random, rounds: int) -> None:
    record = 0
    for _ in range(rounds):
        for _ in range(rng.randint(0, 10)):
            record += 1
            value = value_of("p1", record)
            at_ms = cluster.now_ms + rng.uniform(0, ROUND_MS)
            cluster.call_at(at_ms, "p1", "produce", record, "orders", None, value, None, record % PARTITIONS)
        members.round()
        cluster.run_for(ROUND_MS)


eager, static = _played(GROUP), _played(replace(GROUP, static=2))
cooperative = _played(replace(GROUP, strategies=("cooperative-sticky",)))
patient = _played(replace(GROUP, static=2, settings=PATIENT))
lazy = _played(replace(GROUP, settings=(("auto_commit_interval_ms", 20_000),)), naps=4, rounds=2 * ROUNDS)
busy = _played(GROUP, processing_ms=30)
failing = _played(GROUP, deaths=6)
