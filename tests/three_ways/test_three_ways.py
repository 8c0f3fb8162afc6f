"""Three graders, one result: the notebook, stock nbgrader and the autograder agree rule by rule on the same cases.

The cases are the public ones and those of the course's expendable secret, which is the one that nbgrader has. Where
graders have limits, see `test_limits`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.box import Backend
from autograder.cli import app
from course.build import release_id
from tests.submissions import read
from tests.three_ways.cases import CHAPTER, CHECKS, ODD, WRONG, Submission, right, sampled_mutants, wrong
from tests.three_ways.classes import SOLVED, Class, a_class, with_solution
from tests.three_ways.graders import NAME, Check, Result, in_a_kernel, in_the_box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

RELEASED = Submission("released", {})
EQUAL = (RELEASED, SOLVED, *right(), *wrong(), *sampled_mutants(), *ODD)
# A sleeping answer ends after ten seconds, and nbgrader must wait for that; none is endless.
PATIENT = ("--ExecutePreprocessor.timeout=120", "--ExecutePreprocessor.iopub_timeout=60")


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return a_class(tmp_path_factory.mktemp("equal") / "course", EQUAL, *PATIENT, expect=0)


def kernel(course: Class, submission: Submission) -> Result:
    released = read(course.folder / "release" / NAME / f"{NAME}.ipynb")
    return in_a_kernel(released, with_solution(course.folder, submission), course.secret, release_id(CHAPTER))


def box(course: Class, submission: Submission, backend: Backend, folder: Path) -> Result:
    return in_the_box(course.folder, with_solution(course.folder, submission), course.secret, backend, folder)


def ended(check: Check) -> str:
    return WRONG if check.outcome in ("FAIL", "ERROR") else check.outcome


@pytest.mark.parametrize("submission", EQUAL, ids=lambda one: one.name)
def test_every_rule_has_the_same_result_three_ways(
    equal: Class, backend: Backend, submission: Submission, tmp_path: Path
) -> None:
    by_notebook = kernel(equal, submission)
    by_nbgrader = equal.shown[submission.name]
    by_autograder = box(equal, submission, backend, tmp_path)

    assert by_notebook == by_nbgrader == by_autograder
    assert submission.ends == {check_id: ended(by_notebook[check_id]) for check_id in submission.ends}


@pytest.mark.parametrize("submission", EQUAL, ids=lambda one: one.name)
def test_the_gradebook_holds_what_the_notebook_shows(equal: Class, submission: Submission) -> None:
    shown = {check_id: check.score for check_id, check in equal.shown[submission.name].items()}

    assert shown == {check_id: equal.scores[submission.name][check_id].auto for check_id in CHECKS}


@pytest.mark.parametrize("wrong_answers", list(wrong()), ids=lambda one: one.name)
def test_a_kept_wrong_answer_loses_exactly_the_rules_it_declares(equal: Class, wrong_answers: Submission) -> None:
    declared = {
        check_id: rules
        for one in CHAPTER.wrong_answers
        if wrong_answers.answers.get(one.exercise) == one.source
        for check_id, rules in one.breaks.items()
    }
    found = equal.shown[wrong_answers.name]
    lost = {id_: frozenset(r for r, (passed, *_) in found[id_].rules.items() if not passed) for id_ in declared}

    assert declared == lost


def graded_by_command(course: Class, name: str, folder: Path) -> dict[str, Any]:
    """What `autograder grade` writes about a submission of the course, with the course's expendable secret."""
    (folder / "secret").write_text(course.secret)
    arguments = [
        str(course.folder / "submitted" / name / NAME / f"{NAME}.ipynb"),
        f"--release={course.folder / 'release' / NAME / f'{NAME}.ipynb'}",
        f"--secret-file={folder / 'secret'}",
        f"--json={folder / 'report.json'}",
    ]
    done = CliRunner().invoke(app, ["grade", *arguments])
    assert 0 == done.exit_code, done.output
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(("name", "points"), [("released", 0), ("solved", 24), ("is-the-reference", 0)])
def test_the_command_gives_the_same_points_and_the_question_in_words_is_left_to_a_person(
    equal: Class, tmp_path: Path, name: str, points: int
) -> None:
    report = graded_by_command(equal, name, tmp_path)

    by_check = {check["id"]: check for exercise in report["exercises"] for check in exercise["checks"]}
    assert (points, 28) == (report["score"], report["max"])
    assert ["not answered"] == [question["status"] for question in report["written"]]
    assert {id_: equal.scores[name][id_].auto for id_ in CHECKS} == {id_: by_check[id_]["score"] for id_ in CHECKS}


@pytest.mark.usefixtures("backend")
def test_the_reference_handed_in_is_refused_kindly_three_ways(equal: Class, tmp_path: Path) -> None:
    """Its own words, in each grader's own output."""
    kindly = "Handing in the reference teaches nothing, so it scores 0"
    handed_in = next(one for one in ODD if one.name == "is-the-reference")
    autograded = equal.folder / "autograded" / handed_in.name / NAME / f"{NAME}.ipynb"
    report = graded_by_command(equal, handed_in.name, tmp_path)
    checks = [check for exercise in report["exercises"] for check in exercise["checks"]]

    assert len(CHECKS) == autograded.read_text(encoding="utf-8").count(kindly)
    assert len(CHECKS) == sum(kindly in check["message"] for check in checks)
