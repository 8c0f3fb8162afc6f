"""What the facts so far say of groups: what each coordinator has done, who reads what, and how far each group has come.

A *seat* is one broker's time as the coordinator of one group, from loading it to losing it: what it said before says
nothing about what it knows now. A *holding* is a partition that a consumer was assigned and has not given up.

Like the world, these are only books; `group_invariants` and `commits` judge, each fact before it is taken in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kafkalite.facts import (
    CoordinatorLoaded,
    GroupDeleted,
    GroupRebalancing,
    GroupStabilized,
    MemberJoined,
    OffsetsCommitted,
    OffsetsExpired,
    PartitionsAssigned,
    PartitionsRevoked,
    PollProcessed,
    PositionReset,
    RecordsPolled,
    TopicCreated,
)
from kafkalite.groups.placement import partition_of_group
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim.checkers.violation import Announced
from kafkalite.sim.checkers.world import World
from kafkalite.types import NodeName, TopicPartition

PAUSE_MS = 2000.0  # who reads nothing for so long may stand still, and know nothing
Place = tuple[str, str, int]  # a group, and a partition of a topic


@dataclass(slots=True)
class Seat:
    """What one coordinator has said of a group."""

    index: int  # of the partition of `__consumer_offsets` that it leads for it
    is_stable: bool = False
    generation: int = -1
    joined: dict[str, int] = field(default_factory=dict)  # member -> the generation it joined last
    joining: int = -1  # the generation that was joined last
    joining_ms: float = float("inf")  # since when: its leader assigns what it was told then
    gone: dict[str, Announced] = field(default_factory=dict)  # members that left, expired, or were fenced
    orphaned: Announced | None = None  # a member of a stable generation is gone, and nobody was told to join again
    fenced: Announced | None = None  # the newest: a static member has come back


@dataclass(frozen=True, slots=True)
class Holding:
    """A partition that a consumer reads, in the name of a member."""

    member: str
    generation: int
    at: Announced


class Progress:
    """How far one group is in one partition."""

    __slots__ = (
        *("committed", "ever_committed", "furthest", "handed", "positions"),
        *("processed", "put_back", "reads", "resets"),
    )

    def __init__(self) -> None:
        self.committed: tuple[int, Announced] | None = None  # None: it never said, or it was forgotten
        self.ever_committed: set[int] = set()
        self.positions: set[int] = set()  # where any member ever stood
        self.furthest = 0  # of these
        self.reads: dict[NodeName, tuple[float, float]] = {}  # member -> since when it has read on, and when last
        self.handed: set[int] = set()  # offsets that any member was handed
        self.processed = 0  # up to where members are done with what they were handed
        self.resets: dict[NodeName, int] = {}  # member -> where the log had it put, since it reads there
        self.put_back: int | None = None  # the least of these since the last commit, by whomever

    def stand(self, position: int) -> None:
        """A member is there."""
        self.positions.add(position)
        self.furthest = max(self.furthest, position)


class Groups:
    """All groups. `on_<fact>` methods take facts in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.offsets_partitions = 0
        self.partitions_of: dict[str, int] = {}  # of topics that have had so many from the beginning
        self.seats: dict[tuple[NodeName, str], Seat] = {}
        self.coordinators: dict[int, NodeName] = {}  # partition of `__consumer_offsets` -> who loaded it last
        self.stable: dict[str, Announced] = {}  # group -> its newest generation
        self.coordinator_of: dict[str, NodeName] = {}  # member -> with whom it joined last
        self.held: dict[str, dict[TopicPartition, dict[NodeName, Holding]]] = {}
        self.given_up_ms: dict[Place, float] = {}  # when a member did so last
        self.group_of: dict[NodeName, str] = {}
        self.progress: dict[Place, Progress] = {}

    # Looking up -----------------------------------------------------------------------------------------------------

    def index_of(self, group: str) -> int:
        """The partition of `__consumer_offsets` that keeps the group."""
        return partition_of_group(group, self.offsets_partitions or 1)

    def seat(self, node: NodeName, group: str) -> Seat:
        """The group as that coordinator has it."""
        found = self.seats.get((node, group))
        if found is None:
            found = self.seats[node, group] = Seat(self.index_of(group))
        return found

    def of(self, group: str, partition: TopicPartition) -> Progress:
        """How far the group is there."""
        place = (group, *partition)
        found = self.progress.get(place)
        if found is None:
            found = self.progress[place] = Progress()
        return found

    def progress_at(self, node: NodeName, topic: str, partition: int) -> Progress | None:
        """The same for a consumer's group; None if it is in none."""
        group = self.group_of.get(node)
        return None if group is None else self.of(group, (topic, partition))

    def is_forgiven(self) -> bool:
        """Whether a committed record of `__consumer_offsets` was lost in a way that is allowed: groups go with it."""
        return self.world.has_lost(OFFSETS_TOPIC)

    # Coordinators ---------------------------------------------------------------------------------------------------

    def on_topic_created(self, at: Announced) -> None:
        fact: TopicCreated = at.fact
        self.partitions_of[fact.topic] = len(fact.assignment)
        if fact.topic == OFFSETS_TOPIC:
            self.offsets_partitions = len(fact.assignment)

    def on_partitions_added(self, at: Announced) -> None:
        self.partitions_of.pop(at.fact.topic, None)  # members learn it one after the other

    def on_coordinator_loaded(self, at: Announced) -> None:
        fact: CoordinatorLoaded = at.fact
        self.coordinators[fact.partition] = at.node
        for key in [key for key, seat in self.seats.items() if key[0] == at.node and seat.index == fact.partition]:
            del self.seats[key]

    def on_group_rebalancing(self, at: Announced) -> None:
        fact: GroupRebalancing = at.fact
        seat = self.seat(at.node, fact.group)
        seat.is_stable, seat.orphaned = False, None

    def on_group_stabilized(self, at: Announced) -> None:
        fact: GroupStabilized = at.fact
        seat = self.seat(at.node, fact.group)
        seat.is_stable, seat.generation, seat.orphaned = True, fact.generation, None
        self.stable[fact.group] = at

    def on_group_emptied(self, at: Announced) -> None:
        seat = self.seat(at.node, at.fact.group)
        seat.is_stable, seat.orphaned = False, None

    def on_group_deleted(self, at: Announced) -> None:
        fact: GroupDeleted = at.fact
        self.stable.pop(fact.group, None)
        self.seats.pop((at.node, fact.group), None)

    def on_member_joined(self, at: Announced) -> None:
        fact: MemberJoined = at.fact
        seat = self.seat(at.node, fact.group)
        seat.joined[fact.member] = fact.generation
        if seat.joining != fact.generation:
            seat.joining, seat.joining_ms = fact.generation, at.now_ms
        self.coordinator_of[fact.member] = at.node

    def on_member_left(self, at: Announced) -> None:
        self._gone(at)

    def on_member_expired(self, at: Announced) -> None:
        self._gone(at)

    def on_member_fenced(self, at: Announced) -> None:
        seat = self._gone(at)
        seat.orphaned, seat.fenced = None, at  # its place is taken

    def _gone(self, at: Announced) -> Seat:
        seat = self.seat(at.node, at.fact.group)
        seat.joined.pop(at.fact.member, None)
        seat.gone[at.fact.member] = at
        if seat.is_stable:
            seat.orphaned = seat.orphaned or at
        return seat

    # Consumers ------------------------------------------------------------------------------------------------------

    def on_partitions_assigned(self, at: Announced) -> None:
        fact: PartitionsAssigned = at.fact
        self.group_of[at.node] = fact.group
        held = self.held.setdefault(fact.group, {})
        for partition in fact.partitions:
            held.setdefault(partition, {})[at.node] = Holding(fact.member, fact.generation, at)
            self.of(fact.group, partition).resets.pop(at.node, None)

    def on_partitions_revoked(self, at: Announced) -> None:
        fact: PartitionsRevoked = at.fact
        held = self.held.get(fact.group, {})
        for partition in fact.partitions:
            held.get(partition, {}).pop(at.node, None)
            self.given_up_ms[fact.group, *partition] = at.now_ms

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        progress = self.progress_at(at.node, fact.topic, fact.partition)
        if progress is not None:
            progress.handed.update(fact.offsets)
            since_ms, last_ms = progress.reads.get(at.node, (at.now_ms, at.now_ms))
            is_going_on = at.now_ms - last_ms <= PAUSE_MS
            progress.reads[at.node] = since_ms if is_going_on else at.now_ms, at.now_ms
            progress.stand(fact.position)

    def on_position_reset(self, at: Announced) -> None:
        fact: PositionReset = at.fact
        progress = self.progress_at(at.node, fact.topic, fact.partition)
        if progress is None:
            return
        progress.stand(fact.position)
        progress.processed = max(progress.processed, fact.position)
        if fact.reason == "truncated" or fact.reason.startswith("out of range"):
            progress.resets[at.node] = fact.position
            progress.put_back = min(fact.position, fact.position if progress.put_back is None else progress.put_back)

    def on_poll_processed(self, at: Announced) -> None:
        fact: PollProcessed = at.fact
        for topic, partition, position in fact.positions:
            progress = self.of(fact.group, (topic, partition))
            progress.processed = max(progress.processed, position)

    # Bookmarks ------------------------------------------------------------------------------------------------------

    def on_offsets_committed(self, at: Announced) -> None:
        fact: OffsetsCommitted = at.fact
        for topic, partition, offset in fact.offsets:
            progress = self.of(fact.group, (topic, partition))
            progress.committed, progress.put_back = (offset, at), None
            progress.ever_committed.add(offset)

    def on_offsets_expired(self, at: Announced) -> None:
        fact: OffsetsExpired = at.fact
        for partition in fact.partitions:
            self.of(fact.group, partition).committed = None
