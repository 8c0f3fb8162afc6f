"""What a transactional producer asks its coordinators. The markers that follow are in `inter_broker`.

A client of an old version is told INVALID_PRODUCER_EPOCH where a younger one reads PRODUCER_FENCED (KIP-588).

Left out: AddPartitionsToTxn by brokers (version 4, KIP-890), two-phase commit (KIP-939).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Annotated, Any

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int16, Int32, Int64, String, since

# InitProducerId · key 22 · v0-4
# KIP-98 · v2 flexible · v3 a producer may bump its own epoch (KIP-360) · v4 PRODUCER_FENCED (KIP-588)
INIT_PRODUCER_ID = Api("InitProducerId", key=22, versions=(0, 4), flexible_since=2, fenced_since=4)


@dataclass(frozen=True, slots=True)
class InitProducerIdRequest:
    """Give me a producer id; with a transactional id, end what an earlier incarnation left open."""

    transactional_id: String | None = ""  # null: idempotence only
    transaction_timeout_ms: Int32 = 0
    producer_id: Annotated[Int64, since(3)] = -1
    producer_epoch: Annotated[Int16, since(3)] = -1


@dataclass(frozen=True, slots=True)
class InitProducerIdResponse:
    """The id, and an epoch that fences whoever had it before."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE
    producer_id: Int64 = -1
    producer_epoch: Int16 = 0


# AddPartitionsToTxn · key 24 · v0-3
# KIP-98 · v2 PRODUCER_FENCED · v3 flexible
ADD_PARTITIONS_TO_TXN = Api("AddPartitionsToTxn", key=24, versions=(0, 3), flexible_since=3, fenced_since=2)


@dataclass(frozen=True, slots=True)
class AddPartitionsToTxnRequest:
    """I am about to write to these partitions."""

    v3_and_below_transactional_id: String = ""
    v3_and_below_producer_id: Int64 = 0
    v3_and_below_producer_epoch: Int16 = 0
    v3_and_below_topics: tuple[AddPartitionsToTxnTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class AddPartitionsToTxnTopic:
    """Partitions of one topic."""

    name: String = ""
    partitions: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class AddPartitionsToTxnResponse:
    """Which of them are part of the transaction now."""

    throttle_time_ms: Int32 = 0
    results_by_topic_v3_and_below: tuple[AddPartitionsToTxnTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class AddPartitionsToTxnTopicResult:
    """The outcome for one topic."""

    name: String = ""
    results_by_partition: tuple[AddPartitionsToTxnPartitionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class AddPartitionsToTxnPartitionResult:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    partition_error_code: Error = ErrorCode.NONE


# AddOffsetsToTxn · key 25 · v0-3
# KIP-98 · v2 PRODUCER_FENCED · v3 flexible
ADD_OFFSETS_TO_TXN = Api("AddOffsetsToTxn", key=25, versions=(0, 3), flexible_since=3, fenced_since=2)


@dataclass(frozen=True, slots=True)
class AddOffsetsToTxnRequest:
    """I am about to commit offsets of this group: add its partition of __consumer_offsets."""

    transactional_id: String = ""
    producer_id: Int64 = 0
    producer_epoch: Int16 = 0
    group_id: String = ""


@dataclass(frozen=True, slots=True)
class AddOffsetsToTxnResponse:
    """Whether it is part of the transaction now."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE


# TxnOffsetCommit · key 28 · v0-3
# KIP-98 · v2 leader epoch (KIP-320) · v3 flexible, and the group's generation (KIP-447)
TXN_OFFSET_COMMIT = Api("TxnOffsetCommit", key=28, versions=(0, 3), flexible_since=3)


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitRequest:
    """Commit these offsets when the transaction commits."""

    transactional_id: String = ""
    group_id: String = ""
    producer_id: Int64 = 0
    producer_epoch: Int16 = 0
    generation_id: Annotated[Int32, since(3)] = -1
    member_id: Annotated[String, since(3)] = ""
    group_instance_id: Annotated[String | None, since(3)] = None
    topics: tuple[TxnOffsetCommitRequestTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitRequestTopic:
    """What is committed of one topic."""

    name: String = ""
    partitions: tuple[TxnOffsetCommitRequestPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitRequestPartition:
    """The next offset to read, with a note of the client's own."""

    partition_index: Int32 = 0
    committed_offset: Int64 = 0
    committed_leader_epoch: Annotated[Int32, since(2)] = -1
    committed_metadata: String | None = ""


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitResponse:
    """What was taken in."""

    throttle_time_ms: Int32 = 0
    topics: tuple[TxnOffsetCommitResponseTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitResponseTopic:
    """The outcome for one topic."""

    name: String = ""
    partitions: tuple[TxnOffsetCommitResponsePartition, ...] = ()


@dataclass(frozen=True, slots=True)
class TxnOffsetCommitResponsePartition:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE


# EndTxn · key 26 · v0-3
# KIP-98 · v2 PRODUCER_FENCED · v3 flexible
END_TXN = Api("EndTxn", key=26, versions=(0, 3), flexible_since=3, fenced_since=2)


@dataclass(frozen=True, slots=True)
class EndTxnRequest:
    """Commit, or abort."""

    transactional_id: String = ""
    producer_id: Int64 = 0
    producer_epoch: Int16 = 0
    committed: Bool = False  # false: abort


@dataclass(frozen=True, slots=True)
class EndTxnResponse:
    """Whether it is decided. Markers are written afterwards."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE


def without_fenced(message: Any) -> Any:
    """The response as a client that does not know PRODUCER_FENCED is told it.

    >>> without_fenced(EndTxnResponse(error_code=ErrorCode.PRODUCER_FENCED)).error_code.name
    'INVALID_PRODUCER_EPOCH'
    """
    if message is ErrorCode.PRODUCER_FENCED:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    if isinstance(message, tuple):
        return tuple(map(without_fenced, message))
    if is_dataclass(message) and not isinstance(message, type):
        return replace(message, **{one.name: without_fenced(getattr(message, one.name)) for one in fields(message)})
    return message
