"""The repository's notebooks against a fresh build."""

from __future__ import annotations

from pathlib import Path

from course.build import write_release
from course.build.verify import Subject, stray
from course.build.verify.drift import drift
from tests.course.build.seam import seam, with_text


def test_a_fresh_release_has_not_drifted(tmp_path: Path) -> None:
    write_release(seam(), tmp_path)

    assert [] == list(drift(Subject(seam(), tmp_path)))


def test_a_missing_notebook_is_a_problem(tmp_path: Path) -> None:
    (problem,) = drift(Subject(seam(), tmp_path))

    assert f"{tmp_path}/90_seam.ipynb: there is no released notebook of this chapter; run `course build`" in str(
        problem
    )


def test_a_text_changed_after_the_build_is_a_problem(tmp_path: Path) -> None:
    write_release(seam(), tmp_path)

    (problem,) = drift(Subject(with_text(tmp_path, ("# The seam", "# Another seam")), tmp_path))

    assert "90_seam.ipynb: differs from a fresh build; run `course build` and commit" in str(problem)


def test_a_notebook_of_no_chapter_is_a_problem(tmp_path: Path) -> None:
    write_release(seam(), tmp_path)

    assert [] == stray(tmp_path, ["90_seam"])
    assert ["no chapter has this name"] == [problem.what for problem in stray(tmp_path, ["01_why_a_log"])]
