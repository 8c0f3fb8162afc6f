"""`__consumer_offsets`: the groups that are led here, and how far each has come.

Offsets that a transaction has written are *pending* from the moment they are in the leader's log: somebody who wants
stable offsets is told to wait (KIP-447). The marker, once replicated, decides them.

Source: Kafka's GroupMetadataManager, GroupCoordinator.scheduleHandleTxnCompletion.
"""

from __future__ import annotations

from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.state_topic import StateTopic
from kafkalite.config import BrokerConfig
from kafkalite.groups.fold import Fold
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.log.record import Record
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.replication.replica_manager import ReplicaManager


class OffsetsTopic(StateTopic[Fold]):
    """The partitions of `__consumer_offsets` that are led here."""

    name = OFFSETS_TOPIC

    def __init__(
        self, node: Node, config: BrokerConfig, replicas: ReplicaManager, metadata: MetadataCache, parts: Parts
    ) -> None:
        super().__init__(node, "offsets_topic", replicas, metadata)
        self._parts = parts
        self.partitions = config.offsets_topic_num_partitions
        self.load_bytes, self.append_timeout_ms = config.offsets_load_buffer_size, config.offsets_commit_timeout_ms

    def empty(self) -> Fold:
        return Fold(self._parts.offsets())

    def in_transaction(self, index: int, rows: list[Record], producer_id: int) -> None:
        fold = self.loaded.get(index)
        if fold is not None:
            for row in rows:
                fold.apply(row, producer_id)
