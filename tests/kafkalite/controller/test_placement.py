"""Where replicas are placed, on drawn clusters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.controller.placement import assign_replicas, in_alternating_racks, pattern_of
from kafkalite.errors import InvalidPlacement


@dataclass(frozen=True)
class Wanted:
    """What is to be placed."""

    partitions: int
    replicas: int
    brokers: list[int]
    racks: dict[int, str | None]
    start: int
    shift: int

    def placed(self, partitions: int | None = None, first: int = 0) -> dict[int, list[int]]:
        count = self.partitions if partitions is None else partitions
        return assign_replicas(count, self.replicas, self.brokers, self.racks, self.start, self.shift, first)


@st.composite
def wanted(draw: st.DrawFn, *, with_racks: bool | None = None) -> Wanted:
    brokers = draw(st.lists(st.integers(0, 1000), min_size=1, max_size=12, unique=True))
    racks: dict[int, str | None] = {}
    if draw(st.booleans()) if with_racks is None else with_racks:
        racks = {broker: draw(st.sampled_from("abcd")) for broker in brokers}
    return Wanted(
        partitions=draw(st.integers(1, 40)),
        replicas=draw(st.integers(1, len(brokers))),
        brokers=brokers,
        racks=racks,
        start=draw(st.integers(0, 11)),
        shift=draw(st.integers(0, 11)),
    )


@given(wanted())
def test_every_partition_gets_as_many_different_brokers_as_it_shall_have_replicas(case: Wanted) -> None:
    """R1: a broker that held a partition twice would protect against nothing."""
    placed = case.placed()

    assert [*range(case.partitions)] == [*placed]
    for replicas in placed.values():
        assert case.replicas == len(replicas) == len(set(replicas))
        assert set(replicas) <= set(case.brokers)


@given(wanted())
def test_the_same_arguments_place_alike_whatever_order_the_brokers_are_named_in(case: Wanted) -> None:
    turned = Wanted(**{**case.__dict__, "brokers": [*reversed(case.brokers)]})

    assert case.placed() == turned.placed()


@given(wanted())
def test_no_broker_leads_more_than_one_partition_more_than_another(case: Wanted) -> None:
    """B1, B3: a broker holds some partitions, not all."""
    leads = Counter(replicas[0] for replicas in case.placed().values())
    counts = [leads[broker] for broker in case.brokers]

    assert max(counts) - min(counts) <= 1


@given(wanted(with_racks=False))
def test_without_racks_every_place_in_the_order_of_preference_is_dealt_out_evenly(case: Wanted) -> None:
    placed = case.placed()

    for place in range(case.replicas):
        held = Counter(replicas[place] for replicas in placed.values())
        counts = [held[broker] for broker in case.brokers]
        assert max(counts) - min(counts) <= 1, f"replica {place}"


@given(wanted(with_racks=True))
def test_a_rack_gets_a_second_replica_only_when_every_rack_has_one(case: Wanted) -> None:
    """KIP-36: with as many replicas as racks, a whole rack may burn."""
    racks = {case.racks[broker] for broker in case.brokers}

    for replicas in case.placed().values():
        used = [case.racks[broker] for broker in replicas]
        assert min(len(racks), case.replicas) == len(set(used))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.data())
def test_in_racks_of_one_size_all_brokers_hold_equally_much_after_each_round(
    per_rack: int, rack_count: int, rounds: int, data: st.DataObject
) -> None:
    brokers = [*range(per_rack * rack_count)]
    racks: dict[int, str | None] = {broker: "abcd"[broker % rack_count] for broker in brokers}
    replicas = data.draw(st.integers(1, len(brokers)))
    start, shift = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))

    placed = assign_replicas(rounds * len(brokers), replicas, brokers, racks, start, shift, 0)

    held = Counter(broker for partition in placed.values() for broker in partition)
    assert dict.fromkeys(brokers, rounds * replicas) == held


@given(wanted(), st.integers(1, 39))
def test_a_topic_that_grows_is_placed_as_if_it_had_been_made_so(case: Wanted, first: int) -> None:
    """T8."""
    grown = case.placed(first) | case.placed(case.partitions, first)

    assert case.placed(first + case.partitions) == grown


@given(wanted())
def test_the_pattern_of_a_topic_is_found_again_from_its_first_partition(case: Wanted) -> None:
    start, shift = pattern_of(case.placed()[0], case.brokers, case.racks)

    assert case.placed()[0] == Wanted(**{**case.__dict__, "start": start, "shift": shift}).placed()[0]


@given(st.integers(2, 9), st.integers(0, 9), st.integers(0, 9))
def test_every_other_broker_follows_a_leader_in_some_round(count: int, start: int, shift: int) -> None:
    """When a broker dies, its load goes to all the others."""
    placed = assign_replicas(count * (count - 1), 2, [*range(count)], {}, start, shift, 0)

    for leader in range(count):
        followers = [replicas[1] for replicas in placed.values() if replicas[0] == leader]
        assert [broker for broker in range(count) if broker != leader] == sorted(followers)


def test_the_example_of_the_class_topics_a_and_b_over_three_brokers() -> None:
    """B3: Topic-A with three partitions and Topic-B with two, over 101, 102 and 103."""
    brokers = [101, 102, 103]

    assert {0: [101], 1: [102], 2: [103]} == assign_replicas(3, 1, brokers, {}, start=0, shift=0, first_partition=0)
    assert {0: [103], 1: [101]} == assign_replicas(2, 1, brokers, {}, start=2, shift=0, first_partition=0)


def test_it_places_as_kafka_s_own_comment_says() -> None:
    """AdminUtils: ten partitions of three replicas over five brokers."""
    placed = assign_replicas(10, 3, [0, 1, 2, 3, 4], {}, start=0, shift=0, first_partition=0)

    assert [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0], [4, 0, 1]] == [placed[partition] for partition in range(5)]
    assert [[0, 2, 3], [1, 3, 4], [2, 4, 0], [3, 0, 1], [4, 1, 2]] == [placed[partition] for partition in range(5, 10)]


def test_it_alternates_racks_as_kafka_s_own_comment_says() -> None:
    """AdminUtils.getRackAlternatedBrokerList."""
    racks: dict[int, str | None] = {0: "rack1", 1: "rack3", 2: "rack3", 3: "rack2", 4: "rack2", 5: "rack1"}

    assert [0, 3, 1, 5, 4, 2] == in_alternating_racks([0, 1, 2, 3, 4, 5], racks)


@pytest.mark.parametrize(
    ("partitions", "replicas", "racks", "what"),
    [
        (0, 1, {}, "partitions"),
        (-3, 1, {}, "partitions"),
        (1, 0, {}, "replication_factor"),
        (1, 4, {}, "replication_factor"),
        (1, 1, {1: "a", 2: "b"}, "racks"),
    ],
)
def test_what_cannot_be_placed_is_refused_and_the_error_says_what(
    partitions: int, replicas: int, racks: dict[int, str | None], what: str
) -> None:
    with pytest.raises(InvalidPlacement) as refused:
        assign_replicas(partitions, replicas, [1, 2, 3], racks, 0, 0, 0)

    assert what == refused.value.what
