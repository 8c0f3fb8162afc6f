"""The runs in which planted bugs show: which faults, how many, against whom.

troubled      anything that a run of that profile may meet, more often than in a soak
slow          links between brokers, and to ZooKeeper, slow down and recover: some know late what others know
sleepy        brokers freeze for longer than their session lives, and wake up believing what they believed
broken        connections of clients break, and leaders die: everything is sent again
dark          machines lose power, one at a time
slow_servers  links to ZooKeeper are slow, so a change of the ISR is long under way
lagging       links between brokers are slow, and leaders die
apart         brokers do not hear of each other for some seconds, but of ZooKeeper
returning     a broker comes back, and as it catches up, another dies
divided       an ensemble of four is cut in two halves
two_deaths    two brokers die one after the other, so that the second dies while a new controller reads
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from kafkalite.parts import Parts
from kafkalite.sim.checkers import Expectations, value_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection, Cut, Fault, Freeze, Kill, PowerLoss, Restart, SlowLink
from kafkalite.sim.planted.bug import Attach, Play
from kafkalite.sim.schedule import Ground, Profile, draw_schedule
from kafkalite.sim.workload import BROKER, CLIENT, ZOOKEEPER, Plan, draw_plan, expectations_of, play

BUSY_MS = 12_000.0
FROM_MS = 1500.0

Faults = list[tuple[float, Fault]]
Draw = Callable[[Random, Plan], Faults]


def _played(draw: Draw, profile: Profile = Profile.KILLS, **changes: Any) -> Play:
    def playing(seed: int, parts: Parts, attach: Attach) -> None:
        plan = draw_plan(seed, profile, deliveries_min=0)
        plan = replace(plan, groups=(), has_transactions=False, has_dispatchers=False)
        plan = replace(plan, busy_ms=BUSY_MS, shutdowns=(), through_codec=False, **changes)
        faults = draw(Random(f"planted/{seed}"), plan)
        plan = replace(plan, schedule=tuple(sorted(faults, key=lambda timed: timed[0])))
        play(plan, parts, prepare=lambda cluster: attach(cluster, expectations_of(plan)))

    return playing


def _brokers(plan: Plan) -> list[str]:
    return [f"b{101 + index}" for index in range(plan.brokers)]


def _zookeepers(plan: Plan) -> list[str]:
    return [f"z{number}" for number in range(1, plan.zookeepers + 1)]


def _troubled(rng: Random, plan: Plan) -> Faults:
    nodes, servers = tuple(_brokers(plan)), tuple(_zookeepers(plan))
    ground = Ground(nodes, servers, ("p1", "p2", "p3", "c1"), FROM_MS, BUSY_MS, longest_ms=3000)
    return list(draw_schedule(rng, ground, Profile.KILLS, every_ms=500))


def _slow(rng: Random, plan: Plan) -> Faults:
    faults: Faults = []
    for _ in range(12):
        one, other = rng.sample(_brokers(plan) + _zookeepers(plan)[:1], 2)
        at_ms = rng.uniform(FROM_MS, BUSY_MS - 2000)
        faults += [(at_ms, SlowLink(one, other, rng.choice((30, 100, 300)))), (at_ms + 1500, SlowLink(one, other, 1))]
    return faults + _deaths(rng, plan, 2)


def _deaths(rng: Random, plan: Plan, count: int, longest_ms: float = 2500) -> Faults:
    faults: Faults = []
    for number in range(count):
        at_ms = FROM_MS + (number + rng.random()) * (BUSY_MS - 3000 - FROM_MS) / count
        broker = rng.choice(_brokers(plan))
        faults += [(at_ms, Kill(broker)), (at_ms + rng.uniform(20, longest_ms), Restart(broker))]
    return faults


def _sleepy(rng: Random, plan: Plan) -> Faults:
    return [
        (at_ms, Freeze(rng.choice(_brokers(plan)), rng.uniform(1700, 4000)))
        for at_ms in (rng.uniform(FROM_MS, BUSY_MS - 4000) for _ in range(6))
    ]


def _dozing(rng: Random, plan: Plan) -> Faults:
    return _deaths(rng, plan, 3, 300) + [
        (at_ms, Freeze(rng.choice(_brokers(plan)), rng.uniform(1050, 1400)))
        for at_ms in (rng.uniform(FROM_MS, BUSY_MS - 2000) for _ in range(10))
    ]


def _broken(rng: Random, plan: Plan) -> Faults:
    faults = _deaths(rng, plan, 4, 400)
    for _ in range(60):
        client = rng.choice(("p1", "p1", "p2", "p3"))
        faults.append((rng.uniform(FROM_MS, BUSY_MS), BreakConnection(client, rng.choice(_brokers(plan)))))
    return faults


def _dark(rng: Random, plan: Plan) -> Faults:
    faults: Faults = []
    for number in range(3):
        at_ms = FROM_MS + number * 3200 + rng.uniform(0, 800)
        broker = rng.choice(_brokers(plan))
        faults += [(at_ms, PowerLoss(broker)), (at_ms + rng.uniform(20, 800), Restart(broker))]
    return faults


def _dark_servers(rng: Random, plan: Plan) -> Faults:
    faults: Faults = []
    for number in range(6):
        at_ms = FROM_MS + number * 1500 + rng.uniform(0, 400)
        for server in rng.sample(_zookeepers(plan), 2):
            faults += [(at_ms, PowerLoss(server)), (at_ms + rng.uniform(20, 900), Restart(server))]
    return faults


def _divided(rng: Random, plan: Plan) -> Faults:
    faults: Faults = []
    for number in range(3):
        servers = _zookeepers(plan)
        rng.shuffle(servers)
        half = len(servers) // 2
        at_ms, for_ms = FROM_MS + number * 3000, rng.uniform(1500, 2500)
        for one in servers[:half]:
            for other in servers[half:]:
                faults += [(at_ms, Cut(one, other, for_ms)), (at_ms, Cut(other, one, for_ms))]
    return faults


def _slow_servers(rng: Random, plan: Plan) -> Faults:
    faults = _deaths(rng, plan, 4, 300)
    for broker in _brokers(plan):
        for server in _zookeepers(plan):
            faults += [(FROM_MS, SlowLink(broker, server, 100)), (BUSY_MS, SlowLink(broker, server, 1))]
    return faults


def _lagging(rng: Random, plan: Plan) -> Faults:
    """Followers are far behind, and leaders die: what only they had stays on their disks."""
    faults = _deaths(rng, plan, 5, 800)
    for one in _brokers(plan):
        for other in _brokers(plan):
            if one != other:
                factor = rng.choice((10, 40, 100))
                faults += [(FROM_MS, SlowLink(one, other, factor)), (BUSY_MS, SlowLink(one, other, 1))]
    return faults


def _apart(_: Random, plan: Plan) -> Faults:
    faults: Faults = []
    for at_ms in (FROM_MS, FROM_MS + 5500):
        for one in _brokers(plan):
            faults += [(at_ms, Cut(one, other, 4500)) for other in _brokers(plan) if other != one]
    return faults


slow_servers, lagging, apart = _played(_slow_servers), _played(_lagging, records_a_round=20), _played(_apart)
troubled, slow, sleepy, broken = _played(_troubled), _played(_slow), _played(_sleepy), _played(_broken)
dozing = _played(_dozing, settings=(("leader_imbalance_check_interval_ms", 600),))
dark = _played(_dark, Profile.STORM)
dark_servers = _played(_dark_servers, zookeepers=3)
divided = _played(_divided, zookeepers=4)


def two_deaths(seed: int, parts: Parts, attach: Attach) -> None:
    """The controller dies and does not come back, and another broker a moment later; then the others must serve."""
    rng = Random(f"two deaths/{seed}")
    cluster = Cluster(5, 1, seed, parts=parts, broker=BROKER, zookeeper=ZOOKEEPER, client=CLIENT, record=False)
    available_from_ms = 12_000.0
    lag_ms = BROKER["replica_lag_time_max_ms"]
    attach(cluster, Expectations(replica_lag_time_max_ms=lag_ms, available_from_ms=available_from_ms))
    cluster.topic("orders", partitions=5, replicas=3, min_insync_replicas=1)
    first = cluster.view.controller
    assert first is not None
    second = rng.choice([broker for broker in cluster.brokers if broker != first])
    for broker in cluster.brokers:  # a slow service: it takes a while to read everything
        cluster.slow_down(broker, "z1", 30)
    cluster.run_for(2000).kill(first).run_for(rng.uniform(0, 600)).kill(second)
    cluster.run_for(available_from_ms - cluster.now_ms)
    cluster.producer("p1", acks="all", delivery_timeout_ms=8000)
    for record in range(1, 41):
        cluster.call("p1", "produce", record, "orders", b"k%d" % record, value_of("p1", record), None, None)
    cluster.run_for(20_000)
