"""Fetch: how consumers read and how followers copy; the same request, told apart by the replica id.

Left out: topic ids (version 13), divergence told inside the response (version 12, KIP-595); followers ask
OffsetForLeaderEpoch instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Error, Int8, Int32, Int64, Records, String, since

# Fetch · key 1 · v4-11
# v4 isolation levels (KIP-98) · v5 log start offset (KIP-107) · v7 sessions (KIP-227) · v9 leader epoch (KIP-320)
# v10 zstd (KIP-110) · v11 rack of the reader, read replica (KIP-392)
# KIP-74: the first batch is returned even where it is larger than every limit.
FETCH = Api("Fetch", key=1, versions=(4, 11))


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Give me what follows these offsets. A follower asks so too: its offset tells the leader how far it has come."""

    replica_id: Int32 = -1  # -1: a consumer; else the follower's broker id
    max_wait_ms: Int32 = 0  # how long to wait for min_bytes
    min_bytes: Int32 = 0
    max_bytes: Int32 = 0x7FFFFFFF
    isolation_level: Int8 = 0  # 0: read_uncommitted; 1: read_committed
    session_id: Annotated[Int32, since(7)] = 0  # 0: no session
    session_epoch: Annotated[Int32, since(7)] = -1  # -1: a full fetch, no session wanted
    topics: tuple[FetchTopic, ...] = ()
    forgotten_topics_data: Annotated[tuple[ForgottenTopic, ...], since(7)] = ()
    rack_id: Annotated[String, since(11)] = ""


@dataclass(frozen=True, slots=True)
class FetchTopic:
    """What is asked of one topic."""

    topic: String = ""
    partitions: tuple[FetchPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchPartition:
    """Where to read one partition from."""

    partition: Int32 = 0
    current_leader_epoch: Annotated[Int32, since(9)] = -1  # the leader's epoch as the asker knows it; -1: unknown
    fetch_offset: Int64 = 0
    log_start_offset: Annotated[Int64, since(5)] = -1  # a follower's own; the leader may then delete older records
    partition_max_bytes: Int32 = 0


@dataclass(frozen=True, slots=True)
class ForgottenTopic:
    """Partitions to drop from a fetch session."""

    topic: String = ""
    partitions: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The batches found, and how far each partition has come."""

    throttle_time_ms: Int32 = 0
    error_code: Annotated[Error, since(7)] = ErrorCode.NONE
    session_id: Annotated[Int32, since(7)] = 0
    responses: tuple[FetchableTopicResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchableTopicResponse:
    """What was found of one topic."""

    topic: String = ""
    partitions: tuple[PartitionData, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionData:
    """What was found of one partition. The first batch may begin below the offset asked for."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE
    high_watermark: Int64 = 0
    last_stable_offset: Int64 = -1  # below it no transaction is open
    log_start_offset: Annotated[Int64, since(5)] = -1
    aborted_transactions: tuple[AbortedTransaction, ...] | None = ()
    preferred_read_replica: Annotated[Int32, since(11)] = -1  # -1: read from the leader
    records: Records | None = None


@dataclass(frozen=True, slots=True)
class AbortedTransaction:
    """A transaction whose records from `first_offset` on a read_committed consumer must skip."""

    producer_id: Int64 = 0
    first_offset: Int64 = 0
