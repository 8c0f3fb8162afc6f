"""What tests of a cluster ask of its facts."""

from __future__ import annotations

from typing import Any, TypeVar

from kafkalite.node import Node
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.trace import facts_of
from kafkalite.types import NodeName

F = TypeVar("F")


def facts(cluster: Cluster, kind: type[F], node: NodeName | None = None) -> list[F]:
    """The facts of one kind so far, in order; those of one node, if it is given."""
    return [at.fact for at in facts_of(cluster.steps) if type(at.fact) is kind and node in {None, at.node}]


def values_of(cluster: Cluster, topic: str, partition: int, count: int, reader: NodeName = "reader") -> list[bytes]:
    """The first `count` values of a partition, as a consumer is handed them."""
    consumer = cluster.consumer(reader, auto_offset_reset="earliest").assign((topic, partition, 0))
    return [one.value or b"" for one in consumer.poll(count)]


def isr_of(cluster: Cluster, topic: str, partition: int = 0) -> tuple[int, ...]:
    """The ISR, sorted, as the leader last said."""
    return tuple(sorted(cluster.view.leaders[topic, partition].isr))


def leader_of(cluster: Cluster, topic: str, partition: int = 0) -> NodeName:
    """Who leads."""
    return cluster.view.leaders[topic, partition].broker


class Asker(Node):
    """Asks one broker one thing."""

    def __init__(self, name: NodeName, broker: NodeName, request: Any) -> None:
        super().__init__(name)
        self._broker, self._request = broker, request
        self.is_done, self.response = False, None

    def on_start(self) -> None:
        self.request(self._broker, self._request)

    def _find(self, name: str) -> Any:
        return self._hear

    def _hear(self, source: NodeName, response: Any, request: Any) -> None:
        self.is_done, self.response = True, response

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self.is_done = True


def answer_of(cluster: Cluster, broker: NodeName, request: Any) -> Any:
    """What this broker says to that; None if it closes the connection."""
    asker = Asker(f"asker{cluster.next_number('asker')}", broker, request)
    cluster.sim.add(asker)
    cluster.run_until(lambda: asker.is_done, f"an answer of {broker}")
    return asker.response
