"""From a seed that went wrong to what a person can read: the fewest faults, the violation, and the facts around it.

What counts as wrong: what the checkers find, a node that raises an error instead of going on, and a run that never
comes to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.errors import SimulationStuck
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.checkers import Checker, Expectations, Violation
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.shrink import RUNS_MAX, Counterexample, Faults, shrink
from kafkalite.sim.workload import Plan, expectations_of, play, with_schedule
from kafkalite.types import NodeName

RAISED = "node-raised"
STUCK = "stuck"


class _Caught(Exception):
    """Stop: it is found."""


class Watcher:
    """A checker that ends the run when it finds one of these names; of any, if `names` is None."""

    def __init__(self, names: tuple[str, ...] | None) -> None:
        self.checker = Checker()
        self._names = names
        self._cluster: Cluster | None = None

    def attach(self, cluster: Cluster, expectations: Expectations) -> None:
        """Judge this cluster, by these expectations."""
        self._cluster, self.checker = cluster, Checker(expectations)
        cluster.sim.observers.append(self._observe)

    def watch(self, run: Callable[[], Any]) -> list[Violation]:
        """What was found in the run that `run()` lets happen, to its end or up to what was looked for."""
        try:
            run()
        except _Caught:
            pass
        except SimulationStuck as error:
            self._add(STUCK, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a node raises, it does not go on
            self._add(RAISED, f"{type(error).__name__}: {error}")
        else:
            self.checker.finish(self._now_ms)
        return self.checker.violations

    @property
    def _now_ms(self) -> float:
        return 0.0 if self._cluster is None else self._cluster.now_ms

    def _add(self, name: str, sentence: str) -> None:
        self.checker.violations.append(Violation(name, sentence, self._now_ms, ()))

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        count = len(self.checker.violations)
        self.checker.observe(now_ms, node, fact)
        new = self.checker.violations[count:]
        if any(self._names is None or violation.name in self._names for violation in new):
            raise _Caught


def counterexample(
    plan: Plan,
    parts: Parts = REFERENCE,
    *,
    name: str = "",
    runs_max: int = RUNS_MAX,
    progress: Callable[[int, int], None] | None = None,
) -> Counterexample:
    """The fewest of the plan's faults that still show the violation of that name (without one: the first there is).

    Raises ValueError if the plan's run shows no such violation.
    """
    names = (name,) if name else None

    def run(_: int, faults: Faults) -> list[Violation]:
        watcher, fewer = Watcher(names), with_schedule(plan, faults)
        expectations = expectations_of(plan)
        return watcher.watch(lambda: play(fewer, parts, prepare=lambda cluster: watcher.attach(cluster, expectations)))

    return shrink(run, plan.seed, plan.schedule, name=name, runs_max=runs_max, progress=progress)
