"""Sticky: balanced first, then least movement, which for small groups is compared with every other assignment."""

from __future__ import annotations

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.groups.assignors import Assignment, in_demand, in_order
from kafkalite.groups.cooperative import reconcile
from kafkalite.groups.sticky import rightful, sticky_assign
from kafkalite.types import Subscription, TopicPartition


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Subscription], dict[str, int]]:
    """Members that claim anything at all, each from a generation of its own."""
    partitions = draw(st.dictionaries(st.sampled_from("ABC"), st.integers(1, 3), min_size=1, max_size=3))
    everything = [(topic, index) for topic, count in sorted(partitions.items()) for index in range(count)]
    topics = st.lists(st.sampled_from(sorted(partitions)), min_size=1, unique=True).map(tuple)
    shared = draw(st.none() | topics)
    members = [
        Subscription(
            f"c{number}",
            shared or draw(topics),
            owned=tuple(draw(st.lists(st.sampled_from(everything), unique=True))),
            generation=draw(st.integers(1, 2)),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return members, partitions


def cost(members: list[Subscription], partitions: dict[str, int], found: Assignment) -> tuple[int, int]:
    """How unbalanced (the sum of squared loads), and how many partitions have left their owner."""
    homes = rightful(in_order(members), partitions)
    owner_of = {partition: member for member, owned in found.items() for partition in owned}
    moved = sum(owner_of.get(partition) != member for partition, member in homes.items())
    return sum(len(owned) ** 2 for owned in found.values()), moved


def least_cost(members: list[Subscription], partitions: dict[str, int]) -> tuple[int, int]:
    """Of every assignment there is."""
    wanted = in_demand(members, partitions)
    choices = [[one.member for one in members if topic in one.topics] for topic, _ in wanted]
    return min(cost(members, partitions, as_lists(members, wanted, owners)) for owners in product(*choices))


def as_lists(members: list[Subscription], wanted: list[TopicPartition], owners: tuple[str, ...]) -> Assignment:
    found: Assignment = {one.member: [] for one in members}
    for partition, owner in zip(wanted, owners, strict=True):
        found[owner].append(partition)
    return found


@settings(max_examples=150, deadline=None)
@given(histories())
def test_no_assignment_is_better_balanced_and_none_as_balanced_moves_less(
    history: tuple[list[Subscription], dict[str, int]],
) -> None:
    """C7: a partition that moves costs a pause, so none moves that need not."""
    members, partitions = history

    assert least_cost(members, partitions) == cost(members, partitions, sticky_assign(members, partitions))


@given(histories())
def test_what_was_assigned_stays_as_it_is_while_nobody_comes_or_goes(
    history: tuple[list[Subscription], dict[str, int]],
) -> None:
    members, partitions = history
    before = sticky_assign(members, partitions)
    again = [Subscription(one.member, one.topics, owned=tuple(before[one.member]), generation=5) for one in members]

    assert before == sticky_assign(again, partitions)


def test_the_newest_claim_holds_and_of_two_equally_new_ones_neither() -> None:
    """A member that was away claims what others have been given since."""
    late = Subscription("c1", ("A",), owned=(("A", 0), ("A", 1)), generation=3)
    fresh = Subscription("c2", ("A",), owned=(("A", 0),), generation=4)
    other = Subscription("c3", ("A",), owned=(("A", 1),), generation=3)

    assert {("A", 0): "c2"} == rightful([late, fresh, other], {"A": 2})


def large_group(draw: Random, *, alike: bool) -> tuple[list[Subscription], dict[str, int]]:
    partitions = {f"t{number}": 100 for number in range(10)}
    topics = sorted(partitions)
    members = [
        Subscription(f"c{number:03}", tuple(topics if alike else draw.sample(topics, draw.randint(1, 10))))
        for number in range(1000)
    ]
    return members, partitions


def test_a_thousand_members_share_a_thousand_partitions_one_each() -> None:
    for alike in (True, False):
        members, partitions = large_group(Random(1), alike=alike)

        found = sticky_assign(members, partitions)

        assert {1} == {len(owned) for owned in found.values()}


def test_when_ten_of_a_thousand_leave_only_what_they_had_moves() -> None:
    """C3: whoever stays goes on with what it has."""
    for alike in (True, False):
        members, partitions = large_group(Random(1), alike=alike)
        before = sticky_assign(members, partitions)
        stay = [
            Subscription(one.member, one.topics, owned=tuple(before[one.member]), generation=1) for one in members[10:]
        ]

        after = sticky_assign(stay, partitions)

        assert 0 == cost(stay, partitions, after)[1]
        assert 1000 == sum(len(owned) for owned in after.values())


# Cooperative ----------------------------------------------------------------------------------------------------------


def cooperative_assign(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    return reconcile({one.member: list(one.owned) for one in members}, sticky_assign(members, partitions))


@given(histories())
def test_nobody_is_given_what_somebody_else_still_holds_and_two_steps_reach_the_target(
    history: tuple[list[Subscription], dict[str, int]],
) -> None:
    """C2, C7: revoke, then assign; the second rebalance finds what was given up."""
    members, partitions = history
    holders: dict[TopicPartition, set[str]] = {}
    for one in members:
        for partition in one.owned:
            holders.setdefault(partition, set()).add(one.member)

    first = cooperative_assign(members, partitions)
    again = [Subscription(one.member, one.topics, owned=tuple(first[one.member]), generation=5) for one in members]
    second = cooperative_assign(again, partitions)

    for member, owned in first.items():
        assert all(member in holders.get(partition, {member}) for partition in owned)
    assert sticky_assign(again, partitions) == second
    assert in_demand(members, partitions) == sorted(one for owned in second.values() for one in owned)
