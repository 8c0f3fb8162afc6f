"""Which brokers hold a partition while it moves from some to others: those it had, and those it is to have.

                         replicas          adding    removing
    at rest              101 102 103
    to 102 103 104       102 103 104 101   104       101         all of them copy; the new one is not in sync yet
    at rest              102 103 104                             once 102, 103 and 104 are in sync

While it moves nothing is taken away from anybody, so it can be stopped at any time and has lost nothing.

Source: kafka.controller.ReplicaAssignment (KIP-455).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kafkalite.controller.znodes import NO_LEADER, LeaderAndIsr


@dataclass(frozen=True, slots=True)
class ReplicaAssignment:
    """The brokers of one partition, the preferred leader first; `adding` and `removing` are parts of `replicas`.

    >>> moving = ReplicaAssignment((101, 102, 103)).to((102, 103, 104))
    >>> moving
    ReplicaAssignment(replicas=(102, 103, 104, 101), adding=(104,), removing=(101,))
    >>> moving.target, moving.origin
    ((102, 103, 104), (102, 103, 101))
    """

    replicas: tuple[int, ...]
    adding: tuple[int, ...] = ()
    removing: tuple[int, ...] = ()

    @property
    def is_moving(self) -> bool:
        """Is it on its way?"""
        return bool(self.adding or self.removing)

    @property
    def target(self) -> tuple[int, ...]:
        """Who will hold it."""
        return _without(self.replicas, self.removing)

    @property
    def origin(self) -> tuple[int, ...]:
        """Who held it before."""
        return _without(self.replicas, self.adding)

    def to(self, target: tuple[int, ...]) -> ReplicaAssignment:
        """On its way there from where it was before, whatever was on its way until now.

        >>> ReplicaAssignment((101,)).to((102,)).to((103,))
        ReplicaAssignment(replicas=(103, 101), adding=(103,), removing=(101,))
        """
        origin = self.origin
        replicas = tuple(dict.fromkeys((*target, *origin)))
        return ReplicaAssignment(replicas, _without(replicas, origin), _without(replicas, target))

    def stopped(self) -> ReplicaAssignment:
        """Back where it was."""
        return ReplicaAssignment(self.origin)

    def arrived(self) -> ReplicaAssignment:
        """Where it was to go."""
        return ReplicaAssignment(self.target)


def state_among_all(one: ReplicaAssignment, was: LeaderAndIsr, live: frozenset[int]) -> LeaderAndIsr:
    """The state in which all are told of each other: a new epoch, or they would not listen. Who is none of them leaves.

    The same object where that cannot be: nobody alive of them is in sync.

    >>> moving = ReplicaAssignment((101, 102)).to((102, 103))
    >>> was = LeaderAndIsr(leader=101, leader_epoch=4, isr=(101, 102), controller_epoch=5)
    >>> state_among_all(moving, was, frozenset({101, 102, 103})).leader_epoch
    5
    """
    isr = tuple(member for member in was.isr if member in one.replicas)
    return _led(was, isr, one.replicas, live)


def state_arrived(one: ReplicaAssignment, was: LeaderAndIsr, live: frozenset[int]) -> LeaderAndIsr:
    """The state without those that are to go, once all that are to stay are in sync; until then the same object.

    A new epoch also where leader and ISR are as they shall be: the leader has to hear that the others are none of its
    replicas any more, or it would let them join the ISR again.

    >>> moving = ReplicaAssignment((101, 102)).to((102, 103))
    >>> was = LeaderAndIsr(leader=101, leader_epoch=4, isr=(101, 102), controller_epoch=5)
    >>> state_arrived(moving, was, frozenset({101, 102, 103})) is was
    True
    >>> state_arrived(moving, LeaderAndIsr(101, 4, (101, 102, 103), 5), frozenset({101, 102, 103}))
    LeaderAndIsr(leader=102, leader_epoch=5, isr=(102, 103), controller_epoch=5, zk_version=-1)
    """
    target = one.target
    if not set(target) <= set(was.isr):
        return was
    isr = tuple(member for member in was.isr if member in target)
    return _led(was, isr, target, live)


def is_arrived(one: ReplicaAssignment, state: LeaderAndIsr) -> bool:
    """Do those that are to hold it, and nobody else, lead and follow in sync?"""
    return state.leader in one.target and set(state.isr) == set(one.target)


def _led(was: LeaderAndIsr, isr: tuple[int, ...], preferred: Iterable[int], live: frozenset[int]) -> LeaderAndIsr:
    if was.leader == NO_LEADER:
        return was  # it is to find a leader first
    candidates = [was.leader, *preferred]
    leader = next((broker for broker in candidates if broker in live and broker in isr), None)
    return was if leader is None else replace(was, leader=leader, leader_epoch=was.leader_epoch + 1, isr=isr)


def _without(brokers: Iterable[int], others: Iterable[int]) -> tuple[int, ...]:
    gone = frozenset(others)
    return tuple(broker for broker in brokers if broker not in gone)
