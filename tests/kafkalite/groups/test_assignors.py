"""Range and round robin: Kafka's results, and what every assignor owes its group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.groups.assignors import Assignment, in_demand, range_assign, round_robin_assign
from kafkalite.groups.sticky import sticky_assign
from kafkalite.types import Subscription

from . import by_kafka_python

Assign = Callable[[list[Subscription], dict[str, int]], Assignment]
ALL = [range_assign, round_robin_assign, sticky_assign]


def everyone(*members: str, topics: tuple[str, ...] = ("A",)) -> list[Subscription]:
    return [Subscription(member, topics) for member in members]


@st.composite
def groups(draw: st.DrawFn, *, alike: bool = False) -> tuple[list[Subscription], dict[str, int]]:
    partitions = draw(st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 5), min_size=1))
    topics = st.lists(st.sampled_from(sorted(partitions)), min_size=1, unique=True).map(tuple)
    shared = draw(topics)
    names = draw(st.lists(st.sampled_from([f"c{number}" for number in range(6)]), min_size=1, unique=True))
    members = [
        Subscription(name, shared if alike else draw(topics), draw(st.sampled_from([None, f"i{9 - int(name[1])}"])))
        for name in names
    ]
    return members, partitions


@pytest.mark.parametrize("assign", ALL)
@given(group=groups())
def test_every_partition_somebody_wants_has_one_owner_that_wants_it(
    assign: Assign, group: tuple[list[Subscription], dict[str, int]]
) -> None:
    """C2, C3: members read disjoint partitions, and nobody is left out of the answer."""
    members, partitions = group

    found = assign(members, partitions)

    assert in_demand(members, partitions) == sorted(one for owned in found.values() for one in owned)
    assert {one.member for one in members} == found.keys()
    assert all(topic in one.topics for one in members for topic, _ in found[one.member])


@pytest.mark.parametrize("assign", ALL)
@given(group=groups(), seed=st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_the_members_came(
    assign: Assign, group: tuple[list[Subscription], dict[str, int]], seed: Any
) -> None:
    members, partitions = group
    shuffled = seed.sample(members, len(members))

    assert assign(members, partitions) == assign(shuffled, partitions)


@pytest.mark.parametrize("assign", ALL)
@pytest.mark.parametrize(("members", "loads"), [(2, [1, 2]), (3, [1, 1, 1]), (1, [3]), (4, [0, 1, 1, 1])])
def test_three_partitions_for_groups_of_two_three_one_and_four(assign: Assign, members: int, loads: list[int]) -> None:
    """C4, C3: in a group of four one member is left without."""
    found = assign(everyone(*(f"c{number}" for number in range(members))), {"A": 3})

    assert loads == sorted(len(owned) for owned in found.values())


def test_range_gives_the_same_member_the_first_partitions_of_every_topic() -> None:
    found = range_assign(everyone("c1", "c2", topics=("A", "B")), {"A": 3, "B": 3})

    assert {"c1": [("A", 0), ("A", 1), ("B", 0), ("B", 1)], "c2": [("A", 2), ("B", 2)]} == found


def test_round_robin_goes_on_from_topic_to_topic() -> None:
    found = round_robin_assign(everyone("c1", "c2", topics=("A", "B")), {"A": 3, "B": 3})

    assert {"c1": [("A", 0), ("A", 2), ("B", 1)], "c2": [("A", 1), ("B", 0), ("B", 2)]} == found


def test_round_robin_passes_over_members_that_did_not_subscribe() -> None:
    """The example of Kafka's RoundRobinAssignor."""
    members = [Subscription("C0", ("t0",)), Subscription("C1", ("t0", "t1")), Subscription("C2", ("t0", "t1", "t2"))]

    found = round_robin_assign(members, {"t0": 1, "t1": 2, "t2": 3})

    assert {
        "C0": [("t0", 0)],
        "C1": [("t1", 0)],
        "C2": [("t1", 1), ("t2", 0), ("t2", 1), ("t2", 2)],
    } == found


def test_members_with_an_instance_id_stand_first_so_that_a_restart_does_not_shuffle() -> None:
    """KIP-345: the member id changes with a restart, the instance id does not."""
    before = range_assign([Subscription("a", ("A",)), Subscription("b", ("A",), "i1")], {"A": 2})
    after = range_assign([Subscription("a", ("A",)), Subscription("z", ("A",), "i1")], {"A": 2})

    assert {"a": [("A", 1)], "b": [("A", 0)]} == before
    assert {"a": [("A", 1)], "z": [("A", 0)]} == after


def test_a_topic_that_does_not_exist_is_nobodys() -> None:
    assert {"c1": [("A", 0)]} == range_assign(everyone("c1", topics=("A", "gone")), {"A": 1})


@given(groups())
def test_range_is_what_another_client_makes_of_it(group: tuple[list[Subscription], dict[str, int]]) -> None:
    """C7: any member may be the leader, whatever client it is."""
    assert by_kafka_python.assign("range", *group) == range_assign(*group)


@given(groups(alike=True))
def test_round_robin_is_what_another_client_makes_of_it(group: tuple[list[Subscription], dict[str, int]]) -> None:
    """C7. Of unlike subscriptions kafka-python cannot pass over a member."""
    assert by_kafka_python.assign("roundrobin", *group) == round_robin_assign(*group)
