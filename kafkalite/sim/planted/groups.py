"""Bugs of groups: of assignors, coordinators, members, and of how far a group is."""

# ruff: noqa: ARG001 - a wrong rule does not look at what the right one looks at

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from kafkalite.broker.group_coordinator import GroupCoordinator
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.clients.group_consumer import GroupConsumer
from kafkalite.clients.position import LATEST
from kafkalite.errors import ErrorCode
from kafkalite.groups.assignors import Assignment, range_assign
from kafkalite.groups.fold import Fold
from kafkalite.groups.group import Group
from kafkalite.groups.records import OffsetRecord
from kafkalite.reference import REFERENCE
from kafkalite.sim.planted.bug import Bug, Patch
from kafkalite.sim.planted.group_runs import busy, cooperative, eager, failing, lazy, patient, static
from kafkalite.types import Answer, Subscription, TopicPartition

# Assignors ------------------------------------------------------------------------------------------------------------


def _leaves_one_out(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    equal = {topic: count - count % max(1, len(members)) for topic, count in partitions.items()}
    return range_assign(members, equal)


def _shares_the_last(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    found = range_assign(members, partitions)
    return {
        member: sorted({*owned, *((topic, count - 1) for topic, count in partitions.items())})
        for member, owned in found.items()
    }


def _at_once(owned: dict[str, list[TopicPartition]], target: Assignment) -> Assignment:
    return target


# The group ------------------------------------------------------------------------------------------------------------


def _any_generation(generation: int, current: int) -> str:
    return "NONE"


def _same_generation(complete: Callable[..., None]) -> Callable[..., None]:
    def completing(self: Any) -> None:
        before = self.generation
        self.generation = max(0, before - 1)
        complete(self)
        self.generation = max(before, self.generation)

    return completing


def _nobody_is_told(self: Any, reason: str) -> None:
    """Who is out is out; what it read stays its own."""


def _everybody_beats(beat: Callable[..., None]) -> Callable[..., None]:
    def beating(self: Any, event: Any) -> None:
        if event.member in self.roster.members:
            beat(self, event)
        else:
            self._effects.append(Answer(event.ticket, "NONE"))

    return beating


def _let_all_join(replace_member: Callable[..., None]) -> Callable[..., None]:
    def replacing(self: Any, event: Any, member: Any) -> None:
        self.roster.vote_after = _no_vote
        try:
            replace_member(self, event, member)
        finally:
            del self.roster.vote_after

    return replacing


def _no_vote(member: Any, event: Any) -> str | None:
    return None


def _one_more(self: Any, event: Any, member: Any) -> None:
    self._admit(event, event.new_member)


# The coordinator ------------------------------------------------------------------------------------------------------


def _keeps_what_it_led(changed: Callable[..., None]) -> Callable[..., None]:
    def changing(self: Any, key: TopicPartition) -> None:
        if self._replicas.partitions[key].is_leader or key[1] not in self.loaded:
            changed(self, key)

    return changing


def _answers_at_once(commit: Callable[..., None]) -> Callable[..., None]:
    def committing(self: Any, held: Any, asked: Any, offsets: Any, then: Any, *arguments: Any) -> None:
        then(ErrorCode.NONE, *arguments)
        commit(self, held, asked, offsets, _nobody)

    return committing


def _nobody(error: ErrorCode) -> None:
    """The one who asked was told long ago."""


def _loads_groups_alone(load: Callable[..., bool]) -> Callable[..., bool]:
    def loading(self: Any, log: Any, max_bytes: int) -> bool:
        self._apply_offset = _forgotten
        try:
            return load(self, log, max_bytes)
        finally:
            del self._apply_offset

    return loading


def _forgotten(found: OffsetRecord, at: int, producer_id: int | None) -> None:
    """A bookmark that nobody keeps."""


# Members --------------------------------------------------------------------------------------------------------------


def _last_processed(consumed: Callable[..., Any]) -> Callable[..., Any]:
    def last(self: Any) -> Any:
        return {one: (max(0, offset - 1), epoch) for one, (offset, epoch) in consumed(self).items()}

    return last


def _commits_what_it_begins(hand_over: Callable[..., None]) -> Callable[..., None]:
    def handing(self: Any) -> None:
        hand_over(self)
        if self._is_busy and self._group.enable_auto_commit and self.membership.is_settled:
            self.commit_async()

    return handing


def _reads_on(revoke: Callable[..., None]) -> Callable[..., None]:
    def revoking(self: Any, partitions: Any, *, is_lost: bool) -> None:
        if not is_lost:
            revoke(self, partitions, is_lost=is_lost)

    return revoking


def _begins(offset: int | None) -> Callable[..., None]:
    """Whatever is committed, begin there; None: as the policy says."""

    def beginning(self: Any, found: Any, spoke_as: Any) -> None:
        for partition in found:
            if partition in self._owned and partition not in self.fetcher.positions:
                self.fetcher.assign(partition, offset)
        self.fetcher.pump()

    return beginning


BUGS = (
    Bug(
        "range-leaves-one-out",
        "The range assignor deals out equal stretches, and forgets what is left over.",
        ("unassigned-partition",),
        eager,
        1,
        replace(REFERENCE, range_assign=_leaves_one_out),
    ),
    Bug(
        "range-gives-one-to-all",
        "The range assignor gives the last partition of a topic to everybody (M25).",
        ("two-owners",),
        eager,
        1,
        replace(REFERENCE, range_assign=_shares_the_last),
    ),
    Bug(
        "assigns-before-it-is-revoked",
        "The cooperative assignor tells the new owner at once, while the old one reads on (M28).",
        ("assigned-before-revoked",),
        cooperative,
        1,
        replace(REFERENCE, reconcile=_at_once),
    ),
    Bug(
        "any-generation-will-do",
        "A coordinator does not ask in the name of which generation a member speaks (M30).",
        ("stale-commit",),
        patient,
        3,
        replace(REFERENCE, group=partial(Group, fence=_any_generation)),
    ),
    Bug(
        "generation-stays",
        "A rebalance begins no new generation: nobody who missed it can be told from the others.",
        ("generation-retreat",),
        eager,
        1,
        patches=(Patch(Group, "_complete_join", _same_generation(Group._complete_join)),),  # noqa: SLF001
    ),
    Bug(
        "the-dead-keep-what-they-had",
        "A member is thrown out, and the others are not told: what it read is read by nobody (C3).",
        ("orphaned-partitions",),
        eager,
        1,
        patches=(Patch(Group, "_rebalance_without", _nobody_is_told),),
    ),
    Bug(
        "heartbeats-of-the-dead",
        "A coordinator answers heartbeats of members that it has thrown out as if all were well.",
        ("zombie-reader",),
        lazy,
        1,
        patches=(Patch(Group, "on_heartbeat_asked", _everybody_beats(Group.on_heartbeat_asked)),),
    ),
    Bug(
        "everybody-joins-again-for-a-restart",
        "A static member that comes back makes the whole group rebalance.",
        ("static-rebalance",),
        static,
        1,
        patches=(Patch(Group, "_replace", _let_all_join(Group._replace)),),
    ),
    Bug(
        "two-of-one-instance",
        "A static member that comes back is one more member; the old one is not fenced.",
        ("two-of-an-instance",),
        patient,
        1,
        patches=(Patch(Group, "_replace", _one_more),),
    ),
    Bug(
        "two-coordinators",
        "A broker that leads a group's partition no more goes on coordinating the group.",
        ("two-coordinators",),
        failing,
        4,
        patches=(Patch(OffsetsTopic, "_changed", _keeps_what_it_led(OffsetsTopic._changed)),),  # noqa: SLF001
    ),
    Bug(
        "bookmarks-die-with-the-coordinator",
        "A new coordinator loads who is in a group, and not how far the group is (O2).",
        ("lost-commit",),
        failing,
        4,
        patches=(Patch(Fold, "load_some", _loads_groups_alone(Fold.load_some)),),
    ),
    Bug(
        "commits-are-answered-at-once",
        "A commit is acknowledged when it is in the coordinator's log, and not when all in sync have it.",
        ("unreplicated-commit", "lost-commit"),
        failing,
        1,
        patches=(Patch(GroupCoordinator, "commit", _answers_at_once(GroupCoordinator.commit)),),
    ),
    Bug(
        "commits-the-last-processed",
        "A member commits the offset of the last record it was handed, not the next one to read (M31).",
        ("commit-off-position",),
        eager,
        1,
        patches=(Patch(GroupConsumer, "_consumed", _last_processed(GroupConsumer._consumed)),),  # noqa: SLF001
    ),
    Bug(
        "commits-what-it-begins",
        "The automatic commit has what was handed over a moment ago: a crash while it is worked on loses it (M33).",
        ("commit-unprocessed",),
        busy,
        1,
        patches=(Patch(GroupConsumer, "_hand_over", _commits_what_it_begins(GroupConsumer._hand_over)),),  # noqa: SLF001
    ),
    Bug(
        "reads-on-when-it-is-out",
        "A member that was thrown out keeps reading what it had.",
        ("kept-when-out",),
        eager,
        4,
        patches=(Patch(GroupConsumer, "_revoke", _reads_on(GroupConsumer._revoke)),),  # noqa: SLF001
    ),
    Bug(
        "takes-over-from-the-beginning",
        "A member that takes a partition over begins at its beginning, whatever the group has committed (O1).",
        ("commit-retreat",),
        eager,
        1,
        patches=(Patch(GroupConsumer, "_begin", _begins(None)),),
    ),
    Bug(
        "takes-over-at-the-end",
        "A member that takes a partition over reads what is new, and not what nobody has read.",
        ("group-skip",),
        failing,
        1,
        patches=(Patch(GroupConsumer, "_begin", _begins(LATEST)),),
    ),
)
