"""A rebalance, from the inside: how a group goes from one generation to the next. Its doors are in `group`.

    MEMBERS_CHANGED   `_prepare`        a round of joining begins; who waited for an assignment is told to join again
    ALL_JOINED        `_complete_join`  the generation is one higher, an assignor is chosen, and a leader
    ASSIGNED          `_assign`         what the leader assigned is in the log, and so may be told

Source: Kafka's GroupCoordinator, GroupMetadata (3.x).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.groups.membership import Member, Membership
from kafkalite.groups.rounds import NEVER_MS, JoinRound, SyncRound
from kafkalite.groups.states import TRANSITIONS, Happening, State, fence
from kafkalite.types import (
    AnswerJoin,
    AnswerSync,
    GroupImage,
    GroupSettings,
    GroupStored,
    GroupTurned,
    MemberGone,
    StoreGroup,
)

DEFAULTS = GroupSettings()


class Rebalance:
    """The state of a group, and its moves from generation to generation; `_effects` collects what it does.

    Invariants: EMPTY and DEAD have no members, COMPLETING and STABLE have some; the leader is one of them; nobody waits
    for a join but in PREPARING, nor for an assignment but in COMPLETING.
    """

    def __init__(
        self,
        settings: GroupSettings = DEFAULTS,
        fence: Callable[[int, int], str] = fence,
    ) -> None:
        self.state = State.EMPTY
        self.generation = 0
        self.protocol_type = ""
        self.protocol: str | None = None
        self.roster = Membership()
        self._settings, self._fence = settings, fence
        self._joining, self._syncing = JoinRound(), SyncRound()
        self._reserved: dict[str, float] = {}  # ids that were given out, and until when they are good for joining
        self._due_ms = NEVER_MS
        self._stores = 0
        self._replaced: dict[int, AnswerJoin] = {}  # number of the store -> the answer to a static member that returned
        self._now_ms = 0.0
        self._effects: list[Any] = []

    def image(self) -> GroupImage:
        """The group as of now."""
        return self._image({})

    # Joining ----------------------------------------------------------------------------------------------------------

    def _prepare(self, reason: str) -> None:
        if self.state is State.PREPARING_REBALANCE:
            return
        if self.state is State.COMPLETING_REBALANCE:
            self._end_sync("REBALANCE_IN_PROGRESS")
        self._syncing.forget()
        timeout_ms = self.roster.rebalance_timeout_ms
        if self.state is State.EMPTY:
            self._joining.begin_first(self._now_ms, timeout_ms, self._settings.initial_rebalance_delay_ms)
        else:
            self._joining.begin(self._now_ms, timeout_ms)
        self._wake_at(self._joining.until_ms)
        self._turn(Happening.MEMBERS_CHANGED, reason)

    def _complete_when_all_joined(self) -> None:
        if self.state is not State.PREPARING_REBALANCE or self._joining.is_first or self._reserved:
            return
        if len(self._joining.waiting) == len(self.roster.members):
            self._complete_join()

    def _complete_join(self) -> None:
        """Begin a generation of those who have joined, and of static members, who have until their session ends."""
        roster, waiting = self.roster, self._joining.waiting
        for member in list(roster.members.values()):
            if member.id not in waiting and member.instance is None:
                self._expel(member.id, "late")
        if roster.members and not waiting:  # only static members that are away: their sessions will end
            self._joining.begin(self._now_ms, roster.rebalance_timeout_ms)
            return
        self.generation += 1
        self._joining.end()
        if not roster.members:
            self.protocol = None
            self._turn(Happening.NOBODY_JOINED, "nobody is left")
            self._store({})
            return
        if roster.leader not in waiting:
            roster.leader = next(iter(waiting))
        self.protocol = roster.vote()
        self._syncing.begin(list(roster.members), self._wake_at(self._now_ms + roster.rebalance_timeout_ms))
        self._turn(Happening.ALL_JOINED, f"{len(waiting)} joined")
        for member in roster.members.values():
            member.is_new = False
            self._touch(member)
            if member.id in waiting:
                self._effects.append(self._joined(waiting.pop(member.id), member))

    def _joined(self, ticket: int, member: Member, leader: str | None = None, *, skips: bool = False) -> AnswerJoin:
        leader = self.roster.leader if leader is None else leader
        is_leader = member.id == leader
        members = self.roster.subscriptions(self.protocol) if is_leader else ()
        kind = (self.protocol_type, self.protocol)
        skips_assignment = skips and is_leader
        return AnswerJoin(ticket, "NONE", member.id, self.generation, *kind, leader, members, skips_assignment)

    # Syncing ----------------------------------------------------------------------------------------------------------

    def on_group_stored(self, event: GroupStored) -> None:
        joined = self._replaced.pop(event.number, None)
        if joined is not None:
            failed = AnswerJoin(joined.ticket, event.error, joined.member)
            self._effects.append(joined if event.error == "NONE" else failed)
        if event.number != self._syncing.store or self.state is not State.COMPLETING_REBALANCE:
            return
        if event.error == "NONE":
            self._assign()
        else:
            self._end_sync(event.error)
            self._prepare(f"the assignment could not be stored: {event.error}")

    def _assign(self) -> None:
        self._turn(Happening.ASSIGNED, "assigned")
        for member in self.roster.members.values():
            member.assignment = self._syncing.assignments[member.id]
        for member_id, ticket in self._syncing.waiting.items():
            self._answer_sync(ticket, self.roster.members[member_id])
        self._syncing.waiting.clear()

    def _answer_sync(self, ticket: int, member: Member) -> None:
        self._touch(member)
        self._effects.append(AnswerSync(ticket, "NONE", member.assignment, self.protocol_type, self.protocol))

    def _end_sync(self, error: str) -> None:
        """Nobody is assigned anything in this generation: whoever waits for it is told why."""
        self._syncing.forget()
        for member in self.roster.members.values():
            member.assignment = b""
        for member_id, ticket in self._syncing.waiting.items():
            self._touch(self.roster.members[member_id])  # while it waited, its session could not be kept alive
            self._effects.append(AnswerSync(ticket, error))
        self._syncing.waiting.clear()

    # Members ----------------------------------------------------------------------------------------------------------

    def _touch(self, member: Member) -> None:
        member.expires_ms = self._wake_at(self._now_ms + member.session_timeout_ms)

    def _expel(self, member_id: str, reason: str) -> None:
        self._dismiss(member_id, "UNKNOWN_MEMBER_ID")
        self._syncing.came(member_id)
        member = self.roster.remove(member_id)
        self._effects.append(MemberGone(member_id, member.instance, reason))

    def _dismiss(self, member_id: str, error: str) -> None:
        """Nobody waits under this id any more."""
        if member_id in self._joining.waiting:
            self._effects.append(AnswerJoin(self._joining.waiting.pop(member_id), error, member_id))
        if member_id in self._syncing.waiting:
            self._effects.append(AnswerSync(self._syncing.waiting.pop(member_id), error))

    # The log, the clock, the table ------------------------------------------------------------------------------------

    def _store(self, assignments: dict[str, bytes]) -> int:
        self._stores += 1
        self._effects.append(StoreGroup(self._stores, self._image(assignments)))
        return self._stores

    def _image(self, assignments: dict[str, bytes]) -> GroupImage:
        members = self.roster.images(self.protocol, assignments)
        return GroupImage(self.protocol_type, self.generation, self.protocol, self.roster.leader or None, members)

    def _wake_at(self, at_ms: float) -> float:
        self._due_ms = min(self._due_ms, at_ms)
        return at_ms

    def _turn(self, happening: Happening, reason: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
        self._effects.append(GroupTurned(self.state.value, self.generation, reason))
