"""The administrator's client: each request finds the broker that can do it, is repeated where that helps, and ends.

    creating and deleting topics, adding partitions, moving replicas and leaders     the controller
    deleting records, looking up offsets                                             the partition's leader
    groups and their offsets                                                         the group's coordinator
    listing groups                                                                   a broker: those that it coordinates
    describing                                                                       any broker; or the one described
    setting topics otherwise                                                         any broker

A request that was lost with its connection is sent again, so it may be carried out twice: who creates a topic may be
told TOPIC_ALREADY_EXISTS about its own.

Left out: several topics or groups in one request; settings of brokers; ACLs, quotas.
Source: KafkaAdminClient.
"""

from __future__ import annotations

from kafkalite.clients.asking import ANYONE, CONTROLLER, AskingNode, CoordinatorOf
from kafkalite.protocol.configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    IncrementalAlterableConfig,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResource,
)
from kafkalite.protocol.group_admin import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kafkalite.protocol.group_offsets import OffsetFetchRequest, OffsetFetchRequestGroup
from kafkalite.protocol.metadata import (
    DescribeClusterRequest,
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
)
from kafkalite.protocol.offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kafkalite.protocol.reassignment import (
    PREFERRED,
    AlterPartitionReassignmentsRequest,
    ElectLeadersRequest,
    ListPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
    TopicPartitions,
)
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kafkalite.types import NodeName

TOPIC, BROKER = 2, 4  # resources whose settings can be described
SET, DELETE = 0, 1  # what can be done with a setting


