"""Who leads next: a table, and what holds for every case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.controller.elections import (
    elect_leader,
    first_state,
    is_unclean,
    isr_without,
    preferred_state,
    state_among,
    state_without,
)
from kafkalite.controller.znodes import NO_LEADER, LeaderAndIsr

REPLICAS = [1, 2, 3]


def state(leader: int, *isr: int) -> LeaderAndIsr:
    return LeaderAndIsr(leader, 7, isr, controller_epoch=2, zk_version=4)


@pytest.mark.parametrize(
    ("isr", "live", "unclean", "elected"),
    [
        ([1, 2, 3], {1, 2, 3}, False, (1, [1, 2, 3])),
        ([1, 2, 3], {2, 3}, False, (2, [2, 3])),
        ([3, 2], {2, 3}, False, (2, [3, 2])),  # the order is the assignment's
        ([3], {2, 3}, False, (3, [3])),  # alive is not enough
        ([3], {2, 3}, True, (3, [3])),  # unclean is the last resort
        ([1], {2, 3}, False, None),
        ([1], {2, 3}, True, (2, [2])),
        ([1], set(), True, None),
        ([], {2}, False, None),
        ([4, 2], {2, 4}, False, (2, [4, 2])),  # who is not assigned does not lead
    ],
)
def test_the_first_replica_that_is_alive_and_in_sync_is_elected(
    isr: list[int], live: set[int], unclean: bool, elected: tuple[int, list[int]] | None
) -> None:
    """R4; M15."""
    assert elected == elect_leader(REPLICAS, isr, frozenset(live), unclean)


@pytest.mark.parametrize(
    ("was", "live", "leader", "isr"),
    [
        (state(1, 1, 2, 3), {2, 3}, 2, (2, 3)),
        (state(1, 1, 2, 3), {1, 3}, 1, (1, 3)),  # a follower died
        (state(1, 1), set(), NO_LEADER, (1,)),  # the last of the ISR is kept
        (state(1, 1, 2), set(), NO_LEADER, (1, 2)),  # all died at once: each has what was committed
        (state(NO_LEADER, 1), {1, 2}, 1, (1,)),  # and only it may lead again
        (state(2, 1, 3), set(), NO_LEADER, (1, 3)),
    ],
)
def test_the_state_follows_who_is_alive(was: LeaderAndIsr, live: set[int], leader: int, isr: tuple[int, ...]) -> None:
    """R4."""
    now = state_among(REPLICAS, was, frozenset(live), unclean=False)

    assert (leader, isr, was.leader_epoch + 1) == (now.leader, now.isr, now.leader_epoch)


@pytest.mark.parametrize(
    ("was", "live"), [(state(1, 1, 2), {1, 2, 3}), (state(NO_LEADER, 1), {2, 3}), (state(NO_LEADER, 2), set())]
)
def test_where_nothing_is_to_change_the_state_is_the_same_object(was: LeaderAndIsr, live: set[int]) -> None:
    assert was is state_among(REPLICAS, was, frozenset(live), unclean=False)


brokers = st.frozensets(st.integers(1, 5))


@given(st.permutations([1, 2, 3, 4, 5]), st.integers(1, 5), brokers, brokers, st.integers(1, 5), st.booleans())
def test_whatever_happens_an_election_is_clean_or_said_to_be_unclean(
    order: list[int], count: int, live: frozenset[int], members: frozenset[int], leader: int, unclean: bool
) -> None:
    assignment = order[:count]
    isr = tuple(broker for broker in assignment if broker in members) or (assignment[0],)
    was = state(leader if leader in isr else NO_LEADER, *isr)

    now = state_among(assignment, was, live, unclean)

    assert now.isr, "an ISR is never empty: somebody has to know what was committed"
    assert now.leader == NO_LEADER or (now.leader in now.isr and now.leader in live)
    assert now.leader == NO_LEADER or set(now.isr) <= live
    if is_unclean(was, now):
        assert unclean
        assert live.isdisjoint(was.isr)
    else:
        assert set(now.isr) <= set(was.isr)
    assert now is was or now.leader_epoch == was.leader_epoch + 1


def test_all_live_replicas_of_a_new_partition_are_in_sync_and_the_first_of_them_leads() -> None:
    assert LeaderAndIsr(2, 0, (2, 3), 9) == first_state(REPLICAS, frozenset({2, 3}), 9)
    assert first_state(REPLICAS, frozenset({4}), 9) is None


@pytest.mark.parametrize(
    ("was", "live", "leader"),
    [
        (state(2, 1, 2), {1, 2}, 1),
        (state(2, 2), {1, 2}, 2),  # not in sync
        (state(2, 1, 2), {2}, 2),  # not alive
    ],
)
def test_the_preferred_leader_leads_again_if_it_is_in_sync(was: LeaderAndIsr, live: set[int], leader: int) -> None:
    now = preferred_state(REPLICAS, was, frozenset(live))

    assert (leader, was.isr) == (now.leader, now.isr)
    assert (now is was) == (leader == was.leader)


@pytest.mark.parametrize(
    ("was", "live", "leader", "isr"),
    [
        (state(1, 1, 2, 3), {2, 3}, 2, (2, 3)),
        (state(2, 1, 2, 3), {2, 3}, 2, (2, 3)),  # it followed: it leaves the ISR
        (state(1, 1, 2), {3}, 1, (1, 2)),  # nobody in sync lives: it goes on leading
        (state(1, 1), {2, 3}, 1, (1,)),
    ],
)
def test_who_stops_in_order_hands_over_and_leaves_the_isr(
    was: LeaderAndIsr, live: set[int], leader: int, isr: tuple[int, ...]
) -> None:
    now = state_without(REPLICAS, was, frozenset(live), stopping=frozenset({1}))

    assert (leader, isr) == (now.leader, now.isr)


def test_of_an_isr_that_died_together_all_are_kept_since_each_has_what_was_committed() -> None:
    assert (1, 2, 3) == isr_without((1, 2, 3), frozenset())


def test_one_that_comes_back_of_an_isr_that_died_together_may_lead_whoever_led_before() -> None:
    """R4: the old leader may be the one that comes back last, or without its tail."""
    together = state_among(REPLICAS, state(1, 1, 2, 3), frozenset(), unclean=False)

    back = state_among(REPLICAS, together, frozenset({3}), unclean=False)

    assert (3, (3,)) == (back.leader, back.isr)
