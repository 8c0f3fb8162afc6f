"""The group automaton: who is in a group, in which generation, and what each member was told to read.

A rebalance: somebody joins, leaves or expires; the others learn it from the answer to a heartbeat, and join again. When
all have, the generation is one higher, and whoever speaks in the name of an older one is fenced. The leader, a member,
assigns; what it says is written to the log before anybody is told, so that the next coordinator knows it.

Three clocks run. The session's: a member that is not heard of is out, unless it waits for us. The rebalance's: who has
not joined, or then not synced, when it ends is out. And the first round's, see `rounds`. How long a member works on
what it polled is its own affair: if too long, it leaves by itself (`max.poll.interval.ms`, M29).

A static member (`group.instance.id`, KIP-345) that comes back without its id takes its own place, assignment included,
and nobody else notices; whoever still uses the old id is fenced.

Nothing here knows a connection or a log: events go in, effects come out. Every ticket is answered exactly once.

Source: Kafka's GroupCoordinator, GroupMetadata (3.x). Left out: KIP-848.
"""

from __future__ import annotations

from typing import Any

from kafkalite.groups.membership import Member, Membership
from kafkalite.groups.rebalance import Rebalance
from kafkalite.groups.rounds import NEVER_MS, JoinRound
from kafkalite.groups.states import Happening, State
from kafkalite.node import handler_name
from kafkalite.types import (
    Answer,
    AnswerJoin,
    AnswerSync,
    CommitAsked,
    GroupLoaded,
    GroupUnloaded,
    HeartbeatAsked,
    JoinAsked,
    LeaveAsked,
    MemberGone,
    SyncAsked,
    TimePassed,
)


