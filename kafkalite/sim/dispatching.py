"""Programs that have something done in the world outside, in a long run: they die, hang, leave, and begin again.

Each reads "orders" at least once and asks a sink to do something for every record. One program does that, now and then
two; some runs have a sink that does nothing twice. Between programs and the sink answers are lost or come late, so that
what was done is asked for again. When the faults are over, `settle` waits until everything was done and committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from kafkalite.facts import MembershipFailed, PollProcessed, RecordsPolled
from kafkalite.sim.checkers import Expectations, GroupPromise
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection, Cut, Fault, Freeze, KillAfter, SlowLink
from kafkalite.types import NodeName

SOURCE, SINK, GROUP, INSTANCE = "orders", "sink", "dispatch", "dispatch-i0"
SHARE = 0.3  # of runs that have such programs
IDEMPOTENT_SHARE = 0.6  # of these, runs whose sink does nothing twice
PROGRAM: dict[str, Any] = {
    "source": SOURCE,
    "outside": SINK,
    "semantics": "at least once",
    "group_id": GROUP,
    "session_timeout_ms": 3000,
    "heartbeat_interval_ms": 500,
    "max_poll_interval_ms": 4000,
    "default_api_timeout_ms": 3000,
    "max_poll_records": 10,
}
COUNT_MAX = 2  # programs at work at a time


def is_dispatched(seed: int) -> bool:
    """Whether the run of that seed has such programs. Nothing else that the seed draws depends on it."""
    return Random(f"dispatching/{seed}").random() < SHARE


def is_idempotent(seed: int) -> bool:
    """Whether the sink in the run of that seed does nothing twice."""
    return Random(f"sink/{seed}").random() < IDEMPOTENT_SHARE


def promised(expectations: Expectations, seed: int) -> Expectations:
    """What a run promises, with these programs. They commit, and only then say that they are done."""
    group = GroupPromise(commits_behind_work=False, instances=(INSTANCE,))
    return replace(
        expectations,
        groups={**expectations.groups, GROUP: group},
        dispatched={SOURCE: is_idempotent(seed)},
    )


class Dispatchers:
    """The programs of a run, and the sink. `begin`, then `round` again and again, then `settle`."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster, self._rng, self._seed = cluster, Random(f"dispatchers/{seed}"), seed
        self._live: dict[NodeName, str | None] = {}  # who is to be at work, by what instance id
        self._working: set[NodeName] = set()  # those that were handed records and are not done with them
        self._programs: set[NodeName] = set()  # all that have ever begun
        self._happenings: tuple[Callable[[NodeName, float], None], ...] = (
            *(self._dies, self._dies, self._leaves, self._stands_still, self._one_more),
            *(self._is_not_heard, self._is_not_answered),
        )
        cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, RecordsPolled):
            if fact.offsets and node in self._programs:  # without, it has gone past the end of a transaction
                self._working.add(node)
        elif isinstance(fact, PollProcessed):
            self._working.discard(node)
        elif isinstance(fact, MembershipFailed):
            self._live.pop(node, None)

    # While the run is busy ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The sink, and the first program."""
        self._cluster.sink(SINK, is_idempotent=is_idempotent(self._seed))
        self._start(INSTANCE)

    def _start(self, instance: str | None) -> NodeName:
        """A program begins, of this name; one that had its instance id is out."""
        name = f"dispatcher{len(self._programs) + 1}"
        self._programs.add(name)
        self._live[name] = instance
        self._cluster.pipeline(name, group_instance_id=instance, **PROGRAM)
        return name

    def round(self, for_ms: float) -> None:
        """Something may happen; and if nobody is at work any more, somebody may begin."""
        for name in [name for name in self._live if name in self._cluster.sim.down]:
            del self._live[name]
        if not self._live and self._rng.random() < 0.5:
            self._start(self._rng.choice((INSTANCE, None)))
        if self._live and self._rng.random() < 0.3:
            happens, name = self._rng.choice(self._happenings), self._rng.choice(list(self._live))
            happens(name, self._cluster.now_ms + self._rng.uniform(0, for_ms))

    def _dies(self, name: NodeName, at_ms: float) -> None:
        """Between two of its messages: before it has asked for something, or before it hears that it is done."""
        self._cluster.inject(KillAfter(name, self._rng.randrange(12)), at_ms)

    def _leaves(self, name: NodeName, at_ms: float) -> None:
        """It ends in order, when it is done with what it has."""
        del self._live[name]
        self._cluster.call_at(at_ms, name, "close")

    def _stands_still(self, name: NodeName, at_ms: float) -> None:
        self._cluster.inject(Freeze(name, self._rng.choice((300, 2500, 5500))), at_ms)

    def _one_more(self, name: NodeName, at_ms: float) -> None:
        """Another one begins: beside this one, or in its place."""
        if self._rng.random() < 0.3:
            self._start(self._live[name])
        elif len(self._live) < COUNT_MAX:
            self._start(None if INSTANCE in self._live.values() else INSTANCE)

    def _is_not_heard(self, name: NodeName, at_ms: float) -> None:
        """What it asks for does not arrive, or not in time."""
        faults: tuple[Fault, ...] = (
            Cut(name, SINK, self._rng.uniform(50, 3000)),
            Freeze(SINK, self._rng.choice((50, 200, 1000, 5000))),
        )
        self._cluster.inject(self._rng.choice(faults), at_ms)

    def _is_not_answered(self, name: NodeName, at_ms: float) -> None:
        """It is done, and it does not hear so, or too late: it asks again."""
        if self._rng.random() < 0.5:
            for time in range(10):
                self._cluster.inject(BreakConnection(name, SINK), at_ms + 20 * time)
        else:
            self._cluster.inject(SlowLink(SINK, name, 100), at_ms)
            self._cluster.inject(SlowLink(SINK, name, 1), at_ms + self._rng.uniform(200, 2000))

    # When all faults are over ---------------------------------------------------------------------------------------

    def settle(self, timeout_ms: float) -> None:
        """Whoever is at work ends; a last program does what is left. Raises SimulationStuck."""
        for name in self._live:
            self._cluster.call(name, "close")
        last = self._start(INSTANCE)  # at once in the place of another one that had it
        what = f"the end of what is to be done for {SOURCE}"
        self._cluster.run_until(lambda: self._is_done(last), what, timeout_ms)

    def _is_done(self, last: NodeName) -> bool:
        """Is the last program at the end of every partition, all that it was handed committed, and nobody at work?"""
        view = self._cluster.view
        if self._working - self._cluster.sim.down.keys():
            return False
        partitions = [one for one in view.assignments if one[0] == SOURCE]
        if any(view.positions.get((last, *one), -1) < view.high_watermarks.get(one, 0) for one in partitions):
            return False
        ends = {(one.topic, one.partition): one.offset + 1 for one in view.polled.get(last, ())}
        committed = view.committed.get(GROUP, {})
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())
