"""What is verified: one chapter with both its notebooks, built once; and its cells run without a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course.build import text
from course.build.release import instructor_notebook, release_id, release_of
from course.build.text import ChapterText
from course.chapters.catalog import Chapter

# Expendable: it draws hidden cases for the build's own runs, and is what must not show up in a release.
SECRET = "expendable-secret-of-the-build"  # noqa: S105 - nobody is ever graded with it


@dataclass(frozen=True)
class Subject:
    """A chapter under verification, and the folder its release should lie in. Building it may raise BuildError."""

    chapter: Chapter
    folder: Path

    @cached_property
    def text(self) -> ChapterText:
        """The chapter's text, read."""
        return text.read(self.chapter.text)

    @cached_property
    def instructor(self) -> NotebookNode:
        """The notebook with solutions and hidden regions."""
        return instructor_notebook(self.chapter, secret=SECRET)

    @cached_property
    def released(self) -> NotebookNode:
        """What is made of that very notebook for learners, so that a trace of its secret would show."""
        return release_of(self.instructor)

    @cached_property
    def release(self) -> str:
        """The release id."""
        return release_id(self.chapter)

    def cells(self, role: str) -> list[NotebookNode]:
        """The instructor notebook's code cells of that role, in order."""
        return [cell for cell in self.instructor.cells if role_of(cell) == role]

    def answers(self, source: str | None = None) -> dict[str, Any]:
        """What the names of a notebook stand for after its setup cells and its solutions, or this source, have run.

        Raises CellFailed, which says which cell and how.
        """
        cells = [(cell.id, cell.source) for cell in self.cells(text.SETUP)]
        rest = (
            [(cell.id, cell.source) for cell in self.cells(text.SOLUTION)] if source is None else [("answer", source)]
        )
        return run([*cells, *rest])


class CellFailed(Exception):
    """A cell raised an error."""

    def __init__(self, cell: str, error: BaseException) -> None:
        super().__init__(cell, error)
        self.cell, self.error = cell, error

    def __str__(self) -> str:
        return f"cell {self.cell} raises {type(self.error).__name__}: {self.error}"


def run(cells: list[tuple[str, str]]) -> dict[str, Any]:
    """The names that stand when these cells have run, in this process, as in a notebook of their own.

    Raises CellFailed.
    """
    names: dict[str, Any] = {"__name__": "__main__"}  # as in a notebook
    for cell, source in cells:
        try:
            exec(compile(source, f"<{cell}>", "exec", dont_inherit=True), names)  # noqa: S102 - the chapter's own
        except Exception as error:
            raise CellFailed(cell, error) from error
    return names


def role_of(cell: NotebookNode) -> str | None:
    """The role of a notebook's cell; None for prose."""
    role: str | None = cell.metadata.get("kafkalite", {}).get("role")
    return role
