"""Which cells run before a check: what the learner wrote, whatever happened to the notebook."""

from __future__ import annotations

import pytest

from autograder.selection import cells_before, remarks, written_text
from autograder.submission import parse_notebook
from tests.autograder.notebooks import Notebook, manifest, right_answer

LOG, CURSOR, DELIVER = (right_answer(one) for one in ("log", "cursor", "deliver"))


def run_before(check: str, exercise: str, notebook: Notebook) -> list[str]:
    """The sources that run before a check, the setup left out."""
    submission = parse_notebook(notebook.to_bytes(), "hw.ipynb")
    return [cell.source for cell in cells_before(check, exercise, submission, manifest()) if cell.number > 0]


def said_of(notebook: Notebook) -> tuple[str, ...]:
    return remarks(parse_notebook(notebook.to_bytes(), "hw.ipynb"), manifest())


def test_solution_cells_above_a_check_run_and_the_releases_own_cells_do_not() -> None:
    assert [LOG] == run_before("log-append", "log", Notebook.solved())
    assert [LOG, CURSOR, DELIVER] == run_before("deliver-check", "deliver", Notebook.solved())
    assert () == said_of(Notebook.solved())


def test_the_trusted_setup_runs_first_whatever_the_submission_made_of_it() -> None:
    notebook = Notebook.solved().answer("setup", "import course; steal()")
    submission = parse_notebook(notebook.to_bytes(), "hw.ipynb")
    first, *rest = cells_before("log-append", "log", submission, manifest())

    assert "from kafkalite.errors import OffsetOutOfRange" in first.source
    assert [LOG] == [cell.source for cell in rest]


def test_cells_the_learner_added_run_where_they_are() -> None:
    notebook = Notebook.solved().add("helper = 1", before="log").add("later = 2")

    assert ["helper = 1", LOG] == run_before("log-append", "log", notebook)
    assert ["helper = 1", LOG] == run_before("log-read", "log", notebook), "nothing below the check"


def test_of_copies_all_run_so_that_the_last_one_counts() -> None:
    notebook = Notebook.solved().copy_cell("log", "Log = None")

    assert [LOG, "Log = None"] == run_before("log-append", "log", notebook)
    assert ("The cell log (solution) is there 2 times.",) == said_of(notebook)


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_solution_that_was_retyped_is_still_the_answer(kind: str) -> None:
    notebook = Notebook.solved().change("log", lambda cell: cell.update(cell_type=kind))

    assert [LOG] == run_before("log-append", "log", notebook)
    assert (f"The cell log (solution) is a {kind} cell; it was code.",) == said_of(notebook)


def test_a_solution_that_was_moved_below_its_check_still_answers_it() -> None:
    notebook = Notebook.solved().move("log", before="deliver-check")

    assert LOG in run_before("log-append", "log", notebook)


def test_a_deleted_check_is_made_all_the_same() -> None:
    notebook = Notebook.solved().delete("log-append")

    assert [LOG, CURSOR, DELIVER] == run_before("log-append", "log", notebook)
    assert ("The cell log-append (check) is missing.",) == said_of(notebook)


def test_a_check_or_setup_cell_never_runs_whatever_stands_in_it() -> None:
    notebook = Notebook.solved().answer("log-append", "10").copy_cell("log-append", "lab.forge()")

    assert [LOG] == run_before("log-read", "log", notebook)


def test_a_lab_cell_runs_only_once_it_has_become_the_learners_own() -> None:
    notebook = Notebook.solved()
    (lab, *_) = (cell for cell in notebook.cells if cell["metadata"].get("kafkalite", {}).get("role") == "lab")
    pasted = {**lab, "id": "pasted"}
    notebook.cells.insert(0, pasted)

    assert [LOG] == run_before("log-append", "log", notebook)

    pasted["source"] = "def helper(): ..."

    assert ["def helper(): ...", LOG] == run_before("log-append", "log", notebook)


def test_a_solution_cell_that_lost_its_grading_metadata_is_known_by_its_id() -> None:
    notebook = Notebook.solved().change("log", lambda cell: cell.update(metadata={}))

    assert [LOG] == run_before("log-append", "log", notebook)


def test_without_any_ids_the_releases_own_cells_are_known_by_their_text() -> None:
    notebook = Notebook.solved()
    for cell in notebook.cells:
        cell.pop("id")
        cell["metadata"].pop("kafkalite", None)

    assert [LOG, CURSOR, DELIVER] == run_before("deliver-check", "deliver", notebook)


def test_a_written_answer_is_kept_and_of_copies_the_last() -> None:
    notebook = Notebook.solved().answer("explain", "first").copy_cell("explain", "second")
    submission = parse_notebook(notebook.to_bytes(), "hw.ipynb")

    assert "second" == written_text("explain", submission)
    assert written_text("absent", submission) is None
