"""Questions about offsets: by time (ListOffsets), and by leader epoch (OffsetForLeaderEpoch).

Left out: ListOffsets 0, which answered with a list of segments' offsets, and the timestamps of tiered storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Error, Int8, Int32, Int64, String, since

# ListOffsets · key 2 · v1-6
# v1 one offset a partition (KIP-79) · v2 isolation levels (KIP-98) · v4 leader epochs (KIP-320) · v6 flexible
LIST_OFFSETS = Api("ListOffsets", key=2, versions=(1, 6), flexible_since=6)


@dataclass(frozen=True, slots=True)
class ListOffsetsRequest:
    """At which offset does a time begin? -1 asks for the end, -2 for the beginning."""

    replica_id: Int32 = 0  # -1: a consumer
    isolation_level: Annotated[Int8, since(2)] = 0
    topics: tuple[ListOffsetsTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOffsetsTopic:
    """What is asked of one topic."""

    name: String = ""
    partitions: tuple[ListOffsetsPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOffsetsPartition:
    """The time to look up in one partition."""

    partition_index: Int32 = 0
    current_leader_epoch: Annotated[Int32, since(4)] = -1
    timestamp: Int64 = 0  # -1: the end; -2: the beginning; else ms since 1970


@dataclass(frozen=True, slots=True)
class ListOffsetsResponse:
    """The offsets found."""

    throttle_time_ms: Annotated[Int32, since(2)] = 0
    topics: tuple[ListOffsetsTopicResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOffsetsTopicResponse:
    """The offsets of one topic."""

    name: String = ""
    partitions: tuple[ListOffsetsPartitionResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOffsetsPartitionResponse:
    """The first offset whose record is not older than the time asked for; -1: there is none."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE
    timestamp: Int64 = -1
    offset: Int64 = -1
    leader_epoch: Annotated[Int32, since(4)] = -1


# OffsetForLeaderEpoch · key 23 · v2-3
# v2 the asker's idea of the leader epoch (KIP-320) · v3 replica id, so that followers and consumers are told apart
# KIP-101, KIP-279: why a follower truncates by epoch and not to the high watermark.
OFFSET_FOR_LEADER_EPOCH = Api("OffsetForLeaderEpoch", key=23, versions=(2, 3))


@dataclass(frozen=True, slots=True)
class OffsetForLeaderEpochRequest:
    """Where did these epochs end? A follower asks before it truncates, a consumer before it goes on."""

    replica_id: Annotated[Int32, since(3)] = -2  # -2: a client that is no replica and sent none
    topics: tuple[OffsetForLeaderTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetForLeaderTopic:
    """What is asked of one topic."""

    topic: String = ""
    partitions: tuple[OffsetForLeaderPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetForLeaderPartition:
    """The epoch to look up in one partition."""

    partition: Int32 = 0
    current_leader_epoch: Int32 = -1
    leader_epoch: Int32 = 0


@dataclass(frozen=True, slots=True)
class OffsetForLeaderEpochResponse:
    """Where the epochs ended."""

    throttle_time_ms: Int32 = 0
    topics: tuple[OffsetForLeaderTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetForLeaderTopicResult:
    """The ends in one topic."""

    topic: String = ""
    partitions: tuple[EpochEndOffset, ...] = ()


@dataclass(frozen=True, slots=True)
class EpochEndOffset:
    """The largest epoch that is not above the one asked for, and its end; both -1 when there is none."""

    error_code: Error = ErrorCode.NONE
    partition: Int32 = 0
    leader_epoch: Int32 = -1
    end_offset: Int64 = -1  # the first offset that is not of this epoch
