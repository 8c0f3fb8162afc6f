"""One of the two drivers: it runs nodes in virtual time, from a seed, and can record every step.

The same nodes, seed and faults give the same run, in any process. Performing an effect in the simulator means putting
an event into one queue, ordered by time and then by when it was put there; so nothing happens at the same time, and
nothing waits for real.

A node that dies (`Kill`, `PowerLoss`) leaves its storage; `Restart` builds it anew from that. What dies with it: its
timers, its syncs under way, its connections. To send to a killed node fails soon (its machine refuses); to one without
power, nothing comes back until it is up again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from kafkalite.errors import SimulationStuck
from kafkalite.node import (
    Called,
    CancelTimer,
    Disconnect,
    Effect,
    Event,
    Flush,
    Flushed,
    Node,
    Note,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from kafkalite.sim.collecting import without_collecting
from kafkalite.sim.connections import Connections
from kafkalite.sim.faults import (
    BreakConnection,
    Cut,
    Fault,
    FillDisk,
    Freeze,
    Kill,
    KillAfter,
    LoseDisk,
    PowerLoss,
    Restart,
    SkewClock,
    SlowDisk,
    SlowLink,
)
from kafkalite.sim.network import Delays, Link, Network
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import NodeName

STEPS_MAX = 1_000_000  # a message storm ends here, with a sentence, and not with the learner's patience
FLUSH_MS = 1.0  # what a sync takes; a real one of 64 KB took 3.4 ms
EPOCH_MS = 1_700_000_000_000  # what wall clocks show when a run begins: 2023-11-14

Build = Callable[[NodeName, MemoryStorage], Node]
Observer = Callable[[float, NodeName, Any], None]


@dataclass(frozen=True, slots=True)
class _Synced:
    """The disk has what was written before the mark."""

    token: int
    mark: Any


@dataclass(frozen=True, slots=True)
class _Heal:
    """A full disk has room again."""

    node: NodeName


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
        rebuild: Build | None = None,
        wire: Callable[[Any], Any] | None = None,
    ) -> None:
        """`faults` are pairs of a time in ms and a fault. `record=False` keeps no steps, for long and fast runs.

        `rebuild(name, storage)` makes a node again after it died; without it, nodes cannot be restarted. `wire` is what
        every message goes through: the codec, to see that nothing but what has bytes is ever sent.
        """
        self.nodes: dict[NodeName, Node] = {}
        self.now_ms = 0.0
        self.deliveries = 0  # events handled by nodes
        self.ticks = 0  # steps taken, those included that came to nothing
        self.steps: list[Step] = []
        self.observers: list[Observer] = []  # told every fact as it happens: (now_ms, node, fact)
        self.fault_observers: list[Callable[[float, Fault], None]] = []  # told every fault: (now_ms, fault)
        self.down: dict[NodeName, bool] = {}  # dead nodes; True: its machine still refuses connections
        self._seed, self._record, self._rebuild, self._wire = seed, record, rebuild, wire
        self._random = Random(f"faults/{seed}")
        self._network = Network(Random(f"network/{seed}"), delays)
        self._connections = Connections(self, self._network)
        self._queue: list[tuple[float, int, NodeName, Any, Any, int]] = []  # time, order, node, event, link, life
        self._order = 0
        self._timers: dict[NodeName, dict[str, int]] = {}  # the order of the one that counts
        self._frozen_until_ms: dict[NodeName, float] = {}
        self._lives: dict[NodeName, int] = {}  # how often a node has begun
        self._skew_ms: dict[NodeName, float] = {}
        self._flush_factor: dict[NodeName, float] = {}
        self._doomed: dict[NodeName, int] = {}  # how many messages it still gets sent
        for node in nodes:
            self.add(node)
        for at_ms, fault in faults:
            self.inject(fault, at_ms)

    @property
    def is_idle(self) -> bool:
        """Nothing is left to happen."""
        return not self._queue

    def add(self, node: Node) -> None:
        """A new node joins, or a dead one begins again; it starts now."""
        name = node.name
        life = self._lives[name] = self._lives.get(name, 0) + 1
        node.random = Random(f"node/{self._seed}/{name}/{life}")
        node.wall_offset_ms = EPOCH_MS + self._skew_ms.get(name, 0.0)
        self.nodes[name] = node
        self._timers[name] = {}
        self.down.pop(name, None)
        self.put(self.now_ms, name, Started(), None, life)

    def call(self, name: NodeName, method: str, *arguments: Any) -> None:
        """Ask something of a node from outside; a dead node does not hear it."""
        self.call_at(self.now_ms, name, method, *arguments)

    def call_at(self, at_ms: float, name: NodeName, method: str, *arguments: Any) -> None:
        """Ask something of a node from outside at a time."""
        self.put(at_ms, name, Called(method, arguments), None, -1)

    def inject(self, fault: Fault, at_ms: float | None = None) -> None:
        """Let a fault happen, now or then."""
        self.put(self.now_ms if at_ms is None else at_ms, "", fault, None, 0)

    def life_of(self, name: NodeName) -> int:
        """How often the node has begun."""
        return self._lives[name]

    # Running --------------------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool] | None = None, *, steps_max: int = STEPS_MAX) -> None:
        """Step until `until()` is true; without it, until nothing is left to happen.

        Raises SimulationStuck after `steps_max` steps, or if nothing is left while `until` still waits.
        """
        with without_collecting():
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

    def run_for(self, for_ms: float) -> None:
        """Let so much time pass, whatever happens in it."""
        end_ms = self.now_ms + for_ms
        with without_collecting():
            while self._queue and self._queue[0][0] <= end_ms:
                self.step()
        self.now_ms = end_ms

    def step(self) -> None:
        """Let the next thing happen. One that has become void (a stale timer, a lost message) passes unseen."""
        at_ms, order, name, event, link, life = heapq.heappop(self._queue)
        self.now_ms = at_ms
        self.ticks += 1
        if not name:
            self._inject(event)
            return
        if self._frozen_until_ms and at_ms < self._frozen_until_ms.get(name, 0.0) and name not in self.down:
            # The old order is kept: whatever waited is met in the order it came, and a timer stays the one that counts.
            heapq.heappush(self._queue, (self._frozen_until_ms[name], order, name, event, link, life))
            return
        if link is not None:
            self._connections.arrive(link, event, life)
            return
        if name in self.down or (life != self._lives[name] and life >= 0):
            return
        if type(event) is TimerFired:
            timers = self._timers[name]
            if timers.get(event.name) != order:
                return
            del timers[event.name]
        elif type(event) is _Synced:
            self.nodes[name].storage.sync(event.mark)
            event = Flushed(event.token)
        self.meet(name, event)

    def meet(self, name: NodeName, event: Event) -> None:
        """Let a node handle an event now, and perform what it says."""
        self.deliveries += 1
        effects = self.nodes[name].handle(event, self.now_ms)
        if self._record:
            self.steps.append(Step(len(self.steps), self.now_ms, name, event, tuple(effects)))
        if effects:
            self._perform(name, effects)

    # What effects and faults do -------------------------------------------------------------------------------------

    def _perform(self, name: NodeName, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                if name in self._doomed and self._dies(name):
                    return
                self._send(name, effect)  # type: ignore[arg-type]  # the line above says so
            elif kind is Note:
                for observer in self.observers:
                    observer(self.now_ms, name, effect.fact)  # type: ignore[union-attr]
            elif kind is SetTimer:
                due_ms = self.now_ms + effect.after_ms  # type: ignore[union-attr]
                timer: str = effect.name  # type: ignore[union-attr]
                self._timers[name][timer] = self.put(due_ms, name, TimerFired(timer), None, self._lives[name])
            elif kind is CancelTimer:
                self._timers[name].pop(effect.name, None)  # type: ignore[union-attr]
            elif kind is Flush:
                self._flush(name, effect.token)  # type: ignore[union-attr]
            elif kind is Disconnect:
                self._connections.close(self._network.link(name, effect.to), tell=True)  # type: ignore[union-attr]

    def _dies(self, name: NodeName) -> bool:
        """Does a doomed node die now, before it sends the next message?"""
        self._doomed[name] -= 1
        if self._doomed[name] >= 0:
            return False
        self._inject(Kill(name))
        return True

    def _send(self, name: NodeName, effect: Send) -> None:
        message = effect.message if self._wire is None else self._wire(effect.message)
        self._connections.send(self._network.link(name, effect.to), message, effect.role)

    def _flush(self, name: NodeName, token: int) -> None:
        mark = self.nodes[name].storage.mark()  # what is written from here on is not meant
        after_ms = FLUSH_MS * self._flush_factor.get(name, 1.0)
        self.put(self.now_ms + after_ms, name, _Synced(token, mark), None, self._lives[name])

    def _inject(self, fault: Any) -> None:
        if self._record and type(fault) is not _Heal:
            self.steps.append(Step(len(self.steps), self.now_ms, "", fault, ()))
        for observer in self.fault_observers if type(fault) is not _Heal else ():
            observer(self.now_ms, fault)
        match fault:
            case BreakConnection():
                self._connections.break_all(fault.one, fault.other)
            case SlowLink():
                self._network.slow(fault.source, fault.to, fault.factor)
            case Cut():
                self._network.cut(fault.source, fault.to, self.now_ms + fault.for_ms)
            case Kill() | PowerLoss() | LoseDisk():
                self._die(fault)
            case Restart():
                self._restart(fault.node)
            case KillAfter():
                self._doomed[fault.node] = fault.messages
            case _:
                self._burden(fault)

    def _burden(self, fault: Any) -> None:
        """What a node lives through."""
        name = fault.node
        match fault:
            case Freeze():
                until_ms = self.now_ms + fault.for_ms
                self._frozen_until_ms[name] = max(until_ms, self._frozen_until_ms.get(name, 0.0))
            case SkewClock():
                self._skew_ms[name] = self._skew_ms.get(name, 0.0) + fault.by_ms
                self.nodes[name].wall_offset_ms += fault.by_ms
            case FillDisk():
                storage = self._storage_of(name)
                storage.capacity_bytes = storage.used_bytes + fault.free_bytes
                self.put(self.now_ms + fault.for_ms, "", _Heal(name), None, 0)
            case _Heal():
                self._storage_of(name).capacity_bytes = None
            case SlowDisk():
                self._flush_factor[name] = fault.factor

    def _storage_of(self, name: NodeName) -> MemoryStorage:
        storage: MemoryStorage = self.nodes[name].storage
        return storage

    def _die(self, fault: Kill | PowerLoss | LoseDisk) -> None:
        name = fault.node
        if name in self.down:
            return
        is_kill = isinstance(fault, Kill)
        self.down[name] = is_kill
        self._timers[name].clear()
        self._doomed.pop(name, None)
        self._frozen_until_ms.pop(name, None)
        storage = self.nodes[name].storage
        if storage is not None and isinstance(fault, PowerLoss):
            storage.power_loss(self._random)
        elif storage is not None and isinstance(fault, LoseDisk):
            self.nodes[name].storage = MemoryStorage()
        self._connections.die(name, tell=is_kill)

    def _restart(self, name: NodeName) -> None:
        if name not in self.down:
            return
        assert self._rebuild is not None, "a simulator that restarts nodes is told how to `rebuild` them"
        self.add(self._rebuild(name, self.nodes[name].storage))

    def put(self, at_ms: float, name: NodeName, event: Any, link: Link | None, life: int) -> int:
        """Let something happen at a time; return its number in the order of things."""
        self._order += 1
        heapq.heappush(self._queue, (at_ms, self._order, name, event, link, life))
        return self._order
