"""Canaries are graded by stock nbgrader, die of what would silently change everybody's scores, and leave no trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from course.chapters.catalog import chapter
from course.classroom import CannotTeach
from course.classroom.canary import Canaries, CanaryDied, grade_canaries
from course.classroom.layout import lay_out
from tests.stock_nbgrader import one_at_a_time

CHAPTER = chapter("01_why_a_log")
NAME = CHAPTER.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "course"
    lay_out(made, [CHAPTER])
    return made


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_sound_course_is_graded_24_and_0_and_nothing_of_it_stays(folder: Path) -> None:
    before = everything(folder)

    with one_at_a_time():
        found = grade_canaries(folder, NAME)

    assert Canaries(points=24, solved=24, released=0) == found
    assert before == everything(folder)


@pytest.mark.slow
def test_a_kernel_without_the_course_is_noticed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock nbgrader alone would give everybody 0 and say nothing."""
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    forget = "import sys; sys.modules['course'] = None; from ipykernel.kernelapp import launch_new_instance as go; go()"
    argv = [sys.executable, "-c", forget, "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    with one_at_a_time(), pytest.raises(CanaryDied) as died:
        grade_canaries(folder, NAME)

    assert "has 0 of 24 automatic points, so nobody could have them all" in str(died.value)
    assert "it does not have the course. Install kafkalite-course" in str(died.value)


@pytest.mark.slow
def test_a_release_that_scores_is_noticed(folder: Path) -> None:
    source = folder / "source" / NAME / f"{NAME}.ipynb"
    source.write_text(
        source.read_text().replace('lab.check(\\"log-append\\", Log)', 'max(2.5, lab.check(\\"log-append\\", Log))')
    )

    with one_at_a_time(), pytest.raises(CanaryDied, match=r"untouched release .* has 2.5 points; it must have none"):
        grade_canaries(folder, NAME)


@pytest.mark.slow
def test_a_notebook_that_nbgrader_refuses_is_told_in_its_words(folder: Path) -> None:
    source = folder / "source" / NAME / f"{NAME}.ipynb"
    source.write_text(source.read_text().replace('"grade_id": "cursor"', '"grade_id": "log"'))

    with pytest.raises(CanaryDied, match=r"nbgrader generate_assignment failed on a canary. It said: .*"):
        grade_canaries(folder, NAME)


@pytest.mark.parametrize(("where", "assignment"), [("course", "02_nothing"), ("nowhere", NAME)])
def test_what_is_not_there_cannot_be_tried(folder: Path, where: str, assignment: str) -> None:
    with pytest.raises(CannotTeach, match="Expected an nbgrader course at"):
        grade_canaries(folder.parent / where, assignment)
