"""Stopping in order: first the leaderships go, then the logs are closed, then the session ends.

    ask the controller to move what this broker leads   ControlledShutdown · key 7, at most so many times
    close the logs                                      synced, watermarks written, marked as clean
    end the session                                     the broker's znode goes, and nobody waits for a time-out

A partition without another replica in sync cannot be moved; after the last try the broker stops all the same, and the
partition is offline until it is back. Clients see no more than NOT_LEADER_OR_FOLLOWER and broken connections.

Source: Kafka's KafkaServer.controlledShutdown, KafkaServer.shutdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata import MetadataCache
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import ControlledShutdownRequest, ControlledShutdownResponse
from kafkalite.protocol.zookeeper import GetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import NodeName, channel


class ControlledShutdown(Component):
    """Moves the leaderships away, as far as possible; then calls `then()`."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        zk: ZooKeeperClient,
        metadata: MetadataCache,
        fence: ControllerFence,
    ) -> None:
        super().__init__(node, "shutdown")
        self._config, self._zk, self._metadata, self._fence = config, zk, metadata, fence
        self._tries_left = config.controlled_shutdown_max_retries if config.controlled_shutdown_enable else 0
        self._then: Callable[[], None] | None = None
        self._is_done = False

    def begin(self, then: Callable[[], None], *, is_registered: bool) -> None:
        """Begin; being told twice changes nothing. A broker that nobody knows has nothing to move."""
        if self._then is None:
            self._then = then
            if not is_registered:
                self._tries_left = 0
            self.on_retry()

    def on_retry(self) -> None:
        """Try once more, or have done with it."""
        if self._tries_left == 0 or self._zk.is_closed:
            self._finish()
            return
        self._tries_left -= 1
        # Also if nothing at all is answered, the next try comes.
        config = self._config
        self.set_timer("retry", config.controller_socket_timeout_ms + config.controlled_shutdown_retry_backoff_ms)
        self._zk.ask(GetDataRequest(znodes.CONTROLLER), self._controller_was_read)

    def _controller_was_read(self, reply: Reply, request: GetDataRequest) -> None:
        address = None
        if reply.error is ZooKeeperError.OK:
            address = self._metadata.address_of(znodes.decode_controller(reply.message.data))
        if address is None:
            self._try_later()
            return
        order = ControlledShutdownRequest(self._config.broker_id, self._fence.broker_epoch)
        timeout_ms = self._config.controller_socket_timeout_ms
        self.node.request(channel(address, "admin"), order, timeout_ms=timeout_ms)

    def on_controlled_shutdown_response(
        self, source: NodeName, response: ControlledShutdownResponse, request: ControlledShutdownRequest
    ) -> None:
        if response.error_code is ErrorCode.NONE and not response.remaining_partitions:
            self._finish()
        else:
            self._try_later()

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if any(isinstance(request, ControlledShutdownRequest) for request in requests):
            self._try_later()

    def _try_later(self) -> None:
        self.set_timer("retry", self._config.controlled_shutdown_retry_backoff_ms)

    def _finish(self) -> None:
        self.cancel_timer("retry")
        if self._then is not None and not self._is_done:  # an answer may come after the last try was given up
            self._is_done = True
            self._then()
