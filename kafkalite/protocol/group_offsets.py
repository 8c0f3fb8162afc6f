"""How far a group has come: OffsetCommit writes the bookmark, OffsetFetch reads it.

Left out: member epochs of KIP-848 (OffsetFetch 9), topic ids (10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int32, Int64, String, between, nullable, since, until

# OffsetCommit · key 8 · v0-8
# v1 generation and member · v2-4 retention by commit · v6 leader epoch (KIP-320) · v7 static members (KIP-345)
# v8 flexible
OFFSET_COMMIT = Api("OffsetCommit", key=8, versions=(0, 8), flexible_since=8)


@dataclass(frozen=True, slots=True)
class OffsetCommitRequest:
    """The group has read up to these offsets. Generation -1 and no member: a consumer without a group."""

    group_id: String = ""
    generation_id_or_member_epoch: Annotated[Int32, since(1)] = -1
    member_id: Annotated[String, since(1)] = ""
    group_instance_id: Annotated[String | None, since(7)] = None
    retention_time_ms: Annotated[Int64, between(2, 4)] = -1
    topics: tuple[OffsetCommitRequestTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetCommitRequestTopic:
    """What is committed of one topic."""

    name: String = ""
    partitions: tuple[OffsetCommitRequestPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetCommitRequestPartition:
    """The next offset to read, with a note of the client's own."""

    partition_index: Int32 = 0
    committed_offset: Int64 = 0  # the next one to read
    committed_leader_epoch: Annotated[Int32, since(6)] = -1
    commit_timestamp: Annotated[Int64, between(1, 1)] = -1
    committed_metadata: String | None = ""


@dataclass(frozen=True, slots=True)
class OffsetCommitResponse:
    """What was committed."""

    throttle_time_ms: Annotated[Int32, since(3)] = 0
    topics: tuple[OffsetCommitResponseTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetCommitResponseTopic:
    """The outcome for one topic."""

    name: String = ""
    partitions: tuple[OffsetCommitResponsePartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetCommitResponsePartition:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE


# OffsetFetch · key 9 · v0-8
# v2 all topics, an error for the whole · v5 leader epoch (KIP-320) · v6 flexible · v7 stable offsets (KIP-447)
# v8 many groups at once (KIP-709)
OFFSET_FETCH = Api("OffsetFetch", key=9, versions=(0, 8), flexible_since=6)


@dataclass(frozen=True, slots=True)
class OffsetFetchRequest:
    """How far has the group come? Null topics: in everything it committed."""

    group_id: Annotated[String, until(7)] = ""
    topics: Annotated[tuple[OffsetFetchRequestTopic, ...] | None, until(7), nullable(2)] = ()
    groups: Annotated[tuple[OffsetFetchRequestGroup, ...], since(8)] = ()
    require_stable: Annotated[Bool, since(7)] = False  # wait for open transactions (KIP-447)


@dataclass(frozen=True, slots=True)
class OffsetFetchRequestTopic:
    """What is asked of one topic, to version 7."""

    name: String = ""
    partition_indexes: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchRequestGroup:
    """What is asked of one group, from version 8 on."""

    group_id: String = ""
    topics: tuple[OffsetFetchRequestTopics, ...] | None = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchRequestTopics:
    """What is asked of one topic, from version 8 on."""

    name: String = ""
    partition_indexes: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchResponse:
    """The committed offsets; `topics` to version 7, `groups` from 8 on."""

    throttle_time_ms: Annotated[Int32, since(3)] = 0
    topics: Annotated[tuple[OffsetFetchResponseTopic, ...], until(7)] = ()
    error_code: Annotated[Error, between(2, 7)] = ErrorCode.NONE
    groups: Annotated[tuple[OffsetFetchResponseGroup, ...], since(8)] = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchResponseTopic:
    """The offsets of one topic, to version 7."""

    name: String = ""
    partitions: tuple[OffsetFetchResponsePartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchResponsePartition:
    """What was committed for one partition; offset -1: nothing."""

    partition_index: Int32 = 0
    committed_offset: Int64 = 0
    committed_leader_epoch: Annotated[Int32, since(5)] = -1
    metadata: String | None = ""
    error_code: Error = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class OffsetFetchResponseGroup:
    """The offsets of one group, from version 8 on."""

    group_id: String = ""
    topics: tuple[OffsetFetchResponseTopics, ...] = ()
    error_code: Error = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class OffsetFetchResponseTopics:
    """The offsets of one topic, from version 8 on."""

    name: String = ""
    partitions: tuple[OffsetFetchResponsePartitions, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetFetchResponsePartitions:
    """What was committed for one partition; offset -1: nothing."""

    partition_index: Int32 = 0
    committed_offset: Int64 = 0
    committed_leader_epoch: Int32 = -1
    metadata: String | None = ""
    error_code: Error = ErrorCode.NONE
