"""What the facts so far say of every partition: each replica's log and role, and what has been committed.

*Committed* is what stands below a watermark that any leader has announced. That must outlive everything the settings
promise to survive. When it does not (an unclean election, a disk that lost its tail, a bug that an invariant has named)
the loss is remembered, and nobody is blamed twice: the partition is *forgiven* from that offset on.

The world only keeps books; `watermark`, `logs` and `leadership` judge, each fact before the world takes it in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kafkalite.facts import (
    BatchAppended,
    BecameFollower,
    BecameLeader,
    HighWatermarkAdvanced,
    IsrChanged,
    IsrExpandProposed,
    LeaderElected,
    LogDeleted,
    LogLoaded,
    LogStartMoved,
    LogTruncated,
)
from kafkalite.sim.checkers.expectations import Expectations, TopicPromise
from kafkalite.sim.checkers.replica_log import Batch, ReplicaLog
from kafkalite.sim.checkers.violation import Announced
from kafkalite.types import NodeName

FOREVER = 1 << 62  # an offset no log reaches


def broker_of(node: NodeName) -> int:
    """A broker's id; in a simulated cluster broker 101 is the node "b101"."""
    return int(node[1:])


@dataclass(slots=True)
class Role:
    """What a broker takes itself for, and if it leads, whom it counts."""

    leader_epoch: int
    fact: Announced
    is_leader: bool = False
    isr: frozenset[int] = frozenset()  # as the coordination service has it, by this leader's knowledge
    maximal_isr: frozenset[int] = frozenset()
    replicas: frozenset[int] = frozenset()
    caught_up_ms: dict[int, float] = field(default_factory=dict)  # members taken for caught up when the epoch began


@dataclass(frozen=True, slots=True)
class Loss:
    """Committed records that a leader does not have. `excuse` is empty if nothing allowed it."""

    batch: Batch  # the first
    leader: int
    excuse: str


