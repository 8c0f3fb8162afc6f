"""One replica of a partition: as its leader, as a follower, or as neither until a controller has said which.

    leader     appends what producers send; learns from each follower's fetch how far it has come; moves the watermark
    follower   appends what it fetched, as it is; its watermark follows the leader's

Invariant: `log_start <= high_watermark <= log_end`, and a leader's ISR is within its maximal ISR. The rules themselves
(watermark, lag, joining) are parts; here is when they are asked.

    isr            what ZooKeeper has, as far as this leader knows
    maximal isr    the same, and whoever a change under way would add or take out: until the outcome is known they count

Source: Kafka's Partition, Replica; KIP-101, KIP-497. Left out: reassignment, observers, transactions' verification.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import (
    BatchAppended,
    BecameFollower,
    BecameLeader,
    DuplicateFound,
    HighWatermarkAdvanced,
    IsrChanged,
    LastStableOffsetAdvanced,
    LogStartMoved,
    LogTruncated,
)
from kafkalite.log.admission import Appended
from kafkalite.log.batch import read_header, split
from kafkalite.log.partition_log import FlushMark, PartitionLog
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol.inter_broker import LeaderAndIsrPartitionState
from kafkalite.protocol.primitives import Data
from kafkalite.replication.isr import ACKS_ALL, is_caught_up
from kafkalite.replication.ports import TopicSettings
from kafkalite.types import ReplicaProgress, TopicPartition

NOBODY = -1
NEVER_MS = float("-inf")
_crc_of = struct.Struct(">17xI").unpack_from


class Partition:
    """What one broker knows and does about one partition. `changed(key)` is told when what waits for it may be ready.

    Methods that touch the log raise StorageError; whoever calls them takes the log directory offline.
    """

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        parts: Parts,
        key: TopicPartition,
        log: PartitionLog,
        changed: Callable[[TopicPartition], None],
    ) -> None:
        self.node, self._config, self._parts, self._changed = node, config, parts, changed
        self.key, self.log = key, log
        self.me = config.broker_id
        self.leader = NOBODY
        self.leader_epoch = self.controller_epoch = self.zk_version = -1
        self.is_leader = self.is_offline = False
        self.replicas: tuple[int, ...] = ()
        self.isr: frozenset[int] = frozenset()
        self.maximal_isr: frozenset[int] = frozenset()
        self.proposed_isr: frozenset[int] | None = None  # a change that ZooKeeper was asked for
        self.min_isr = 1
        self.epoch_start = 0  # where the leader's epoch begins
        self.end_offsets: dict[int, int] = {}  # of every replica, -1 where it is not known
        self.progress: dict[int, ReplicaProgress] = {}  # of the followers
        self.log_starts: dict[int, int] = {}  # of the followers, as they said
        self.is_flushing = False  # a sync that this log's settings ask for is under way: until then nothing is settled
        self._active_base = log.segments[-1].base_offset
        self._stable, self._is_unstable = log.log_start_offset, False  # the last stable offset when last looked at

    # Who leads ------------------------------------------------------------------------------------------------------

    def refusal(self, leader_epoch: int = -1, *, needs_leader: bool = True) -> ErrorCode:
        """Why a request is not served here; NONE if it is. `leader_epoch` is the asker's idea of it, -1 for none."""
        if self.is_offline:
            return ErrorCode.KAFKA_STORAGE_ERROR
        if leader_epoch >= 0 and leader_epoch != self.leader_epoch:
            is_older = leader_epoch < self.leader_epoch
            return ErrorCode.FENCED_LEADER_EPOCH if is_older else ErrorCode.UNKNOWN_LEADER_EPOCH
        if not self.is_leader and (needs_leader or self.leader == NOBODY):
            return ErrorCode.NOT_LEADER_OR_FOLLOWER
        return ErrorCode.NONE

    def become_leader(self, state: LeaderAndIsrPartitionState, settings: TopicSettings) -> None:
        """Lead from now on, or in a new epoch."""
        now_ms, log = self.node.now_ms, self.log
        was_leader = self.is_leader
        log.begin_epoch(state.leader_epoch)
        self._take(state, settings)
        self.is_leader, self.epoch_start = True, log.log_end_offset
        known = self.progress if was_leader else {}
        self.progress = {
            broker: self._at_epoch_start(known.get(broker), now_ms if broker in self.isr else NEVER_MS)
            for broker in self.replicas
            if broker != self.me
        }
        self.end_offsets = {broker: one.end_offset for broker, one in self.progress.items()}
        self.end_offsets[self.me] = log.recovery_point if self.is_flushing else log.log_end_offset
        self.log_starts = {broker: self.log_starts.get(broker, -1) for broker in self.progress}
        self.node.note(
            BecameLeader(*self.key, self.leader_epoch, log.log_end_offset, tuple(sorted(self.isr)), self.replicas)
        )
        self.advance_high_watermark()  # the ISR may be nobody else
        self._changed(self.key)

    def _at_epoch_start(self, known: ReplicaProgress | None, caught_up_ms: float) -> ReplicaProgress:
        if known is None or known.end_offset < 0:
            return ReplicaProgress(caught_up_ms=caught_up_ms)
        return ReplicaProgress(known.end_offset, caught_up_ms, caught_up_ms, self.log.log_end_offset)

    def become_follower(self, state: LeaderAndIsrPartitionState, settings: TopicSettings) -> None:
        """Follow somebody from now on, or nobody: what waits here is told that the leader is elsewhere."""
        self._take(state, settings)
        self.is_leader = False
        self.progress, self.end_offsets, self.log_starts = {}, {}, {}
        self.node.note(BecameFollower(*self.key, self.leader_epoch, self.leader))
        self._changed(self.key)

    def _take(self, state: LeaderAndIsrPartitionState, settings: TopicSettings) -> None:
        self.leader, self.leader_epoch = state.leader, state.leader_epoch
        self.controller_epoch, self.zk_version = state.controller_epoch, state.zk_version
        self.replicas = state.replicas
        self.isr = self.maximal_isr = frozenset(state.isr)
        self.proposed_isr = None
        self.configure(settings)

    def configure(self, settings: TopicSettings) -> None:
        """Go by other settings of the topic."""
        self.log.configure(settings.log)
        self.min_isr = min(settings.min_insync_replicas, max(1, len(self.replicas)))

    def resign(self, *, is_offline: bool = False) -> None:
        """Be neither leader nor follower: the replica is stopped, or its disk has failed."""
        self.is_leader, self.leader = False, NOBODY
        self.is_offline = self.is_offline or is_offline
        self._changed(self.key)

    # The leader's log -----------------------------------------------------------------------------------------------

    def has_enough_replicas(self, acks: int) -> bool:
        """Whether a batch that wants such acknowledgements may be appended."""
        return self._parts.enough_replicas(len(self.isr), self.min_isr, acks)

    def append(self, batch: Data, *, is_from_client: bool = True) -> Appended:
        """Append a producer's batch, or find that it is here already. Raises CorruptBatch, BatchRefused."""
        log, node = self.log, self.node
        appended = log.append_as_leader(batch, self.leader_epoch, node.wall_ms, is_from_client=is_from_client)
        if appended.is_duplicate:
            header = read_header(batch)
            node.note(DuplicateFound(*self.key, header.producer_id, header.base_sequence, appended.base_offset))
            return appended
        if appended.log_append_time_ms >= 0:  # the log has sealed it anew
            batch = log.read(appended.base_offset, 1)
        (crc,) = _crc_of(batch)
        node.note(
            BatchAppended(*self.key, appended.base_offset, appended.last_offset, self.leader_epoch, crc, is_leader=True)
        )
        self._grown()
        self.advance_high_watermark()
        return appended

    def is_acknowledged(self, last_offset: int, acks: int) -> bool:
        """Whether a batch that ends there is where its producer wants it: in this log, or in all that are in sync."""
        return last_offset < (self.log.high_watermark if acks == ACKS_ALL else self.end_offsets[self.me])

    # The watermark --------------------------------------------------------------------------------------------------

    def advance_high_watermark(self) -> bool:
        """Ask the rule where the watermark stands by now; return whether it moved."""
        log = self.log
        was = log.high_watermark
        found = self._parts.high_watermark(self.end_offsets.copy(), self.isr, self._holding_back(), was, self.min_isr)
        if found == was:
            return False
        found = max(log.log_start_offset, min(found, log.log_end_offset))  # a wrong part is wrong inside the log
        log.high_watermark = found
        self.node.note(HighWatermarkAdvanced(*self.key, was, found, self.leader_epoch, is_leader=True))
        self._note_stable(found)
        return True

    def _note_stable(self, high_watermark: int) -> None:
        was, self._stable = self._stable, self.last_stable_offset
        if self._stable != was and (self._is_unstable or self._stable < high_watermark):
            self.node.note(LastStableOffsetAdvanced(*self.key, was, self._stable))
        self._is_unstable = self._stable < high_watermark

    def _holding_back(self) -> frozenset[int]:
        """The maximal ISR, and the replicas that are caught up and so about to join it."""
        maximal = self.maximal_isr
        if len(maximal) == len(self.end_offsets):
            return maximal
        end, now_ms, lag_ms = self.log.log_end_offset, self.node.now_ms, self._config.replica_lag_time_max_ms
        caught_up = [broker for broker, one in self.progress.items() if is_caught_up(one, end, now_ms, lag_ms)]
        return maximal.union(caught_up)

    def readable_end(self, isolation_level: int = 0) -> int:
        """A consumer may read below it: the watermark, or the last stable offset if it wants what is committed."""
        log = self.log
        end = self._parts.readable_end(log.log_end_offset, log.high_watermark)
        return min(end, self.last_stable_offset) if isolation_level else end

    @property
    def last_stable_offset(self) -> int:
        """Below it no transaction is open, as the rule says: never above the watermark, nor below the log's start."""
        log = self.log
        undecided = log.undecided
        if not undecided:
            return log.high_watermark
        return max(log.log_start_offset, self._parts.last_stable_offset(undecided, log.high_watermark))

    def low_watermark(self, live: Callable[[int], object]) -> int:
        """Where the log begins on every replica that is alive; `live(broker)` is None for one that is not."""
        starts = [start for broker, start in self.log_starts.items() if live(broker) is not None]
        return min([self.log.log_start_offset, *starts])

    # Followers, as their leader sees them ---------------------------------------------------------------------------

    def fetched(self, broker: int, fetch_offset: int, log_start: int) -> bool:
        """A follower asks from `fetch_offset` on: so it has all below. That is its acknowledgement.

        Return whether it has come any further since it last asked.
        """
        before = self.progress[broker]
        now_ms, end = self.node.now_ms, self.log.log_end_offset
        known = self.progress[broker] = self._parts.progress(before, fetch_offset, end, now_ms)
        if known.end_offset == before.end_offset and log_start == self.log_starts[broker]:
            return False
        self.end_offsets[broker], self.log_starts[broker] = known.end_offset, log_start
        return True

    def joining(self, broker: int) -> bool:
        """Whether a follower that is outside the ISR may be proposed for it now."""
        return (
            broker not in self.maximal_isr
            and self.proposed_isr is None
            and self._parts.may_join(self.progress[broker], self.log.high_watermark, self.epoch_start)
        )

    def lagging(self) -> frozenset[int]:
        """Who is to leave the ISR; nobody while a change is under way."""
        if not self.is_leader or self.proposed_isr is not None:
            return frozenset()
        followers = {broker: one for broker, one in self.progress.items() if broker in self.isr}
        end, now_ms = self.log.log_end_offset, self.node.now_ms
        return self._parts.lagging(followers, end, now_ms, self._config.replica_lag_time_max_ms)

    def propose(self, isr: frozenset[int]) -> None:
        """ZooKeeper is asked for this ISR; until it answers, those in either one count."""
        self.proposed_isr = isr
        self.maximal_isr = self.isr | isr

    def settle(self, isr: frozenset[int], zk_version: int) -> None:
        """ZooKeeper has this ISR."""
        was, self.isr = self.isr, isr
        self.maximal_isr, self.proposed_isr, self.zk_version = isr, None, zk_version
        if isr != was:
            self.node.note(IsrChanged(*self.key, tuple(sorted(was)), tuple(sorted(isr)), self.leader_epoch, zk_version))
        if self.advance_high_watermark():
            self._changed(self.key)

    # The follower's log ---------------------------------------------------------------------------------------------

    def append_fetched(self, batches: Data) -> bool:
        """Append what the leader sent; return whether the log began anew, after which checkpoints are to be written.

        Raises CorruptBatch, OffsetsNotInOrder; batches before the bad one stay.
        """
        log, node = self.log, self.node
        was_restarted = False
        try:
            for header, batch in split(batches):
                start, end = log.log_start_offset, log.log_end_offset
                if start == end and header.base_offset < start <= header.last_offset:
                    # The leader's log begins within this batch, since records before were deleted. A batch is whole.
                    self.restart_at(header.base_offset, f"the leader's log begins at {start}, within a batch")
                    was_restarted = True
                log.append_copy(header, batch, node.wall_ms)
                base, last, epoch = header.base_offset, header.last_offset, header.leader_epoch
                node.note(BatchAppended(*self.key, base, last, epoch, header.crc, is_leader=False))
        finally:
            self._grown()
        return was_restarted

    def follow(self, high_watermark: int, log_start: int) -> None:
        """Let the watermark and the log start be the leader's, as far as this log reaches; they never retreat."""
        log = self.log
        was, found = log.high_watermark, min(high_watermark, log.log_end_offset)
        if found > was:
            log.high_watermark = found
            self.node.note(HighWatermarkAdvanced(*self.key, was, found, self.leader_epoch, is_leader=False))
            self._changed(self.key)
        if log_start > log.log_start_offset:
            self.delete_before(min(log_start, log.high_watermark))

    def truncate(self, offset: int, reason: str) -> bool:
        """Forget what stands at `offset` and above; return whether there was any. The caller writes the checkpoint."""
        was_start, was_end = self.log.log_start_offset, self.log.log_end_offset
        if offset >= was_end:
            return False
        self.log.truncate_to(offset)
        self._truncated(was_start, was_end, reason)
        return True

    def restart_at(self, offset: int, reason: str) -> None:
        """Forget everything and go on at `offset`: the leader no longer has what would come next."""
        was_start, was_end = self.log.log_start_offset, self.log.log_end_offset
        self.log.truncate_fully_and_start_at(offset)
        self._truncated(was_start, was_end, reason)

    def _truncated(self, was_start: int, was_end: int, reason: str) -> None:
        log = self.log
        self._active_base = log.segments[-1].base_offset
        self.node.note(LogTruncated(*self.key, was_end, log.log_end_offset, reason))
        if log.log_start_offset != was_start:
            self.node.note(LogStartMoved(*self.key, log.log_start_offset))
        self._changed(self.key)

    # Both -----------------------------------------------------------------------------------------------------------

    def delete_before(self, offset: int) -> None:
        """Let the log begin at `offset`. Raises OffsetOutOfRange above the watermark."""
        was = self.log.log_start_offset
        if self.log.delete_before(offset) != was:
            self.node.note(LogStartMoved(*self.key, self.log.log_start_offset))

    def _grown(self) -> None:
        """The log may be longer: sync what its settings say, and count what is new unless that must come first."""
        log = self.log
        base = log.segments[-1].base_offset
        if base != self._active_base:  # rolled: a closed segment goes to the disk, and nobody waits for it
            self._active_base = base
            self.node.flush(self._flushed, log.unflushed(), False)
        messages = self._config.log_flush_interval_messages
        if messages is not None and not self.is_flushing and log.log_end_offset - log.recovery_point >= messages:
            self.is_flushing = True
            self.node.flush(self._flushed, log.unflushed(), True)
        if self.is_leader and not self.is_flushing:
            self.end_offsets[self.me] = log.log_end_offset

    def _flushed(self, mark: FlushMark, was_due: bool) -> None:
        self.log.flushed(mark)
        if not was_due:
            return
        self.is_flushing = False
        if self.is_leader:
            self.end_offsets[self.me] = min(mark.end_offset, self.log.log_end_offset)
            self._grown()
            self.advance_high_watermark()
        self._changed(self.key)