class Admin(AskingNode):
    """An administrator's client. The first argument of each method is the number its RequestAnswered will have."""

    # Topics ---------------------------------------------------------------------------------------------------------

    def create_topic(
        self,
        request: int,
        name: str,
        partitions: int = -1,
        replication_factor: int = -1,
        configs: tuple[tuple[str, str], ...] = (),
        assignment: tuple[tuple[int, ...], ...] | None = None,
    ) -> None:
        """Create a topic; -1 leaves a number to the broker. `assignment[i]` are the brokers of partition i."""
        by_hand = tuple(CreatableReplicaAssignment(index, brokers) for index, brokers in enumerate(assignment or ()))
        if by_hand:
            partitions = replication_factor = -1
        settings = tuple(CreatableTopicConfig(key, value) for key, value in configs)
        topic = CreatableTopic(name, partitions, replication_factor, by_hand, settings)
        self.begin(request, CONTROLLER, CreateTopicsRequest((topic,), self._config.request_timeout_ms))

    def delete_topic(self, request: int, name: str) -> None:
        """Delete a topic."""
        message = DeleteTopicsRequest((DeleteTopicState(name),), (name,), self._config.request_timeout_ms)
        self.begin(request, CONTROLLER, message)

    def create_partitions(
        self, request: int, name: str, count: int, assignment: tuple[tuple[int, ...], ...] | None = None
    ) -> None:
        """Let a topic have `count` partitions in all; `assignment` are the brokers of each new one."""
        by_hand = None if assignment is None else tuple(map(CreatePartitionsAssignment, assignment))
        topic = CreatePartitionsTopic(name, count, by_hand)
        self.begin(request, CONTROLLER, CreatePartitionsRequest((topic,), self._config.request_timeout_ms))

    def delete_records(self, request: int, topic: str, partition: int, before: int) -> None:
        """Forget what stands below an offset, -1: below the high watermark. The answer is the new log start offset."""
        one = DeleteRecordsTopic(topic, (DeleteRecordsPartition(partition, before),))
        self.begin(request, (topic, partition), DeleteRecordsRequest((one,), self._config.request_timeout_ms))

    def list_offsets(self, request: int, topic: str, partition: int, timestamp_ms: int = -1) -> None:
        """The offset at which a time begins; -1: the end, -2: the beginning. The answer is -1 if there is none."""
        one = ListOffsetsTopic(topic, (ListOffsetsPartition(partition, timestamp=timestamp_ms),))
        self.begin(request, (topic, partition), ListOffsetsRequest(-1, topics=(one,)))

    def list_topics(self, request: int) -> None:
        """All topics, described."""
        self.begin(request, ANYONE, MetadataRequest(None, allow_auto_topic_creation=False))

    def describe_topic(self, request: int, name: str) -> None:
        """Where a topic's partitions are, who leads them, who is in sync."""
        message = MetadataRequest((MetadataRequestTopic(name),), allow_auto_topic_creation=False)
        self.begin(request, ANYONE, message)

    # Replicas and leaders -------------------------------------------------------------------------------------------

    def reassign(self, request: int, topic: str, partition: int, brokers: tuple[int, ...] | None) -> None:
        """Have these brokers hold the partition, the preferred leader first; None: cancel what is under way."""
        one = ReassignableTopic(topic, (ReassignablePartition(partition, brokers),))
        self.begin(request, CONTROLLER, AlterPartitionReassignmentsRequest(self._config.request_timeout_ms, (one,)))

    def list_reassignments(self, request: int) -> None:
        """Which partitions are under way to other brokers?"""
        self.begin(request, CONTROLLER, ListPartitionReassignmentsRequest(self._config.request_timeout_ms))

    def elect_leader(self, request: int, topic: str, partition: int, kind: int = PREFERRED) -> None:
        """Let the preferred replica lead; with UNCLEAN any that is alive, where none in sync is."""
        one = TopicPartitions(topic, (partition,))
        self.begin(request, CONTROLLER, ElectLeadersRequest(kind, (one,), self._config.request_timeout_ms))

    # Groups ---------------------------------------------------------------------------------------------------------

    def list_groups(self, request: int, broker: int) -> None:
        """The groups that this broker coordinates; all brokers together know all."""
        self.begin(request, broker, ListGroupsRequest())

    def describe_group(self, request: int, group: str) -> None:
        """A group's state and members."""
        self.begin(request, CoordinatorOf(group), DescribeGroupsRequest((group,)))

    def group_offsets(self, request: int, group: str) -> None:
        """How far a group has come, everywhere."""
        asked = OffsetFetchRequestGroup(group, None)
        self.begin(request, CoordinatorOf(group), OffsetFetchRequest(groups=(asked,)))

    def delete_group(self, request: int, group: str) -> None:
        """Forget a group without members, and its offsets."""
        self.begin(request, CoordinatorOf(group), DeleteGroupsRequest((group,)))

    def delete_offsets(self, request: int, group: str, topic: str, *partitions: int) -> None:
        """Forget how far a group is in these partitions; refused while a member reads the topic."""
        asked = OffsetDeleteRequestTopic(topic, tuple(map(OffsetDeleteRequestPartition, partitions)))
        self.begin(request, CoordinatorOf(group), OffsetDeleteRequest(group, (asked,)))

    # Brokers and settings -------------------------------------------------------------------------------------------

    def describe_cluster(self, request: int) -> None:
        """Which brokers are there, where, and which is the controller?"""
        self.begin(request, ANYONE, DescribeClusterRequest())

    def describe_topic_configs(self, request: int, topic: str) -> None:
        """The settings of a topic."""
        self.begin(request, ANYONE, DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, None),)))

    def alter_topic_configs(self, request: int, topic: str, configs: tuple[tuple[str, str | None], ...]) -> None:
        """Change these settings of a topic and leave the others; None: back to the default."""
        changes = tuple(
            IncrementalAlterableConfig(name, SET if value is not None else DELETE, value) for name, value in configs
        )
        one = IncrementalAlterConfigsResource(TOPIC, topic, changes)
        self.begin(request, ANYONE, IncrementalAlterConfigsRequest((one,)))

    def describe_broker_configs(self, request: int, broker: int) -> None:
        """The settings of a broker."""
        self.begin(request, broker, DescribeConfigsRequest((DescribeConfigsResource(BROKER, str(broker), None),)))

    # Answers --------------------------------------------------------------------------------------------------------

    def on_metadata_response(self, source: NodeName, response: MetadataResponse, request: MetadataRequest) -> None:
        """Asked by an administrator, or by the client itself, to find its brokers."""
        if self.is_asked_here(source, request):
            self.answered(source, response, request)
        else:
            self.discovery.on_metadata_response(source, response, request)

    on_create_topics_response = on_delete_topics_response = on_create_partitions_response = AskingNode.answered
    on_delete_records_response = on_list_offsets_response = AskingNode.answered
    on_describe_cluster_response = on_describe_configs_response = AskingNode.answered
    on_incremental_alter_configs_response = AskingNode.answered
    on_list_groups_response = on_describe_groups_response = on_delete_groups_response = AskingNode.answered
    on_offset_fetch_response = on_offset_delete_response = AskingNode.answered
    on_alter_partition_reassignments_response = on_list_partition_reassignments_response = AskingNode.answered
    on_elect_leaders_response = AskingNode.answered
