"""The controller's word to each broker: one queue a broker, in order, each request again until it is answered.

What the controller says later rests on what it said before, so nothing is skipped and nothing overtakes. A broker that
does not answer is asked again until its znode is gone; to its next life a new queue leads.

Source: kafka.controller.ControllerChannelManager, RequestSendThread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import LiveBroker
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import LeaderAndIsrResponse, StopReplicaResponse, UpdateMetadataResponse
from kafkalite.types import NodeName, address, channel

RETRY_MS = 100  # Kafka's, too

ControlResponse = LeaderAndIsrResponse | StopReplicaResponse | UpdateMetadataResponse


@dataclass(slots=True)
class _Queue:
    broker: LiveBroker
    waiting: deque[Any] = field(default_factory=deque)
    is_sent: bool = False  # the first of them


class Channels(Component):
    """The queues. `on_answer(broker id, response, request)` is called for each answer, before the next request goes."""

    def __init__(self, node: Node, config: BrokerConfig, on_answer: Callable[[int, Any, Any], None]) -> None:
        super().__init__(node, "channels")
        self._timeout_ms = config.controller_socket_timeout_ms
        self._on_answer = on_answer
        self._queues: dict[NodeName, _Queue] = {}
        self._peers: dict[int, NodeName] = {}

    def open(self, broker: LiveBroker) -> None:
        """A broker came: whatever waited for an earlier life of it is not for this one."""
        self.close(broker.id)
        peer = channel(address(broker.host, broker.port), "control")
        self._peers[broker.id] = peer
        self._queues[peer] = _Queue(broker)

    def close(self, broker: int) -> None:
        """A broker is gone, and what was meant for it with it."""
        peer = self._peers.pop(broker, None)
        queue = self._queues.pop(peer, None) if peer is not None else None
        if peer is not None and queue is not None and queue.is_sent:
            self.node.disconnect(peer)

    def close_all(self) -> None:
        """The office is lost: nothing more is said."""
        for broker in sorted(self._peers):
            self.close(broker)

    def send(self, broker: int, request: Any) -> None:
        """Say this after all that was said before; nothing to a broker that is not there."""
        peer = self._peers.get(broker)
        if peer is not None:
            self._queues[peer].waiting.append(request)
            self._go_on(peer)

    def on_leader_and_isr_response(self, source: NodeName, response: LeaderAndIsrResponse, request: Any) -> None:
        self._answered(source, response, request)

    def on_stop_replica_response(self, source: NodeName, response: StopReplicaResponse, request: Any) -> None:
        self._answered(source, response, request)

    def on_update_metadata_response(self, source: NodeName, response: UpdateMetadataResponse, request: Any) -> None:
        self._answered(source, response, request)

    def _answered(self, peer: NodeName, response: ControlResponse, request: Any) -> None:
        queue = self._in_works(peer, (request,))
        if queue is None:
            return  # asked in an earlier office
        queue.waiting.popleft()
        queue.is_sent = False
        self._on_answer(queue.broker.id, response, request)
        self._go_on(peer)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        queue = self._in_works(peer, requests)
        if queue is not None:
            queue.is_sent = False
            self.set_timer(f"retry:{peer}", RETRY_MS)

    def on_retry(self, peer: NodeName) -> None:
        """Ask again what was not answered."""
        self._go_on(peer)

    def _in_works(self, peer: NodeName, requests: tuple[Any, ...]) -> _Queue | None:
        queue = self._queues.get(peer)
        if queue is not None and queue.is_sent and any(request is queue.waiting[0] for request in requests):
            return queue
        return None

    def _go_on(self, peer: NodeName) -> None:
        queue = self._queues.get(peer)
        if queue is not None and queue.waiting and not queue.is_sent:
            queue.is_sent = True
            self.node.request(peer, queue.waiting[0], timeout_ms=self._timeout_ms)
