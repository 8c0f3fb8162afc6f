"""A stage: where a scenario plays. It says what it does, shows what came of it, and asserts what it claims.

A scenario is a function that takes a stage; `kafkalite.sim.scenarios` has the catalogue. What it prints is a story: the
narrator's lines, and between them the facts in the order in which they happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kafkalite.errors import KafkaliteError
from kafkalite.sim import faults
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.telling import told
from kafkalite.types import NodeName


class ClaimFailed(KafkaliteError, AssertionError):
    """What a scenario claims did not come true in this run."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named run. `claims` are the ids of what it shows, and where they come from."""

    name: str
    sentence: str
    claims: tuple[str, ...]
    play: Callable[[Stage], None]


class Stage:
    """Builds the cluster of a scenario, and tells what happens in it line by line."""

    def __init__(self, seed: int, tell: Callable[[str], None], *, details: bool = False) -> None:
        self.seed, self._tell, self._details = seed, tell, details
        self._is_quiet = False

    def cluster(self, brokers: int = 3, zookeepers: int = 1, **settings: Any) -> Cluster:
        """A cluster whose facts are told."""
        cluster = Cluster(brokers, zookeepers, self.seed, **settings)
        cluster.sim.observers.append(self._observe)
        return cluster

    def say(self, sentence: str) -> None:
        """The narrator speaks."""
        self._tell(f"\n-- {sentence}")

    def show(self, text: str) -> None:
        """What the narrator points at: an indented block."""
        for line in text.splitlines():
            self._tell(f"     {line}".rstrip())

    def claim(self, true: bool, sentence: str) -> None:
        """Say what is so. Raises ClaimFailed if it is not."""
        if not true:
            raise ClaimFailed(f"seed {self.seed}: it is not so that {sentence}")
        self._tell(f"   ✓ {sentence}")

    def quietly(self, act: Callable[[], Any]) -> Any:
        """Do something whose facts are not told."""
        self._is_quiet = True
        try:
            return act()
        finally:
            self._is_quiet = False

    def inject(self, cluster: Cluster, fault: faults.Fault) -> None:
        """Let a fault happen, and say so."""
        self._tell(f"{cluster.now_ms:10.1f} ms  !      {fault}")
        cluster.inject(fault)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        line = None if self._is_quiet else told(now_ms, node, fact, details=self._details)
        if line is not None:
            self._tell(line)
