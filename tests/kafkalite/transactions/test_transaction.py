"""A transactional id as a value: what each change makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafkalite.transactions.states import State
from kafkalite.transactions.transaction import (
    EPOCH_MAX,
    Transaction,
    completed,
    decided,
    fenced,
    initialized,
    is_exhausted,
    with_partitions,
)

NOBODY = (-1, -1)
KNOWN = Transaction(7, 4, 60_000, State.COMPLETE_COMMIT, update_ms=90)
ONGOING = Transaction(7, 4, 60_000, State.ONGOING, frozenset({("A", 0)}), start_ms=100, update_ms=100)


def test_the_first_producer_gets_a_new_id_and_epoch_0() -> None:
    found = initialized(Transaction(), 9, NOBODY, 1000, now_ms=5)

    assert Transaction(9, 0, 1000, State.EMPTY, update_ms=5) == found


def test_the_next_one_gets_the_same_id_and_the_next_epoch() -> None:
    found = initialized(KNOWN, -1, NOBODY, 1000, now_ms=100)

    assert Transaction(7, 5, 1000, State.EMPTY, update_ms=100) == found


def test_a_producer_that_asks_in_its_own_name_gets_the_next_epoch_and_is_told_it_again_if_it_asks_again() -> None:
    """KIP-360: it aborted and wants to go on; the answer may be lost."""
    first = initialized(KNOWN, -1, (7, 4), 1000, now_ms=100)
    assert first is not None

    again = initialized(first, -1, (7, 4), 1000, now_ms=200)

    assert (7, 5) == (first.producer_id, first.epoch)
    assert again is not None
    assert (7, 5) == (again.producer_id, again.epoch)
    third = initialized(again, -1, (7, 5), 1000, now_ms=300)
    assert third is not None
    assert 6 == third.epoch


@pytest.mark.parametrize("expected", [(7, 3), (7, 5), (8, 4), (6, 0)])
def test_a_producer_that_another_has_replaced_gets_nothing(expected: tuple[int, int]) -> None:
    assert None is initialized(KNOWN, -1, expected, 1000, now_ms=100)


def test_a_zombie_that_asks_in_its_own_name_is_not_told_the_epoch_of_its_successor() -> None:
    successor = initialized(KNOWN, -1, NOBODY, 1000, now_ms=100)
    assert successor is not None

    assert None is initialized(successor, -1, (7, 4), 1000, now_ms=200)


def test_when_epochs_are_used_up_the_producer_gets_a_new_id() -> None:
    last = replace(KNOWN, epoch=EPOCH_MAX - 1)
    assert (True, False) == (is_exhausted(last.epoch), is_exhausted(last.epoch - 1))

    found = initialized(last, 9, NOBODY, 1000, now_ms=100)
    asked_again = initialized(last, 9, (7, EPOCH_MAX - 1), 1000, now_ms=100)

    assert Transaction(9, 0, 1000, State.EMPTY, update_ms=100) == found
    assert asked_again is not None
    assert (9, 0) == (asked_again.producer_id, asked_again.epoch)
    assert asked_again == initialized(asked_again, -1, (7, EPOCH_MAX - 1), 1000, now_ms=100)


def test_one_epoch_is_left_to_fence_the_last_one_that_is_handed_out() -> None:
    last = replace(ONGOING, epoch=EPOCH_MAX - 1)

    assert EPOCH_MAX == decided(last, State.PREPARE_ABORT, 200, bumps_epoch=True).epoch


def test_a_transaction_begins_with_its_first_partitions_and_takes_in_more() -> None:
    begun = with_partitions(KNOWN, [("A", 0)], now_ms=100)

    assert replace(KNOWN, state=State.ONGOING, partitions=frozenset({("A", 0)}), start_ms=100, update_ms=100) == begun
    more = with_partitions(begun, [("B", 1)], now_ms=150)
    assert replace(begun, partitions=frozenset({("A", 0), ("B", 1)}), update_ms=150) == more


def test_a_decision_keeps_the_partitions_until_they_have_their_markers() -> None:
    prepared = decided(ONGOING, State.PREPARE_COMMIT, 200)

    assert replace(ONGOING, state=State.PREPARE_COMMIT, update_ms=200) == prepared
    done = completed(prepared, State.COMPLETE_COMMIT, 300)
    assert replace(prepared, state=State.COMPLETE_COMMIT, partitions=frozenset(), update_ms=300) == done


def test_who_speaks_for_an_id_has_its_producer_id_and_its_epoch() -> None:
    answers = [fenced(7, 4, *producer) for producer in [(7, 4), (7, 3), (7, 5), (8, 4)]]

    assert ["NONE", "PRODUCER_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_ID_MAPPING"] == answers
