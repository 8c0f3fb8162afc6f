"""The controller's orders: lead, follow, stop.

    LeaderAndIsr   key 4   v4    lead or follow these partitions · KIP-380 broker epochs
    StopReplica    key 5   v3    neither, and perhaps delete the files · KIP-570 leader epochs

Three epochs stand guard: the controller's (one that lost its office is refused), the broker's (an order meant for an
earlier life of it), and for each partition the leader's (an order that was overtaken by a newer one).

Source: Kafka's KafkaApis.handleLeaderAndIsrRequest, handleStopReplicaRequest.
"""

from __future__ import annotations

from typing import Any

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.settings import Settings
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    StopReplicaRequest,
    StopReplicaResponse,
)
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.types import NodeName


class ControlApi(Component):
    """Answers LeaderAndIsr and StopReplica."""

    def __init__(self, node: Node, replicas: ReplicaManager, fence: ControllerFence, settings: Settings) -> None:
        super().__init__(node, "control")
        self._replicas, self._fence, self._settings = replicas, fence, settings
        self._waiting: dict[NodeName, LeaderAndIsrRequest] = {}  # for the settings of its topics; one a connection

    def on_leader_and_isr_request(self, source: NodeName, request: LeaderAndIsrRequest) -> None:
        # A log that is opened with the wrong settings rolls and retains wrongly: they are read first.
        self._waiting[source] = request
        topics = [topic.topic_name for topic in request.topic_states]
        self._settings.prepare(topics, self.become, source, request)

    def become(self, source: NodeName, request: LeaderAndIsrRequest) -> None:
        """Obey, now that the settings of the topics are known."""
        error = self._fence.refuses(request)
        response = self._replicas.become(request) if error is ErrorCode.NONE else LeaderAndIsrResponse(error)
        if self._waiting.get(source) is request:  # else the connection is another now, and the reply not for it
            del self._waiting[source]
            self.node.reply(source, response)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self._waiting.pop(peer, None)

    def on_stop_replica_request(self, source: NodeName, request: StopReplicaRequest) -> None:
        error = self._fence.refuses(request)
        if error is ErrorCode.NONE:
            self.node.reply(source, self._replicas.stop(request))
        else:
            self.node.reply(source, StopReplicaResponse(error))
