"""What can be known of a running cluster from the facts alone: who leads, who is in sync, what came of each record.

It is updated as the facts are announced, so it is what an all-seeing observer knows *now*; no node knows all of it.
Left out: history (that is the trace and the checkers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kafkalite import facts
from kafkalite.types import NodeName, TopicPartition


@dataclass(frozen=True, slots=True)
class Leadership:
    """Who leads a partition, since which epoch, with which ISR."""

    broker: NodeName
    leader_epoch: int
    isr: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a record: an offset, or an error."""

    topic: str
    partition: int
    offset: int
    error: str = "NONE"
    is_definite: bool = True


@dataclass(frozen=True, slots=True)
class Polled:
    """A record as a consumer was handed it."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


class View:
    """The cluster as its facts tell it."""

    def __init__(self) -> None:
        self.registered: set[int] = set()  # brokers whose znode is there, as far as they know
        self.live: set[int] = set()  # brokers that are alive, as a controller saw last
        self.seen: set[int] = set()  # brokers that a controller has ever seen alive, and so can place replicas on
        self.stopped: set[int] = set()  # brokers that stopped in order
        self.controller: NodeName | None = None
        self.controller_epoch = -1
        self.zookeeper_leader: NodeName | None = None
        self.assignments: dict[TopicPartition, tuple[int, ...]] = {}  # who is to hold it, the preferred leader first
        self.leaders: dict[TopicPartition, Leadership] = {}
        self.offline: set[TopicPartition] = set()  # those for which the controller found nobody
        self.high_watermarks: dict[TopicPartition, int] = {}  # as the newest leader has it
        self.log_ends: dict[tuple[NodeName, str, int], int] = {}
        self.outcomes: dict[tuple[NodeName, int], Outcome] = {}  # (producer, record)
        self.polled: dict[NodeName, list[Polled]] = {}
        self.positions: dict[tuple[NodeName, str, int], int] = {}  # where a consumer reads next
        self.answers: dict[tuple[NodeName, int], facts.RequestAnswered] = {}  # (admin client, number of the request)
        self.reads: dict[NodeName, set[TopicPartition]] = {}  # what a member was assigned, and has not given up
        self.generations: dict[str, int] = {}  # of each group, the one that was stable last
        self.owners: dict[str, dict[TopicPartition, str]] = {}  # of each group: who was to read what, by member id
        self.committed: dict[str, dict[TopicPartition, int]] = {}  # how far each group is, as its coordinators said
        self.transactions: dict[NodeName, list[Any]] = {}  # what a transactional producer has said of its transactions
        self._handlers: dict[type, Callable[[NodeName, Any], None]] = {
            facts.BrokerRegistered: self._broker_registered,
            facts.BrokerFenced: self._broker_fenced,
            facts.BrokerStopped: self._broker_stopped,
            facts.BrokersChanged: self._brokers_changed,
            facts.ControllerElected: self._controller_elected,
            facts.ControllerResigned: self._controller_resigned,
            facts.ServerElected: self._server_elected,
            facts.ServerStoppedServing: self._server_stopped,
            facts.TopicCreated: self._topic_placed,
            facts.PartitionsAdded: self._topic_placed,
            facts.TopicDeleted: self._topic_deleted,
            facts.ReplicasReassigned: self._replicas_reassigned,
            facts.LeaderElected: self._leader_elected,
            facts.BecameLeader: self._became_leader,
            facts.IsrChanged: self._isr_changed,
            facts.LogLoaded: self._log_loaded,
            facts.BatchAppended: self._batch_appended,
            facts.LogTruncated: self._log_truncated,
            facts.HighWatermarkAdvanced: self._high_watermark_advanced,
            facts.RecordsAcknowledged: self._records_acknowledged,
            facts.RecordsFailed: self._records_failed,
            facts.RecordsPolled: self._records_polled,
            facts.PositionReset: self._position_reset,
            facts.RequestAnswered: self._request_answered,
            facts.GroupStabilized: self._group_stabilized,
            facts.GroupEmptied: self._group_emptied,
            facts.OffsetsCommitted: self._offsets_committed,
            facts.OffsetsFetched: self._offsets_fetched,
            facts.PartitionsAssigned: self._partitions_assigned,
            facts.PartitionsRevoked: self._partitions_revoked,
            facts.ProducerIdentified: self._of_a_transaction,
            facts.TransactionBegun: self._of_a_transaction,
            facts.TransactionEnded: self._of_a_transaction,
            facts.TransactionFailed: self._of_a_transaction,
            facts.TransactionCallRefused: self._of_a_transaction,
        }

    def observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        """Take in one fact."""
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(node, fact)

    def leads(self, partition: TopicPartition) -> bool:
        """Has the partition had a leader?"""
        return partition in self.leaders

    # One method a fact ----------------------------------------------------------------------------------------------

    def _broker_registered(self, node: NodeName, fact: facts.BrokerRegistered) -> None:
        self.registered.add(fact.broker)
        self.stopped.discard(fact.broker)

    def _broker_fenced(self, node: NodeName, fact: facts.BrokerFenced) -> None:
        self.registered.discard(fact.broker)

    def _broker_stopped(self, node: NodeName, fact: facts.BrokerStopped) -> None:
        self.registered.discard(fact.broker)
        self.stopped.add(fact.broker)

    def _brokers_changed(self, node: NodeName, fact: facts.BrokersChanged) -> None:
        self.seen.update(fact.live)
        self.live = set(fact.live)

    def _controller_elected(self, node: NodeName, fact: facts.ControllerElected) -> None:
        if fact.controller_epoch > self.controller_epoch:
            self.controller, self.controller_epoch = node, fact.controller_epoch

    def _controller_resigned(self, node: NodeName, fact: facts.ControllerResigned) -> None:
        if self.controller == node:
            self.controller = None

    def _server_elected(self, node: NodeName, fact: facts.ServerElected) -> None:
        self.zookeeper_leader = node

    def _server_stopped(self, node: NodeName, fact: facts.ServerStoppedServing) -> None:
        if self.zookeeper_leader == node:
            self.zookeeper_leader = None

    def _topic_placed(self, node: NodeName, fact: facts.TopicCreated | facts.PartitionsAdded) -> None:
        for partition, replicas in enumerate(fact.assignment):
            self.assignments[fact.topic, partition] = replicas

    def _topic_deleted(self, node: NodeName, fact: facts.TopicDeleted) -> None:
        """A topic that is created again under the name begins from nothing, its epochs included."""
        for known in (self.assignments, self.leaders, self.high_watermarks):
            for partition in [one for one in known if one[0] == fact.topic]:
                del known[partition]
        self.offline = {one for one in self.offline if one[0] != fact.topic}

    def _replicas_reassigned(self, node: NodeName, fact: facts.ReplicasReassigned) -> None:
        self.assignments[fact.topic, fact.partition] = fact.replicas

    def _leader_elected(self, node: NodeName, fact: facts.LeaderElected) -> None:
        partition = (fact.topic, fact.partition)
        if fact.leader < 0:
            self.offline.add(partition)
        else:
            self.offline.discard(partition)

    def _became_leader(self, node: NodeName, fact: facts.BecameLeader) -> None:
        known = self.leaders.get((fact.topic, fact.partition))
        if known is None or fact.leader_epoch > known.leader_epoch:
            self.leaders[fact.topic, fact.partition] = Leadership(node, fact.leader_epoch, fact.isr)
            known_watermark = self.high_watermarks.get((fact.topic, fact.partition), 0)
            self.high_watermarks[fact.topic, fact.partition] = min(known_watermark, fact.end)

    def _isr_changed(self, node: NodeName, fact: facts.IsrChanged) -> None:
        known = self.leaders.get((fact.topic, fact.partition))
        if known is not None and fact.leader_epoch == known.leader_epoch:
            self.leaders[fact.topic, fact.partition] = Leadership(node, fact.leader_epoch, fact.isr)

    def _log_loaded(self, node: NodeName, fact: facts.LogLoaded) -> None:
        self.log_ends[node, fact.topic, fact.partition] = fact.end

    def _batch_appended(self, node: NodeName, fact: facts.BatchAppended) -> None:
        self.log_ends[node, fact.topic, fact.partition] = fact.last_offset + 1

    def _log_truncated(self, node: NodeName, fact: facts.LogTruncated) -> None:
        self.log_ends[node, fact.topic, fact.partition] = fact.end

    def _high_watermark_advanced(self, node: NodeName, fact: facts.HighWatermarkAdvanced) -> None:
        known = self.leaders.get((fact.topic, fact.partition))
        is_deposed = known is not None and fact.leader_epoch < known.leader_epoch  # and does not know it yet
        if fact.is_leader and not is_deposed:
            self.high_watermarks[fact.topic, fact.partition] = fact.high_watermark

    def _records_acknowledged(self, node: NodeName, fact: facts.RecordsAcknowledged) -> None:
        for index, record in enumerate(fact.records):
            offset = fact.base_offset + index if fact.base_offset >= 0 else -1
            self.outcomes[node, record] = Outcome(fact.topic, fact.partition, offset)

    def _records_failed(self, node: NodeName, fact: facts.RecordsFailed) -> None:
        for record in fact.records:
            self.outcomes[node, record] = Outcome(fact.topic, fact.partition, -1, fact.error, fact.is_definite)

    def _records_polled(self, node: NodeName, fact: facts.RecordsPolled) -> None:
        polled = self.polled.setdefault(node, [])
        for offset, value in zip(fact.offsets, fact.values, strict=True):
            polled.append(Polled(fact.topic, fact.partition, offset, value))
        self.positions[node, fact.topic, fact.partition] = fact.position

    def _position_reset(self, node: NodeName, fact: facts.PositionReset) -> None:
        self.positions[node, fact.topic, fact.partition] = fact.position

    def _request_answered(self, node: NodeName, fact: facts.RequestAnswered) -> None:
        self.answers[node, fact.request] = fact

    def _group_stabilized(self, node: NodeName, fact: facts.GroupStabilized) -> None:
        self.generations[fact.group] = fact.generation
        self.owners[fact.group] = {one: member for member, owned in fact.assignment for one in owned}

    def _group_emptied(self, node: NodeName, fact: facts.GroupEmptied) -> None:
        self.owners[fact.group] = {}

    def _offsets_committed(self, node: NodeName, fact: facts.OffsetsCommitted) -> None:
        committed = self.committed.setdefault(fact.group, {})
        committed.update({(topic, partition): offset for topic, partition, offset in fact.offsets})

    def _offsets_fetched(self, node: NodeName, fact: facts.OffsetsFetched) -> None:
        """A coordinator that died with a commit in its log did not get to say so; the next one knows it."""
        committed = self.committed.get(fact.group, {})
        for topic, partition, offset in fact.offsets:
            if offset > committed.get((topic, partition), -1):
                self.committed.setdefault(fact.group, {})[topic, partition] = offset

    def _partitions_assigned(self, node: NodeName, fact: facts.PartitionsAssigned) -> None:
        self.reads.setdefault(node, set()).update(fact.partitions)

    def _partitions_revoked(self, node: NodeName, fact: facts.PartitionsRevoked) -> None:
        self.reads.setdefault(node, set()).difference_update(fact.partitions)

    def _of_a_transaction(self, node: NodeName, fact: Any) -> None:
        self.transactions.setdefault(node, []).append(fact)
