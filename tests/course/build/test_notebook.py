"""The instructor notebook: ids that stay, grading metadata from the exercises alone, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from course.build import BuildError, as_text, instructor_notebook, released_notebook
from course.build.placeholders import about
from course.chapters.catalog import Chapter, chapter, names

from .seam import seam, with_exercise, with_text


def ids(of: Chapter) -> dict[str, str]:
    return {cell.id: cell.source for cell in released_notebook(of).cells}


def graded(of: Chapter) -> dict[str, Any]:
    cells = [
        cell.metadata.nbgrader for cell in instructor_notebook(of, secret="s").cells if "nbgrader" in cell.metadata
    ]
    return {cell.grade_id: cell for cell in cells}


def test_points_and_grading_come_from_the_exercises() -> None:
    found = graded(seam())

    assert ["setup", "high_watermark", "high-watermark-check", "log", "log-append", "why"] == list(found)
    assert {"high-watermark-check": 10, "log-append": 5, "why": 2} == {
        name: cell.points for name, cell in found.items() if "points" in cell
    }
    kinds = {name: (cell.grade, cell.solution, cell.locked) for name, cell in found.items()}
    assert (False, False, True) == kinds["setup"]
    assert (False, True, False) == kinds["high_watermark"] == kinds["log"]
    assert (True, False, True) == kinds["high-watermark-check"] == kinds["log-append"]
    assert (True, True, False) == kinds["why"]
    assert {3} == {cell.schema_version for cell in found.values()}


def test_a_cell_says_its_role_in_the_release_too() -> None:
    cells = [cell.metadata.get("kafkalite", {}) for cell in released_notebook(seam()).cells]

    assert {"role": "setup", "name": "setup"} in cells
    assert {"role": "solution", "exercise": "log"} in cells
    assert {"role": "check", "exercise": "log", "check": "log-append"} in cells
    assert {"role": "lab", "name": "play"} in cells
    assert {"role": "written", "written": "why"} in cells
    assert {"claims": ["R3"]} in cells


def test_facts_in_prose_come_from_the_objects() -> None:
    sources = list(ids(seam()).values())

    assert "# The seam\n\n17 points, 15 of them automatic." in sources
    assert any("## The high watermark\n\n*10 points · about 15 minutes · core · claim R3*" in one for one in sources)
    rules = seam().exercises[0].checks[0].rules
    assert "\n".join(f"- {rule.says} ({rule.points} points)" for rule in rules) in sources


def test_about_an_extra_exercise_of_one_point_and_no_claim() -> None:
    one = with_exercise(core=False, claims=()).exercises[0]

    assert "*10 points · about 15 minutes · extra*" == about(one)


def test_rewording_a_paragraph_changes_its_cell_and_no_other(tmp_path: Path) -> None:
    before = ids(seam())

    after = ids(with_text(tmp_path, ("of them automatic.", "of them automatic, which is most.")))

    assert list(before) == list(after)
    assert 1 == sum(before[cell] != after[cell] for cell in before)


def test_a_new_cell_leaves_every_other_id_as_it_was(tmp_path: Path) -> None:
    before = ids(seam())

    after = ids(with_text(tmp_path, ("# The seam\n", "# The seam\n\n+++\n\nA new beginning.\n\n+++\n")))

    assert set(before) < set(after)
    assert len(before) + 2 == len(after)  # what stood below the heading is a cell of its own now


def test_cells_with_the_same_first_line_have_different_ids(tmp_path: Path) -> None:
    chapter_ = with_text(tmp_path, ("# The seam\n", "Again.\n\n+++\n\nAgain.\n\n+++\n\n# The seam\n"))

    assert 2 == sum(cell.startswith("text-") and source == "Again." for cell, source in ids(chapter_).items())


def test_the_notebook_is_valid_and_the_same_at_every_build() -> None:
    nbformat.validate(instructor_notebook(seam(), secret="s"))

    assert as_text(instructor_notebook(seam(), secret="s")) == as_text(instructor_notebook(seam(), secret="s"))


def test_a_grade_id_too_long_for_a_cell_is_refused(tmp_path: Path) -> None:
    name = "x" * 40
    chapter_ = with_text(tmp_path, ("name: setup}", f"name: {name}}}"))
    object.__setattr__(chapter_, "name", "90_" + "y" * 30)

    with pytest.raises(BuildError, match="must be 1 to 64"):
        instructor_notebook(chapter_, secret="s")


def test_the_grade_ids_of_published_chapters_never_change() -> None:
    """Renaming one, or leaving one out, breaks every submission that exists. Add chapters here; change no line."""
    published = {
        "01_why_a_log": {
            *("setup", "log", "log-append", "log-read", "cursor", "cursor-check"),
            *("deliver", "deliver-check", "explain"),
        },
    }

    assert published == {name: set(graded(chapter(name))) for name in names()}
