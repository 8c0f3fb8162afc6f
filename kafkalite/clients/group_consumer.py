"""A consumer in a group: its partitions are assigned to it, and it remembers where it is with its coordinator.

    subscribe -> membership -> partitions -> committed offsets -> fetcher -> records -> the program -> commit

The program is part of it: it polls, works `processing_ms` on every record, and polls again. Everything a Java consumer
does inside `poll` is done there, too: joining, giving up partitions, and the automatic commit, which commits where it
is *before* this poll's records: all that was handed over has been worked on by then (M33). A program that works is not
polling; if it takes longer than `max.poll.interval.ms`, its consumer leaves the group (M29).

Source: KafkaConsumer (the classic one), ConsumerCoordinator. Left out: patterns of topics, interceptors.
"""

from __future__ import annotations

from collections.abc import Callable

from kafkalite.clients.commits import Commits, Offsets
from kafkalite.clients.coordinator import CoordinatorLookup
from kafkalite.clients.discovery import Discovery
from kafkalite.clients.fetcher import Fetcher
from kafkalite.clients.membership import NO_GENERATION, Membership
from kafkalite.clients.position import State as PositionState
from kafkalite.clients.strategies import is_cooperative
from kafkalite.config import ClientConfig, ConsumerConfig, GroupConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import PartitionsAssigned, PartitionsRevoked, PollProcessed, RecordsPolled
from kafkalite.log.record import Record
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.types import NodeName, TopicPartition

Handed = list[tuple[TopicPartition, Record]]