class Group(Rebalance):
    """One group. `on` applies an event; `due_ms` says when it wants to hear TimePassed, at the latest."""

    def on(self, event: Any, now_ms: float) -> list[Any]:
        """Apply one event; return effects, in order."""
        self._now_ms = now_ms
        getattr(self, handler_name(type(event)))(event)
        self._complete_when_all_joined()
        effects, self._effects = self._effects, []
        return effects

    def due_ms(self) -> float:
        """When TimePassed is due at the latest; it may turn out that there was nothing to do."""
        return self._due_ms

    # Joining ----------------------------------------------------------------------------------------------------------

    def on_join_asked(self, event: JoinAsked) -> None:
        error = self._refusal_to_join(event)
        if error:
            self._effects.append(AnswerJoin(event.ticket, error, event.member))
        elif event.member in self._reserved:
            del self._reserved[event.member]
            self._admit(event, event.member)
        elif event.member:
            self._rejoin(event, self.roster.members[event.member])
        elif event.instance in self.roster.instances:
            self._replace(event, self.roster.members[self.roster.instances[event.instance]])
        elif event.needs_known_id and event.instance is None:
            self._reserved[event.new_member] = self._wake_at(self._now_ms + event.session_timeout_ms)
            self._effects.append(AnswerJoin(event.ticket, "MEMBER_ID_REQUIRED", event.new_member))
        else:
            self._admit(event, event.new_member)

    def _refusal_to_join(self, event: JoinAsked) -> str:
        if self.state is State.DEAD:
            return "COORDINATOR_NOT_AVAILABLE"
        if event.instance not in self.roster.instances and not self._has_room(event.member):
            if event.member in self.roster.members:
                self._expel(event.member, "late")
            return "GROUP_MAX_SIZE_REACHED"
        is_understood = bool(event.protocol_type and event.protocols)
        if self.state is not State.EMPTY:
            is_understood = event.protocol_type == self.protocol_type and self.roster.supports(event.protocols)
        if not is_understood:
            return "INCONSISTENT_GROUP_PROTOCOL"
        is_new = not event.member or (event.member in self._reserved and event.instance is None)
        return "" if is_new else self.roster.stranger(event.member, event.instance)

    def _has_room(self, member: str) -> bool:
        if self.state is State.EMPTY:
            return True
        known: Any = self._joining.waiting if self.state is State.PREPARING_REBALANCE else self.roster.members
        return member in known or len(known) < self._settings.max_size

    def _admit(self, event: JoinAsked, member_id: str) -> None:
        if self.state is State.EMPTY:
            self.protocol_type = event.protocol_type
        self._joining.has_grown = self.state is State.PREPARING_REBALANCE and self.generation == 0
        member = self.roster.add(event, member_id)
        member.expires_ms = self._wake_at(self._now_ms + self._settings.new_member_timeout_ms)
        self._let_wait(event, member)
        self._prepare(f"{member_id} joins")

    def _rejoin(self, event: JoinAsked, member: Member) -> None:
        is_same = member.protocols == event.protocols
        is_told_again = self.state is State.STABLE and member.id != self.roster.leader
        if is_same and (is_told_again or self.state is State.COMPLETING_REBALANCE):
            self._effects.append(self._joined(event.ticket, member))  # its last answer got lost
            return
        self._let_wait(event, member)
        self._prepare(f"{member.id} joins again")

    def _let_wait(self, event: JoinAsked, member: Member) -> None:
        self.roster.update(member, event)
        earlier = self._joining.waiting.get(member.id)
        if earlier is not None:
            self._effects.append(AnswerJoin(earlier, "REBALANCE_IN_PROGRESS", member.id))
        self._joining.waiting[member.id] = event.ticket

    def _replace(self, event: JoinAsked, member: Member) -> None:
        """A static member is back, under a new id: it takes its place, and whoever uses the old id is fenced."""
        old_id, old_leader = member.id, self.roster.leader
        self._dismiss(old_id, "FENCED_INSTANCE_ID")
        self.roster.rename(member, event.new_member)
        self._syncing.rename(old_id, member.id)
        self._effects.append(MemberGone(old_id, event.instance, "fenced"))
        self._touch(member)
        if self.state is State.STABLE and self.roster.vote_after(member, event) == self.protocol:
            self.roster.update(member, event)
            joined = self._joined(event.ticket, member, skips=event.can_skip_assignment)
            if not event.can_skip_assignment:  # one that does not know better must not take itself for the leader
                joined = self._joined(event.ticket, member, leader=old_leader)
            self._replaced[self._store({})] = joined
            return
        self._let_wait(event, member)
        self._prepare(f"{old_id} is back as {member.id}")

    # Syncing ----------------------------------------------------------------------------------------------------------

    def on_sync_asked(self, event: SyncAsked) -> None:
        error = self._refusal(event.member, event.instance, event.generation)
        if not error and event.protocol_type not in {None, self.protocol_type}:
            error = "INCONSISTENT_GROUP_PROTOCOL"
        if not error and event.protocol not in {None, self.protocol}:
            error = "INCONSISTENT_GROUP_PROTOCOL"
        if not error and self.state is State.PREPARING_REBALANCE:
            error = "REBALANCE_IN_PROGRESS"
        if error:
            self._effects.append(AnswerSync(event.ticket, error))
            return
        self._syncing.came(event.member)
        if self.state is State.STABLE:
            self._answer_sync(event.ticket, self.roster.members[event.member])
            return
        earlier = self._syncing.waiting.get(event.member)
        if earlier is not None:
            self._effects.append(AnswerSync(earlier, "REBALANCE_IN_PROGRESS"))
        self._syncing.waiting[event.member] = event.ticket
        if event.member == self.roster.leader:
            assigned = dict(event.assignments)
            self._syncing.assignments = {member: assigned.get(member, b"") for member in self.roster.members}
            self._syncing.store = self._store(self._syncing.assignments)

    # Being there ------------------------------------------------------------------------------------------------------

    def on_heartbeat_asked(self, event: HeartbeatAsked) -> None:
        error = self._refusal(event.member, event.instance, event.generation)
        if not error:
            self._touch(self.roster.members[event.member])
            error = "REBALANCE_IN_PROGRESS" if self.state is State.PREPARING_REBALANCE else "NONE"
        self._effects.append(Answer(event.ticket, error))

    def on_commit_asked(self, event: CommitAsked) -> None:
        """Whoever is of the current generation may commit, also while the others are joining the next."""
        is_nobody = event.generation < 0 and not event.member and event.instance is None
        if self.state is State.DEAD:
            error = "COORDINATOR_NOT_AVAILABLE"
        elif event.generation < 0 and (self.state is State.EMPTY or (is_nobody and event.is_transactional)):
            error = "NONE"
        elif is_nobody:
            error = "UNKNOWN_MEMBER_ID"  # partitions assigned by hand, in a group whose members are assigned theirs
        else:
            error = self._refusal(event.member, event.instance, event.generation)
            if not error and self.state is State.COMPLETING_REBALANCE and not event.is_transactional:
                error = "REBALANCE_IN_PROGRESS"
            if not error:
                self._touch(self.roster.members[event.member])
        self._effects.append(Answer(event.ticket, error or "NONE"))

    def on_leave_asked(self, event: LeaveAsked) -> None:
        member = event.member or self.roster.instances.get(event.instance, "")
        if self.state is State.DEAD:
            error = "COORDINATOR_NOT_AVAILABLE"
        elif self._reserved.pop(member, None) is not None:
            error = "NONE"
        else:
            error = self.roster.stranger(member, event.instance) or "NONE"
        self._effects.append(Answer(event.ticket, error))
        if error == "NONE" and member in self.roster.members:
            self._expel(member, "left")
            self._rebalance_without(f"{member} left")

    def _refusal(self, member: str, instance: str | None, generation: int) -> str:
        if self.state is State.DEAD:
            return "COORDINATOR_NOT_AVAILABLE"
        error = self.roster.stranger(member, instance) or self._fence(generation, self.generation)
        return "" if error == "NONE" else error

    def _rebalance_without(self, reason: str) -> None:
        if self.state in {State.STABLE, State.COMPLETING_REBALANCE}:
            self._prepare(reason)

    # Time -------------------------------------------------------------------------------------------------------------

    def on_time_passed(self, event: TimePassed) -> None:
        self._due_ms = NEVER_MS
        now_ms = self._now_ms
        for member_id in [one for one, until_ms in self._reserved.items() if until_ms <= now_ms]:
            del self._reserved[member_id]
        expired = [member.id for member in self.roster.members.values() if self._expires_ms(member) <= now_ms]
        for member_id in expired:
            self._expel(member_id, "expired")
        if expired:
            self._rebalance_without(f"{', '.join(expired)} expired")
        late = self._syncing.missing(now_ms)
        for member_id in late:
            self._expel(member_id, "late")
        if late:
            self._rebalance_without(f"{', '.join(late)} did not sync in time")
        if self._joining.is_over(now_ms):
            self._complete_join()
        for at_ms in (self._joining.until_ms, self._syncing.until_ms, *self._reserved.values()):
            self._wake_at(at_ms)
        for member in self.roster.members.values():
            self._wake_at(self._expires_ms(member))

    def _expires_ms(self, member: Member) -> float:
        """Who waits for us cannot send heartbeats; but one who is new may not wait for ever."""
        is_waiting = member.id in self._joining.waiting or member.id in self._syncing.waiting
        return NEVER_MS if is_waiting and not member.is_new else member.expires_ms

    # Another coordinator ----------------------------------------------------------------------------------------------

    def on_group_loaded(self, event: GroupLoaded) -> None:
        image = event.image
        self.protocol_type, self.generation, self.protocol = image.protocol_type, image.generation, image.protocol
        self.roster = Membership.restored(image)
        self.state = State.STABLE if image.members else State.EMPTY
        for member in self.roster.members.values():
            self._touch(member)

    def on_group_unloaded(self, event: GroupUnloaded) -> None:
        self._end_sync(event.error)
        answers = [AnswerJoin(ticket, event.error, member) for member, ticket in self._joining.waiting.items()]
        answers += [AnswerJoin(joined.ticket, event.error, joined.member) for joined in self._replaced.values()]
        self._effects += answers
        self._joining = JoinRound()
        self._replaced.clear()
        self.roster = Membership()
        self._due_ms = NEVER_MS
        self._turn(Happening.UNLOADED, event.error)
