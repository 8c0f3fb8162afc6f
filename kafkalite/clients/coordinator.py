"""Where the coordinator of a group, or of a transactional id, is: any broker knows, and it moves with the leader of the
partition in which it keeps its books.

It is asked on a connection of its own, because a JoinGroup holds its connection up until the whole group has joined,
and the same broker has records to fetch.

Source: AbstractCoordinator.lookupCoordinator, TransactionManager.lookupCoordinator.
"""

from __future__ import annotations

from typing import Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import Discovery
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.group_membership import FindCoordinatorRequest, FindCoordinatorResponse
from kafkalite.types import NodeName, address, channel

GROUP, TRANSACTION = 0, 1  # kinds of keys
CHANNELS = {GROUP: "group", TRANSACTION: "txn"}
MOVED = frozenset({ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.NETWORK_EXCEPTION})
"""Answers that say: look for the coordinator again."""


class Listener(Protocol):
    """Who has something to ask the coordinator."""

    def on_coordinator_found(self) -> None: ...


class CoordinatorLookup(Component):
    """Knows the coordinator, or is looking for it."""

    def __init__(
        self,
        node: Node,
        discovery: Discovery,
        config: ClientConfig,
        key: str,
        listener: Listener,
        kind: int = GROUP,
        label: str = "coordinator",
    ) -> None:
        super().__init__(node, label)
        self._discovery, self._config, self._listener = discovery, config, listener
        self._key, self._kind = key, kind
        self._found: NodeName | None = None
        self.asked: FindCoordinatorRequest | None = None
        self._is_wanted = False
        self._failures = 0

    def peer(self) -> NodeName | None:
        """The connection with the coordinator; None while it is not known, which is being changed."""
        if self._found is not None and self._discovery.is_reachable(self._found):
            return self._found
        self._found = None
        self._want()
        return None

    def lost(self, peer: NodeName) -> None:
        """It does not answer, or says that it is none any more."""
        if peer == self._found:
            self._found = None
        self._want()

    def stop(self) -> None:
        """Look no more."""
        self._is_wanted = False
        self.cancel_timer("retry")

    def _want(self) -> None:
        if not self._is_wanted:
            self._is_wanted = True
            self._ask()

    def _ask(self) -> None:
        peer = self._discovery.any_broker()
        if self.asked is not None or not self._is_wanted:
            return
        if peer is None:
            self._rest()
            return
        self.asked = FindCoordinatorRequest(self._key, self._kind, coordinator_keys=(self._key,))
        self.node.request(peer, self.asked, timeout_ms=self._config.request_timeout_ms)

    def on_retry(self) -> None:
        """Ask again."""
        self._ask()

    def on_find_coordinator_response(
        self, source: NodeName, response: FindCoordinatorResponse, request: FindCoordinatorRequest
    ) -> None:
        """Take the answer; in a node with more than one lookup, let the one that asked take it."""
        self._discovery.heard(source)
        for one in list(self.node.components.values()):
            if isinstance(one, CoordinatorLookup) and one.asked is request:
                one.answered(response)

    def answered(self, response: FindCoordinatorResponse) -> None:
        """It is here, or to be asked for again."""
        self.asked = None
        one = response.coordinators[0]
        found = channel(address(one.host, one.port), CHANNELS[self._kind])
        if one.error_code != ErrorCode.NONE or not self._discovery.is_reachable(found):
            self._rest()
            return
        self._failures, self._is_wanted = 0, False
        self._found = found
        self._listener.on_coordinator_found()

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        if self.asked is not None and any(self.asked is request for request in requests):
            self.asked = None
            self._rest()
        if peer == self._found:
            self._found = None

    def _rest(self) -> None:
        self._failures += 1
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        self.set_timer("retry", backoff_ms(self._failures, least_ms, most_ms, self.node.random.random()))
