"""Whom the prober of a long run asks, and when: mostly whoever should know; now and then anybody.

What it asks is in `prober`, `group_probes` and `transaction_probes`.
"""

from __future__ import annotations

from random import Random
from typing import Any

from kafkalite.groups.placement import partition_of_group
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim import transacting
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.clumsy import CROWD, crowd
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.members import Members
from kafkalite.sim.prober import Prober, draw_probe
from kafkalite.sim.transaction_probes import draw_transaction_probe
from kafkalite.types import NodeName, TopicPartition, channel

NAME = "prober"
CROWD_SHARE = 0.02  # of the rounds, in which a crowd comes
CROWD_MS = 20.0  # within which all of it is there


class Probing:
    """`begin`, then `round` again and again."""

    def __init__(self, cluster: Cluster, seed: int, partitions: tuple[TopicPartition, ...], members: Members) -> None:
        self._cluster, self._rng = cluster, Random(f"probing/{seed}")
        self._partitions, self._members = partitions, members
        self._asked = 0

    def begin(self) -> None:
        """The prober is there."""
        self._cluster.join(Prober, NAME)

    def round(self, for_ms: float, *, has_transactions: bool) -> None:
        """Some odd requests of each kind."""
        rng, cluster = self._rng, self._cluster
        for _ in range(rng.choice((0, 1, 1, 2))):
            self._probe(for_ms, cluster.brokers)
        for name in cluster.brokers:  # one that has left the cluster and is still there is asked more than others
            if broker_id_of(name) not in cluster.view.registered:
                self._probe(for_ms, (name,))
        for _ in range(2 if has_transactions else rng.choice((0, 1))):
            self._probe_transactions(for_ms)
        if self._members.has_groups:
            group, request = self._members.probe(self._partitions)
            self._ask(for_ms, self._coordinator(OFFSETS_TOPIC, group), request)
        if rng.random() < CROWD_SHARE:
            broker, at_ms = self._coordinator(OFFSETS_TOPIC, CROWD), rng.uniform(0, for_ms)
            for member, request in crowd():
                to = channel(broker, member)
                self._ask_at(cluster.now_ms + at_ms + rng.uniform(0, CROWD_MS), to, request)

    def _probe(self, for_ms: float, brokers: tuple[NodeName, ...]) -> None:
        """One of the brokers; of all of them, as often as not the leader of what it is about."""
        partition = self._rng.choice(self._partitions)
        leader = self._leader(partition)
        is_leader_asked = leader is not None and len(brokers) > 1 and self._rng.random() < 0.5
        broker = leader if leader is not None and is_leader_asked else self._rng.choice(brokers)
        self._ask(for_ms, broker, draw_probe(self._rng, *partition))

    def _probe_transactions(self, for_ms: float) -> None:
        source = tuple((transacting.SOURCE, number) for number in range(transacting.PARTITIONS))
        asked = draw_transaction_probe(self._rng, self._rng.choice(self._partitions), transacting.GROUP, source)
        if asked.partition is not None:
            broker = self._leader(asked.partition) or self._anyone()
        else:
            broker = self._coordinator(asked.state_topic, asked.key)
        self._ask(for_ms, broker, asked.request)

    def _anyone(self) -> NodeName:
        return self._rng.choice(self._cluster.brokers)

    def _leader(self, partition: TopicPartition) -> NodeName | None:
        leadership = self._cluster.view.leaders.get(partition)
        return None if leadership is None else leadership.broker

    def _coordinator(self, topic: str, key: str) -> NodeName:
        """Mostly the one of that key, whose state is in that topic, if there is any."""
        view = self._cluster.view
        count = sum(one == topic for one, _ in view.assignments)
        leader = self._leader((topic, partition_of_group(key, count or 1)))
        return leader if leader is not None and self._rng.random() < 0.8 else self._anyone()

    def _ask(self, for_ms: float, broker: NodeName, request: Any) -> None:
        self._ask_at(self._cluster.now_ms + self._rng.uniform(0, for_ms), broker, request)

    def _ask_at(self, at_ms: float, broker: NodeName, request: Any) -> None:
        self._asked += 1
        self._cluster.call_at(at_ms, NAME, "probe", self._asked, broker, request)
