"""Notebooks as students hand them in: a release with answers typed into its solution cells."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode


def read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def write(notebook: NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def answered(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy with these answers: grade id (of an exercise or of the question in words) -> the cell's new source."""
    filled = copy.deepcopy(notebook)
    found = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in filled.cells}
    for grade_id, source in answers.items():
        found[grade_id].source = source
    return filled
