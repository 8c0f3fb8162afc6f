"""A stage: where a scenario plays. It says what it does, shows what came of it, and asserts what it claims.

A scenario is a function that takes a stage; `kafkalite.sim.scenarios` has the catalogue. What it prints is a story: the
narrator's lines, and between them the facts in the order in which they happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafkalite import facts
from kafkalite.errors import KafkaliteError
from kafkalite.sim import faults
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.telling import STORY, gist, ids, text, told, told_fault
from kafkalite.types import NodeName

SHOWN_MAX = 10  # records of one partition in a picture; of more, the last are left out


class ClaimFailed(KafkaliteError, AssertionError):
    """What a scenario claims did not come true in this run."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named run. `claims` are the ids of what it shows, and where they come from."""

    name: str
    sentence: str
    claims: tuple[str, ...]
    play: Callable[[Stage], None]

    @classmethod
    def of(cls, play: Callable[[Stage], None], claims: str) -> Scenario:
        """The scenario that a function plays: called as it is, and told by the first line of its docstring."""
        assert play.__doc__, f"{play.__name__} says nothing of what it shows"
        return cls(play.__name__.replace("_", "-"), play.__doc__.splitlines()[0], tuple(claims.split()), play)

    def title(self, seed: int) -> str:
        """What stands above the telling of one run."""
        return f"{self.name} (seed {seed})\n{self.sentence}\n"


class Stage:
    """Builds the cluster of a scenario, and tells what happens in it line by line."""

    def __init__(self, seed: int, tell: Callable[[str], None], *, details: bool = False) -> None:
        self.seed, self._tell, self._details = seed, tell, details
        self._is_quiet = False
        self._kinds = set(STORY)
        self._gists: dict[tuple[NodeName, type], Any] = {}  # of what was told last, where repetitions are left out
        self._last_fault: faults.Fault | None = None

    # What is told ---------------------------------------------------------------------------------------------------

    def tell_of(self, *kinds: type) -> None:
        """From now on, facts of these kinds are told, too."""
        self._kinds.update(kinds)

    def leave_out(self, *kinds: type) -> None:
        """From now on, facts of these kinds are not told."""
        self._kinds.difference_update(kinds)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What happens inside is not told."""
        was, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = was

    def say(self, sentence: str) -> None:
        """The narrator speaks."""
        self._tell(f"\n-- {sentence}")

    def show(self, block: str) -> None:
        """What the narrator points at: an indented block."""
        for line in block.splitlines():
            self._tell(f"     {line}".rstrip())

    def claim(self, true: bool, sentence: str) -> None:
        """Say what is so. Raises ClaimFailed if it is not."""
        if not true:
            raise ClaimFailed(f"seed {self.seed}: it is not so that {sentence}")
        self._tell(f"   ✓ {sentence}")

    # What is played with --------------------------------------------------------------------------------------------

    def cluster(
        self, brokers: int = 3, zookeepers: int = 1, *, is_start_told: bool = False, **settings: Any
    ) -> Cluster:
        """A cluster that has started, and whose facts are told from now on; settings are those of `Cluster`.

        Without brokers it is the coordination service alone.
        """
        cluster = Cluster(brokers, zookeepers, self.seed, **settings)
        cluster.sim.observers.append(self._observe)
        cluster.sim.fault_observers.append(self._observe_fault)
        if is_start_told:
            return cluster.start()
        with self.quiet():
            cluster.start()
        if brokers:
            names = f"brokers {', '.join(cluster.brokers)}; ZooKeeper {', '.join(cluster.zookeepers)}"
            self.show(f"{names}; the controller is {cluster.view.controller}")
        else:
            self.show(f"ZooKeeper {', '.join(cluster.zookeepers)}, led by {cluster.view.zookeeper_leader}")
        return cluster

    def topic(self, cluster: Cluster, name: str, partitions: int = 1, replicas: int = 1, **how: Any) -> None:
        """Create a topic, as `Cluster.topic` does, and show where its partitions are."""
        with self.quiet():
            cluster.topic(name, partitions, replicas, **how)
        self.show_layout(cluster, name)

    def show_layout(self, cluster: Cluster, topic: str) -> None:
        """One line a partition: who leads, who follows, who is in sync."""
        for name, partition in sorted(cluster.view.leaders):
            if name == topic:
                followers = tuple(map(broker_id_of, cluster.followers(topic, partition)))
                line = f"{topic}-{partition}: led by {broker_id_of(cluster.leader(topic, partition))}"
                if followers:
                    line += f", followed by {ids(followers)}; in sync: {ids(cluster.isr(topic, partition))}"
                self.show(line)

    def show_records(self, cluster: Cluster, topic: str) -> None:
        """One line a partition: offset and value of each record, as a consumer reads them."""
        for name, partition in sorted(cluster.view.leaders):
            if name == topic:
                with self.quiet():
                    records = cluster.read(topic, partition)
                lane = "  ".join(f"{one.offset}:{text(one.value)}" for one in records[:SHOWN_MAX])
                more = f"  ... up to offset {records[-1].offset}" if len(records) > SHOWN_MAX else ""
                self.show(f"{topic}-{partition} | {lane or '(nothing)'}{more}")

    # What is heard --------------------------------------------------------------------------------------------------

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        line = told(now_ms, node, fact)
        if line is None or self._is_quiet:
            return
        if self._details or (type(fact) in self._kinds and not self._is_noise(node, fact)):
            self._tell(line)

    def _is_noise(self, node: NodeName, fact: Any) -> bool:
        if isinstance(fact, facts.RequestRefused) and fact.api != "Produce":
            return True  # for a moment, leaders and followers know of different epochs
        if isinstance(fact, facts.MetadataRefreshed) and node.startswith(("admin", "reader")):
            return True
        told_last, self._gists[node, type(fact)] = self._gists.get((node, type(fact))), gist(fact)
        return told_last is not None and told_last == gist(fact)

    def _observe_fault(self, now_ms: float, fault: faults.Fault) -> None:
        if not self._is_quiet:
            self._tell(told_fault(now_ms, fault, self._last_fault))
        self._last_fault = fault
