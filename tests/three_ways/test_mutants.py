"""Every machine-made mutant has the same result on the learner's own objects and across the pipe, rule by rule.

A dozen of them also go through real kernels (`test_three_ways`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.box import Backend
from autograder.grade import grade
from autograder.manifest import Manifest, read_manifest
from autograder.submission import read_submission
from course.build import release_id, released_notebook
from course.checks.examine import examine
from course.checks.local import LocalPort
from tests.course.checks.answers import answer
from tests.submissions import answered, write
from tests.three_ways.cases import CHAPTER, CHECKS, Submission, mutants, right
from tests.three_ways.graders import Result, as_check

pytestmark = [pytest.mark.slow]

SECRET = "the same for both"
SUBMISSIONS = [*right(), *mutants()]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("release")
    return read_manifest(write(released_notebook(CHAPTER), folder / f"{CHAPTER.name}.ipynb"))


def beside_the_learner(submission: Submission) -> Result:
    found = {}
    for exercise, check in CHAPTER.checks():
        if exercise.id in submission.answers:
            mine = answer(submission.answers[exercise.id], exercise.name)
            with LocalPort({exercise.name: mine}) as port:
                found[check.id] = examine(exercise, check, port, secret=SECRET, release=release_id(CHAPTER))
    return {check_id: as_check(result) for check_id, result in found.items()}


def across_the_pipe(submission: Submission, release: Manifest, backend: Backend, folder: Path) -> Result:
    path = write(answered(released_notebook(CHAPTER), submission.answers), folder / f"{submission.name}.ipynb")
    graded = grade(read_submission(path), release, backend, SECRET)
    return {id_: as_check(graded[id_]) for id_, exercise_id in CHECKS.items() if exercise_id in submission.answers}


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda one: one.name)
def test_an_answer_has_the_same_result_beside_the_learner_and_across_the_pipe(
    submission: Submission, release: Manifest, backend: Backend, tmp_path: Path
) -> None:
    assert beside_the_learner(submission) == across_the_pipe(submission, release, backend, tmp_path)
