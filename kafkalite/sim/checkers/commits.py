"""What a group's bookmarks keep to: never ahead of what was read, never back, never forgotten, and fenced.

commit-ahead          committed beyond where any member has come
commit-off-position   committed where no member ever stood: the last record read instead of the next one to read
commit-unprocessed    committed before the program was done with it, though the group commits behind its work
commit-retreat        committed less than before, though nobody's position was reset
stale-commit          committed in the name of a generation that is over
unreplicated-commit   acknowledged, and no coordinator has said that all in sync have it
lost-commit           a coordinator does not know what was committed

group-skip            committed behind a record that no member was ever handed (found when the run has ended)
"""

from __future__ import annotations

from collections.abc import Iterator

from kafkalite.facts import CommitAnswered, MarkerWritten, OffsetsCommitted, OffsetsFetched
from kafkalite.sim.checkers.group_invariants import GroupCheck
from kafkalite.sim.checkers.group_world import Groups
from kafkalite.sim.checkers.history import History
from kafkalite.sim.checkers.violation import Announced, Report, Violation
from kafkalite.sim.checkers.world import World
from kafkalite.types import TopicPartition


class CommitCheck(GroupCheck):
    """A check of commits by members: those in the name of a generation."""

    def on_offsets_committed(self, at: Announced) -> None:
        fact: OffsetsCommitted = at.fact
        if fact.generation >= 0 and fact.group in self.world.expectations.groups:
            for topic, partition, offset in fact.offsets:
                self.look(at, topic, partition, offset)

    def look(self, at: Announced, topic: str, partition: int, offset: int) -> None:
        """Judge one offset."""


class CommitAhead(CommitCheck):
    """A group commits nothing beyond where its members have come."""

    name = "commit-ahead"

    def look(self, at: Announced, topic: str, partition: int, offset: int) -> None:
        furthest = self.groups.of(at.fact.group, (topic, partition)).furthest
        if offset > furthest:
            self.violated(f"{at.fact.group} commits {offset} of {topic}-{partition}, and came to {furthest}", at)


class CommitOffPosition(CommitCheck):
    """What is committed is a position: the next offset that a member would have read (M31)."""

    name = "commit-off-position"

    def look(self, at: Announced, topic: str, partition: int, offset: int) -> None:
        progress = self.groups.of(at.fact.group, (topic, partition))
        if offset not in progress.positions and offset <= progress.furthest:
            self.violated(f"{at.fact.group} commits {offset} of {topic}-{partition}, where no member ever stood", at)


class CommitUnprocessed(CommitCheck):
    """A group that commits behind its work commits only what its members are done with."""

    name = "commit-unprocessed"

    def __init__(self, world: World, report: Report, groups: Groups) -> None:
        super().__init__(world, report, groups)
        self._markers: dict[TopicPartition, set[int]] = {}  # a position goes past them, and nobody works on them

    def on_marker_written(self, at: Announced) -> None:
        fact: MarkerWritten = at.fact
        self._markers.setdefault((fact.topic, fact.partition), set()).add(fact.offset)

    def look(self, at: Announced, topic: str, partition: int, offset: int) -> None:
        processed = self.groups.of(at.fact.group, (topic, partition)).processed
        markers = self._markers.get((topic, partition), ())
        while processed in markers:
            processed += 1
        if self.world.expectations.groups[at.fact.group].commits_behind_work and offset > processed:
            self.violated(f"{at.fact.group} commits {offset} of {topic}-{partition}, and is done with {processed}", at)


class CommitRetreat(CommitCheck):
    """A group's bookmark does not go back, unless the member that moves it was put back itself."""

    name = "commit-retreat"

    def look(self, at: Announced, topic: str, partition: int, offset: int) -> None:
        progress = self.groups.of(at.fact.group, (topic, partition))
        if progress.committed is None or offset >= progress.committed[0]:
            return
        if any(put_at <= progress.committed[0] for put_at in progress.resets.values()) or self.groups.is_forgiven():
            return
        was, before = progress.committed
        self.violated(f"{at.fact.group} goes back from {was} to {offset} in {topic}-{partition}", at, before)


class StaleCommit(GroupCheck):
    """Who is not of the newest generation does not commit: it is fenced."""

    name = "stale-commit"

    def on_offsets_committed(self, at: Announced) -> None:
        fact: OffsetsCommitted = at.fact
        stable = self.groups.stable.get(fact.group)
        if stable is None or stable.node != at.node or not 0 <= fact.generation < stable.fact.generation:
            return
        if self.groups.is_forgiven():  # the newer generation went with its record, and this one is the newest again
            return
        self.violated(f"{fact.member} commits in generation {fact.generation} of {fact.group}", at, stable)


class UnreplicatedCommit(GroupCheck):
    """A commit is acknowledged once all in sync have it."""

    name = "unreplicated-commit"

    def on_commit_answered(self, at: Announced) -> None:
        fact: CommitAnswered = at.fact
        if fact.error != "NONE":
            return
        for topic, partition, offset in fact.offsets:
            if offset not in self.groups.of(fact.group, (topic, partition)).ever_committed:
                self.violated(f"{at.node} is told that {offset} of {topic}-{partition} is committed; it is not", at)


class LostCommit(GroupCheck):
    """What a group has committed, its coordinator knows: this one, and the one after a failover."""

    name = "lost-commit"

    def on_offsets_fetched(self, at: Announced) -> None:
        fact: OffsetsFetched = at.fact
        groups = self.groups
        if groups.coordinators.get(groups.index_of(fact.group)) != at.node:
            return  # deposed, and does not know it yet
        for topic, partition, offset in fact.offsets:
            progress = groups.of(fact.group, (topic, partition))
            committed, put_back = progress.committed, progress.put_back
            # The log may have more than anybody was told, also of a member that was put back since and committed less.
            if put_back is not None and put_back <= offset:
                continue
            if committed is not None and offset < committed[0] and not groups.is_forgiven():
                self.violated(
                    f"{fact.group} had committed {committed[0]} of {topic}-{partition}; {at.node} says {offset}",
                    *(at, committed[1]),
                )


INVARIANTS: tuple[type[GroupCheck], ...] = (
    CommitAhead,
    CommitOffPosition,
    CommitUnprocessed,
    CommitRetreat,
    StaleCommit,
    UnreplicatedCommit,
    LostCommit,
)
NAMES = ("group-skip",)


def found(groups: Groups, history: History, world: World) -> Iterator[Violation]:
    """Records that a group's bookmark has passed without any member having been handed them."""
    for (group, topic, partition), progress in sorted(groups.progress.items()):
        is_judged = group in world.expectations.groups and not world.expectations.of_topic(topic).is_compacted
        if not is_judged or progress.committed is None or topic in world.deleted:
            continue
        view = world.partition(topic, partition)
        values = history.partition(topic, partition).values
        end = min(progress.committed[0], view.forgiven_from)
        for offset in range(view.start, end):
            if offset in values and offset not in progress.handed:
                yield Violation(
                    "group-skip",
                    f"{group} is at {end} of {topic}-{partition}, and no member was handed {offset}",
                    progress.committed[1].now_ms,
                    (values[offset], progress.committed[1]),
                    f"{topic}-{partition}",
                )
                break
