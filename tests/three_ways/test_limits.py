"""Where the three graders differ, on purpose: each limit is the one that is told to the teacher.

Everything else they agree on (`test_three_ways`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.box import Backend
from autograder.budget import Budget
from course.build import release_id
from course.build.kernel import KernelFailed
from course.classroom.differences import DIFFERENCES
from tests.submissions import read
from tests.three_ways.cases import CHAPTER, CHECKS, LIMITS, Submission
from tests.three_ways.classes import Class, a_class
from tests.three_ways.graders import NAME, Result, in_a_kernel, in_the_box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

# No answer here takes its time and comes back; nobody waits longer for those that do not than the others' cells may
# need on a slow machine:
IMPATIENT = ("--ExecutePreprocessor.timeout=30", "--ExecutePreprocessor.iopub_timeout=10")
BUDGET = Budget(cell_s=2.0, cells_s=8.0)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Some submissions are lost, which is nbgrader's exit code 1; the others are graded all the same."""
    return a_class(tmp_path_factory.mktemp("limited") / "course", LIMITS, *IMPATIENT, expect=1)


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
    assert by_autograder == _end(
        in_the_box(limited.folder, submission, limited.secret, backend, tmp_path, BUDGET), exercise
    )


def test_every_such_limit_is_told_to_the_teacher(limited: Class) -> None:
    readme = (limited.folder / "README.md").read_text(encoding="utf-8")
    told = {difference.id: difference.answer for difference in DIFFERENCES}

    assert {one for submission in LIMITS for one in submission.differs.values()} <= told.keys()
    assert [] == [answer for answer in told.values() if answer not in readme]


def _try_kernel(course: Class, submission: Submission) -> Result | None:
    released = read(course.folder / "release" / NAME / f"{NAME}.ipynb")
    try:
        return in_a_kernel(released, submission, course.secret, release_id(CHAPTER))
    except KernelFailed:
        return None


def _end(result: Result | None, exercise: str) -> str:
    """How the checks of that exercise ended; the other exercises must not have suffered."""
    if result is None:
        return LOST
    others = {id_: check for id_, check in result.items() if CHECKS[id_] != exercise}
    assert {"PASS"} == {check.outcome for check in others.values()}
    (end,) = {check.outcome for id_, check in result.items() if CHECKS[id_] == exercise}
    return end
