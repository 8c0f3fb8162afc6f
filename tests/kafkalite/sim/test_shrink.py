"""A schedule that goes wrong becomes one of which no fault can be left out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from random import Random

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.facts import TopicDeleted
from kafkalite.sim.checkers import Announced, Violation
from kafkalite.sim.faults import Kill, Restart
from kafkalite.sim.shrink import Faults, shrink

SCHEDULE: Faults = tuple((float(number), Kill(f"b{number}")) for number in range(24))
SHOWN = Announced(5.0, "b1", TopicDeleted("orders"))


def _violation(name: str = "lost-write") -> Violation:
    return Violation(name, "it is gone", 5.0, (SHOWN,), "orders-0", (SHOWN, SHOWN))


def _run(is_wrong: Callable[[set[int]], bool]) -> Callable[[int, Faults], list[Violation]]:
    """A run that goes wrong for some sets of faults, by their numbers."""
    return lambda _, faults: [_violation()] if is_wrong({int(at_ms) for at_ms, _ in faults}) else []


def _numbers(faults: Faults) -> list[int]:
    return [int(at_ms) for at_ms, _ in faults]


WRONG: dict[str, Callable[[set[int]], bool]] = {
    "one fault": lambda numbers: 17 in numbers,
    "two far apart": lambda numbers: {1, 22} <= numbers,
    "any three": lambda numbers: len(numbers) >= 3,
    "one without another": lambda numbers: 5 in numbers and (6 not in numbers or 7 in numbers),
    "an even number of them, not none": lambda numbers: len(numbers) > 0 and len(numbers) % 2 == 0,
    "all": lambda numbers: len(numbers) == 24,
}


@pytest.mark.parametrize("what", WRONG)
def test_no_fault_of_the_result_can_be_left_out(what: str) -> None:
    run = _run(WRONG[what])

    found = shrink(run, 1, SCHEDULE)

    assert found.is_minimal
    assert run(1, found.faults)
    assert not any(run(1, fewer) for fewer in combinations(found.faults, len(found.faults) - 1))


def test_random_monotone_and_other_schedules_shrink_to_minimal_ones() -> None:
    for seed in range(60):
        rng = Random(seed)
        needed = [set(rng.sample(range(24), rng.randint(1, 5))) for _ in range(rng.randint(1, 3))]
        spoiled = set(rng.sample(range(24), 2)) if seed % 2 else {99}
        run = _run(
            lambda numbers, needed=needed, spoiled=spoiled: (  # type: ignore[misc]
                any(each <= numbers for each in needed) and (len(numbers) == 24 or not spoiled <= numbers)
            )
        )

        found = shrink(run, seed, SCHEDULE)

        assert found.is_minimal, seed
        assert not any(run(1, fewer) for fewer in combinations(found.faults, len(found.faults) - 1)), seed


def test_what_goes_wrong_without_any_fault_needs_none() -> None:
    assert () == shrink(_run(lambda numbers: 99 not in numbers), 1, SCHEDULE).faults


def test_the_order_of_faults_stays() -> None:
    found = shrink(_run(lambda numbers: {20, 3, 11} <= numbers), 1, SCHEDULE)

    assert [3, 11, 20] == _numbers(found.faults)


def test_a_run_does_not_slip_into_another_violation() -> None:
    def run(_: int, faults: Faults) -> list[Violation]:
        return [_violation("lost-write" if {3, 4} <= set(_numbers(faults)) else "duplicate")]

    assert [3, 4] == _numbers(shrink(run, 1, SCHEDULE).faults)
    assert [] == _numbers(shrink(run, 1, SCHEDULE[:3], name="duplicate").faults)


def test_a_run_that_cannot_end_counts_as_fine() -> None:
    def run(_: int, faults: Faults) -> list[Violation]:
        if 9 not in _numbers(faults):
            raise SimulationStuck("it still has not come true")
        return [_violation()]

    assert [9] == _numbers(shrink(run, 1, SCHEDULE).faults)


def test_when_the_budget_is_spent_the_fewest_so_far_are_told_and_called_unfinished() -> None:
    calls = []
    found = shrink(
        _run(lambda numbers: {1, 22} <= numbers), 1, SCHEDULE, runs_max=6, progress=lambda *at: calls.append(at)
    )

    assert (6, False) == (found.runs, found.is_minimal)
    assert {1, 22} <= set(_numbers(found.faults))
    assert len(SCHEDULE) == calls[0][1]
    assert "cut short" in found.explain()


def test_a_schedule_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="seed 7 with 24 faults shows no violation"):
        shrink(_run(lambda numbers: 99 in numbers), 7, SCHEDULE)


def test_a_counterexample_explains_itself() -> None:
    schedule: Faults = ((5.0, Kill("b101")), (80.5, Restart("b101")))

    told = shrink(_run(lambda numbers: 80 in numbers), 41, schedule).explain()

    assert told.startswith("lost-write: it is gone\nseed 41, 1 faults (removing any one")
    assert "80.5 ms  Restart(node='b101')" in told
    assert 3 == told.count("TopicDeleted(topic='orders')")
