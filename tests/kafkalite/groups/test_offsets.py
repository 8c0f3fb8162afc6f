"""Bookmarks: whose they are, what transactions do to them, and when they are forgotten."""

from __future__ import annotations

from kafkalite.groups.offsets import Offsets, PendingOffsets, expired
from kafkalite.groups.states import State
from kafkalite.types import CommittedOffset

A0, A1, B0 = ("A", 0), ("A", 1), ("B", 0)
DAY_MS = 24 * 3600 * 1000


def test_every_group_has_its_own_bookmark_in_every_partition() -> None:
    """C6, M27: many groups read one topic, each from where it is."""
    offsets = Offsets()
    offsets.commit("dashboard", A0, CommittedOffset(5))
    offsets.commit("dashboard", A1, CommittedOffset(9))
    offsets.commit("notify", A0, CommittedOffset(2))
    offsets.commit("notify", A0, CommittedOffset(3))

    assert (CommittedOffset(5), CommittedOffset(3)) == (offsets.fetch("dashboard", A0), offsets.fetch("notify", A0))
    assert [A0, A1] == offsets.partitions("dashboard")
    assert offsets.fetch("notify", A1) is None


def test_a_group_without_bookmarks_is_forgotten() -> None:
    offsets = Offsets()
    offsets.commit("g", A0, CommittedOffset(5))
    offsets.forget("g", A0)
    offsets.forget("g", A0)

    assert ([], [], None) == (offsets.groups(), offsets.partitions("g"), offsets.fetch("g", A0))


def test_what_a_transaction_wrote_counts_from_its_marker_on() -> None:
    """O5: read, processed and written, or none of it."""
    pending = PendingOffsets()
    pending.write(7, "g", A0, 10, CommittedOffset(5))
    assert (False, True) == (pending.is_stable("g", A0), pending.is_stable("g", A1))
    assert pending.of_group("g")

    assert [("g", A0, CommittedOffset(5))] == pending.end(7, is_commit=True)

    assert pending.is_stable("g", A0)
    assert not pending.of_group("g")


def test_what_an_aborted_transaction_wrote_never_counts() -> None:
    pending = PendingOffsets()
    pending.write(7, "g", A0, 10, CommittedOffset(5))

    assert [] == pending.end(7, is_commit=False)
    assert [] == pending.end(7, is_commit=True)


def test_a_marker_does_not_bring_back_what_something_later_has_replaced() -> None:
    pending = PendingOffsets()
    pending.write(7, "g", A0, 10, CommittedOffset(5))
    pending.write(7, "g", A1, 11, CommittedOffset(6))
    pending.write(8, "g", A1, 12, CommittedOffset(7))
    pending.counts("g", A0, 13)

    assert [("g", A1, CommittedOffset(7))] == pending.end(8, is_commit=True)
    assert [] == pending.end(7, is_commit=True)


def test_an_empty_group_keeps_its_bookmarks_for_the_retention_after_the_last_one_left() -> None:
    """O1: however long ago they were committed."""
    committed = {A0: CommittedOffset(5, commit_ms=0)}
    for now_ms, found in ((11 * DAY_MS - 1, []), (11 * DAY_MS, [A0])):
        assert found == expired(committed, now_ms, DAY_MS, state=State.EMPTY, since_ms=10 * DAY_MS)


def test_an_empty_group_that_does_not_say_since_when_counts_from_the_commit() -> None:
    committed = {A0: CommittedOffset(5, commit_ms=0), A1: CommittedOffset(5, commit_ms=DAY_MS)}

    assert [A0] == expired(committed, DAY_MS, DAY_MS, state=State.EMPTY)


def test_a_stable_group_forgets_only_topics_it_is_no_longer_subscribed_to() -> None:
    committed = {A0: CommittedOffset(5, commit_ms=0), B0: CommittedOffset(5, commit_ms=0)}
    subscribed = frozenset({"A"})

    assert [B0] == expired(committed, DAY_MS, DAY_MS, state=State.STABLE, subscribed=subscribed)
    assert [] == expired(committed, DAY_MS, DAY_MS, state=State.PREPARING_REBALANCE, subscribed=subscribed)
    assert [] == expired(committed, DAY_MS, DAY_MS, state=State.STABLE)


def test_bookmarks_of_partitions_assigned_by_hand_count_from_their_commit() -> None:
    committed = {A0: CommittedOffset(5, commit_ms=0), A1: CommittedOffset(5, commit_ms=1)}

    assert [A0] == expired(committed, DAY_MS, DAY_MS, since_ms=9, is_simple=True)


def test_an_expiry_that_a_client_chose_holds_instead_of_the_retention() -> None:
    committed = {A0: CommittedOffset(5, commit_ms=0, expire_ms=50), A1: CommittedOffset(5, commit_ms=0, expire_ms=51)}

    assert [A0] == expired(committed, 50, DAY_MS)
