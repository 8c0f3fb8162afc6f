"""Machine-made mutants, the second net: at least 95% of those that behave differently die, in every exercise."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from course.build.mutants import mutants_of
from course.build.verify import Subject
from course.build.verify.mutation import mutate
from course.chapters.catalog import chapter, names

from .seam import PACKAGE, seam, with_exercise

KILLED_SHARE_MIN = 0.95
EXERCISES = [(name, exercise.id) for name in [*names(), PACKAGE] for exercise in chapter(name).exercises]


@pytest.mark.parametrize(("name", "exercise_id"), EXERCISES)
def test_the_rules_kill_the_mutants_of_every_reference(
    name: str, exercise_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (exercise,) = (one for one in chapter(name).exercises if one.id == exercise_id)

    mutation = mutate(Subject(chapter(name), Path()), exercise)

    with capsys.disabled():
        sys.stdout.write(f"\n{mutation} ")
    assert KILLED_SHARE_MIN <= mutation.killed_share, [mutant.id for mutant in mutation.survivors]
    assert () == mutation.unknown, "listed as equivalent, and killed or gone"


def test_a_rule_that_judges_nothing_lets_mutants_live() -> None:
    """What the figure above would look like if the rules were weak."""
    check = seam().exercises[0].checks[0]
    weak = with_exercise(checks=(replace(check, rules=check.rules[2:]),))

    mutation = mutate(Subject(weak, Path()), weak.exercises[0])

    assert mutation.killed_share < KILLED_SHARE_MIN
    assert mutation.survivors


def test_mutants_differ_from_the_reference_and_from_one_another() -> None:
    for name, exercise_id in EXERCISES:
        (exercise,) = (one for one in chapter(name).exercises if one.id == exercise_id)
        mutants = mutants_of(exercise)

        assert len(mutants) == len({mutant.source for mutant in mutants}) == len({mutant.id for mutant in mutants})
        assert 10 <= len(mutants)
        for mutant in mutants:
            ast.parse(mutant.source)


def test_each_kind_of_change_is_made() -> None:
    (exercise,) = with_exercise(reference="tests.course.build.references.mutable:changed").exercises[:1]

    ids = {mutant.id for mutant in mutants_of(exercise)}

    for expected in (
        "changed: `if a < b and (not c):` -> `if a <= b and (not c):`",
        "changed: `if a < b and (not c):` -> `if a < b or not c:`",
        "changed: `if a < b and (not c):` -> `if a < b and c:`",
        "changed: `if a < b and (not c):` -> `if not (a < b and (not c)):`",
        "changed: `a += 1` -> `a -= 1`",
        "changed: `a += 1` -> `a += 2`",
        "changed: `a += 1` -> `pass`",
        "changed: `b = min(a, b)` -> `b = max(a, b)`",
        "changed: `d = sorted(d)[a:len(d)]` -> `d = d[a:len(d)]`",
        "changed: `d = sorted(d)[a:len(d)]` -> `d = sorted(d)[a:len(d) - 1]`",
        "changed: `d = sorted(d)[a:len(d)]` -> `d = sorted(d)[a + 1:len(d)]`",
        "changed: `d.insert(a, b)` -> `d.insert(b, a)`",
        "changed: `break` -> `continue`",
        "changed: `return a` -> `return None`",
        "changed: `return a` -> `return a + 1`",
        "changed: `raise ValueError(a + b)` -> `pass`",
    ):
        assert expected in ids
    assert not [one for one in ids if "a - b" in one], "what an error says does not count"
