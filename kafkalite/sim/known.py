"""What can be asked of a running cluster, without disturbing it: from the facts, and from what was sent.

Left out: what only a client can find out, as what a reader is handed; `Cluster.read` adds a client for that.
"""

from __future__ import annotations

from typing import Any, TypeVar

from kafkalite.log.batch import split
from kafkalite.log.compression import records_of
from kafkalite.log.record import Record
from kafkalite.node import Send
from kafkalite.sim.blueprint import broker_name
from kafkalite.sim.simulator import Simulator, Step
from kafkalite.sim.trace import facts_of
from kafkalite.sim.view import View
from kafkalite.types import NodeName, node_of

F = TypeVar("F")


class Known:
    """The questions. A cluster that records no steps answers those about leaders and logs alone."""

    sim: Simulator
    view: View

    @property
    def steps(self) -> list[Step]:
        """The steps so far."""
        return self.sim.steps

    @property
    def now_ms(self) -> float:
        """Virtual time."""
        return self.sim.now_ms

    def leader(self, topic: str, partition: int = 0) -> NodeName:
        """The broker that leads, or that led last. Raises KeyError if there is no such partition."""
        return self.view.leaders[topic, partition].broker

    def followers(self, topic: str, partition: int = 0) -> tuple[NodeName, ...]:
        """The other brokers that hold the partition, the next preferred leader first."""
        leader = self.leader(topic, partition)
        replicas = map(broker_name, self.view.assignments[topic, partition])
        return tuple(broker for broker in replicas if broker != leader)

    def isr(self, topic: str, partition: int = 0) -> tuple[int, ...]:
        """The ids of those in sync, sorted, as the leader said last."""
        return tuple(sorted(self.view.leaders[topic, partition].isr))

    def end(self, broker: NodeName, topic: str, partition: int = 0) -> int:
        """Where the log of one replica ends: the next offset it will write."""
        return self.view.log_ends[broker, topic, partition]

    def committed(self, group: str, topic: str, partition: int = 0) -> int | None:
        """The next offset the group is to read there, as its coordinator said last; None if it never committed."""
        return self.view.committed.get(group, {}).get((topic, partition))

    def lag(self, group: str, topic: str, partition: int = 0) -> int:
        """How many records the group has not committed there: what was never committed counts from offset 0."""
        return self.view.high_watermarks[topic, partition] - (self.committed(group, topic, partition) or 0)

    def reader(self, group: str, topic: str, partition: int = 0) -> NodeName | None:
        """Which member was to read it when the group was stable last; of a static member, the name of its instance."""
        member = self.view.owners.get(group, {}).get((topic, partition))
        return None if member is None else member.rpartition("-")[0]

    def facts(self, kind: type[F], node: NodeName | None = None, **fields: Any) -> list[F]:
        """The facts of that kind so far, in order: of one node, and with these fields, if given."""
        return [
            at.fact
            for at in facts_of(self.steps)
            if type(at.fact) is kind
            and node in {None, at.node}
            and all(getattr(at.fact, name) == value for name, value in fields.items())
        ]

    def files(self, broker: NodeName, folder: str) -> list[str]:
        """The names of the files in one folder of a broker's disk, sorted."""
        return list(self.sim.nodes[broker].storage.names(folder))

    def records_on(self, broker: NodeName, topic: str, partition: int = 0) -> list[Record]:
        """What stands in one replica's files: kafka-dump-log."""
        folder, storage = f"{topic}-{partition}", self.sim.nodes[broker].storage
        paths = [f"{folder}/{name}" for name in self.files(broker, folder) if name.endswith(".log")]
        batches = [batch for path in paths for _, batch in split(storage.read(path, 0, storage.size(path)))]
        return [record for batch in batches for record in records_of(batch) or ()]

    def peers_of(self, name: NodeName) -> set[NodeName]:
        """The nodes to which it has sent anything so far."""
        return {
            node_of(effect.to)
            for step in self.steps
            if step.node == name
            for effect in step.effects
            if type(effect) is Send
        }

    def asked(self, name: NodeName, kind: type) -> list[NodeName]:
        """Whom it has sent requests of that class so far, in order."""
        return [
            node_of(effect.to)
            for step in self.steps
            if step.node == name
            for effect in step.effects
            if type(effect) is Send and type(effect.message) is kind
        ]
