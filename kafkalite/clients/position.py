"""Where a consumer is in one partition, and what it must find out before it may read on.

    AWAIT_RESET       there is no position: ask the leader for an offset (the beginning, the end, a time)
    FETCHING          read from `offset`
    AWAIT_VALIDATION  there is a new leader: ask whether the log still has what was read (KIP-320)
    STUCK             there is no position and the program has said not to choose one: only `seek` helps

Source: SubscriptionState.FetchStates.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from kafkalite.log.record import Record
from kafkalite.types import TopicPartition

EARLIEST, LATEST = -2, -1  # as in ListOffsets; any other number that is asked for is a time
POLICIES = {"earliest": EARLIEST, "latest": LATEST}


class State(Enum):
    """What is needed next."""

    AWAIT_RESET = "await reset"
    FETCHING = "fetching"
    AWAIT_VALIDATION = "await validation"
    STUCK = "stuck"


class Happening(Enum):
    """What happens to a position."""

    SOUGHT = "sought"  # the program, or an answer, said an offset
    LOST = "lost"  # it is outside the log, or there never was one
    NEW_LEADER = "new leader"
    VALIDATED = "validated"
    GIVEN_UP = "given up"  # lost, and there is no policy


TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.AWAIT_RESET, Happening.SOUGHT): State.FETCHING,
    (State.AWAIT_RESET, Happening.LOST): State.AWAIT_RESET,
    (State.AWAIT_RESET, Happening.GIVEN_UP): State.STUCK,
    (State.FETCHING, Happening.SOUGHT): State.FETCHING,
    (State.FETCHING, Happening.LOST): State.AWAIT_RESET,
    (State.FETCHING, Happening.GIVEN_UP): State.STUCK,
    (State.FETCHING, Happening.NEW_LEADER): State.AWAIT_VALIDATION,
    (State.AWAIT_VALIDATION, Happening.NEW_LEADER): State.AWAIT_VALIDATION,
    (State.AWAIT_VALIDATION, Happening.VALIDATED): State.FETCHING,
    (State.AWAIT_VALIDATION, Happening.SOUGHT): State.FETCHING,
    (State.AWAIT_VALIDATION, Happening.LOST): State.AWAIT_RESET,
    (State.AWAIT_VALIDATION, Happening.GIVEN_UP): State.STUCK,
    (State.STUCK, Happening.SOUGHT): State.FETCHING,
    (State.STUCK, Happening.LOST): State.AWAIT_RESET,
}


class Position:
    """One assigned partition. `offset` is the next one to be handed to the program; -1 while there is none.

    `buffer` are records that were fetched and not handed over; behind them the log goes on at `fetched_to`.
    """

    __slots__ = (
        "asked_with",
        "buffer",
        "failures",
        "fetched_to",
        "is_paused",
        "leader_epoch",
        "offset",
        "offset_epoch",
        "partition",
        "read_replica",
        "read_replica_until_ms",
        "reason",
        "retry_at_ms",
        "state",
        "timestamp",
    )

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.state = State.AWAIT_RESET
        self.offset = self.fetched_to = -1
        self.offset_epoch = -1  # leader epoch of the last record before `offset`; -1: not known
        self.leader_epoch = -1  # of the leader that was last known
        self.timestamp, self.reason = LATEST, ""  # what is asked for while there is no position, and why
        self.buffer: deque[Record] = deque()
        self.is_paused = False
        self.asked_with: object = None  # the request in which it is, if any
        self.failures, self.retry_at_ms = 0, 0.0
        self.read_replica, self.read_replica_until_ms = -1, 0.0

    def happened(self, happening: Happening) -> None:
        """Go where the table says."""
        self.state = TRANSITIONS[self.state, happening]

    def seek(self, offset: int, offset_epoch: int = -1) -> None:
        """Go on from there, forgetting what was fetched."""
        self.offset = self.fetched_to = offset
        self.offset_epoch = offset_epoch
        self._forget()
        self.happened(Happening.SOUGHT)

    def look_up(self, timestamp: int, reason: str) -> None:
        """Ask where to go on: EARLIEST, LATEST, or a time in ms."""
        self.offset = self.fetched_to = self.offset_epoch = -1
        self.timestamp, self.reason = timestamp, reason
        self._forget()
        self.happened(Happening.LOST)

    def give_up(self) -> None:
        """Wait for `seek`."""
        self.offset = -1
        self._forget()
        self.happened(Happening.GIVEN_UP)

    def _forget(self) -> None:
        self.buffer.clear()
        self.asked_with = None
        self.failures, self.retry_at_ms = 0, 0.0

    def take(self, count: int) -> list[Record]:
        """Hand over at most so many of the records that were fetched, and move on behind them."""
        records = [self.buffer.popleft() for _ in range(min(count, len(self.buffer)))]
        self.offset = records[-1].offset + 1 if self.buffer else self.fetched_to
        return records
