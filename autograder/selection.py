"""Which cells of a submission run before a check, and where each answer is.

What runs is what the learner wrote: solution cells, and cells that are not the release's. Not run are the release's
own cells: setup cells (the trusted ones ran first), checks, and lab cells as they were handed out. Cells are known by
nbgrader's `grade_id`, else by their cell id, else by their text; accidents are met as nbgrader meets them:

    copied      every copy of a solution cell runs, in order: what was defined last counts
    retyped     a solution cell turned into markdown or raw is still the answer: its type is the release's
    moved       a check judges what the cells above it left; if its solution was moved below it, what all cells left
    deleted     a solution that is gone is a missing answer; a check that is gone is run all the same
    edited      a lab cell that was changed has become the learner's own, and runs
"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.manifest import CHECK, SETUP, SOLUTION, WRITTEN, Manifest
from autograder.submission import Cell, Submission


@dataclass(frozen=True, slots=True)
class Runnable:
    """One cell that runs. `number` counts the submission's cells from 1; those of the release's setup are below 1.

    `answers` is the id of the exercise it solves, if it is a solution cell.
    """

    number: int
    source: str
    answers: str | None = None


def cells_before(check_id: str, exercise_id: str, submission: Submission, manifest: Manifest) -> tuple[Runnable, ...]:
    """The cells that run before this check of this exercise, in order."""
    setup = [Runnable(number - len(manifest.setup), cell.source) for number, cell in enumerate(manifest.setup, 1)]
    learners = _learners(submission, manifest)
    place = max((n for n, cell in enumerate(submission.cells, 1) if cell.grade_id == check_id), default=None)
    above = [cell for cell in learners if place is None or cell.number < place]
    has_moved = not any(cell.answers == exercise_id for cell in above)
    return (*setup, *(learners if has_moved else above))


def written_text(grade_id: str, submission: Submission) -> str | None:
    """What stands in the cell of a question that a person grades; of copies, in the last. None if it is gone."""
    return next((cell.source for cell in reversed(submission.cells) if cell.grade_id == grade_id), None)


def remarks(submission: Submission, manifest: Manifest) -> tuple[str, ...]:
    """What is unusual about this notebook and was put up with, in sentences."""
    found = []
    for grade_id, released in manifest.by_grade_id().items():
        copies = [cell for cell in submission.cells if cell.grade_id == grade_id]
        if not copies:
            found.append(f"The cell {grade_id} ({released.role}) is missing.")
        elif len(copies) > 1:
            found.append(f"The cell {grade_id} ({released.role}) is there {len(copies)} times.")
        elif copies[0].kind != released.kind:
            found.append(f"The cell {grade_id} ({released.role}) is a {copies[0].kind} cell; it was {released.kind}.")
    return tuple(found)


def _learners(submission: Submission, manifest: Manifest) -> tuple[Runnable, ...]:
    by_id, by_grade_id = manifest.by_id(), manifest.by_grade_id()
    untouched = {cell.source.strip() for cell in manifest.cells if cell.kind == "code" and cell.role != SOLUTION}
    found = []
    for number, cell in enumerate(submission.cells, 1):
        released = by_grade_id.get(cell.grade_id or "") or by_id.get(cell.id or "")
        if released is not None and released.role == SOLUTION:
            found.append(Runnable(number, cell.source, released.grade_id))
        elif _is_learners(cell, released) and cell.source.strip() not in untouched:
            found.append(Runnable(number, cell.source))
    return tuple(found)


def _is_learners(cell: Cell, released: Cell | None) -> bool:
    if cell.kind != "code" or not cell.source.strip():
        return False
    return released is None or released.role not in (SETUP, CHECK, WRITTEN)
