"""Who decides: majorities, what they have committed, whom they elect."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.coordination.quorum import Vote, committed_zxid, elected, quorum


@pytest.mark.parametrize("servers", range(1, 10))
def test_two_majorities_share_a_server_and_smaller_groups_need_not(servers: int) -> None:
    """Z5."""
    size = quorum(servers)

    assert all(set(one) & set(other) for one in combinations(range(servers), size) for other in [range(size)])
    assert size * 2 - servers in {1, 2}  # one server less, and two groups may miss each other


@pytest.mark.parametrize("odd", [1, 3, 5, 7, 9])
def test_one_server_more_than_an_odd_number_survives_no_more_failures(odd: int) -> None:
    """Z5. Four servers survive as many failures as three."""
    assert odd - quorum(odd) == odd + 1 - quorum(odd + 1)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=7), st.integers(1, 7))
def test_what_is_committed_is_on_as_many_disks_as_are_needed_and_is_the_last_of_that_kind(
    acknowledged: list[int], needed: int
) -> None:
    have = [zxid for zxid in range(21) if sum(one >= zxid for one in acknowledged) >= needed]

    assert max(have, default=-1) == committed_zxid(acknowledged, needed)


def test_the_newer_leader_counts_before_the_longer_log_and_the_place_breaks_ties() -> None:
    votes = [Vote(2, 5, 0), Vote(1, 9, 2), Vote(2, 5, 1), Vote(1, 9, 0)]

    assert [Vote(2, 5, 1), Vote(2, 5, 0), Vote(1, 9, 2), Vote(1, 9, 0)] == sorted(votes, reverse=True)


def test_nobody_is_elected_without_a_majority() -> None:
    one, other = Vote(1, 5, 0), Vote(1, 5, 1)

    assert None is elected({0: one, 1: other}, needed=2)
    assert other == elected({0: one, 1: other, 2: other}, needed=2)
