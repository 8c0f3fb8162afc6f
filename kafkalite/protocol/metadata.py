"""Metadata and DescribeCluster: how a client that knows one broker finds all of them.

Left out: topic ids (Metadata 10), controllers as endpoints (DescribeCluster 1, KIP-919).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int32, String, nullable, since

NOT_ASKED = -0x8000_0000  # of authorized operations: nobody asked what the client may do

# Metadata · key 3 · v0-9
# v1 controller, racks · v2 cluster id · v4 whether to create topics · v5 offline replicas (KIP-112)
# v7 leader epochs (KIP-320) · v8 authorized operations (KIP-430) · v9 flexible
# librdkafka of kcat stops at 4.
METADATA = Api("Metadata", key=3, versions=(0, 9), flexible_since=9)


@dataclass(frozen=True, slots=True)
class MetadataRequest:
    """Which brokers are there, and who leads these topics? Null topics: all of them (in version 0, none named)."""

    topics: Annotated[tuple[MetadataRequestTopic, ...] | None, nullable(1)] = ()
    allow_auto_topic_creation: Annotated[Bool, since(4)] = True
    include_cluster_authorized_operations: Annotated[Bool, since(8)] = False
    include_topic_authorized_operations: Annotated[Bool, since(8)] = False


@dataclass(frozen=True, slots=True)
class MetadataRequestTopic:
    """A topic that is asked for."""

    name: String = ""


@dataclass(frozen=True, slots=True)
class MetadataResponse:
    """All live brokers, and the topics asked for."""

    throttle_time_ms: Annotated[Int32, since(3)] = 0
    brokers: tuple[MetadataResponseBroker, ...] = ()
    cluster_id: Annotated[String | None, since(2)] = None
    controller_id: Annotated[Int32, since(1)] = -1  # -1: none known
    topics: tuple[MetadataResponseTopic, ...] = ()
    cluster_authorized_operations: Annotated[Int32, since(8)] = NOT_ASKED


@dataclass(frozen=True, slots=True)
class MetadataResponseBroker:
    """A broker and where clients reach it."""

    node_id: Int32 = 0
    host: String = ""
    port: Int32 = 0
    rack: Annotated[String | None, since(1)] = None


@dataclass(frozen=True, slots=True)
class MetadataResponseTopic:
    """A topic, or why it cannot be shown."""

    error_code: Error = ErrorCode.NONE
    name: String = ""
    is_internal: Annotated[Bool, since(1)] = False
    partitions: tuple[MetadataResponsePartition, ...] = ()
    topic_authorized_operations: Annotated[Int32, since(8)] = NOT_ASKED


@dataclass(frozen=True, slots=True)
class MetadataResponsePartition:
    """Who leads a partition, and who holds it."""

    error_code: Error = ErrorCode.NONE
    partition_index: Int32 = 0
    leader_id: Int32 = 0  # -1: none
    leader_epoch: Annotated[Int32, since(7)] = -1
    replica_nodes: tuple[Int32, ...] = ()
    isr_nodes: tuple[Int32, ...] = ()
    offline_replicas: Annotated[tuple[Int32, ...], since(5)] = ()


# DescribeCluster · key 60 · v0
# KIP-700: what Metadata says of brokers, without topics. Flexible from its first version.
DESCRIBE_CLUSTER = Api("DescribeCluster", key=60, versions=(0, 0), flexible_since=0)


@dataclass(frozen=True, slots=True)
class DescribeClusterRequest:
    """Which brokers are there?"""

    include_cluster_authorized_operations: Bool = False


@dataclass(frozen=True, slots=True)
class DescribeClusterResponse:
    """The cluster and its brokers."""

    throttle_time_ms: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = None
    cluster_id: String = ""
    controller_id: Int32 = -1  # -1: none known
    brokers: tuple[DescribeClusterBroker, ...] = ()
    cluster_authorized_operations: Int32 = NOT_ASKED


@dataclass(frozen=True, slots=True)
class DescribeClusterBroker:
    """A broker and where clients reach it."""

    broker_id: Int32 = 0
    host: String = ""
    port: Int32 = 0
    rack: String | None = None
