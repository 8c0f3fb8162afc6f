"""Solutions and setup cells that need more than the place where submissions are graded has."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.image import image
from course.build.verify import Subject
from course.build.verify.box import FILES, needs
from tests.course.build.seam import seam, with_exercise, with_text


def test_the_seam_needs_nothing_the_box_has_not() -> None:
    assert [] == list(needs(Subject(seam(), Path())))


def test_of_kafkalite_there_is_what_the_autograder_copies_into_its_boxes() -> None:
    with image() as folder:
        assert set(FILES) == {path.name for path in (folder / "kafkalite").glob("*.py")}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import numpy", "`the cell` uses numpy, which answers may not import"),
        ("import os", "`the cell` uses os, which answers may not import"),
        ("from kafkalite.log.memory import Log as Given", "which holds the reference solution"),
        ("from kafkalite import log", "ImportError: cannot import name 'log'"),
        ("from course.checks.model import Check", "which is a tool of the notebook"),
        ("import autograder", "which holds the reference solution"),
        ("import os.path as path", "uses os.path"),
        ("__import__(name='socket', globals=globals())", "uses socket"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
def test_a_setup_cell_that_needs_more_is_a_problem(tmp_path: Path, line: str, said: str) -> None:
    chapter = with_text(tmp_path, ("import course\n", f"import course\n{line}\n"))

    found = [str(problem) for problem in needs(Subject(chapter, tmp_path))]

    assert any("needs more than the box offers" in problem and said in problem for problem in found), found


def test_what_the_allowed_modules_import_themselves_is_their_business(tmp_path: Path) -> None:
    chapter = with_text(
        tmp_path, ("import course\n", "import course\nimport random, inspect, dataclasses, collections.abc\n")
    )

    assert [] == list(needs(Subject(chapter, tmp_path)))


def test_a_solution_that_needs_more_only_when_it_is_called_is_a_problem() -> None:
    chapter = with_exercise(reference="tests.course.build.references.needs_a_process:high_watermark")

    (problem,) = needs(Subject(chapter, Path()))

    assert "90_seam, high_watermark: needs more than the box offers: `high_watermark` uses os" in str(problem)


def test_what_a_cell_prints_does_not_disturb_the_report(tmp_path: Path) -> None:
    chapter = with_text(tmp_path, ("import course\n", 'import course\nprint("[[1, 2]]")\n'))

    assert [] == list(needs(Subject(chapter, tmp_path)))