class GroupConsumer(Node):
    """A member of a group. The world calls `subscribe`, `commit_sync`, `commit_async`, `work_at` and `close`."""

    def __init__(
        self, name: NodeName, client: ClientConfig, config: ConsumerConfig, group: GroupConfig, parts: Parts
    ) -> None:
        super().__init__(name)
        self._config, self._group = config, group
        self.discovery = Discovery(self, client, self, creates_topics=True)
        self.fetcher = Fetcher(self, self.discovery, (client, config), self)
        self.lookup = CoordinatorLookup(self, self.discovery, client, group.group_id, self)
        self.membership = Membership(self, self.discovery, self.lookup, (client, group), parts, self)
        self.commits = Commits(self, self.discovery, self.lookup, (client, group), self.membership)
        self._owned: dict[TopicPartition, None] = {}
        self._processing_ms = group.processing_ms
        self._is_cooperative = is_cooperative(group.partition_assignment_strategy)
        self._is_busy = self._is_closed = False
        self._next_commit_ms = 0.0
        self._works_up_to: list[tuple[str, int, int]] = []  # what its program was handed, and is not done with
        self._to_read: list[TopicPartition] | None = None  # what it was assigned while its program worked
        self._spoke_as = ("", NO_GENERATION)  # member and generation in which its partitions were assigned

    def on_start(self) -> None:
        self.discovery.start()

    # What the world asks --------------------------------------------------------------------------------------------

    def subscribe(self, *topics: str) -> None:
        """Read these topics together with the other members."""
        self.membership.subscribe(topics)
        self._next_commit_ms = self.now_ms + self._group.auto_commit_interval_ms
        if self._group.enable_auto_commit:
            self.set_timer("auto_commit", self._group.auto_commit_interval_ms)
        self._poll()

    def work_at(self, processing_ms: float) -> None:
        """From the next record on, work so long on each."""
        self._processing_ms = processing_ms

    def commit_sync(self) -> None:
        """Commit where the program is, and try again while that may help."""
        self.commits.commit(self._consumed(), self._committed, self._spoke_as, is_sync=True)

    def commit_async(self) -> None:
        """Commit where the program is, once."""
        self.commits.commit(self._consumed(), self._committed, self._spoke_as)

    def close(self) -> None:
        """Commit, if that is automatic, and leave; a program that works does so when it is done."""
        self._is_closed = True
        if self._is_busy:
            return
        self.cancel_timer("auto_commit")
        if self._group.enable_auto_commit and self._owned:
            self.commits.commit(self._consumed(), self._close, is_sync=True)
        else:
            self._close(ErrorCode.NONE)

    def _close(self, error: ErrorCode) -> None:
        self._revoke(list(self._owned), is_lost=False)
        self.membership.leave()
        self.membership.stop()
        self.lookup.stop()
        self.commits.stop()
        self.discovery.stop()

    # Polling --------------------------------------------------------------------------------------------------------

    def on_routes_changed(self) -> None:
        """Metadata came, or a broker may be tried again."""
        self.membership.on_metadata()
        self.commits.pump()
        self._poll()
        self.fetcher.pump()

    def on_fetched(self) -> None:
        self._poll()

    def on_coordinator_found(self) -> None:
        self.commits.pump()
        self._poll()

    def on_join_due(self) -> None:
        if not self.membership.is_wanted:  # nor will it ever be again
            self._revoke(list(self._owned), is_lost=True)
        self._poll()

    def on_auto_commit(self) -> None:
        """A program that waits in `poll` commits from there."""
        self.set_timer("auto_commit", self._group.auto_commit_interval_ms)
        self._poll()

    def on_worked(self) -> None:
        """The program is done with what it was handed, and polls again."""
        self._is_busy = False
        self.cancel_timer("overdue_poll")
        done, self._works_up_to = tuple(self._works_up_to), []
        self.note(PollProcessed(self._group.group_id, self._spoke_as[0], done))
        if self._to_read is not None and self.membership.generation != NO_GENERATION:  # else it is not its any more
            self._take_over(self._to_read)
        if self._is_closed:
            self.close()
            return
        self._poll()
        self.fetcher.pump()

    def on_overdue_poll(self) -> None:
        """The program has not polled for too long: others are to have its partitions."""
        self.membership.leave()

    def _poll(self) -> None:
        """The program polls; while it works it does not."""
        if self._is_busy or self._is_closed:
            return
        self.membership.poll()
        if self.membership.is_preparing:
            return
        if self._group.enable_auto_commit and self.now_ms >= self._next_commit_ms and self.membership.is_settled:
            self._next_commit_ms = self.now_ms + self._group.auto_commit_interval_ms
            self.commit_async()
        self._hand_over()

    def _hand_over(self) -> None:
        room = self._config.max_poll_records
        handed: Handed = []
        for position in list(self.fetcher.positions.values()):
            if room <= len(handed) or not position.buffer:
                continue
            records = position.take(room - len(handed))
            handed += [(position.partition, record) for record in records]
            offsets, values = tuple(one.offset for one in records), tuple(one.value for one in records)
            self.note(RecordsPolled(*position.partition, offsets, values, position.offset))
            self._works_up_to.append((*position.partition, position.offset))
        if handed:
            self._is_busy = True
            self.set_timer("overdue_poll", self._group.max_poll_interval_ms)
            self.work_on(handed)

    def work_on(self, handed: Handed) -> None:
        """The program works; `on_worked` says that it is done."""
        self.set_timer("worked", len(handed) * self._processing_ms)

    # Where the program is -------------------------------------------------------------------------------------------

    def _consumed(self) -> Offsets:
        """The next offset to read of every partition that has one: all before it were handed over."""
        return {
            partition: (position.offset, position.offset_epoch)
            for partition, position in self.fetcher.positions.items()
            if position.offset >= 0 and position.state in {PositionState.FETCHING, PositionState.AWAIT_VALIDATION}
        }

    def _committed(self, error: ErrorCode, spoke_as: tuple[str, int]) -> None:
        """A commit that was refused in the name of a generation says that this member is none any more."""
        if spoke_as != (self.membership.member, self.membership.generation):
            return
        if error in {ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION}:
            self.membership.forget()
            self._poll()
        elif error == ErrorCode.REBALANCE_IN_PROGRESS:
            self.membership.rejoin()

    # Partitions come and go -----------------------------------------------------------------------------------------

    def owned(self) -> list[TopicPartition]:
        """What it reads, as it tells the assignor."""
        return list(self._owned)

    def prepare_to_join(self, then: Callable[[], None]) -> None:
        """Before it joins: commit, then give up what has to be given up; `then()` when that is done."""
        self._to_read = None
        is_lost = self.membership.generation == NO_GENERATION
        if is_lost or not (self._group.enable_auto_commit and self._consumed()):
            self._give_up(ErrorCode.NONE, then, is_lost=is_lost)
        else:
            self.commits.commit(self._consumed(), self._ready_to_join, then, is_sync=True)

    def _ready_to_join(self, error: ErrorCode, then: Callable[[], None]) -> None:
        is_lost = error in {ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION}
        if is_lost:
            self.membership.forget()
        self._give_up(error, then, is_lost=is_lost)

    def _give_up(self, error: ErrorCode, then: Callable[[], None], *, is_lost: bool) -> None:
        topics = self.membership.topics
        gone = [one for one in self._owned if is_lost or not self._is_cooperative or one[0] not in topics]
        self._revoke(gone, is_lost=is_lost)
        then()

    def _revoke(self, partitions: list[TopicPartition], *, is_lost: bool) -> None:
        for partition in partitions:
            del self._owned[partition]
            self.fetcher.positions.pop(partition, None)
        if partitions:
            self.note(PartitionsRevoked(self._group.group_id, *self._spoke_as, tuple(sorted(partitions)), is_lost))

    def on_assigned(self, partitions: list[TopicPartition]) -> None:
        """The group has settled. A program hears of it when it polls: a commit is to have what it works on, too."""
        if self._is_busy:
            self._to_read = partitions
        else:
            self._take_over(partitions)

    def _take_over(self, partitions: list[TopicPartition]) -> None:
        """Give up what is to move, and begin with what is new."""
        self._to_read = None
        gone = [one for one in self._owned if one not in partitions]
        if gone and self._group.enable_auto_commit:
            self.commit_async()
        self._revoke(gone, is_lost=False)
        new = [one for one in partitions if one not in self._owned]
        self._spoke_as = self.membership.member, self.membership.generation
        self._owned.update(dict.fromkeys(new))
        self.note(PartitionsAssigned(self._group.group_id, *self._spoke_as, tuple(sorted(new))))
        if new:
            self.commits.fetch(new, self._begin, self._spoke_as)
        if gone:
            self.membership.rejoin()
        self._poll()

    def _begin(self, found: Offsets, spoke_as: tuple[str, int]) -> None:
        """The committed offsets came: go on from there; where there is none, as the policy says."""
        for partition, (offset, epoch) in found.items():
            if partition in self._owned and partition not in self.fetcher.positions:
                self.fetcher.assign(partition, offset if offset >= 0 else None)
                if offset >= 0:
                    self.fetcher.positions[partition].offset_epoch = epoch
        self.fetcher.pump()
