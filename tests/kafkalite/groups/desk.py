"""A group at a desk: it is asked, time passes when it wants to hear of it, and what it must keep to is looked at."""

from __future__ import annotations

from typing import Any

from kafkalite.groups.group import Group
from kafkalite.groups.states import State
from kafkalite.types import (
    Answer,
    AnswerJoin,
    AnswerSync,
    CommitAsked,
    GroupSettings,
    GroupStored,
    GroupTurned,
    HeartbeatAsked,
    JoinAsked,
    LeaveAsked,
    MemberGone,
    StoreGroup,
    SyncAsked,
    TimePassed,
)

RANGE = (("range", b"A"),)
SESSION_MS, REBALANCE_MS = 45_000, 60_000
FIRST_ROUND_MS = 6000  # of a group that was empty, when more than one comes at once


class Desk:
    """Asks the group, and keeps what it answers. With `stores_at_once` the log takes everything without delay."""

    def __init__(self, *, stores_at_once: bool = True, prefix: str = "m", **settings: Any) -> None:
        self.prefix = prefix
        self.group = Group(GroupSettings(**settings))
        self.now_ms = 0.0
        self.stores_at_once = stores_at_once
        self.asked: dict[int, Any] = {}
        self.answers: dict[int, Any] = {}
        self.effects: list[Any] = []
        self.unstored: list[StoreGroup] = []

    # Asking ---------------------------------------------------------------------------------------------------------

    def on(self, event: Any) -> None:
        ticket = getattr(event, "ticket", None)
        if ticket is not None:
            self.asked[ticket] = event
        effects = self.group.on(event, self.now_ms)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, AnswerJoin | AnswerSync | Answer):
                assert effect.ticket in self.asked.keys() - self.answers.keys(), "asked once, answered once"
                self.answers[effect.ticket] = effect
        check(self.group)
        self.unstored += [effect for effect in effects if isinstance(effect, StoreGroup)]
        while self.stores_at_once and self.unstored:
            self.on(GroupStored(self.unstored.pop(0).number))

    def run_for(self, for_ms: float) -> None:
        """Let time pass, and tell the group when it wants to be told."""
        end_ms = self.now_ms + for_ms
        while self.group.due_ms() <= end_ms:
            self.now_ms = max(self.now_ms, self.group.due_ms())
            self.on(TimePassed())
        self.now_ms = end_ms

    def _ticket(self) -> int:
        return len(self.asked) + 1

    def join(self, member: str = "", *, protocols: tuple[tuple[str, bytes], ...] = RANGE, **more: Any) -> int:
        """Ask to be in; without an id the member is new, and will be m<ticket>."""
        ticket = self._ticket()
        times = {"session_timeout_ms": SESSION_MS, "rebalance_timeout_ms": REBALANCE_MS}
        self.on(
            JoinAsked(ticket, member, protocols, f"{self.prefix}{ticket}", **{"needs_known_id": False, **times, **more})
        )
        return ticket

    def sync(self, member: str, assigned: dict[str, bytes] | None = None, generation: int | None = None) -> int:
        ticket = self._ticket()
        asked = self.group.generation if generation is None else generation
        self.on(SyncAsked(ticket, member, asked, assignments=tuple((assigned or {}).items())))
        return ticket

    def heartbeat(self, member: str, generation: int | None = None, instance: str | None = None) -> str:
        asked = self.group.generation if generation is None else generation
        return self._now(HeartbeatAsked(self._ticket(), member, asked, instance))

    def commit(self, member: str, generation: int, **more: Any) -> str:
        return self._now(CommitAsked(self._ticket(), member, generation, **more))

    def leave(self, member: str, instance: str | None = None) -> str:
        return self._now(LeaveAsked(self._ticket(), member, instance))

    def _now(self, event: Any) -> str:
        self.on(event)
        error: str = self.answers[event.ticket].error
        return error

    # What came of it ------------------------------------------------------------------------------------------------

    def error(self, ticket: int) -> str | None:
        """The answer's error; None while it waits."""
        return self.answers[ticket].error if ticket in self.answers else None

    def stable(self, count: int, **more: Any) -> list[str]:
        """Members of a new, stable group, the leader first; each is assigned its own name."""
        tickets = [self.join(**more) for _ in range(count)]
        self.run_for(FIRST_ROUND_MS)
        names = [self.answers[ticket].member for ticket in tickets]
        self.sync_all(names)
        return names

    def sync_all(self, names: list[str]) -> None:
        for name in names:
            self.sync(name, {one: one.encode() for one in names} if name == self.group.roster.leader else None)

    def states(self) -> list[str]:
        return [effect.state for effect in self.effects if isinstance(effect, GroupTurned)]

    def gone(self) -> list[tuple[str, str]]:
        return [(effect.member, effect.reason) for effect in self.effects if isinstance(effect, MemberGone)]


def check(group: Group) -> None:
    """What the class says of itself."""
    members, state = group.roster.members, group.state
    if state in {State.EMPTY, State.DEAD}:
        assert not members
    if state in {State.COMPLETING_REBALANCE, State.STABLE}:
        assert members
        assert group.protocol
    assert (group.roster.leader in members) if members else not group.roster.leader
    assert state is State.PREPARING_REBALANCE or not group._joining.waiting
    assert state is State.COMPLETING_REBALANCE or not group._syncing.waiting
    assert group._joining.waiting.keys() <= members.keys()
    assert group._syncing.waiting.keys() <= members.keys()
    instances = {member.instance: name for name, member in members.items() if member.instance is not None}
    assert instances == group.roster.instances
    has_nothing_to_wait_for = state in {State.EMPTY, State.DEAD} or group._syncing.store
    assert has_nothing_to_wait_for or group.due_ms() < float("inf")
