"""Requests that several programs for three brokers need, about one topic, mostly about its partition 0."""

from __future__ import annotations

from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.offsets import OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic
from kafkalite.protocol.reassignment import (
    AlterPartitionReassignmentsRequest,
    ElectLeadersRequest,
    ReassignablePartition,
    ReassignableTopic,
    TopicPartitions,
)
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreateTopicsRequest,
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)


def metadata(topic: str) -> MetadataRequest:
    """What there is of a topic."""
    return MetadataRequest((MetadataRequestTopic(topic),), allow_auto_topic_creation=False)


def create(name: str, partitions: int, replicas: int, *by_hand: tuple[int, ...]) -> CreateTopicsRequest:
    """Create a topic."""
    placed = tuple(CreatableReplicaAssignment(index, each) for index, each in enumerate(by_hand))
    return CreateTopicsRequest((CreatableTopic(name, partitions, replicas, placed),), 10_000)


def elect(kind: int, *topics: str) -> ElectLeadersRequest:
    """Elect a leader of partition 0 of each."""
    return ElectLeadersRequest(kind, tuple(TopicPartitions(topic, (0,)) for topic in topics), 10_000)


def move(topic: str, replicas: tuple[int, ...] | None) -> AlterPartitionReassignmentsRequest:
    """Have partition 0 elsewhere; None: where it was."""
    partition = ReassignablePartition(0, replicas)
    return AlterPartitionReassignmentsRequest(10_000, (ReassignableTopic(topic, (partition,)),))


def end_of_epoch(topic: str, asked: int, current: int = -1) -> OffsetForLeaderEpochRequest:
    """Where an epoch ended."""
    partitions = (OffsetForLeaderPartition(0, current, asked),)
    return OffsetForLeaderEpochRequest(-1, (OffsetForLeaderTopic(topic, partitions),))


def delete_records(topic: str, before: int) -> DeleteRecordsRequest:
    """Forget what stands below an offset."""
    return DeleteRecordsRequest((DeleteRecordsTopic(topic, (DeleteRecordsPartition(0, before),)),), 10_000)
