"""From which replica a consumer reads (KIP-392)."""

from __future__ import annotations

import pytest

from kafkalite.replication.read_replica import read_replica
from kafkalite.types import ReplicaView

LEADER = ReplicaView(1, "a", is_leader=True, log_start=0, end_offset=9)
NEAR = ReplicaView(2, "b", is_leader=False, log_start=0, end_offset=7, since_caught_up_ms=9.0)
NEARER = ReplicaView(3, "b", is_leader=False, log_start=2, end_offset=8, since_caught_up_ms=9.0)


@pytest.mark.parametrize(
    ("offset", "rack", "expected"),
    [
        (5, "", 1),  # no rack given: nobody reads from a follower by default
        (5, "c", 1),
        (5, "a", 1),
        (5, "b", 3),  # of two near ones, the one that has more
        (1, "b", 2),  # the other one no longer has it
        (2, "b", 3),  # its log begins there
        (8, "b", 3),  # what comes next is what it will have next
        (9, "b", 1),  # neither has it yet
    ],
)
def test_a_consumer_reads_near_itself_if_what_it_wants_is_there(offset: int, rack: str, expected: int) -> None:
    """R2."""
    assert expected == read_replica([LEADER, NEAR, NEARER], offset, rack)


def test_of_two_with_the_same_end_the_one_caught_up_last_is_read() -> None:
    late = ReplicaView(4, "b", is_leader=False, log_start=0, end_offset=7, since_caught_up_ms=3.0)

    assert 4 == read_replica([LEADER, NEAR, late], 5, "b")


def test_a_leader_in_the_rack_is_read_before_any_follower() -> None:
    leader = ReplicaView(1, "b", is_leader=True, log_start=0, end_offset=9, since_caught_up_ms=0.0)

    assert 1 == read_replica([NEARER, leader], 5, "b")
