"""A client that sends what it is told to, and keeps what it is answered."""

from __future__ import annotations

from typing import Any

from kafkalite.node import Node
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.sim.cluster import Cluster
from kafkalite.types import NodeName, address

LOST = "the connection was lost"


class Asker(Node):
    """One request after another; `answers` has what came, LOST if nothing did."""

    def __init__(self, name: NodeName) -> None:
        super().__init__(name)
        self.asked = 0
        self.answers: list[Any] = []

    def ask(self, peer: NodeName, request: Any) -> None:
        self.asked += 1
        self.request(peer, request)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_") and name.endswith("_response"):
            return self._answered
        raise AttributeError(name)

    def _answered(self, source: NodeName, response: Any, request: Any) -> None:
        self.answers.append(response)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self.answers += [LOST for _ in requests]


class Member:
    """Straight-line code to ask brokers of a cluster."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.node = cluster, Asker(name)
        cluster.sim.add(self.node)

    def send(self, peer: NodeName, request: Any) -> None:
        """Ask, and do not wait."""
        self.cluster.sim.call(self.node.name, "ask", peer, request)

    def answer(self) -> Any:
        """Wait for the answer to the last one."""
        node = self.node
        self.cluster.run_until(lambda: node.asked == len(node.answers) > 0, "an answer")
        return node.answers[-1]

    def ask(self, peer: NodeName, request: Any) -> Any:
        """Ask, and wait for the answer."""
        self.cluster.sim.call(self.node.name, "ask", peer, request)
        asked = self.node.asked + 1
        self.cluster.run_until(lambda: len(self.node.answers) == asked, f"an answer to {request}")
        return self.node.answers[-1]

    def coordinator(self, group: str, via: NodeName = "b101") -> NodeName:
        """The coordinator, asked for until there is one."""
        while True:
            found = self.ask(via, FindCoordinatorRequest(group))
            if found != LOST and not found.error_code:
                return address(found.host, found.port)
            self.cluster.run_for(100)
