"""Schedules of faults: pairs of a time and a fault, drawn from a seed, as data that is printed, shrunk and replayed.

A profile says which faults a run may meet and, by that, what must still hold:

    KILLS   processes die, machines freeze, connections break, slow down or are cut, clocks jump, disks fill up: any
            number, at any time. What was acknowledged with acks=all stays.
    POWER   machines lose power, or their disk, too; but one at a time, and with time in between to catch up again.
            Kafka does not sync before it acknowledges: replicas that lose power together can lose what they all had.
    STORM   power fails anywhere at any time. What was acknowledged may be lost; logs still must not disagree.

Whatever dies is restarted and whatever is cut, frozen or full heals before the schedule ends. ZooKeeper servers sync
before they acknowledge, so they may lose power under every profile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

from kafkalite.sim.faults import (
    BreakConnection,
    Cut,
    Fault,
    FillDisk,
    Freeze,
    Kill,
    LoseDisk,
    PowerLoss,
    Restart,
    SkewClock,
    SlowDisk,
    SlowLink,
)
from kafkalite.types import NodeName

Schedule = tuple[tuple[float, Fault], ...]


class Profile(Enum):
    """Which faults there are."""

    CALM = "calm"
    KILLS = "kills"
    POWER = "power"
    STORM = "storm"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a schedule is drawn for. Times are ms; a node is down, cut off or frozen for up to `longest_ms`."""

    brokers: tuple[NodeName, ...]
    zookeepers: tuple[NodeName, ...]
    clients: tuple[NodeName, ...]
    from_ms: float
    to_ms: float
    longest_ms: float = 4000
    recovery_ms: float = 6000  # after which a replica that lost its tail has caught up and is in sync again


def draw_schedule(rng: Random, ground: Ground, profile: Profile, every_ms: float = 1500) -> Schedule:
    """Faults, one every `every_ms` on average, sorted by time; everything is healed by `ground.to_ms`.

    >>> ground = Ground(("b1", "b2"), ("z1",), ("p1",), 0, 10_000)
    >>> draw_schedule(Random(1), ground, Profile.KILLS) == draw_schedule(Random(1), ground, Profile.KILLS)
    True
    """
    if profile is Profile.CALM:
        return ()
    drawn: list[tuple[float, Fault]] = []
    dangerous_from_ms = ground.from_ms  # when the next power loss of a broker may come
    at_ms = ground.from_ms
    while True:
        at_ms += rng.expovariate(1 / every_ms)
        if at_ms + ground.longest_ms > ground.to_ms:
            return tuple(sorted(drawn, key=lambda timed: timed[0]))
        if profile is not Profile.KILLS and rng.random() < 0.3:
            if profile is Profile.POWER:
                at_ms = max(at_ms, dangerous_from_ms) + ground.longest_ms  # what was begun before is over, too
                if at_ms + ground.longest_ms + ground.recovery_ms > ground.to_ms:
                    return tuple(sorted(drawn, key=lambda timed: timed[0]))
            drawn += _outage(
                rng, rng.choice((PowerLoss, PowerLoss, LoseDisk)), rng.choice(ground.brokers), at_ms, ground
            )
            if profile is Profile.POWER:  # nothing else happens until the replica is in sync again
                at_ms = dangerous_from_ms = at_ms + ground.longest_ms + ground.recovery_ms
        else:
            drawn += rng.choice(_KINDS)(rng, at_ms, ground)


def _outage(
    rng: Random, kind: type[Kill | PowerLoss | LoseDisk], node: NodeName, at_ms: float, ground: Ground
) -> list[tuple[float, Fault]]:
    return [(at_ms, kind(node)), (at_ms + _a_while(rng, ground), Restart(node))]


def _a_while(rng: Random, ground: Ground) -> float:
    """Mostly short, sometimes long: within a time-out, or beyond it."""
    return rng.choice((0.02, 0.1, 0.4, 1.0)) * rng.uniform(0.2, 1.0) * ground.longest_ms


