"""What coordinators and members of groups keep to: one owner a partition, generations that go up, nobody forgotten.

Where two consumers hold the same partition it need not be wrong: one of them may not know yet that it is out, which no
protocol can prevent (its commits are fenced instead). It is wrong if both are members of the same generation, or if the
one that is out goes on for longer than it takes to notice.
"""

from __future__ import annotations

from collections import Counter

from kafkalite.facts import (
    GroupRebalancing,
    GroupStabilized,
    MembershipFailed,
    PartitionsAssigned,
    RecordsPolled,
)
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim.checkers.group_world import PAUSE_MS, Groups
from kafkalite.sim.checkers.violation import Announced, Invariant, Report
from kafkalite.sim.checkers.world import World, broker_of


class GroupCheck(Invariant):
    """A check of a fact about groups, against the books of groups before it."""

    def __init__(self, world: World, report: Report, groups: Groups) -> None:
        super().__init__(world, report)
        self.groups = groups


class TwoOwners(GroupCheck):
    """In one generation, a partition has one owner: by what was assigned, and by what members read."""

    name = "two-owners"

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        owners = Counter(partition for _, partitions in fact.assignment for partition in partitions)
        twice = sorted(partition for partition, count in owners.items() if count > 1)
        if twice:
            self.violated(f"generation {fact.generation} of {fact.group} assigns {twice} more than once", at)

    def on_partitions_assigned(self, at: Announced) -> None:
        fact: PartitionsAssigned = at.fact
        for partition in fact.partitions:
            for node, other in self.groups.held.get(fact.group, {}).get(partition, {}).items():
                if node != at.node and other.generation == fact.generation and _is_in(self, other.member, at):
                    self.violated(f"{at.node} and {node} both read {partition} in generation {fact.generation}", at)


class AssignedBeforeRevoked(GroupCheck):
    """Nobody is assigned what another member of the same generation has not given up yet: revoke, then assign."""

    name = "assigned-before-revoked"

    def on_partitions_assigned(self, at: Announced) -> None:
        fact: PartitionsAssigned = at.fact
        for partition in fact.partitions:
            for node, other in self.groups.held.get(fact.group, {}).get(partition, {}).items():
                if node != at.node and other.generation < fact.generation and _is_in(self, other.member, at):
                    self.violated(
                        f"{at.node} begins to read {partition} in generation {fact.generation}, and {node} reads it on",
                        at,
                        other.at,
                    )


def _is_in(check: GroupCheck, member: str, at: Announced) -> bool:
    """Whether that member, too, has joined the generation in which these partitions were assigned, and is not out."""
    fact: PartitionsAssigned = at.fact
    coordinator = check.groups.coordinator_of.get(fact.member)
    seat = check.groups.seats.get((coordinator or "", fact.group))
    return seat is not None and fact.generation == seat.joined.get(fact.member) == seat.joined.get(member)


class KeptWhenOut(GroupCheck):
    """Who is out and joins again, as somebody new, has given up everything: others may have it by now."""

    name = "kept-when-out"

    def on_partitions_assigned(self, at: Announced) -> None:
        fact: PartitionsAssigned = at.fact
        for partition, holders in self.groups.held.get(fact.group, {}).items():
            mine = holders.get(at.node)
            if mine is not None and mine.member != fact.member:
                self.violated(f"{at.node} is {fact.member} now, and reads {partition} as {mine.member}", at, mine.at)


class Unassigned(GroupCheck):
    """A topic that is read is read whole: every partition of it has an owner, or somebody who is to give it up."""

    name = "unassigned-partition"

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        assigned = {partition for _, partitions in fact.assignment for partition in partitions}
        held, given_up_ms = self.groups.held.get(fact.group, {}), self.groups.given_up_ms
        seat = self.groups.seat(at.node, fact.group)
        taken = assigned | {one for one, holders in held.items() if holders}
        taken |= {
            place[1:] for place, now_ms in given_up_ms.items() if place[0] == fact.group and now_ms > seat.joining_ms
        }
        for topic in sorted({topic for topic, _ in assigned}):
            count = self.groups.partitions_of.get(topic, 0)
            free = [(topic, one) for one in range(count) if (topic, one) not in taken]
            if free:
                self.violated(f"generation {fact.generation} of {fact.group} leaves {free} to nobody", at)


class GenerationRetreat(GroupCheck):
    """A group's generations go up: none begins twice."""

    name = "generation-retreat"

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        before = self.groups.stable.get(fact.group)
        if before is not None and fact.generation <= before.fact.generation and not self.groups.is_forgiven():
            self.violated(
                f"{fact.group} is stable in generation {fact.generation}, and was in {before.fact.generation}",
                *(at, before),
            )


