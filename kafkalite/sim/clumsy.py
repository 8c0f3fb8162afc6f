"""Members whose own code is wrong, in a long run: it costs their group, and nobody else.

A group of their own has an assignor that raises. Whoever is to lead it fails, is dead a while later, and another one
comes. Many at once join another group, which has no room for so many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from kafkalite.clients.group_consumer import GroupConsumer
from kafkalite.config import ConsumerConfig, GroupConfig
from kafkalite.protocol import group_membership
from kafkalite.sim.cluster import Cluster
from kafkalite.types import NodeName, Subscription, TopicPartition

GROUP, CROWD = "clumsy", "crowd"
SIZE_MAX = 12  # members of a group; those that the run relies on have fewer
CROWD_SIZE = SIZE_MAX + 3
BROKER: dict[str, Any] = {"group_max_size": SIZE_MAX}
SESSION_MS = 1000
SHARE = 0.04  # of the rounds, in which somebody new comes


def range_assign(members: list[Subscription], partitions: dict[str, int]) -> dict[str, list[TopicPartition]]:
    """An assignor with a mistake: it looks for a topic under the name of a member."""
    return {one.member: [(topic, partitions[one.member]) for topic in one.topics] for one in members}


class Clumsy:
    """`round` again and again."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster, self._rng = cluster, Random(f"clumsy/{seed}")
        self._parts = replace(cluster.blueprint.parts, range_assign=range_assign)
        self._last: NodeName = ""
        self._started = 0

    def round(self) -> None:
        """Perhaps another one comes."""
        if self._rng.random() < SHARE:
            if self._last:
                self._cluster.kill(self._last)
            self._started += 1
            self._last = f"{GROUP}{self._started}"
            group = GroupConfig(GROUP, session_timeout_ms=SESSION_MS, partition_assignment_strategy=("range",))
            client = self._cluster.client
            self._cluster.join(GroupConsumer, self._last, client, ConsumerConfig(), group, self._parts)
            self._cluster.call(self._last, "subscribe", "orders")


def crowd() -> Iterator[tuple[str, Any]]:
    """Members, and their requests to join: more than a group may have. With an instance id each is let in at once."""
    protocols = (group_membership.JoinGroupRequestProtocol("none", b""),)
    for number in range(CROWD_SIZE):
        name = f"{CROWD}-{number}"
        yield name, group_membership.JoinGroupRequest(CROWD, SESSION_MS, SESSION_MS, "", name, "odd", protocols)
