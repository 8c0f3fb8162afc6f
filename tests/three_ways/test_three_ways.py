"""Three graders, one result: the notebook, stock nbgrader and the autograder agree rule by rule on the same cases.

The cases are the public ones and those of the course's expendable secret, which is the one that nbgrader has. Where
graders have limits, the difference is a row of `course.classroom.differences`, and is tested as such.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.box import Backend, NoWorkingBox, best_backend
from autograder.cli import app
from course.build import release_id
from course.build.kernel import KernelFailed
from course.classroom.differences import DIFFERENCES
from course.classroom.layout import lay_out
from tests.stock_nbgrader import Score, nbgrader
from tests.submissions import read
from tests.three_ways.cases import CHAPTER, CHECKS, LIMITS, ODD, Submission, right, sampled_mutants, wrong
from tests.three_ways.graders import NAME, Check, Result, by_nbgrader, in_a_kernel, in_the_box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

RELEASED = Submission("released", {}, dict.fromkeys(CHECKS, "ERROR"))
SOLVED = Submission("solved", {}, dict.fromkeys(CHECKS, "PASS"))  # its answers are the instructor's
EQUAL = (RELEASED, SOLVED, *right(), *wrong(), *sampled_mutants(), *ODD)
# How long nbgrader waits for a cell: longer than a check may take, and where no check takes its time, not for minutes.
PATIENT = ("--ExecutePreprocessor.timeout=40", "--ExecutePreprocessor.iopub_timeout=10")
IMPATIENT = ("--ExecutePreprocessor.timeout=12", "--ExecutePreprocessor.iopub_timeout=4")


@dataclass(frozen=True, slots=True)
class Class:
    """A course with its release, and what stock nbgrader made of every submission."""

    folder: Path
    secret: str
    shown: Mapping[str, Result]
    scores: Mapping[str, Mapping[str, Score]]


@pytest.fixture(scope="module")
def backend() -> Backend:
    try:
        return best_backend()
    except NoWorkingBox as error:
        pytest.skip(str(error))


def a_class(folder: Path, submissions: tuple[Submission, ...], *seconds: str, expect: int) -> Class:
    lay_out(folder, [CHAPTER])
    nbgrader(folder, "generate_assignment", NAME)
    secret = re.search(r"lab\.grading\(secret='(\w+)'", instructors(folder).read_text(encoding="utf-8"))
    assert secret is not None
    shown, found = by_nbgrader(folder, (with_solution(folder, one) for one in submissions), *seconds, expect=expect)
    return Class(folder, secret[1], shown, found)


def instructors(folder: Path) -> Path:
    return folder / "source" / NAME / f"{NAME}.ipynb"


def with_solution(folder: Path, submission: Submission) -> Submission:
    """`solved` answers with what stands in the instructor's solution cells."""
    if submission is not SOLVED:
        return submission
    cells = read(instructors(folder)).cells
    answers = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if "nbgrader" in cell.metadata}
    return Submission("solved", {exercise.id: answers[exercise.id] for exercise in CHAPTER.exercises}, SOLVED.ends)


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return a_class(tmp_path_factory.mktemp("equal") / "course", EQUAL, *PATIENT, expect=0)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return a_class(tmp_path_factory.mktemp("limited") / "course", LIMITS, *IMPATIENT, expect=1)


def kernel(course: Class, submission: Submission) -> Result:
    released = read(course.folder / "release" / NAME / f"{NAME}.ipynb")
    return in_a_kernel(released, with_solution(course.folder, submission), course.secret, release_id(CHAPTER))


def box(course: Class, submission: Submission, backend: Backend, folder: Path) -> Result:
    return in_the_box(course.folder, with_solution(course.folder, submission), course.secret, backend, folder)


@pytest.mark.parametrize("submission", EQUAL, ids=lambda one: one.name)
def test_every_rule_has_the_same_result_three_ways(
    equal: Class, backend: Backend, submission: Submission, tmp_path: Path
) -> None:
    by_notebook = kernel(equal, submission)
    by_nbgrader = equal.shown[submission.name]
    by_autograder = box(equal, submission, backend, tmp_path)

    assert by_notebook == by_nbgrader == by_autograder
    assert submission.ends == {check_id: by_notebook[check_id].outcome for check_id in submission.ends}


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
def test_the_command_gives_the_same_points_and_the_question_in_words_awaits_a_person(
    equal: Class, tmp_path: Path, name: str, points: int
) -> None:
    report = graded_by_command(equal, name, tmp_path)

    by_check = {check["id"]: check for exercise in report["exercises"] for check in exercise["checks"]}
    assert (points, 28) == (report["score"], report["max"])
    assert ["awaits a person"] == [question["status"] for question in report["written"]]
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


# Where a grader has a limit ------------------------------------------------------------------------------------------

LOST = "the whole submission"
WAITS = "not tried: it would wait for a person"

# the id of the difference -> how the question ends in the notebook, in nbgrader, in the autograder
ENDS = {
    "memory": ("PASS", "PASS", "MEMORY"),
    "prints-in-a-cell": ("PASS", "PASS", "OUTPUT_LIMIT"),
    "endless-cell": (WAITS, "ERROR", "TIMEOUT"),
    "cannot-be-interrupted": (WAITS, LOST, "TIMEOUT"),
    "exits": (LOST, LOST, "CRASH"),
}


@pytest.mark.parametrize("submission", LIMITS, ids=lambda one: one.name)
def test_where_a_grader_has_a_limit_the_difference_is_the_one_that_is_told(
    limited: Class, backend: Backend, submission: Submission, tmp_path: Path
) -> None:
    ((exercise, difference),) = submission.differs.items()
    by_notebook, by_nbgrader, by_autograder = ENDS[difference]

    assert by_notebook == WAITS or by_notebook == _end(_try_kernel(limited, submission), exercise)
    assert by_nbgrader == _end(limited.shown.get(submission.name), exercise)
    assert by_autograder == _end(box(limited, submission, backend, tmp_path), exercise)


def test_every_such_limit_is_told_to_the_teacher(limited: Class) -> None:
    readme = (limited.folder / "README.md").read_text(encoding="utf-8")
    told = {difference.id: difference.answer for difference in DIFFERENCES}

    assert {one for submission in LIMITS for one in submission.differs.values()} <= told.keys()
    assert [] == [answer for answer in told.values() if answer not in readme]


def _try_kernel(course: Class, submission: Submission) -> Result | None:
    try:
        return kernel(course, submission)
    except KernelFailed:
        return None


def _end(result: Result | None, exercise: str) -> str:
    """How the checks of that exercise ended; the other exercises must not have suffered."""
    if result is None:
        return LOST
    others: dict[str, Check] = {id_: check for id_, check in result.items() if CHECKS[id_] != exercise}
    assert {"PASS"} == {check.outcome for check in others.values()}
    (end,) = {check.outcome for id_, check in result.items() if CHECKS[id_] == exercise}
    return end
