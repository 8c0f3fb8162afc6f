"""Which broker coordinates which group: asked of any broker when it is first needed, and again when it has moved.

A consumer has one group and `clients.coordinator` for it; an administrator has many.
"""

from __future__ import annotations

from typing import Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import Discovery
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.group_membership import FindCoordinatorRequest, FindCoordinatorResponse
from kafkalite.types import NodeName, address


class Listener(Protocol):
    """Who is told when something that could not be sent may be worth another try."""

    def on_routes_changed(self) -> None: ...


class Coordinators(Component):
    """Knows them, or is looking for them: each group wanted is known, asked for, or waits for another try."""

    def __init__(self, node: Node, discovery: Discovery, config: ClientConfig, listener: Listener) -> None:
        super().__init__(node, "coordinators")
        self._discovery, self._config, self._listener = discovery, config, listener
        self._found: dict[str, NodeName] = {}
        self._wanted: dict[str, int] = {}  # group -> how often it was asked for in vain
        self._asked: dict[str, FindCoordinatorRequest] = {}
        self._resting: set[str] = set()

    def peer(self, group: str) -> NodeName | None:
        """Where to ask about the group; None while it is not known, which is being changed."""
        found = self._found.get(group)
        if found is not None and self._discovery.is_reachable(found):
            return found
        self.lost(group)
        self._wanted.setdefault(group, 0)
        self._ask(group)
        return None

    def lost(self, group: str) -> None:
        """Whoever was thought to coordinate it does not."""
        self._found.pop(group, None)

    def stop(self) -> None:
        """Look for nobody any more."""
        self._wanted.clear()

    def pump(self) -> None:
        """Somebody can be asked who could not before."""
        for group in list(self._wanted):
            self._ask(group)

    def _ask(self, group: str) -> None:
        peer = self._discovery.any_broker()
        if peer is None or group in self._asked or group in self._resting or group not in self._wanted:
            return
        request = self._asked[group] = FindCoordinatorRequest(group, coordinator_keys=(group,))
        self.node.request(peer, request, timeout_ms=self._config.request_timeout_ms)

    def on_find_coordinator_response(
        self, source: NodeName, response: FindCoordinatorResponse, request: FindCoordinatorRequest
    ) -> None:
        self._discovery.heard(source)
        group, one = request.key, response.coordinators[0]
        self._asked.pop(group, None)
        if one.error_code != ErrorCode.NONE:
            self._rest(group)
        elif self._wanted.pop(group, None) is not None:
            self._found[group] = address(one.host, one.port)
            self._listener.on_routes_changed()

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        for group, request in list(self._asked.items()):
            if any(request is one for one in requests):
                del self._asked[group]
                self._rest(group)
        for group in [group for group, found in self._found.items() if found == peer]:
            del self._found[group]

    def _rest(self, group: str) -> None:
        if group not in self._wanted:
            return
        self._wanted[group] += 1
        self._resting.add(group)
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        wait_ms = backoff_ms(self._wanted[group], least_ms, most_ms, self.node.random.random())
        self.set_timer(f"retry:{group}", wait_ms)

    def on_retry(self, group: str) -> None:
        """Ask again."""
        self._resting.discard(group)
        self._ask(group)
