"""Who leads a partition next, and who is in its new ISR: pure decisions. Who writes them is `partitions`.

Only a member of the ISR surely has every committed record. So whoever is elected is alive and in the ISR; the first in
the order of the assignment, so that leaders return to where they were placed. Anybody else is an *unclean* leader: the
partition works again, and what only the ISR had is lost.

    how               asked when                                   leader                          ISR
    new               a partition is created                       first live replica              all live replicas
    offline           the leader died, or there is none            first live of the ISR           its live members
    ... unclean       ... none of them is alive                    first live replica              it alone
    ... none at all   ... and unclean is not allowed               -1                              whoever died last
    follower died     the leader lives                             as it was                       its live members
    preferred         from time to time                            the first replica, if in sync   as it was
    shutdown          a broker says that it is about to stop       first live other of the ISR     without who stops

Every new leader or ISR that the controller makes has a leader epoch one higher than before.

Left out: reassignment. What came after: KRaft keeps whom the ISR lost as *eligible leader replicas* (KIP-966), so that
not only its last member may lead again.
Source: kafka.controller.Election, PartitionLeaderElectionAlgorithms, ReplicaStateMachine.doRemoveReplicasFromIsr.
"""

from __future__ import annotations

from dataclasses import replace

from kafkalite.controller.znodes import NO_LEADER, LeaderAndIsr
from kafkalite.parts import ElectLeaderPart


def elect_leader(
    assignment: list[int], isr: list[int], live: frozenset[int], unclean: bool
) -> tuple[int, list[int]] | None:
    """The new leader and its ISR, both alive; None: nobody may lead.

    `assignment` is in order of preference. `unclean` allows one that is not in the ISR, if no member of it is alive.

    >>> elect_leader([1, 2, 3], [3, 2], frozenset({2, 3}), False)
    (2, [3, 2])
    >>> elect_leader([1, 2, 3], [1], frozenset({2, 3}), False) is None
    True
    >>> elect_leader([1, 2, 3], [1], frozenset({2, 3}), True)
    (2, [2])
    """
    for broker in assignment:
        if broker in live and broker in isr:
            return broker, [member for member in isr if member in live]
    for broker in assignment:
        if unclean and broker in live:
            return broker, [broker]
    return None


def isr_without(isr: tuple[int, ...], live: frozenset[int]) -> tuple[int, ...]:
    """The ISR without its dead members. The last one is kept, dead or not: only it surely has what was committed.

    Where all died together, all are kept: each of them has it, and whoever comes back first may lead. To keep one of
    them would be to guess which comes back whole.

    >>> isr_without((1, 2, 3), frozenset({1, 3}))
    (1, 3)
    >>> isr_without((1, 2), frozenset())
    (1, 2)
    """
    return tuple(member for member in isr if member in live) or isr


def first_state(assignment: list[int], live: frozenset[int], controller_epoch: int) -> LeaderAndIsr | None:
    """The state of a new partition: nothing can be missed yet, so all live replicas are in sync. None: none is alive.

    >>> first_state([1, 2, 3], frozenset({2, 3}), controller_epoch=5)
    LeaderAndIsr(leader=2, leader_epoch=0, isr=(2, 3), controller_epoch=5, zk_version=-1)
    """
    isr = tuple(broker for broker in assignment if broker in live)
    return LeaderAndIsr(isr[0], 0, isr, controller_epoch) if isr else None


def state_among(
    assignment: list[int], was: LeaderAndIsr, live: frozenset[int], unclean: bool, elect: ElectLeaderPart = elect_leader
) -> LeaderAndIsr:
    """The state now that these are alive; the same object if nothing is to change.

    >>> was = LeaderAndIsr(leader=1, leader_epoch=4, isr=(1, 2), controller_epoch=5, zk_version=9)
    >>> state_among([1, 2], was, frozenset({2}), unclean=False)
    LeaderAndIsr(leader=2, leader_epoch=5, isr=(2,), controller_epoch=5, zk_version=9)
    >>> state_among([1, 2], was, frozenset(), unclean=False)
    LeaderAndIsr(leader=-1, leader_epoch=5, isr=(1, 2), controller_epoch=5, zk_version=9)
    """
    if was.leader in live:
        return _changed(was, was.leader, isr_without(was.isr, live))
    elected = elect(assignment, list(was.isr), live, unclean)
    if elected is None:
        return _changed(was, NO_LEADER, isr_without(was.isr, live))
    leader, isr = elected
    return _changed(was, leader, tuple(isr))


def preferred_state(assignment: list[int], was: LeaderAndIsr, live: frozenset[int]) -> LeaderAndIsr:
    """The state with the preferred leader, if it is alive and in sync; else the same object."""
    first = assignment[0]
    return _changed(was, first, was.isr) if first in live and first in was.isr else was


def state_without(
    assignment: list[int], was: LeaderAndIsr, live: frozenset[int], stopping: frozenset[int]
) -> LeaderAndIsr:
    """The state once these have stopped in order; the same object where nobody else can lead.

    A broker that leads hands over to another member of the ISR, and one that follows leaves the ISR: a record that is
    acknowledged meanwhile does not count on it.

    >>> was = LeaderAndIsr(leader=1, leader_epoch=4, isr=(1, 2, 3), controller_epoch=5, zk_version=9)
    >>> state_without([1, 2, 3], was, frozenset({1, 2, 3}), stopping=frozenset({1}))
    LeaderAndIsr(leader=2, leader_epoch=5, isr=(2, 3), controller_epoch=5, zk_version=9)
    """
    isr = tuple(member for member in was.isr if member not in stopping)
    if was.leader not in stopping:
        return _changed(was, was.leader, isr or was.isr)
    for broker in assignment:
        if broker in live and broker in isr:
            return _changed(was, broker, isr)
    return was


def is_unclean(was: LeaderAndIsr, now: LeaderAndIsr) -> bool:
    """Does somebody lead who was not in sync?"""
    return now.leader != NO_LEADER and now.leader not in was.isr


def _changed(was: LeaderAndIsr, leader: int, isr: tuple[int, ...]) -> LeaderAndIsr:
    if (leader, isr) == (was.leader, was.isr):
        return was
    return replace(was, leader=leader, leader_epoch=was.leader_epoch + 1, isr=isr)
