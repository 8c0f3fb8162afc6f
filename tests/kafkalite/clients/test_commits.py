"""A commit that is sent again, or late, neither undoes a later one nor speaks for a generation that is over."""

from __future__ import annotations

from typing import Any

from kafkalite.clients.commits import Commits
from kafkalite.config import ClientConfig, GroupConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Called, Node, PeerLost, Received, Send, TimerFired
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)

PARTITION, COORDINATOR = ("A", 0), "b101#group"
RETRY = TimerFired("commits.retry")
ANSWER = OffsetCommitResponse(0, (OffsetCommitResponseTopic("A", (OffsetCommitResponsePartition(0, ErrorCode.NONE),)),))


class Program(Node):
    """Commits in the name of m1; it is its own discovery, and its own lookup of the coordinator."""

    def __init__(self) -> None:
        super().__init__("c1")
        self.member, self.generation = "m1", 1
        self.coordinator: str | None = COORDINATOR
        self.told: list[tuple[int, ErrorCode]] = []
        rooms: Any = self
        self.commits = Commits(self, rooms, rooms, (ClientConfig(("b101",)), GroupConfig("g")), self)

    def peer(self) -> str | None:
        return self.coordinator

    def lost(self, peer: str) -> None:
        """It is looked for, and found again."""

    def heard(self, peer: str) -> None:
        """It lives."""

    def commit(self, offset: int, is_sync: bool) -> None:
        self.commits.commit({PARTITION: (offset, 0)}, self.answered, offset, is_sync=is_sync)

    def answered(self, error: ErrorCode, offset: int) -> None:
        self.told.append((offset, error))

    def sends(self, event: Any) -> list[int]:
        """A second later, something happens: the offsets that it then tells the coordinator."""
        effects = self.handle(event, self.now_ms + 1000)
        asked = [one.message for one in effects if isinstance(one, Send)]
        return [_offset(one) for one in asked if isinstance(one, OffsetCommitRequest)]


def _offset(request: OffsetCommitRequest) -> int:
    return request.topics[0].partitions[0].committed_offset


def async_commit(offset: int) -> Called:
    return Called("commit", (offset, False))


def sync_commit(offset: int) -> Called:
    return Called("commit", (offset, True))


def test_a_commit_that_waited_for_the_coordinator_does_not_undo_a_later_one() -> None:
    """O2: what the group remembers is what was committed last."""
    program = Program()
    program.coordinator = None
    assert [] == program.sends(async_commit(15))
    program.coordinator = COORDINATOR

    assert {16} == {*program.sends(sync_commit(16)), *program.sends(RETRY)}


def test_a_commit_that_is_sent_again_says_what_was_asked_last() -> None:
    """The later one may have arrived, and only its answer be lost."""
    program = Program()
    assert [5] == program.sends(sync_commit(5))
    assert [8] == program.sends(async_commit(8))
    program.sends(PeerLost(COORDINATOR))

    assert [8] == program.sends(RETRY)
    assert [(8, ErrorCode.NETWORK_EXCEPTION)] == program.told
    program.sends(Received(COORDINATOR, ANSWER))
    assert (5, ErrorCode.NONE) == program.told[-1]


def test_a_commit_of_a_generation_that_is_over_is_given_up() -> None:
    """Its partitions may be another member's by now."""
    program = Program()
    assert [5] == program.sends(sync_commit(5))
    program.sends(PeerLost(COORDINATOR))
    program.generation = 2

    assert [] == program.sends(RETRY)
    assert [(5, ErrorCode.ILLEGAL_GENERATION)] == program.told
