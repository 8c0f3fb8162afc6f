"""What brokers tell each other: the controller its orders, a transaction's coordinator its decisions.

LeaderAndIsr, StopReplica and UpdateMetadata are the controller's voice: brokers learn who leads from these requests,
not from ZooKeeper. Every one of them carries the controller's epoch, so that a controller which lost its office
without noticing is refused (STALE_CONTROLLER_EPOCH), and the broker's own epoch, so that an order meant for its
earlier life is too (STALE_BROKER_EPOCH, KIP-380).

Left out: older versions (all our brokers are of one release), topic ids (LeaderAndIsr 5, UpdateMetadata 7), KRaft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int16, Int32, Int64, String, since

# LeaderAndIsr · key 4 · v4
# v1 is_new · v2 broker epoch (KIP-380) · v3 adding and removing replicas (KIP-455) · v4 flexible (KIP-482)
LEADER_AND_ISR = Api("LeaderAndIsr", key=4, versions=(4, 4), flexible_since=4)


@dataclass(frozen=True, slots=True)
class LeaderAndIsrRequest:
    """Lead, or follow, these partitions."""

    controller_id: Int32 = 0
    controller_epoch: Int32 = 0
    broker_epoch: Int64 = -1  # the czxid of the broker's znode, as the controller saw it
    topic_states: tuple[LeaderAndIsrTopicState, ...] = ()
    live_leaders: tuple[LeaderAndIsrLiveLeader, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaderAndIsrTopicState:
    """The partitions of one topic that the broker holds."""

    topic_name: String = ""
    partition_states: tuple[LeaderAndIsrPartitionState, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaderAndIsrPartitionState:
    """Who leads one partition, since which epoch, and who is in sync."""

    partition_index: Int32 = 0
    controller_epoch: Int32 = 0  # of the controller that made this state
    leader: Int32 = 0  # -1: none
    leader_epoch: Int32 = 0
    isr: tuple[Int32, ...] = ()
    zk_version: Int32 = 0  # of the partition's znode: what the leader must name to change the ISR
    replicas: tuple[Int32, ...] = ()
    adding_replicas: tuple[Int32, ...] = ()
    removing_replicas: tuple[Int32, ...] = ()
    is_new: Bool = False  # the partition was just created: there is nothing on the disk to miss


@dataclass(frozen=True, slots=True)
class LeaderAndIsrLiveLeader:
    """Where followers reach a leader."""

    broker_id: Int32 = 0
    host_name: String = ""
    port: Int32 = 0


@dataclass(frozen=True, slots=True)
class LeaderAndIsrResponse:
    """What the broker could do."""

    error_code: Error = ErrorCode.NONE
    partition_errors: tuple[LeaderAndIsrPartitionError, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaderAndIsrPartitionError:
    """The outcome for one partition."""

    topic_name: String = ""
    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE


# StopReplica · key 5 · v3
# v1 broker epoch (KIP-380) · v2 flexible · v3 leader epoch and deletion by partition (KIP-570)
STOP_REPLICA = Api("StopReplica", key=5, versions=(3, 3), flexible_since=2)


@dataclass(frozen=True, slots=True)
class StopReplicaRequest:
    """Neither lead nor follow these partitions any more."""

    controller_id: Int32 = 0
    controller_epoch: Int32 = 0
    broker_epoch: Int64 = -1
    topic_states: tuple[StopReplicaTopicState, ...] = ()


@dataclass(frozen=True, slots=True)
class StopReplicaTopicState:
    """The partitions of one topic."""

    topic_name: String = ""
    partition_states: tuple[StopReplicaPartitionState, ...] = ()


@dataclass(frozen=True, slots=True)
class StopReplicaPartitionState:
    """One partition to stop, and whether its files go too."""

    partition_index: Int32 = 0
    leader_epoch: Int32 = -1  # -2: the topic is being deleted, obey whatever epoch you know
    delete_partition: Bool = False


@dataclass(frozen=True, slots=True)
class StopReplicaResponse:
    """What the broker could do."""

    error_code: Error = ErrorCode.NONE
    partition_errors: tuple[StopReplicaPartitionError, ...] = ()


@dataclass(frozen=True, slots=True)
class StopReplicaPartitionError:
    """The outcome for one partition."""

    topic_name: String = ""
    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE


# UpdateMetadata · key 6 · v6
# v1-3 endpoints, racks, listeners · v4 offline replicas (KIP-112) · v5 broker epoch (KIP-380) · v6 flexible
UPDATE_METADATA = Api("UpdateMetadata", key=6, versions=(6, 6), flexible_since=6)


@dataclass(frozen=True, slots=True)
class UpdateMetadataRequest:
    """What to answer to clients who ask for Metadata."""

    controller_id: Int32 = 0
    controller_epoch: Int32 = 0
    broker_epoch: Int64 = -1
    topic_states: tuple[UpdateMetadataTopicState, ...] = ()
    live_brokers: tuple[UpdateMetadataBroker, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateMetadataTopicState:
    """The partitions of one topic that changed."""

    topic_name: String = ""
    partition_states: tuple[UpdateMetadataPartitionState, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateMetadataPartitionState:
    """Who leads one partition, and who holds it."""

    partition_index: Int32 = 0
    controller_epoch: Int32 = 0
    leader: Int32 = 0  # -1: none; -2: the topic is being deleted
    leader_epoch: Int32 = 0
    isr: tuple[Int32, ...] = ()
    zk_version: Int32 = 0
    replicas: tuple[Int32, ...] = ()
    offline_replicas: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateMetadataBroker:
    """A broker that is alive."""

    id: Int32 = 0
    endpoints: tuple[UpdateMetadataEndpoint, ...] = ()
    rack: String | None = None


@dataclass(frozen=True, slots=True)
class UpdateMetadataEndpoint:
    """One address of a broker. The port stands before the host, here alone."""

    port: Int32 = 0
    host: String = ""
    listener: String = ""
    security_protocol: Int16 = 0  # 0: PLAINTEXT


@dataclass(frozen=True, slots=True)
class UpdateMetadataResponse:
    """Whether the broker took it in."""

    error_code: Error = ErrorCode.NONE


# ControlledShutdown · key 7 · v0-3
# v2 broker epoch (KIP-380) · v3 flexible. The only request whose version 0 has a header without a client id.
CONTROLLED_SHUTDOWN = Api("ControlledShutdown", key=7, versions=(0, 3), flexible_since=3, client_id_since=1)


@dataclass(frozen=True, slots=True)
class ControlledShutdownRequest:
    """I am about to stop: move the partitions that I lead."""

    broker_id: Int32 = 0
    broker_epoch: Annotated[Int64, since(2)] = -1


@dataclass(frozen=True, slots=True)
class ControlledShutdownResponse:
    """What the broker still leads; when nothing is left, it may go."""

    error_code: Error = ErrorCode.NONE
    remaining_partitions: tuple[RemainingPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class RemainingPartition:
    """A partition without another replica in sync."""

    topic_name: String = ""
    partition_index: Int32 = 0


# WriteTxnMarkers · key 27 · v0-1
# KIP-98 · v1 flexible (KIP-482)
WRITE_TXN_MARKERS = Api("WriteTxnMarkers", key=27, versions=(0, 1), flexible_since=1)


@dataclass(frozen=True, slots=True)
class WriteTxnMarkersRequest:
    """These transactions are decided: append their markers."""

    markers: tuple[WritableTxnMarker, ...] = ()


@dataclass(frozen=True, slots=True)
class WritableTxnMarker:
    """The decision on one transaction."""

    producer_id: Int64 = 0
    producer_epoch: Int16 = 0
    transaction_result: Bool = False  # false: abort
    topics: tuple[WritableTxnMarkerTopic, ...] = ()
    coordinator_epoch: Int32 = 0  # fences a coordinator that lost its office


@dataclass(frozen=True, slots=True)
class WritableTxnMarkerTopic:
    """The partitions of one topic that the transaction wrote to."""

    name: String = ""
    partition_indexes: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteTxnMarkersResponse:
    """What was appended."""

    markers: tuple[WritableTxnMarkerResult, ...] = ()


@dataclass(frozen=True, slots=True)
class WritableTxnMarkerResult:
    """The outcome for one transaction."""

    producer_id: Int64 = 0
    topics: tuple[WritableTxnMarkerTopicResult, ...] = ()


@dataclass(frozen=True, slots=True)
class WritableTxnMarkerTopicResult:
    """The outcome for one topic."""

    name: String = ""
    partitions: tuple[WritableTxnMarkerPartitionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class WritableTxnMarkerPartitionResult:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE
