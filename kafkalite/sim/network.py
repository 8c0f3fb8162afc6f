"""Connections between simulated nodes: FIFO, with delay; they break, they do not drop or double single messages.

ZooKeeper and Kafka's clients rest on TCP, so loss is a broken connection with an unknown outcome, and a duplicate comes
only from a retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a message takes: drawn evenly between the two, in ms."""

    least_ms: float = 1.0
    most_ms: float = 3.0


class Network:
    """When each message arrives, and on which life of its connection.

    A pair of nodes has one connection; breaking it starts the next life, and what was under way in the last is lost.
    """

    def __init__(self, rng: Random, delays: Delays) -> None:
        self._rng, self._least, self._span = rng, delays.least_ms, delays.most_ms - delays.least_ms
        self._last_arrival_ms: dict[tuple[NodeName, NodeName], float] = {}
        self._slowness: dict[tuple[NodeName, NodeName], float] = {}
        self._lives: dict[tuple[NodeName, NodeName], int] = {}

    def arrival_ms(self, source: NodeName, to: NodeName, now_ms: float) -> float:
        """When a message sent now arrives: never before one that was sent earlier the same way."""
        pair = (source, to)
        delay_ms = self._least + self._span * self._rng.random()
        if self._slowness:
            delay_ms *= self._slowness.get(pair, 1.0)
        arrival_ms = max(now_ms + delay_ms, self._last_arrival_ms.get(pair, 0.0))
        self._last_arrival_ms[pair] = arrival_ms
        return arrival_ms

    def life(self, source: NodeName, to: NodeName) -> int:
        """Which life the connection is in; a message of an earlier life never arrives."""
        return self._lives.get((source, to) if source < to else (to, source), 0) if self._lives else 0

    def slow(self, source: NodeName, to: NodeName, factor: float) -> None:
        """Make that direction `factor` times slower; 1 heals it."""
        self._slowness[source, to] = factor

    def cut(self, one: NodeName, other: NodeName) -> None:
        """Break the connection: what is under way either way is lost, and the next life begins."""
        pair = (one, other) if one < other else (other, one)
        self._lives[pair] = self._lives.get(pair, 0) + 1
        self._last_arrival_ms.pop((one, other), None)
        self._last_arrival_ms.pop((other, one), None)
