"""Connections between simulated nodes: FIFO, with delay; they break, they do not drop or double single messages.

ZooKeeper and Kafka's clients rest on TCP, so loss is a broken connection with an unknown outcome, and a duplicate comes
only from a retry.

A connection goes on after a break as its next *life*: each end knows which life it is in, and what was sent in an
earlier one never arrives. Each direction is a `Link`; while a request is in the works at its end, the next one waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from kafkalite.types import NodeName, node_of


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a message takes: drawn evenly between the two, in ms."""

    least_ms: float = 1.0
    most_ms: float = 3.0


@dataclass(frozen=True, slots=True)
class InVersion:
    """A request as an older client sends it: it arrives as one of that version."""

    version: int
    message: Any


class Link:
    """One direction of one connection: from `source` to `to`, both nodes; `seen_as` is what `to` calls its peer."""

    __slots__ = ("back", "backlog", "is_busy", "last_arrival_ms", "life", "lost_life", "seen_as", "source", "to")

    back: Link  # the other direction

    def __init__(self, source: NodeName, to: NodeName, seen_as: NodeName) -> None:
        self.source, self.to, self.seen_as = source, to, seen_as
        self.life = 0  # the connection's life as `source` knows it
        self.lost_life = -1  # what was sent in this life, or earlier, was lost when the connection broke
        self.last_arrival_ms = 0.0
        self.is_busy = False  # a request that came this way is in the works
        self.backlog: deque[tuple[Any, str]] = deque()  # what came since: messages and their roles

    def forget(self) -> None:
        """A new life begins: nothing is in the works, nothing waits."""
        self.is_busy = False
        self.backlog.clear()


class Network:
    """Which connections there are, and when what is sent on them arrives."""

    def __init__(self, rng: Random, delays: Delays) -> None:
        self._rng, self._least, self._span = rng, delays.least_ms, delays.most_ms - delays.least_ms
        self._links: dict[tuple[NodeName, NodeName], Link] = {}  # (node, its peer) -> what leads there
        self._slowness: dict[tuple[NodeName, NodeName], float] = {}
        self._cut_until_ms: dict[tuple[NodeName, NodeName], float] = {}

    def link(self, source: NodeName, peer: NodeName) -> Link:
        """The connection of a node with a peer, made when it is first asked for."""
        found = self._links.get((source, peer))
        return self._open(source, peer) if found is None else found

    def _open(self, source: NodeName, peer: NodeName) -> Link:
        to = node_of(peer)
        seen_as = source + peer[len(to) :]
        link = self._links[source, peer] = Link(source, to, seen_as)
        if to == source:
            link.back = link
        else:
            link.back = self._links[to, seen_as] = Link(to, source, peer)
            link.back.back = link
        return link

    def links_of(self, node: NodeName) -> list[Link]:
        """What leads away from a node, in the order in which it was opened."""
        return [link for link in self._links.values() if link.source == node]

    def links_between(self, one: NodeName, other: NodeName) -> list[Link]:
        """What leads from one node to the other."""
        return [link for link in self._links.values() if link.source == one and link.to == other]

    def arrival_ms(self, link: Link, now_ms: float) -> float:
        """When a message sent now arrives: never before one that was sent earlier the same way."""
        delay_ms = self._least + self._span * self._rng.random()
        if self._slowness:
            delay_ms *= self._slowness.get((link.source, link.to), 1.0)
        arrival_ms = max(now_ms + delay_ms, link.last_arrival_ms)
        if self._cut_until_ms:
            arrival_ms = max(arrival_ms, self._cut_until_ms.get((link.source, link.to), 0.0))
        link.last_arrival_ms = arrival_ms
        return arrival_ms

    def slow(self, source: NodeName, to: NodeName, factor: float) -> None:
        """Make that direction `factor` times slower; 1 heals it."""
        self._slowness[source, to] = factor

    def cut(self, source: NodeName, to: NodeName, until_ms: float) -> None:
        """Let nothing through in that direction until then."""
        self._cut_until_ms[source, to] = until_ms