class PartitionView:
    """One partition."""

    __slots__ = (
        "_promise",
        "_strict",
        "committed",
        "elections",
        "forgiven_from",
        "high_watermark",
        "leaders",
        "logs",
        "lost_ms",
        "newest_epoch",
        "possible_isr",
        "roles",
        "start",
        "thin",
        "watermarks",
    )

    def __init__(self, promise: TopicPromise, *, strict: bool) -> None:
        self._promise, self._strict = promise, strict
        self.logs: dict[int, ReplicaLog] = {}
        self.roles: dict[int, Role] = {}
        self.watermarks: dict[int, Announced] = {}  # of each replica, since it was loaded
        self.elections: dict[int, Announced] = {}  # leader epoch -> LeaderElected
        self.leaders: dict[int, Announced] = {}  # leader epoch -> BecameLeader
        self.newest_epoch = -1
        self.possible_isr: frozenset[int] = frozenset()  # whoever the coordination service may have in the ISR
        self.committed = ReplicaLog()
        self.high_watermark = 0  # the highest ever announced
        self.start = 0  # the highest start of any replica
        self.forgiven_from = FOREVER
        self.lost_ms = float("-inf")  # when that came about last
        self.thin: dict[int, Announced] = {}  # base offset -> appended while the ISR was under its minimum

    @property
    def is_compacted(self) -> bool:
        """Are its batches rewritten by each replica for itself?"""
        return self._promise.is_compacted

    def log(self, broker: int) -> ReplicaLog:
        """A replica's log; one nobody spoke of is empty."""
        log = self.logs.get(broker)
        if log is None:
            log = self.logs[broker] = ReplicaLog()
        return log

    def leading(self, broker: int) -> Role | None:
        """The role of a broker, if it takes itself for the leader."""
        role = self.roles.get(broker)
        return role if role is not None and role.is_leader else None

    def is_thin(self, role: Role) -> bool:
        """Has this leader's ISR fewer members than its topic wants?"""
        return len(role.isr) < min(self._promise.min_insync_replicas, len(role.replicas))

    def loss_by(self, leader: int, leader_epoch: int, batches: list[Batch] | None = None) -> Loss | None:
        """What this leader lacks of the committed batches (or of those given)."""
        log = self.log(leader)
        wanted = self.committed.between(0, FOREVER) if batches is None else batches
        start = 0 if log.end < self.start else self.start  # a log begun anew was not emptied by retention
        batch = log.missing(wanted, start, is_compacted=self._promise.is_compacted)
        if batch is None:
            return None
        # What retention has removed since, this replica may never have had: its disk answers for what is left.
        kept = log.missing(wanted, self.start, is_compacted=self._promise.is_compacted)
        is_replaced = self.is_compacted or kept is None
        return Loss(batch, leader, self._excuse(log, kept or wanted[-1], leader_epoch, by_offset=is_replaced))

    def newest_leader(self) -> tuple[Announced, ...]:
        """The fact that made the newest leader, if it leads already."""
        newest = self.leaders.get(self.newest_epoch)
        return () if newest is None else (newest,)

    def exposed_by_deposed(self, broker: int, fact: HighWatermarkAdvanced) -> Loss | None:
        """What a leader that is deposed, and does not know it yet, exposes although its successor does not have it."""
        newest = self.leaders.get(self.newest_epoch)
        if newest is None or fact.leader_epoch >= self.newest_epoch:
            return None
        exposed = self.log(broker).between(fact.was, fact.high_watermark)
        return self.loss_by(broker_of(newest.node), self.newest_epoch, exposed)

    def _excuse(self, log: ReplicaLog, batch: Batch, leader_epoch: int, *, by_offset: bool) -> str:
        if self._promise.unclean_leader_election_enable:
            # An election after the batch was written, and unclean or decided by a controller that could not say so.
            for epoch in range(batch.leader_epoch + 1, leader_epoch + 1):
                election = self.elections.get(epoch)
                if election is None or election.fact.is_unclean:
                    return "unclean election"
        if not self._strict and log.lost_to_disk(batch, by_offset=by_offset):
            return "lost disk tail"
        return ""

    def settle(self, loss: Loss, now_ms: float) -> None:
        """It is lost. If something excuses that, clients are not asked for it any more."""
        log = self.log(loss.leader)
        offset = min(loss.batch.base_offset, log.end)  # what was below may come again, too
        if log.end < self.start:
            self.start = log.start
        self.committed.truncate(min(offset, self.committed.end))
        if loss.excuse:
            self.forgiven_from, self.lost_ms = min(self.forgiven_from, offset), now_ms


