"""Notebooks for tests: the release as it is handed out, solved, spoilt, and saved as Jupyter saves them."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

from autograder.manifest import Manifest, read_manifest
from course.chapters import catalog
from course.learn import released_notebooks

CHAPTER = "01_why_a_log"


def released_path() -> Path:
    """The released notebook of chapter 1."""
    return released_notebooks() / f"{CHAPTER}.ipynb"


@cache
def manifest() -> Manifest:
    """Its manifest."""
    return read_manifest(released_path())


@cache
def right_answer(exercise_id: str) -> str:
    """The reference's own source, which scores everything when somebody has written it in a cell."""
    (exercise,) = (one for one in catalog.chapter(CHAPTER).exercises if one.id == exercise_id)
    return inspect.getsource(exercise.object)


class Notebook:
    """A notebook that is changed cell by cell and then saved. Cells are named by their grade_id."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    @classmethod
    def released(cls) -> Self:
        """As handed out."""
        return cls(json.loads(released_path().read_text(encoding="utf-8")))

    @classmethod
    def solved(cls) -> Self:
        """With every exercise right."""
        notebook = cls.released()
        for exercise in catalog.chapter(CHAPTER).exercises:
            notebook.answer(exercise.id, right_answer(exercise.id))
        return notebook

    @property
    def cells(self) -> list[dict[str, Any]]:
        cells: list[dict[str, Any]] = self.content["cells"]
        return cells

    def index(self, grade_id: str) -> int:
        """Where the first cell of that grade_id is."""
        return next(
            i for i, c in enumerate(self.cells) if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
        )

    def cell(self, grade_id: str) -> dict[str, Any]:
        """The first cell of that grade_id."""
        return self.cells[self.index(grade_id)]

    def answer(self, grade_id: str, source: str) -> Self:
        """Write this into a cell."""
        self.cell(grade_id)["source"] = source
        return self

    def change(self, grade_id: str, change: Callable[[dict[str, Any]], object]) -> Self:
        """Do something to a cell."""
        change(self.cell(grade_id))
        return self

    def add(self, source: str, *, before: str | None = None, **more: Any) -> Self:
        """A cell of the learner's own, at the end or before another; `more` are further fields of it."""
        at = len(self.cells) if before is None else self.index(before)
        cell: dict[str, Any] = {
            "cell_type": "code",
            "execution_count": None,
            "id": f"mine-{len(self.cells)}",
            "metadata": {},
        }
        self.cells.insert(at, {**cell, "outputs": [], "source": source, **more})
        return self

    def copy_cell(self, grade_id: str, source: str, *, after: str | None = None) -> Self:
        """Copy and paste a cell, metadata and all, and write this into the copy."""
        pasted = copy.deepcopy(self.cell(grade_id))
        pasted.update(id=f"pasted-{len(self.cells)}", source=source)
        self.cells.insert(self.index(after or grade_id) + 1, pasted)
        return self

    def delete(self, grade_id: str) -> Self:
        """Delete a cell."""
        del self.cells[self.index(grade_id)]
        return self

    def move(self, grade_id: str, *, before: str) -> Self:
        """Move a cell up or down."""
        cell = self.cells.pop(self.index(grade_id))
        self.cells.insert(self.index(before), cell)
        return self

    def to_bytes(self) -> bytes:
        """As Jupyter writes it."""
        return json.dumps(self.content, indent=1).encode()

    def save(self, folder: Path, name: str = "01_why_a_log.ipynb") -> Path:
        """Write it and return where."""
        path = folder / name
        path.write_bytes(self.to_bytes())
        return path
