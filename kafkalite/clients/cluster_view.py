"""What a client believes of the cluster: where its brokers are, and who leads each partition.

Beliefs are replaced answer by answer, and any broker may answer, so an answer may be older than what is known: the
leader epoch tells. A leader with a lower epoch than the one known is ignored, or a client would go back and forth
between a new leader and a broker that has not heard of it.

Source: Metadata and MetadataSnapshot of Kafka's clients. Left out: topic ids, by which a topic that was deleted and
made again is told from the old one (KIP-516); here its epochs are forgotten when an answer says that it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.errors import ErrorCode
from kafkalite.protocol.metadata import MetadataResponse, MetadataResponseTopic
from kafkalite.types import NodeName, address

GONE = (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_TOPIC_EXCEPTION)


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One partition, as the newest answer told it; leader -1: it has none."""

    leader: int
    leader_epoch: int
    replicas: tuple[int, ...] = ()
    isr: tuple[int, ...] = ()


class ClusterView:
    """The newest of everything that was answered."""

    def __init__(self) -> None:
        self.brokers: dict[int, NodeName] = {}  # broker id -> where it is
        self.racks: dict[int, str | None] = {}
        self.cluster_id = ""
        self.controller_id = -1
        self.topics: dict[str, dict[int, PartitionView]] = {}
        self.errors: dict[str, ErrorCode] = {}  # of topics that cannot be shown
        self._available: dict[str, list[int]] = {}  # computed once between two answers

    def update(self, response: MetadataResponse) -> None:
        """Believe an answer: all of its brokers, and each of its partitions that is not stale."""
        self._available.clear()
        self.brokers = {broker.node_id: address(broker.host, broker.port) for broker in response.brokers}
        self.racks = {broker.node_id: broker.rack for broker in response.brokers}
        self.cluster_id = response.cluster_id or ""
        self.controller_id = response.controller_id
        for topic in response.topics:
            self._update_topic(topic)

    def _update_topic(self, topic: MetadataResponseTopic) -> None:
        if topic.error_code != ErrorCode.NONE:
            self.errors[topic.name] = ErrorCode.of(topic.error_code)
            if topic.error_code in GONE:
                self.topics.pop(topic.name, None)
            return
        self.errors.pop(topic.name, None)
        known = self.topics.get(topic.name, {})
        told: dict[int, PartitionView] = {}
        for one in topic.partitions:
            before, index = known.get(one.partition_index), one.partition_index
            if before is not None and one.leader_epoch < before.leader_epoch:
                told[index] = before
            else:
                told[index] = PartitionView(one.leader_id, one.leader_epoch, one.replica_nodes, one.isr_nodes)
        # An answer from before partitions were added has fewer; there is no way to take any away.
        self.topics[topic.name] = {**known, **told}

    def partitions(self, topic: str) -> int | None:
        """How many partitions the topic has; None if that is not known."""
        known = self.topics.get(topic)
        return len(known) if known else None

    def leader(self, topic: str, partition: int) -> PartitionView | None:
        """Who leads the partition; None if nobody does, or it is not known."""
        known = self.topics.get(topic, {}).get(partition)
        return known if known is not None and known.leader in self.brokers else None

    def available(self, topic: str) -> list[int]:
        """The partitions with a leader; all of them if none has one."""
        found = self._available.get(topic)
        if found is None:
            known = self.topics.get(topic, {})
            led = [index for index in sorted(known) if known[index].leader in self.brokers]
            found = self._available[topic] = led or sorted(known)
        return found
