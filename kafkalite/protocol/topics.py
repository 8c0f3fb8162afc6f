"""Topics come and go: CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords.

Topic ids are on the wire and always zero: this Kafka is older than they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import (
    NO_UUID,
    Bool,
    Error,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Uuid,
    nullable,
    since,
    tagged,
    until,
)

# CreateTopics · key 19 · v0-7
# v1 validate only · v4 the broker's defaults (KIP-464) · v5 flexible, the topic comes back (KIP-525)
# v6 quotas (KIP-599) · v7 topic ids (KIP-516)
CREATE_TOPICS = Api("CreateTopics", key=19, versions=(0, 7), flexible_since=5)


@dataclass(frozen=True, slots=True)
class CreateTopicsRequest:
    """Create these topics."""

    topics: tuple[CreatableTopic, ...] = ()
    timeout_ms: Int32 = 60000
    validate_only: Annotated[Bool, since(1)] = False


@dataclass(frozen=True, slots=True)
class CreatableTopic:
    """A topic to be: so many partitions and replicas (-1: the broker's default), or assignments by hand."""

    name: String = ""
    num_partitions: Int32 = 0
    replication_factor: Int16 = 0
    assignments: tuple[CreatableReplicaAssignment, ...] = ()
    configs: tuple[CreatableTopicConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatableReplicaAssignment:
    """Which brokers hold one partition; the first is its preferred leader."""

    partition_index: Int32 = 0
    broker_ids: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatableTopicConfig:
    """A setting of the topic."""

    name: String = ""
    value: String | None = ""


@dataclass(frozen=True, slots=True)
class CreateTopicsResponse:
    """What was created."""

    throttle_time_ms: Annotated[Int32, since(2)] = 0
    topics: tuple[CreatableTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatableTopicResult:
    """The outcome for one topic."""

    name: String = ""
    topic_id: Annotated[Uuid, since(7)] = NO_UUID
    error_code: Error = ErrorCode.NONE
    error_message: Annotated[String | None, since(1)] = ""
    num_partitions: Annotated[Int32, since(5)] = -1
    replication_factor: Annotated[Int16, since(5)] = -1
    configs: Annotated[tuple[CreatableTopicConfigs, ...] | None, since(5)] = ()
    topic_config_error_code: Annotated[Error, since(5), tagged(0)] = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class CreatableTopicConfigs:
    """A setting as it is now."""

    name: String = ""
    value: String | None = ""
    read_only: Bool = False
    config_source: Int8 = -1
    is_sensitive: Bool = False


# DeleteTopics · key 20 · v0-6
# v4 flexible · v5 an error's text (KIP-599) · v6 topic ids (KIP-516)
DELETE_TOPICS = Api("DeleteTopics", key=20, versions=(0, 6), flexible_since=4)


@dataclass(frozen=True, slots=True)
class DeleteTopicsRequest:
    """Delete these topics, by name (`topic_names` to version 5) or by name or id."""

    topics: Annotated[tuple[DeleteTopicState, ...], since(6)] = ()
    topic_names: Annotated[tuple[String, ...], until(5)] = ()
    timeout_ms: Int32 = 0


@dataclass(frozen=True, slots=True)
class DeleteTopicState:
    """A topic to delete; the name is null where the id is given."""

    name: String | None = None
    topic_id: Uuid = NO_UUID


@dataclass(frozen=True, slots=True)
class DeleteTopicsResponse:
    """What was deleted."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    responses: tuple[DeletableTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletableTopicResult:
    """The outcome for one topic."""

    name: Annotated[String | None, nullable(6)] = ""
    topic_id: Annotated[Uuid, since(6)] = NO_UUID
    error_code: Error = ErrorCode.NONE
    error_message: Annotated[String | None, since(5)] = None


# CreatePartitions · key 37 · v0-3
# KIP-195 · v2 flexible · v3 quotas (KIP-599)
CREATE_PARTITIONS = Api("CreatePartitions", key=37, versions=(0, 3), flexible_since=2)


@dataclass(frozen=True, slots=True)
class CreatePartitionsRequest:
    """Give these topics more partitions; there is no way to take any away."""

    topics: tuple[CreatePartitionsTopic, ...] = ()
    timeout_ms: Int32 = 0
    validate_only: Bool = False


@dataclass(frozen=True, slots=True)
class CreatePartitionsTopic:
    """A topic and how many partitions it shall have in all."""

    name: String = ""
    count: Int32 = 0
    assignments: tuple[CreatePartitionsAssignment, ...] | None = ()


@dataclass(frozen=True, slots=True)
class CreatePartitionsAssignment:
    """Which brokers hold one new partition."""

    broker_ids: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatePartitionsResponse:
    """What was added."""

    throttle_time_ms: Int32 = 0
    results: tuple[CreatePartitionsTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatePartitionsTopicResult:
    """The outcome for one topic."""

    name: String = ""
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None


# DeleteRecords · key 21 · v0-2
# KIP-107 · v2 flexible
DELETE_RECORDS = Api("DeleteRecords", key=21, versions=(0, 2), flexible_since=2)


@dataclass(frozen=True, slots=True)
class DeleteRecordsRequest:
    """Forget everything below these offsets."""

    topics: tuple[DeleteRecordsTopic, ...] = ()
    timeout_ms: Int32 = 0


@dataclass(frozen=True, slots=True)
class DeleteRecordsTopic:
    """What to forget of one topic."""

    name: String = ""
    partitions: tuple[DeleteRecordsPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteRecordsPartition:
    """The first offset to keep; -1: forget up to the high watermark."""

    partition_index: Int32 = 0
    offset: Int64 = 0


@dataclass(frozen=True, slots=True)
class DeleteRecordsResponse:
    """What was forgotten."""

    throttle_time_ms: Int32 = 0
    topics: tuple[DeleteRecordsTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteRecordsTopicResult:
    """The outcome for one topic."""

    name: String = ""
    partitions: tuple[DeleteRecordsPartitionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteRecordsPartitionResult:
    """The first offset that is left; -1 with an error."""

    partition_index: Int32 = 0
    low_watermark: Int64 = 0
    error_code: Error = ErrorCode.NONE