def _anyone(rng: Random, ground: Ground) -> NodeName:
    return rng.choice((*ground.brokers, *ground.brokers, *ground.zookeepers, *ground.clients))


def _two(rng: Random, ground: Ground) -> tuple[NodeName, NodeName]:
    one = rng.choice(ground.brokers)
    other = rng.choice([node for node in (*ground.brokers, *ground.zookeepers, *ground.clients) if node != one])
    return (one, other) if rng.random() < 0.5 else (other, one)


def _kill_broker(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    return _outage(rng, Kill, rng.choice(ground.brokers), at_ms, ground)


def _zookeeper_dies(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    return _outage(rng, rng.choice((Kill, PowerLoss)), rng.choice(ground.zookeepers), at_ms, ground)


def _freeze(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    return [(at_ms, Freeze(_anyone(rng, ground), _a_while(rng, ground)))]


def _break(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    return [(at_ms + 10 * time, BreakConnection(*_two(rng, ground))) for time in range(rng.randint(1, 4))]


def _cut(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    one, other = _two(rng, ground)
    for_ms = _a_while(rng, ground)
    both = [(at_ms, Cut(one, other, for_ms)), (at_ms, Cut(other, one, for_ms))]
    return list(both if rng.random() < 0.5 else both[:1])


def _isolate(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    """One broker is cut off from the other brokers, or from ZooKeeper, and still talks to everybody else."""
    one, for_ms = rng.choice(ground.brokers), _a_while(rng, ground)
    others = ground.zookeepers if rng.random() < 0.5 else tuple(node for node in ground.brokers if node != one)
    return [(at_ms, Cut(*pair, for_ms)) for other in others for pair in ((one, other), (other, one))]


def _slow(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    one, other = _two(rng, ground)
    factor = rng.choice((5, 30, 200))
    return [(at_ms, SlowLink(one, other, factor)), (at_ms + _a_while(rng, ground), SlowLink(one, other, 1))]


def _skew(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    return [(at_ms, SkewClock(rng.choice(ground.brokers), rng.choice((-1, 1)) * rng.choice((50, 5000, 7_200_000))))]


def _fill(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    """A disk without room takes the broker's log directory offline; it is restarted when there is room again."""
    broker, for_ms = rng.choice(ground.brokers), _a_while(rng, ground)
    full = FillDisk(broker, rng.choice((0, 300, 2000)), for_ms)
    return [(at_ms, full), (at_ms + for_ms, Kill(broker)), (at_ms + for_ms + 50, Restart(broker))]


def _late_news(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    """A broker dies, and another one hears late what the controller has made of that."""
    dead, late = rng.sample(ground.brokers, 2)
    for_ms = rng.uniform(0.5, 1.0) * ground.longest_ms
    links = [(broker, late) for broker in ground.brokers if broker != late]
    slow: list[tuple[float, Fault]] = [(at_ms, SlowLink(*link, 200)) for link in links]
    healed: list[tuple[float, Fault]] = [(at_ms + for_ms, SlowLink(*link, 1)) for link in links]
    return [*slow, (at_ms, Kill(dead)), (at_ms + for_ms, Restart(dead)), *healed]


def _slow_disk(rng: Random, at_ms: float, ground: Ground) -> list[tuple[float, Fault]]:
    node = rng.choice((*ground.brokers, *ground.zookeepers))
    return [(at_ms, SlowDisk(node, 30)), (at_ms + _a_while(rng, ground), SlowDisk(node, 1))]


_KINDS: tuple[Callable[[Random, float, Ground], list[tuple[float, Fault]]], ...] = (
    *(_kill_broker, _kill_broker, _zookeeper_dies, _freeze, _freeze),
    *(_break, _break, _cut, _isolate, _slow, _skew, _fill, _slow_disk, _late_news),
)
