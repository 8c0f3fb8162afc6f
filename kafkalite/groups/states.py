"""The states of a group and what takes it from one to the next: the table that the automaton walks and is drawn from.

    EMPTY                  nobody is in; there may be offsets
    PREPARING_REBALANCE    members are to (re)join; their requests wait until all have, or time is up
    COMPLETING_REBALANCE   a generation exists; its members wait for what the leader assigns
    STABLE                 everybody knows what to read
    DEAD                   gone from here: it is coordinated elsewhere, or forgotten

Source: Kafka's GroupState (GroupMetadata.scala).
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Kafka's states, by the names that it tells administrators."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


class Happening(Enum):
    """What takes a group from one state to another."""

    MEMBERS_CHANGED = "somebody joined, left, expired or changed"
    ALL_JOINED = "all have joined, or time is up"
    NOBODY_JOINED = "nobody is left"
    ASSIGNED = "what the leader assigned is in the log"
    UNLOADED = "coordinated here no more"


TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.EMPTY, Happening.MEMBERS_CHANGED): State.PREPARING_REBALANCE,
    (State.STABLE, Happening.MEMBERS_CHANGED): State.PREPARING_REBALANCE,
    (State.COMPLETING_REBALANCE, Happening.MEMBERS_CHANGED): State.PREPARING_REBALANCE,
    (State.PREPARING_REBALANCE, Happening.ALL_JOINED): State.COMPLETING_REBALANCE,
    (State.PREPARING_REBALANCE, Happening.NOBODY_JOINED): State.EMPTY,
    (State.COMPLETING_REBALANCE, Happening.ASSIGNED): State.STABLE,
    **{(state, Happening.UNLOADED): State.DEAD for state in State},
}


def fence(generation: int, current: int) -> str:
    """Is who speaks in the name of this generation up to date? Asked of heartbeats, syncs and commits.

    Fetches carry no generation: a member that was thrown out can read on, but it cannot commit (M30).

    >>> fence(7, 7), fence(6, 7)
    ('NONE', 'ILLEGAL_GENERATION')
    """
    return "NONE" if generation == current else "ILLEGAL_GENERATION"
