"""From a run that went wrong to the fewest faults that make it go wrong: remove any one of them, and it is fine.

First halves, quarters, ... of the schedule are tried alone and left out (delta debugging, Zeller and Hildebrandt 2002),
then single faults, until none can be left out. "Goes wrong" means the same violation, by name: while faults disappear,
a run must not slip into another trouble. A run that cannot end without the missing faults counts as one that is fine.

Left out: making the faults that remain shorter, or earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kafkalite.errors import SimulationStuck
from kafkalite.sim.checkers.violation import Violation
from kafkalite.sim.faults import Fault

Faults = tuple[tuple[float, Fault], ...]
Run = Callable[[int, Faults], list[Violation]]
RUNS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The fewest faults found, and the violation they lead to. `is_minimal` is false if `runs_max` cut the search."""

    seed: int
    faults: Faults
    violation: Violation
    runs: int
    is_minimal: bool

    def explain(self) -> str:
        """What happened, for a person: the seed, the faults, the violation, and the facts around it."""
        violation = self.violation
        few = "removing any one of them removes the violation" if self.is_minimal else "the search was cut short"
        if not self.faults:
            few = "it takes none to go wrong"
        lines = [
            f"{violation.name}: {violation.sentence}",
            f"seed {self.seed}, {len(self.faults)} faults ({few}; {self.runs} runs):",
            *(f"{at_ms:>12.1f} ms  {fault}" for at_ms, fault in self.faults),
            "shown by:",
            *map(str, violation.facts),
        ]
        if violation.around:
            lines += [f"the {len(violation.around)} facts before it:", *map(str, violation.around)]
        return "\n".join(lines)


def shrink(
    run: Run,
    seed: int,
    faults: Faults,
    *,
    name: str = "",
    runs_max: int = RUNS_MAX,
    progress: Callable[[int, int], None] | None = None,
) -> Counterexample:
    """The fewest of these faults with which `run(seed, faults)` still shows the violation of that name.

    Without a name, it is the first violation of the whole schedule. `progress` is told (runs so far, faults left).
    Raises ValueError if the whole schedule shows no such violation.
    """
    search = _Search(run, seed, name, runs_max, progress)
    if not search.fails(faults):
        raise ValueError(f"seed {seed} with {len(faults)} faults shows no {name or 'violation'}: nothing to shrink")
    while not search.is_over:
        before = search.faults
        search.by_halves()
        search.one_by_one()
        if search.faults == before:
            break
    assert search.violation is not None
    return Counterexample(seed, search.faults, search.violation, search.runs, not search.is_over)


class _Search:
    """The fewest faults so far, and what was tried."""

    def __init__(
        self, run: Run, seed: int, name: str, runs_max: int, progress: Callable[[int, int], None] | None
    ) -> None:
        self.faults: Faults = ()
        self.violation: Violation | None = None
        self.runs = 0
        self.is_over = False  # the budget is spent
        self._run, self._seed, self._name, self._runs_max, self._progress = run, seed, name, runs_max, progress
        self._fine: set[Faults] = set()

    def fails(self, faults: Faults) -> bool:
        """Does the violation show with these? If so, they are the fewest so far."""
        if faults in self._fine or self.is_over:
            return False
        if self.runs >= self._runs_max:
            self.is_over = True
            return False
        self.runs += 1
        found = self._found(faults)
        if found is None:
            self._fine.add(faults)
            return False
        self.faults, self.violation, self._name = faults, found, found.name
        if self._progress is not None:
            self._progress(self.runs, len(faults))
        return True

    def _found(self, faults: Faults) -> Violation | None:
        try:
            violations = self._run(self._seed, faults)
        except SimulationStuck:
            return None
        return next((violation for violation in violations if self._name in ("", violation.name)), None)

    def by_halves(self) -> None:
        """Try each share alone, then everything but it; finer shares when none will do."""
        shares = 2
        while len(self.faults) >= 2 and not self.is_over:
            size = -(-len(self.faults) // shares)
            pieces = [self.faults[start : start + size] for start in range(0, len(self.faults), size)]
            if any(self.fails(piece) for piece in pieces):
                shares = 2
            elif any(self.fails(_without(self.faults, index * size, size)) for index in range(len(pieces))):
                shares = max(shares - 1, 2)
            elif size == 1:
                return
            else:
                shares = min(2 * shares, len(self.faults))

    def one_by_one(self) -> None:
        """Leave out single faults, from the last, until none can be."""
        index = len(self.faults)
        while index and not self.is_over:
            index -= 1
            self.fails(_without(self.faults, index, 1))


def _without(faults: Faults, start: int, count: int) -> Faults:
    return faults[:start] + faults[start + count :]
