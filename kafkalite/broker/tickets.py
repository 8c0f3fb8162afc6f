"""Who waits for an answer that takes time: a ticket each, void once its connection is gone.

Without it the answer would go to the next connection of the same peer, in the place of another.
"""

from __future__ import annotations

from typing import Any

from kafkalite.node import Component, Node
from kafkalite.types import NodeName


class Tickets(Component):
    """Tickets of one kind of requests."""

    def __init__(self, node: Node, label: str) -> None:
        super().__init__(node, label)
        self._count = 0
        self._open: dict[int, NodeName] = {}

    def open(self, source: NodeName) -> int:
        """A ticket for the request that came from there."""
        self._count += 1
        self._open[self._count] = source
        return self._count

    def reply(self, ticket: int, message: Any) -> None:
        """Answer it, unless nobody is there any more."""
        source = self._open.pop(ticket, None)
        if source is not None:
            self.node.reply(source, message)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for ticket in [ticket for ticket, source in self._open.items() if source == peer]:
            del self._open[ticket]
