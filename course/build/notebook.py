"""The instructor notebook: a chapter's text, with solutions, checks and grading metadata put in from its objects.

Points and grade ids come from the exercises alone. Cell ids are stable: a graded or locked cell's is the chapter's name
and its grade id; any other's is the name its text gives it, or else a hash of its first line (and which of the cells
with that first line it is). So a rebuild changes only what changed, and an old copy can be merged cell by cell.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.build import text
from course.build.errors import BuildError
from course.build.placeholders import Facts
from course.build.solution import solution_source
from course.build.text import ChapterText, TextCell
from course.chapters.catalog import Chapter
from course.checks.model import Exercise

COURSE = "kafkalite-course"
NBGRADER_SCHEMA = 3
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # nbformat's own rule


def assemble(chapter: Chapter, *, secret: str, release: str) -> NotebookNode:
    """The instructor notebook of a chapter. Raises BuildError where text and objects do not fit together."""
    written = text.read(chapter.text)
    _check_complete(chapter, written)
    cells = _Cells(chapter, Facts(chapter, written.claims), secret, release)
    notebook: NotebookNode = nbformat.v4.new_notebook()
    notebook.cells = [cells.make(cell) for cell in written.cells]
    notebook.metadata = nbformat.from_dict(
        {
            "kafkalite": {"course": COURSE, "chapter": chapter.name, "release": release},
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


class _Cells:
    """Makes notebook cells of the text's cells, one after another."""

    def __init__(self, chapter: Chapter, facts: Facts, secret: str, release: str) -> None:
        self._chapter, self._facts, self._secret, self._release = chapter, facts, secret, release
        self._exercises = {exercise.id: exercise for exercise in chapter.exercises}
        self._points = {written.id: written.points for written in chapter.written}
        self._ids: set[str] = set()
        self._first_lines: Counter[str] = Counter()

    def make(self, cell: TextCell) -> NotebookNode:
        """The notebook cell of one cell of the text."""
        if cell.is_markdown:
            made = nbformat.v4.new_markdown_cell(self._facts.fill(cell))
        else:
            made = nbformat.v4.new_code_cell(self._source(cell))
        kafkalite = self._kafkalite(cell)
        nbgrader = self._nbgrader(cell)
        made.id = self._id(cell, nbgrader)
        made.metadata = nbformat.from_dict(
            {
                **({"kafkalite": kafkalite} if kafkalite else {}),
                **({"nbgrader": nbgrader} if nbgrader else {}),
                **({"tags": list(cell.tags)} if cell.tags else {}),
            }
        )
        node: NotebookNode = made
        return node

    def _source(self, cell: TextCell) -> str:
        if cell.role == text.SOLUTION:
            return solution_source(self._exercises[cell.named["exercise"]])
        if cell.role == text.CHECK:
            exercise, check = self._chapter.find(cell.named["check"])
            return check_source(exercise, check.id, self._secret, self._release)
        return cell.source

    def _kafkalite(self, cell: TextCell) -> dict[str, Any]:
        if cell.role == text.TEXT:
            return dict(cell.named)
        exercise = {"exercise": self._chapter.find(cell.named["check"])[0].id} if cell.role == text.CHECK else {}
        return {"role": cell.role, **exercise, **cell.named}

    def _nbgrader(self, cell: TextCell) -> dict[str, Any]:
        if cell.role == text.SETUP:
            return _grading(cell.named["name"], locked=True)
        if cell.role == text.SOLUTION:
            return _grading(cell.named["exercise"], solution=True)
        if cell.role == text.CHECK:
            _, check = self._chapter.find(cell.named["check"])
            return _grading(check.id, grade=True, locked=True, points=check.points)
        if cell.role == text.WRITTEN:
            return _grading(
                cell.named["written"], grade=True, solution=True, points=self._points[cell.named["written"]]
            )
        return {}

    def _id(self, cell: TextCell, nbgrader: dict[str, Any]) -> str:
        if nbgrader:
            found = f"{self._chapter.name}-{nbgrader['grade_id']}"
        elif "name" in cell.named:
            found = f"{cell.role}-{cell.named['name']}"
        else:
            found = self._hashed(cell)
        if not CELL_ID.fullmatch(found):
            raise BuildError(cell.where, f"a cell's id must be 1 to 64 letters, digits, `-` and `_`, and not {found!r}")
        if found in self._ids:
            raise BuildError(cell.where, f"another cell has the id {found!r} already; give this one another name")
        self._ids.add(found)
        return found

    def _hashed(self, cell: TextCell) -> str:
        first_line = next((line for line in cell.source.splitlines() if line.strip()), "")
        digest = hashlib.sha256(f"{cell.role}\n{first_line.strip()}".encode()).hexdigest()[:12]
        self._first_lines[digest] += 1
        again = self._first_lines[digest]
        return f"{cell.role}-{digest}" + (f"-{again}" if again > 1 else "")


def check_source(exercise: Exercise, check_id: str, secret: str, release: str) -> str:
    """A check cell's body. nbgrader cuts the hidden region out of the release; the last line is the score."""
    return (
        "### BEGIN HIDDEN TESTS\n"
        f"lab.grading(secret={secret!r}, release={release!r})\n"
        "### END HIDDEN TESTS\n"
        f'lab.check("{check_id}", {exercise.name})'
    )


def _grading(
    grade_id: str, *, grade: bool = False, solution: bool = False, locked: bool = False, points: float | None = None
) -> dict[str, Any]:
    given = {} if points is None else {"points": int(points) if points == int(points) else points}
    return {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": NBGRADER_SCHEMA,
        "solution": solution,
        "task": False,
        **given,
    }


# Does the text have a place for everything? -------------------------------------------------------------------------


def _check_complete(chapter: Chapter, written: ChapterText) -> None:
    """Every exercise has one solution cell, every check one check cell after it, every question one cell."""
    where = written.cells[0].where.rpartition(":")[0] if written.cells else str(chapter.text)
    _check_once(
        where, "solution", "exercise", _named(written, text.SOLUTION, "exercise"), [e.id for e in chapter.exercises]
    )
    _check_once(where, "check", "check", _named(written, text.CHECK, "check"), [c.id for _, c in chapter.checks()])
    _check_once(where, "written", "question", _named(written, text.WRITTEN, "written"), [w.id for w in chapter.written])
    solved: set[str] = set()
    code = [cell for cell in written.cells if not cell.is_markdown]
    if code and code[0].role != text.SETUP:
        raise BuildError(
            code[0].where, "the first code cell must be a setup cell: nothing can be run before the lab is open"
        )
    for cell in code:
        if cell.role == text.SOLUTION:
            solved.add(cell.named["exercise"])
        elif cell.role == text.CHECK and chapter.find(cell.named["check"])[0].id not in solved:
            raise BuildError(cell.where, f"the check {cell.named['check']!r} stands before the cell that it checks")


def _named(written: ChapterText, role: str, key: str) -> Iterator[tuple[str, str]]:
    return ((cell.named[key], cell.where) for cell in written.cells if cell.role == role)


def _check_once(where: str, role: str, kind: str, cells: Iterator[tuple[str, str]], ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for name, at in cells:
        if name not in ids:
            raise BuildError(at, f"the chapter has no {kind} {name!r}; it has {', '.join(ids) or 'none'}")
        if name in seen:
            raise BuildError(at, f"the {kind} {name!r} has a {role} cell already")
        seen.add(name)
    for name in ids:
        if name not in seen:
            raise BuildError(where, f"the {kind} {name!r} has no {role} cell")
