"""Requests that most programs need, with everything that a program does not care about filled in."""

from __future__ import annotations

from typing import Any

from kafkalite.protocol.consumer_protocol import ConsumerProtocolSubscription, encode_subscription
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.protocol.group_membership import (
    JoinGroupRequest,
    JoinGroupRequestProtocol,
    SyncGroupRequest,
    SyncGroupRequestAssignment,
)
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetFetchRequest,
    OffsetFetchRequestTopic,
)
from kafkalite.protocol.offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData

LATEST, EARLIEST = -1, -2


def produce(
    topic: str, data: bytes | None, partition: int = 0, *, acks: int = -1, transactional_id: str | None = None
) -> Any:
    """A Produce request to one partition."""
    sent = TopicProduceData(topic, (PartitionProduceData(partition, data),))
    return ProduceRequest(transactional_id, acks, 10_000, (sent,))


def fetch(topic: str, offset: int = 0, partition: int = 0, **more: Any) -> Any:
    """A Fetch request that does not wait."""
    leader_epoch, max_bytes = more.pop("leader_epoch", -1), more.pop("partition_max_bytes", 1 << 20)
    asked = FetchPartition(partition, leader_epoch, offset, -1, max_bytes)
    settings: dict[str, Any] = {"max_wait_ms": 0, "min_bytes": 0, "topics": (FetchTopic(topic, (asked,)),)}
    return FetchRequest(**settings | more)


def list_offsets(topic: str, timestamp: int, partition: int = 0, isolation_level: int = 0) -> Any:
    """A ListOffsets request of a consumer."""
    asked = ListOffsetsPartition(partition, -1, timestamp)
    return ListOffsetsRequest(-1, isolation_level, (ListOffsetsTopic(topic, (asked,)),))


def join(group: str, member: str = "", *names: str, **more: Any) -> Any:
    """A JoinGroup request with these assignors, each with its name as user data."""
    protocols = tuple(
        JoinGroupRequestProtocol(name, encode_subscription(ConsumerProtocolSubscription((), name.encode())))
        for name in names or ("range",)
    )
    settings: dict[str, Any] = {
        "session_timeout_ms": 60_000,
        "rebalance_timeout_ms": 60_000,
        "protocol_type": "consumer",
    }
    return JoinGroupRequest(group_id=group, member_id=member, protocols=protocols, **settings | more)


def sync(group: str, generation: int, member: str, assignments: dict[str, bytes] | None = None, **more: Any) -> Any:
    """A SyncGroup request of a consumer with the "range" assignor; only the leader's has assignments."""
    shares = tuple(SyncGroupRequestAssignment(one, share) for one, share in (assignments or {}).items())
    kind: dict[str, Any] = {"protocol_type": "consumer", "protocol_name": "range"}
    return SyncGroupRequest(group, generation, member, assignments=shares, **kind | more)


def commit(group: str, topic: str, offset: int, generation: int = -1, member: str = "", **more: Any) -> Any:
    """An OffsetCommit request for partition 0."""
    partition = OffsetCommitRequestPartition(0, offset, committed_metadata=more.pop("metadata", ""))
    topics = (OffsetCommitRequestTopic(topic, (partition,)),)
    return OffsetCommitRequest(group, generation, member, topics=topics, **more)


def fetch_offsets(group: str, *topics: str) -> Any:
    """An OffsetFetch request for partition 0 of each topic, in words of version 7; without topics: of everything."""
    asked = tuple(OffsetFetchRequestTopic(topic, (0,)) for topic in topics)
    return OffsetFetchRequest(group, asked or None)