class AssignedToStranger(GroupCheck):
    """Nothing is assigned to a member that has left, expired, or been fenced."""

    name = "assigned-to-stranger"

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        gone = self.groups.seat(at.node, fact.group).gone
        for member, partitions in fact.assignment:
            if member in gone:
                self.violated(f"{member} is out, and is assigned {partitions}", at, gone[member])


class Orphaned(GroupCheck):
    """Who is out of a stable generation leaves partitions behind: at once the others are told to join again."""

    name = "orphaned-partitions"

    def _look(self, at: Announced) -> None:
        seat = self.groups.seats.get((at.node, at.fact.group))
        if seat is not None and seat.orphaned is not None and at.now_ms > seat.orphaned.now_ms:
            member = seat.orphaned.fact.member
            self.violated(f"{member} is out of {at.fact.group}, and nobody is told to join again", at, seat.orphaned)
            seat.orphaned = None

    on_member_joined = on_offsets_committed = on_offsets_fetched = on_member_expired = on_member_left = _look
    on_group_request_refused = on_group_rebalancing = _look


class TwoCoordinators(GroupCheck):
    """Only who leads a group's partition of the offsets topic, as far as it knows, coordinates the group."""

    name = "two-coordinators"

    def _look(self, at: Announced) -> None:
        groups = self.groups
        if not groups.offsets_partitions:
            return
        index = groups.index_of(at.fact.group)
        role = self.world.partition(OFFSETS_TOPIC, index).roles.get(broker_of(at.node))
        # In the moment in which it begins to follow, it still ends what it had begun.
        if role is not None and not role.is_leader and role.fact.now_ms < at.now_ms:
            self.violated(f"{at.node} coordinates {at.fact.group}, and follows {OFFSETS_TOPIC}-{index}", at, role.fact)

    on_group_rebalancing = on_group_stabilized = on_member_joined = on_member_expired = _look
    on_offsets_committed = on_offsets_fetched = _look


class TwoOfAnInstance(GroupCheck):
    """A static member is one: when it comes back, whoever went by its instance id is out."""

    name = "two-of-an-instance"

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        promise = self.world.expectations.groups.get(fact.group)
        names = Counter(member.rpartition("-")[0] for member, _ in fact.assignment)
        for instance in promise.instances if promise is not None else ():
            if names[instance] > 1:
                self.violated(f"generation {fact.generation} of {fact.group} has {names[instance]} of {instance}", at)


class StaticRebalance(GroupCheck):
    """A static member that comes back to a stable group takes its place, and the others do not notice."""

    name = "static-rebalance"

    def on_group_rebalancing(self, at: Announced) -> None:
        fact: GroupRebalancing = at.fact
        seat = self.groups.seat(at.node, fact.group)
        if seat.is_stable and seat.fenced is not None and seat.fenced.now_ms == at.now_ms:
            self.violated(f"{seat.fenced.fact.instance} is back in {fact.group}, and all join again", at, seat.fenced)


class ZombieReader(GroupCheck):
    """Who is out of a group learns it in time: it does not read on for long what belongs to another one."""

    name = "zombie-reader"

    def on_records_polled(self, at: Announced) -> None:
        group = self.groups.group_of.get(at.node)
        promise = None if group is None else self.world.expectations.groups.get(group)
        if group is None or promise is None:
            return
        fact: RecordsPolled = at.fact
        held = self.groups.held.get(group, {}).get((fact.topic, fact.partition), {})
        mine = held.get(at.node)
        reads = self.groups.of(group, (fact.topic, fact.partition)).reads
        reads_since_ms, last_ms = reads.get(at.node, (at.now_ms, at.now_ms))
        if at.now_ms - last_ms > PAUSE_MS:
            return
        for node, other in held.items():
            if node == at.node or at.now_ms - max(other.at.now_ms, reads_since_ms) < promise.zombie_max_ms:
                continue
            if mine is None or mine.at.now_ms < other.at.now_ms:
                since = None if mine is None else mine.at
                self.violated(f"{at.node} reads on what {node} was assigned long ago", at, since, other.at)


class MembershipLost(GroupCheck):
    """A consumer gives up being a member only if another one has taken its place, or its own code is broken."""

    name = "membership-lost"

    def on_membership_failed(self, at: Announced) -> None:
        fact: MembershipFailed = at.fact
        promise = self.world.expectations.groups.get(fact.group)
        is_broken = promise is not None and promise.is_broken
        if not is_broken and fact.error not in {"FENCED_INSTANCE_ID", "GROUP_MAX_SIZE_REACHED"}:
            self.violated(f"{at.node} is no member of {fact.group} any more: {fact.error}", at)


INVARIANTS: tuple[type[GroupCheck], ...] = (
    TwoOwners,
    AssignedBeforeRevoked,
    KeptWhenOut,
    Unassigned,
    GenerationRetreat,
    AssignedToStranger,
    Orphaned,
    TwoCoordinators,
    TwoOfAnInstance,
    StaticRebalance,
    ZombieReader,
    MembershipLost,
)
