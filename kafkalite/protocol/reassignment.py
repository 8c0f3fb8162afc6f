"""Replicas move, and leaders: AlterPartitionReassignments, ListPartitionReassignments (KIP-455), ElectLeaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Error, Int8, Int32, String, since

PREFERRED, UNCLEAN = 0, 1  # kinds of elections

# ElectLeaders · key 43 · v0-2
# KIP-183 · v1 unclean elections (KIP-460) · v2 flexible
ELECT_LEADERS = Api("ElectLeaders", key=43, versions=(0, 2), flexible_since=2)


@dataclass(frozen=True, slots=True)
class ElectLeadersRequest:
    """Let the preferred replicas lead, or, unclean, any that is alive where none in sync is; None: everywhere."""

    election_type: Annotated[Int8, since(1)] = PREFERRED
    topic_partitions: tuple[TopicPartitions, ...] | None = None
    timeout_ms: Int32 = 60000


@dataclass(frozen=True, slots=True)
class TopicPartitions:
    """Partitions of one topic."""

    topic: String = ""
    partitions: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class ElectLeadersResponse:
    """What was elected. Without partitions in the request, only those for which there was something to do."""

    throttle_time_ms: Int32 = 0
    error_code: Annotated[Error, since(1)] = ErrorCode.NONE
    replica_election_results: tuple[ReplicaElectionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaElectionResult:
    """The outcomes of one topic."""

    topic: String = ""
    partition_result: tuple[PartitionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """The outcome for one partition."""

    partition_id: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None


# AlterPartitionReassignments · key 45 · v0
# KIP-455
ALTER_PARTITION_REASSIGNMENTS = Api("AlterPartitionReassignments", key=45, versions=(0, 0), flexible_since=0)


@dataclass(frozen=True, slots=True)
class AlterPartitionReassignmentsRequest:
    """Have these brokers, and no others, hold these partitions."""

    timeout_ms: Int32 = 60000
    topics: tuple[ReassignableTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class ReassignableTopic:
    """Partitions of one topic."""

    name: String = ""
    partitions: tuple[ReassignablePartition, ...] = ()


@dataclass(frozen=True, slots=True)
class ReassignablePartition:
    """Where a partition is to be, the preferred leader first; None: where it was, so cancel what is under way."""

    partition_index: Int32 = 0
    replicas: tuple[Int32, ...] | None = None


@dataclass(frozen=True, slots=True)
class AlterPartitionReassignmentsResponse:
    """What was begun. Nothing has moved yet."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None
    responses: tuple[ReassignableTopicResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class ReassignableTopicResponse:
    """The outcomes of one topic."""

    name: String = ""
    partitions: tuple[ReassignablePartitionResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class ReassignablePartitionResponse:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None


# ListPartitionReassignments · key 46 · v0
# KIP-455
LIST_PARTITION_REASSIGNMENTS = Api("ListPartitionReassignments", key=46, versions=(0, 0), flexible_since=0)


@dataclass(frozen=True, slots=True)
class ListPartitionReassignmentsRequest:
    """Which of these are under way? None: any."""

    timeout_ms: Int32 = 60000
    topics: tuple[ListPartitionReassignmentsTopics, ...] | None = None


@dataclass(frozen=True, slots=True)
class ListPartitionReassignmentsTopics:
    """Partitions of one topic."""

    name: String = ""
    partition_indexes: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class ListPartitionReassignmentsResponse:
    """What is under way."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None
    topics: tuple[OngoingTopicReassignment, ...] = ()


@dataclass(frozen=True, slots=True)
class OngoingTopicReassignment:
    """Partitions of one topic that are under way."""

    name: String = ""
    partitions: tuple[OngoingPartitionReassignment, ...] = ()


@dataclass(frozen=True, slots=True)
class OngoingPartitionReassignment:
    """Where a partition is now, those that are new and those that are to go included."""

    partition_index: Int32 = 0
    replicas: tuple[Int32, ...] = ()
    adding_replicas: tuple[Int32, ...] = ()
    removing_replicas: tuple[Int32, ...] = ()
