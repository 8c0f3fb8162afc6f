"""One of the two drivers: it runs nodes in virtual time, from a seed, and can record every step.

The same nodes, seed and faults give the same run, in any process. Performing an effect in the simulator means putting
an event into one queue, ordered by time and then by when it was put there; so nothing happens at the same time, and
nothing waits for real. Left out: crashes and storage faults (they come with the cluster).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from kafkalite.errors import SimulationStuck
from kafkalite.node import (
    CancelTimer,
    Effect,
    Event,
    Flush,
    Flushed,
    Node,
    PeerLost,
    Received,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from kafkalite.sim.faults import BreakConnection, Fault, Freeze, SlowLink
from kafkalite.sim.network import Delays, Network
from kafkalite.types import NodeName

STEPS_MAX = 1_000_000  # a message storm ends here, with a sentence, and not with the learner's patience
FLUSH_MS = 1.0  # what a sync takes; a real one of 64 KB took 3.4 ms


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: an event met a node, and these were the effects. A fault meets no node and has none."""

    index: int
    now_ms: float
    node: NodeName
    event: Event | Fault
    effects: tuple[Effect, ...]


class Simulator:
    """Nodes, their connections and a clock.

    >>> sim = Simulator([Node("a")], seed=1)
    >>> sim.run()
    >>> [(step.node, step.event) for step in sim.steps]
    [('a', Started())]
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        seed: int,
        *,
        delays: Delays = Delays(),  # noqa: B008 - frozen
        faults: Iterable[tuple[float, Fault]] = (),
        record: bool = True,
    ) -> None:
        """`faults` are pairs of a time in ms and a fault. `record=False` keeps no steps, for long and fast runs."""
        self.nodes = {node.name: node for node in nodes}
        self.now_ms = 0.0
        self.deliveries = 0  # events handled by nodes
        self.steps: list[Step] = []
        self._record = record
        self._network = Network(Random(f"network/{seed}"), delays)
        self._queue: list[tuple[float, int, NodeName, Event | Fault, int]] = []  # time, order, node, event, life
        self._order = 0
        self._timers: dict[tuple[NodeName, str], int] = {}  # the order of the one that counts
        self._frozen_until_ms: dict[NodeName, float] = {}
        for name in self.nodes:
            self._put(0.0, name, Started())
        for at_ms, fault in faults:
            self._put(at_ms, "", fault)

    @property
    def is_idle(self) -> bool:
        """Nothing is left to happen."""
        return not self._queue

    # Running --------------------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool] | None = None, *, steps_max: int = STEPS_MAX) -> None:
        """Step until `until()` is true; without it, until nothing is left to happen.

        Raises SimulationStuck after `steps_max` steps, or if nothing is left while `until` still waits.
        """
        for _ in range(steps_max):
            if until is not None and until():
                return
            if not self._queue:
                if until is None:
                    return
                raise SimulationStuck(
                    f"nothing is left to happen at {self.now_ms:.1f} ms, and it still has not come true"
                )
            self.step()
        raise SimulationStuck(f"{steps_max:,} steps and no end at {self.now_ms:.1f} ms; a loop of messages or timers?")

    def step(self) -> None:
        """Let the next thing happen. One that has become void (a stale timer, a lost message) passes unseen."""
        at_ms, order, name, event, life = heapq.heappop(self._queue)
        self.now_ms = at_ms
        if not name:
            self._inject(event)  # type: ignore[arg-type]  # only faults are put without a node
            return
        if self._frozen_until_ms and at_ms < self._frozen_until_ms.get(name, 0.0):
            self._postpone(order, name, event, life)
            return
        kind = type(event)
        if kind is Received:
            if life != self._network.life(event.source, name):  # type: ignore[union-attr]  # the line above says so
                return
        elif kind is TimerFired and self._timers.get((name, event.name)) != order:  # type: ignore[union-attr]
            return
        self.deliveries += 1
        effects = self.nodes[name].handle(event, at_ms)  # type: ignore[arg-type]
        if self._record:
            self.steps.append(Step(len(self.steps), at_ms, name, event, tuple(effects)))
        if effects:
            self._perform(name, effects)

    # What effects and faults do -------------------------------------------------------------------------------------

    def _perform(self, name: NodeName, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                to: NodeName = effect.to  # type: ignore[union-attr]
                arrival_ms = self._network.arrival_ms(name, to, self.now_ms)
                message = Received(name, effect.message)  # type: ignore[union-attr]
                self._put(arrival_ms, to, message, self._network.life(name, to))
            elif kind is SetTimer:
                due_ms = self.now_ms + effect.after_ms  # type: ignore[union-attr]
                timer: str = effect.name  # type: ignore[union-attr]
                self._timers[name, timer] = self._put(due_ms, name, TimerFired(timer))
            elif kind is CancelTimer:
                self._timers.pop((name, effect.name), None)  # type: ignore[union-attr]
            elif kind is Flush:
                self._put(self.now_ms + FLUSH_MS, name, Flushed(effect.token))  # type: ignore[union-attr]

    def _inject(self, fault: Fault) -> None:
        if self._record:
            self.steps.append(Step(len(self.steps), self.now_ms, "", fault, ()))
        if isinstance(fault, BreakConnection):
            self._network.cut(fault.one, fault.other)
            self._put(self.now_ms, fault.one, PeerLost(fault.other))
            self._put(self.now_ms, fault.other, PeerLost(fault.one))
        elif isinstance(fault, SlowLink):
            self._network.slow(fault.source, fault.to, fault.factor)
        elif isinstance(fault, Freeze):
            until_ms = self.now_ms + fault.for_ms
            self._frozen_until_ms[fault.node] = max(until_ms, self._frozen_until_ms.get(fault.node, 0.0))

    def _postpone(self, order: int, name: NodeName, event: Event | Fault, life: int) -> None:
        # The old order is kept, so whatever waited is met in the order it came, and a timer stays the one that counts.
        heapq.heappush(self._queue, (self._frozen_until_ms[name], order, name, event, life))

    def _put(self, at_ms: float, name: NodeName, event: Event | Fault, life: int = 0) -> int:
        self._order += 1
        heapq.heappush(self._queue, (at_ms, self._order, name, event, life))
        return self._order
