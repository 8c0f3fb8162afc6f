"""What a broker knows of the cluster, as one value that is replaced as a whole, never changed.

Whoever answers a client reads one view from beginning to end: a broker that is named as a leader is among the brokers,
if it lives. The controller sends all live brokers every time, and of the topics only what changed.

    before   brokers 101 102 103      orders-0 led by 101      orders-1 led by 102
    update   brokers 102 103          orders-0 led by 102
    after    brokers 102 103          orders-0 led by 102      orders-1 led by 102

Left out: topic ids; brokers with several listeners. Source: Kafka's ZkMetadataCache, MetadataSnapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kafkalite.broker.one_batch import OWN_TOPICS
from kafkalite.errors import ErrorCode
from kafkalite.protocol.inter_broker import UpdateMetadataBroker, UpdateMetadataPartitionState, UpdateMetadataRequest
from kafkalite.protocol.metadata import (
    DescribeClusterBroker,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from kafkalite.types import NodeName, address

NO_LEADER = -1
LEADER_DURING_DELETE = -2  # as a leader: the topic is being deleted, forget the partition
NO_CONTROLLER = -1


@dataclass(frozen=True, slots=True)
class MetadataView:
    """The cluster at one moment. Every broker in `brokers` is alive; `topics` is name -> partition -> state."""

    controller_id: int = NO_CONTROLLER
    brokers: Mapping[int, UpdateMetadataBroker] = field(default_factory=dict)
    topics: Mapping[str, Mapping[int, UpdateMetadataPartitionState]] = field(default_factory=dict)

    def updated(self, request: UpdateMetadataRequest) -> MetadataView:
        """The view after the controller's word; this one stays as it is."""
        topics = dict(self.topics)
        for topic in request.topic_states:
            partitions = dict(topics.get(topic.topic_name, {}))
            for state in topic.partition_states:
                if state.leader == LEADER_DURING_DELETE:
                    partitions.pop(state.partition_index, None)
                else:
                    partitions[state.partition_index] = state
            topics[topic.topic_name] = partitions
            if not partitions:
                del topics[topic.topic_name]
        return MetadataView(request.controller_id, {broker.id: broker for broker in request.live_brokers}, topics)

    def address_of(self, broker: int) -> NodeName | None:
        """Where a broker is reached; None if it is not alive."""
        found = self.brokers.get(broker)
        return address(*_host_and_port(found)) if found else None

    def living_controller(self) -> int:
        """The controller, if it is among the live brokers; -1 otherwise."""
        return self.controller_id if self.controller_id in self.brokers else NO_CONTROLLER

    # Answers to clients ---------------------------------------------------------------------------------------------

    def broker_answers(self) -> tuple[MetadataResponseBroker, ...]:
        """All live brokers, by id, as Metadata has them."""
        return tuple(MetadataResponseBroker(id_, *_host_and_port(one), one.rack) for id_, one in self._sorted())

    def cluster_answers(self) -> tuple[DescribeClusterBroker, ...]:
        """All live brokers, by id, as DescribeCluster has them."""
        return tuple(DescribeClusterBroker(id_, *_host_and_port(one), one.rack) for id_, one in self._sorted())

    def topic_answer(self, topic: str) -> MetadataResponseTopic:
        """A topic that is in the view."""
        partitions = tuple(self._partition_answer(state) for _, state in sorted(self.topics[topic].items()))
        return MetadataResponseTopic(ErrorCode.NONE, topic, topic in OWN_TOPICS, partitions)

    def _partition_answer(self, state: UpdateMetadataPartitionState) -> MetadataResponsePartition:
        has_leader = state.leader in self.brokers
        offline = [one for one in state.replicas if one not in self.brokers or one in state.offline_replicas]
        return MetadataResponsePartition(
            error_code=ErrorCode.NONE if has_leader else ErrorCode.LEADER_NOT_AVAILABLE,
            partition_index=state.partition_index,
            leader_id=state.leader if has_leader else NO_LEADER,
            leader_epoch=state.leader_epoch,
            replica_nodes=state.replicas,
            isr_nodes=state.isr,
            offline_replicas=tuple(offline),
        )

    def _sorted(self) -> list[tuple[int, UpdateMetadataBroker]]:
        return sorted(self.brokers.items())


def _host_and_port(broker: UpdateMetadataBroker) -> tuple[str, int]:
    endpoint = broker.endpoints[0]
    return endpoint.host, endpoint.port
