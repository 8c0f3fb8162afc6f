"""What is graded by is the release's; a notebook that does not belong to it gets a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.manifest import BadRelease, manifest_for, must_fit, read_manifest
from autograder.submission import BadSubmission, Submission, parse_notebook
from course.learn import released_notebooks
from tests.autograder.notebooks import Notebook, manifest


def submission(**says: str | None) -> Submission:
    """A solved notebook that says other things of itself."""
    notebook = Notebook.solved()
    notebook.content["metadata"]["kafkalite"].update(says)
    return parse_notebook(notebook.to_bytes(), "hw.ipynb")


def test_the_release_says_which_cells_there_are() -> None:
    assert ["setup"] == [cell.grade_id for cell in manifest().setup]
    assert {"log", "cursor", "deliver", "log-append", "explain"} <= manifest().by_grade_id().keys()


def test_a_copy_of_the_release_fits() -> None:
    handed_in = submission()

    must_fit(handed_in, manifest_for(handed_in, released_notebooks()))


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ({"course": "another-course"}, "not a notebook of this course: expected one that was handed out by"),
        ({"course": None}, "names no course"),
        ({"chapter": "99_nowhere"}, "of chapter '99_nowhere', which the installed course does not have; it has 01_why"),
        ({"chapter": "../../secret"}, "which the installed course does not have"),
    ],
)
def test_another_course_and_an_unknown_chapter_are_refused(says: dict[str, str | None], said: str) -> None:
    with pytest.raises(BadSubmission) as refused:
        manifest_for(submission(**says), released_notebooks())

    assert said in str(refused.value)


def test_another_release_is_refused_and_both_are_named() -> None:
    with pytest.raises(BadSubmission, match=f"of release 1234; expected release {manifest().release}"):
        must_fit(submission(release="1234"), manifest())


def test_a_released_notebook_that_lacks_a_check_is_no_release(tmp_path: Path) -> None:
    path = Notebook.released().delete("log-read").save(tmp_path)

    with pytest.raises(BadRelease, match="does not fit the installed course, which has check log-read"):
        read_manifest(path)


def test_a_release_that_is_not_there_or_not_a_release_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="There is no"):
        read_manifest(tmp_path / "absent.ipynb")
    path = Notebook({"nbformat": 4, "cells": [], "metadata": {"kafkalite": {"chapter": "01_why_a_log"}}}).save(tmp_path)
    with pytest.raises(BadRelease, match="records no release"):
        read_manifest(path)
