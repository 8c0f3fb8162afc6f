"""Solutions that lose points, wrong answers that pass or break other rules, rules that nothing breaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course.build.verify import Subject
from course.build.verify.answers import rules, solution, wrong_answers
from course.chapters.catalog import Chapter
from tests.course.build.chapters.ch90_seam.stage import PartitionCase, PartitionState
from tests.course.build.seam import seam, with_exercise, with_text


def of(chapter: Chapter) -> Subject:
    return Subject(chapter, Path())


def with_wrong(name: str, **changes: Any) -> Chapter:
    """The seam, with one of its wrong answers changed."""
    changed = [replace(one, **changes) if one.name == name else one for one in seam().wrong_answers]
    return replace(seam(), wrong_answers=tuple(changed))


def test_a_solution_that_loses_points_is_a_problem() -> None:
    (problem,) = solution(of(with_exercise(reference="tests.course.build.references.goes_back:high_watermark")))

    assert "90_seam, high-watermark-check: the solution gets 8 of 10 points (breaks never-back)" in str(problem)


def test_a_rule_that_no_directed_case_judges_is_a_problem() -> None:
    check = seam().exercises[0].checks[0]
    few = replace(check, directed=tuple(case for case in check.directed if case.min_isr == 1))

    (problem,) = solution(of(with_exercise(checks=(few,))))

    assert "90_seam, high-watermark-check: the directed cases do not judge frozen; add one that does." == str(problem)


def test_a_solution_that_cannot_be_run_is_a_problem(tmp_path: Path) -> None:
    chapter = with_text(tmp_path, ("import course\n", "import course\n\nraise ValueError('not today')\n"))

    (problem,) = solution(of(chapter))

    assert "the solution cannot be run: cell 90_seam-setup raises ValueError: not today" in str(problem)


def test_a_wrong_answer_that_passes_is_a_problem_on_either_set_of_cases() -> None:
    right = seam().exercises[0].reference.partition(":")[2]
    source = (
        f"def {right}(end_offsets, isr, maximal_isr, previous, min_isr):\n"
        "    if len(isr) < min(min_isr, len(end_offsets)):\n        return previous\n"
        "    return max(previous, min(end_offsets[one] for one in maximal_isr))\n"
    )

    directed, graded = wrong_answers(of(with_wrong("one_that_goes_back", source=source)))

    assert "wrong answer one_that_goes_back, high-watermark-check: on the directed cases alone it passes" in str(
        directed
    )
    assert "on all cases, hidden ones too it passes, and says that it breaks never-back" in str(graded)


def test_a_wrong_answer_that_breaks_other_rules_than_it_says_is_a_problem() -> None:
    chapter = with_wrong("one_that_goes_back", breaks={"high-watermark-check": frozenset({"least"})})

    directed, graded = wrong_answers(of(chapter))

    for problem in (directed, graded):
        assert "it breaks never-back, and says that it breaks least" in str(problem)


def test_a_wrong_answer_that_only_a_hidden_case_shows_is_a_problem() -> None:
    """A directed case must show every mistake: luck of a seed is not enough."""
    check = seam().exercises[0].checks[0]
    alone = PartitionState(((1, 4), (2, 4)), isr=frozenset({1}), maximal_isr=frozenset({1}))
    nothing_new = PartitionCase("alone, and nothing new", (alone,), min_isr=2, high_watermark=4)
    few = replace(check, directed=(*(case for case in check.directed if case.min_isr == 1), nothing_new))

    found = [str(problem) for problem in wrong_answers(of(with_exercise(checks=(few,))))]

    assert any(
        "one_that_ignores_min_isr, high-watermark-check: on the directed cases alone it passes" in one for one in found
    )
    assert not any("one_that_ignores_min_isr, high-watermark-check: on all cases" in one for one in found)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (
            {"high-watermark-check": frozenset({"never-bakc", "never-back"})},
            "high-watermark-check/never-bakc, and there is no",
        ),
        ({"no-check": frozenset({"never-back"})}, "no-check/never-back, and there is no such rule"),
        ({}, "it says that it breaks no rule"),
    ],
)
def test_a_wrong_answer_that_declares_nonsense_is_a_problem(breaks: dict[str, frozenset[str]], said: str) -> None:
    found = [str(problem) for problem in wrong_answers(of(with_wrong("one_that_goes_back", breaks=breaks)))]

    assert any(said in problem for problem in found)


def test_a_wrong_answer_that_does_not_stand_alone_is_a_problem() -> None:
    (problem,) = wrong_answers(of(with_wrong("LogWhoseStartMoves", source="Log = Helper\n")))

    assert "wrong answer LogWhoseStartMoves: it cannot be run in the notebook: cell answer raises NameError" in str(
        problem
    )


def test_a_rule_that_no_wrong_answer_breaks_is_a_problem() -> None:
    harmless = replace(
        seam(), wrong_answers=tuple(one for one in seam().wrong_answers if one.name != "LogWhoseStartMoves")
    )

    few, unbroken = rules(of(harmless))

    assert "90_seam, log: it has 2 wrong answers and needs 3" in str(few)
    assert "90_seam, log-append: no wrong answer breaks the rule 'start'" in str(unbroken)
