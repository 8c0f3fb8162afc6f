"""Who is in sync, by tables and on drawn fetches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.replication.isr import enough_replicas, is_caught_up, lagging, may_join, progress
from kafkalite.types import ReplicaProgress

LAG_MAX_MS = 30_000.0


def test_a_follower_at_the_leaders_end_is_caught_up_now() -> None:
    """R3."""
    known = progress(ReplicaProgress(end_offset=3, caught_up_ms=1.0), fetch_offset=9, leader_end=9, now_ms=50.0)

    assert ReplicaProgress(9, 50.0, 50.0, 9) == known


def test_a_follower_with_what_the_leader_had_at_its_previous_fetch_was_caught_up_then() -> None:
    """R3: or a busy leader would find everyone lagging."""
    before = ReplicaProgress(end_offset=5, caught_up_ms=1.0, last_fetch_ms=40.0, leader_end_at_last_fetch=8)

    assert ReplicaProgress(8, 40.0, 50.0, 20) == progress(before, fetch_offset=8, leader_end=20, now_ms=50.0)


def test_a_follower_that_had_all_of_an_empty_log_was_caught_up_then() -> None:
    before = ReplicaProgress(end_offset=0, caught_up_ms=1.0, last_fetch_ms=40.0, leader_end_at_last_fetch=0)

    assert 40.0 == progress(before, fetch_offset=0, leader_end=3, now_ms=50.0).caught_up_ms


def test_a_fetch_alone_does_not_make_a_follower_caught_up() -> None:
    """R3: one that asks and stays behind is slow, not in sync."""
    before = ReplicaProgress(end_offset=5, caught_up_ms=1.0, last_fetch_ms=40.0, leader_end_at_last_fetch=8)

    assert 1.0 == progress(before, fetch_offset=7, leader_end=20, now_ms=50.0).caught_up_ms


def test_the_first_fetch_from_a_new_leader_is_measured_by_nothing_before_it() -> None:
    assert 7.0 == progress(ReplicaProgress(caught_up_ms=7.0), fetch_offset=0, leader_end=5, now_ms=50.0).caught_up_ms


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0.1, 20.0)), min_size=1, max_size=30),
    st.floats(0, 10),
)
def test_who_is_caught_up_at_some_time_had_all_that_the_leader_had_then(
    moves: list[tuple[int, int, float]], begun_ms: float
) -> None:
    """The leader's end rises, the follower copies some of it; a caught-up time is the time of one of its fetches."""
    known, now_ms, leader_end, follower_end = ReplicaProgress(caught_up_ms=begun_ms), begun_ms, 0, 0
    ends = {begun_ms: 0}
    for written, copied, passed_ms in moves:
        now_ms += passed_ms
        leader_end += written
        follower_end = min(leader_end, follower_end + copied)
        ends[now_ms] = leader_end
        caught_up_before_ms = known.caught_up_ms
        known = progress(known, follower_end, leader_end, now_ms)

        assert caught_up_before_ms <= known.caught_up_ms <= now_ms
        assert follower_end >= ends[known.caught_up_ms]
        assert follower_end < leader_end or known.caught_up_ms == now_ms


@pytest.mark.parametrize(
    ("end_offset", "caught_up_ms", "is_lagging"),
    [
        (10, 0.0, False),  # it has everything
        (9, 10_000.0, False),  # behind, exactly as long as it may
        (9, 9_999.0, True),
        (-1, 39_000.0, False),  # has not fetched from this leader yet, which is new
    ],
)
def test_lag_is_measured_in_time_and_never_in_records(end_offset: int, caught_up_ms: float, is_lagging: bool) -> None:
    """R3."""
    followers = {2: ReplicaProgress(end_offset=end_offset, caught_up_ms=caught_up_ms)}

    assert is_lagging == (lagging(followers, 10, 40_000.0, LAG_MAX_MS) == frozenset({2}))


@given(
    st.dictionaries(st.integers(2, 5), st.tuples(st.integers(-1, 10), st.floats(0, 100)), max_size=4),
    st.floats(0, 50),
)
def test_the_lagging_are_those_who_are_not_caught_up(drawn: dict[int, tuple[int, float]], max_lag_ms: float) -> None:
    followers = {broker: ReplicaProgress(end_offset=end, caught_up_ms=at_ms) for broker, (end, at_ms) in drawn.items()}
    found = lagging(followers, 10, 100.0, max_lag_ms)

    assert found <= set(followers)
    for broker, one in followers.items():
        assert (broker in found) != is_caught_up(one, 10, 100.0, max_lag_ms)


@pytest.mark.parametrize(
    ("end_offset", "high_watermark", "epoch_start", "expected"),
    [(8, 8, 6, True), (8, 9, 6, False), (8, 5, 9, False), (9, 5, 9, True), (-1, 0, 0, False)],
)
def test_a_replica_joins_once_it_has_all_that_is_committed_and_all_before_the_epoch(
    end_offset: int, high_watermark: int, epoch_start: int, expected: bool
) -> None:
    """R3: alive again is not enough."""
    assert expected == may_join(ReplicaProgress(end_offset=end_offset), high_watermark, epoch_start)


@pytest.mark.parametrize(
    ("isr_size", "min_isr", "acks", "expected"),
    [(2, 2, -1, True), (1, 2, -1, False), (1, 2, 1, True), (1, 2, 0, True), (3, 2, -1, True)],
)
def test_min_isr_is_a_floor_and_only_for_acks_all(isr_size: int, min_isr: int, acks: int, expected: bool) -> None:
    """P4, R6."""
    assert expected == enough_replicas(isr_size, min_isr, acks)