class World:
    """All partitions, by topic and number."""

    def __init__(self, expectations: Expectations) -> None:
        self.expectations = expectations
        self.partitions: dict[tuple[str, int], PartitionView] = {}
        self.deleted: set[str] = set()  # topics that were deleted once: what was in them is not promised

    def partition(self, topic: str, partition: int) -> PartitionView:
        """What is known of a partition."""
        view = self.partitions.get((topic, partition))
        if view is None:
            promise, strict = self.expectations.of_topic(topic), self.expectations.disks_keep_everything
            view = self.partitions[topic, partition] = PartitionView(promise, strict=strict)
        return view

    def of(self, at: Announced) -> tuple[PartitionView, int]:
        """The partition a broker's fact is about, and the broker."""
        return self.partition(at.fact.topic, at.fact.partition), broker_of(at.node)

    def has_lost(self, topic: str) -> bool:
        """Whether a committed record of this topic was lost in a way that is allowed."""
        return any(view.forgiven_from < FOREVER for place, view in self.partitions.items() if place[0] == topic)

    # Logs -----------------------------------------------------------------------------------------------------------

    def on_log_loaded(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: LogLoaded = at.fact
        log = view.log(broker)
        log.reload(fact.start, fact.end, was_clean=fact.was_clean)
        log.last_fact = at
        view.roles.pop(broker, None)
        view.watermarks.pop(broker, None)

    def on_log_deleted(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: LogDeleted = at.fact
        assert fact.topic  # a replica that moved away, or a topic that goes
        for known in (view.logs, view.roles, view.watermarks):
            known.pop(broker, None)

    def on_batch_appended(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: BatchAppended = at.fact
        log = view.log(broker)
        log.append(Batch(fact.base_offset, fact.last_offset, fact.leader_epoch, fact.crc))
        log.last_fact = at
        role = view.leading(broker) if fact.is_leader else None
        if role is not None and view.is_thin(role):
            view.thin[fact.base_offset] = at

    def on_log_truncated(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: LogTruncated = at.fact
        log = view.log(broker)
        log.truncate(fact.end)
        # A log that ends later than before was begun anew: its leader had no longer what would have come next.
        log.start = fact.end if fact.end > fact.was_end else min(log.start, fact.end)
        log.last_fact = at
        watermark = view.watermarks.get(broker)
        if watermark is not None and watermark.fact.high_watermark > fact.end:
            del view.watermarks[broker]

    def on_log_start_moved(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: LogStartMoved = at.fact
        log = view.log(broker)
        log.start, log.end = fact.start, max(log.end, fact.start)
        view.start = max(view.start, fact.start)

    # Roles ----------------------------------------------------------------------------------------------------------

    def on_leader_elected(self, at: Announced) -> None:
        fact: LeaderElected = at.fact
        view = self.partition(fact.topic, fact.partition)
        view.elections.setdefault(fact.leader_epoch, at)
        if fact.leader_epoch > view.newest_epoch:
            view.newest_epoch = fact.leader_epoch
            view.possible_isr = frozenset(fact.isr)

    def on_became_leader(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: BecameLeader = at.fact
        isr = frozenset(fact.isr)
        known = dict.fromkeys(sorted(isr), at.now_ms)
        view.roles[broker] = Role(fact.leader_epoch, at, True, isr, isr, frozenset(fact.replicas), known)
        view.leaders.setdefault(fact.leader_epoch, at)
        if fact.leader_epoch >= view.newest_epoch:
            view.newest_epoch = fact.leader_epoch
            view.possible_isr |= isr
            loss = view.loss_by(broker, fact.leader_epoch)
            if loss is not None:
                view.settle(loss, at.now_ms)

    def on_became_follower(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: BecameFollower = at.fact
        view.roles[broker] = Role(fact.leader_epoch, at)

    # The ISR --------------------------------------------------------------------------------------------------------

    def on_isr_expand_proposed(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: IsrExpandProposed = at.fact
        role = view.leading(broker)
        if role is not None:
            role.maximal_isr |= frozenset(fact.isr)
            for member in fact.joining:  # it may have been caught up long ago, and lag behind again by now
                role.caught_up_ms.pop(member, None)
            view.possible_isr |= frozenset(fact.isr)

    def on_isr_changed(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: IsrChanged = at.fact
        role = view.leading(broker)
        if role is not None and role.leader_epoch == fact.leader_epoch:
            role.isr = role.maximal_isr = frozenset(fact.isr)
            if fact.leader_epoch == view.newest_epoch:
                view.possible_isr = role.isr

    def on_isr_change_refused(self, at: Announced) -> None:
        view, broker = self.of(at)
        role = view.leading(broker)
        if role is not None:
            role.maximal_isr = role.isr

    # The watermark --------------------------------------------------------------------------------------------------

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.of(at)
        fact: HighWatermarkAdvanced = at.fact
        view.watermarks[broker] = at
        if not fact.is_leader:
            return
        view.high_watermark = max(view.high_watermark, fact.high_watermark)
        loss = view.exposed_by_deposed(broker, fact)
        if loss is not None:
            view.settle(loss, at.now_ms)
            return
        committed = view.committed
        for batch in view.log(broker).between(committed.end, fact.high_watermark):
            committed.append(batch)

    # Topics ---------------------------------------------------------------------------------------------------------

    def on_topic_deleted(self, at: Announced) -> None:
        topic = at.fact.topic
        self.deleted.add(topic)
        for place in [place for place in self.partitions if place[0] == topic]:
            del self.partitions[place]
