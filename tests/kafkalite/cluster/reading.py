"""What tests of a cluster ask of its facts."""

from __future__ import annotations

from typing import TypeVar

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
