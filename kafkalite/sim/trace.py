"""A run that can be rewound, forked and compared: what happened at step 41, what if, and where do two runs part ways?

Rewinding goes by snapshot where every part lives in this process, and by replay from the seed where one lives across a
pipe (a snapshot cannot copy what is on the other side). Both give the same run; `Trace` takes the builder of a
simulator, not a simulator, so that it can always begin again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from kafkalite.node import Note
from kafkalite.sim.simulator import Simulator, Step
from kafkalite.types import NodeName

SNAPSHOT_EVERY = 64  # steps; a rewind then replays at most so many


@dataclass(frozen=True, slots=True)
class FactAt:
    """A fact, with who announced it and when."""

    step: int
    now_ms: float
    node: NodeName
    fact: Any


class Trace:
    """Every step of a run. `build` makes the same simulator, at its beginning, each time it is called."""

    def __init__(self, build: Callable[[], Simulator], *, snapshots: bool = True) -> None:
        self._build, self._keep = build, snapshots
        self._snapshots: dict[int, Simulator] = {}
        self._sim = build()

    @property
    def steps(self) -> list[Step]:
        """The steps so far."""
        return self._sim.steps

    def run(self, until: Callable[[Simulator], bool] | None = None, *, steps_max: int = 100_000) -> Trace:
        """Go on until `until(simulator)` holds, or until nothing is left to happen. Raises SimulationStuck."""
        self._sim.run(self._watch(until), steps_max=steps_max)
        return self

    def facts(self) -> Iterator[FactAt]:
        """The facts, in order."""
        return facts_of(self.steps)

    def at(self, step: int) -> Simulator:
        """A simulator of its own that stands just before `step`: going on from there repeats the run, or forks it.

        Raises IndexError outside [0, steps so far].
        """
        if not 0 <= step <= len(self.steps):
            raise IndexError(f"the run has steps 0 to {len(self.steps)}; there is no step {step} to rewind to")
        nearest = max((index for index in self._snapshots if index <= step), default=None)
        sim = self._build() if nearest is None else _copy_of(self._snapshots[nearest])
        while len(sim.steps) < step:
            sim.step()
        return sim

    def digest(self) -> str:
        """A hash of every step: equal digests mean equal runs, also between processes."""
        return sha256("\n".join(map(repr, self.steps)).encode()).hexdigest()

    def _watch(self, until: Callable[[Simulator], bool] | None) -> Callable[[], bool]:
        def watching() -> bool:
            count = len(self.steps)
            if self._keep and count % SNAPSHOT_EVERY == 0 and count and count not in self._snapshots:
                self._snapshots[count] = _copy_of(self._sim)
            # Asked before each step, so an empty queue is the end and no error.
            return until(self._sim) if until is not None else self._sim.is_idle

        return watching


def facts_of(steps: list[Step]) -> Iterator[FactAt]:
    """The facts that these steps announced, in order."""
    for step in steps:
        for effect in step.effects:
            if type(effect) is Note:
                yield FactAt(step.index, step.now_ms, step.node, effect.fact)


def first_divergence(one: list[Step], other: list[Step]) -> int | None:
    """The first step at which two runs differ, or None if they are the same. One that ends early differs at its end."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return mine.index
    return None if len(one) == len(other) else min(len(one), len(other))


def _copy_of(sim: Simulator) -> Simulator:
    # Steps are frozen: the copy gets a list of its own with the same steps in it. Nobody observes the copy yet.
    return deepcopy(sim, {id(sim.steps): list(sim.steps), id(sim.observers): [], id(sim.fault_observers): []})
