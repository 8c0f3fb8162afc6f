"""The checkers are checked: the system made wrong in one place is caught, and by the name of what is wrong."""

from __future__ import annotations

from statistics import median

import pytest

from kafkalite.sim.checkers import NAMES
from kafkalite.sim.counterexample import RAISED, STUCK
from kafkalite.sim.planted import BUGS, Bug, control, hunt

RUNS = {(bug.play, bug.seed): bug for bug in BUGS}.values()  # some bugs show in the same run
PATIENCE = 25  # seeds, should the first have moved because something else in the system has changed


def _finds(bug: Bug, seed: int) -> bool:
    return any(violation.name in bug.caught_by for violation in hunt(bug, seed))


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_is_caught_by_the_name_of_what_is_wrong(bug: Bug) -> None:
    seeds = (bug.seed, *(seed for seed in range(1, PATIENCE + 1) if seed != bug.seed))

    assert any(_finds(bug, seed) for seed in seeds), (
        f"{bug.wrong} None of {bug.caught_by} was found in {len(seeds)} seeds"
    )


@pytest.mark.parametrize("bug", RUNS, ids=[bug.name for bug in RUNS])
def test_without_the_bug_the_same_run_raises_no_alarm(bug: Bug) -> None:
    assert [] == control(bug, bug.seed)


def test_there_are_enough_bugs_and_few_seeds_are_needed() -> None:
    assert len(BUGS) >= 40
    assert len(BUGS) == len({bug.name for bug in BUGS})
    assert max(bug.seed for bug in BUGS) <= 500
    assert median(bug.seed for bug in BUGS) <= 50


def test_each_bug_is_one_part_or_one_patch_and_is_caught_by_names_that_checkers_have() -> None:
    for bug in BUGS:
        assert set(bug.caught_by) <= NAMES | {RAISED, STUCK}, bug.name
        assert bug.wrong.endswith("."), bug.name


def test_what_was_planted_is_gone_behind_the_block() -> None:
    before = [getattr(patch.owner, patch.name) for bug in BUGS for patch in bug.patches]
    for bug in BUGS:
        with bug.planted():
            assert all(getattr(patch.owner, patch.name) is patch.wrong for patch in bug.patches)

    assert before == [getattr(patch.owner, patch.name) for bug in BUGS for patch in bug.patches]
