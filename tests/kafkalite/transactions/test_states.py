"""The automaton of a transactional id: every pair of a state and what can happen in it."""

from __future__ import annotations

from itertools import product

import pytest

from kafkalite.transactions.states import TRANSITIONS, Call, State, next_state

# One row a state, one column for each of Call, as a person reads the protocol: what follows, or why not.
# C: CONCURRENT_TRANSACTIONS, try again   I: INVALID_TXN_STATE
TABLE = """
                init   add      commit          abort          fence         written          expire
Empty           Empty  Ongoing  I               I              I             I                Dead
Ongoing         C      Ongoing  PrepareCommit   PrepareAbort   PrepareAbort  I                I
PrepareCommit   C      C        C               I              I             CompleteCommit   I
PrepareAbort    C      C        I               C              I             CompleteAbort    I
CompleteCommit  Empty  Ongoing  CompleteCommit  I              I             I                Dead
CompleteAbort   Empty  Ongoing  I               CompleteAbort  I             I                Dead
Dead            I      I        I               I              I             I                I
"""
ANSWERS = {"C": "CONCURRENT_TRANSACTIONS", "I": "INVALID_TXN_STATE"}


def rows() -> list[tuple[str, str, str]]:
    calls, *lines = TABLE.strip().splitlines()
    return [
        (state, call, cell)
        for state, *cells in map(str.split, lines)
        for call, cell in zip(calls.split(), cells, strict=True)
    ]


@pytest.mark.parametrize(("state", "call", "cell"), rows())
def test_every_state_has_an_answer_to_everything_that_can_happen(state: str, call: str, cell: str) -> None:
    expected = (state, ANSWERS[cell]) if cell in ANSWERS else (cell, "NONE")

    assert expected == next_state(state, call)


def test_the_table_above_has_every_pair() -> None:
    assert {*product((one.value for one in State), (one.value for one in Call))} == {row[:2] for row in rows()}


def test_what_is_decided_cannot_be_decided_otherwise() -> None:
    """From Prepare... on only markers are left, and the other end is out of reach until a new transaction begins."""
    for begin, other in [
        (State.PREPARE_COMMIT, State.COMPLETE_ABORT),
        (State.PREPARE_ABORT, State.COMPLETE_COMMIT),
    ]:
        reached, found = {begin}, [begin]
        while found:
            state = found.pop()
            following = {to for (at, call), (to, _) in TRANSITIONS.items() if at is state and call is not Call.ADD}
            found += following - reached
            reached |= following
        assert other not in reached


def test_every_state_but_dead_can_be_left_and_every_state_reached() -> None:
    moves = {(at, to) for (at, _), (to, _) in TRANSITIONS.items() if at is not to}

    assert {*State} - {State.DEAD} == {at for at, _ in moves}
    assert {*State} == {to for _, to in moves}
