"""Which controller a broker obeys: the newest it has heard of, and only in orders meant for its present life.

LeaderAndIsr, StopReplica and UpdateMetadata all ask here first, so an epoch learned from one fences the others.

    controller epoch   grows with every election of a controller; an older one has lost its office and may not know it
    broker epoch       the czxid of this broker's znode; an older one means an earlier life, before a restart (KIP-380)

Source: Kafka's KafkaApis.isBrokerEpochStale, ReplicaManager.controllerEpoch.
"""

from __future__ import annotations

from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerObeyed, ControllerRequestRefused
from kafkalite.node import Node
from kafkalite.protocol.inter_broker import LeaderAndIsrRequest, StopReplicaRequest, UpdateMetadataRequest

NOT_REGISTERED = -1

ControllerRequest = LeaderAndIsrRequest | StopReplicaRequest | UpdateMetadataRequest


class ControllerFence:
    """The newest controller epoch this broker has seen, and its own epoch. Both only grow."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.broker_epoch = NOT_REGISTERED
        self.controller_epoch = 0

    def refuses(self, request: ControllerRequest) -> ErrorCode:
        """Why this order is not obeyed; NONE if it is, and then no older controller's will be."""
        # A *newer* broker epoch is obeyed: the controller may know of our znode before ZooKeeper has told us.
        if request.broker_epoch < self.broker_epoch:
            return self._refuse(request, ErrorCode.STALE_BROKER_EPOCH)
        if request.controller_epoch < self.controller_epoch:
            return self._refuse(request, ErrorCode.STALE_CONTROLLER_EPOCH)
        if request.controller_epoch != self.controller_epoch:
            self.controller_epoch = request.controller_epoch
            self._node.note(ControllerObeyed(request.controller_epoch))
        return ErrorCode.NONE

    def _refuse(self, request: ControllerRequest, error: ErrorCode) -> ErrorCode:
        self._node.note(ControllerRequestRefused(type(request).__name__.removesuffix("Request"), error.name))
        return error
