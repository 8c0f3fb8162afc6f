"""From the instructor notebook to the released one, by nbgrader's own hands, and from there to a file.

The release is what `nbgrader generate_assignment` would write (a test compares the two, byte by byte): the same
preprocessors in the same order, without the two that need a gradebook or a kernel. So a teacher who generates the
assignment from the instructor notebook hands out exactly the notebooks of this repository.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from course.build.errors import BuildError
from course.build.notebook import assemble
from course.chapters.catalog import Chapter

# nbgrader.converters.GenerateAssignment.preprocessors, without IncludeHeaderFooter and InstantiateTests (which have
# nothing to do here) and SaveCells (which writes the gradebook).
PREPROCESSORS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)
NO_RELEASE = "0" * 16  # while the id is not known yet; it stands only where the release cuts it out, or where it goes


def instructor_notebook(chapter: Chapter, *, secret: str) -> NotebookNode:
    """The notebook with solutions and hidden regions. `secret` draws the hidden cases and must be expendable.

    Raises BuildError where the chapter's text and objects do not fit together.
    """
    return assemble(chapter, secret=secret, release=release_id(chapter))


def released_notebook(chapter: Chapter) -> NotebookNode:
    """The notebook a learner gets. It does not depend on any secret. Raises BuildError."""
    return release_of(instructor_notebook(chapter, secret=""))


def release_id(chapter: Chapter) -> str:
    """16 hex digits that tell this release from every other: a hash of what its cells say and how they are graded."""
    cells = [
        (cell.cell_type, cell.source, {key: value for key, value in _nbgrader(cell).items() if key != "checksum"})
        for cell in release_of(assemble(chapter, secret="", release=NO_RELEASE)).cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16]


def release_of(instructor: NotebookNode) -> NotebookNode:
    """The release of an instructor notebook. Raises BuildError if nbgrader refuses it."""
    notebook, resources = copy.deepcopy(instructor), dict[str, object]()
    try:
        for preprocessor in PREPROCESSORS:
            notebook, resources = preprocessor().preprocess(notebook, resources)
    except Exception as error:  # noqa: BLE001 - nbgrader raises RuntimeError, ValidationError and jsonschema's own
        raise BuildError(
            str(instructor.metadata.kafkalite.chapter), f"nbgrader cannot make a release of it: {error}"
        ) from None
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """The notebook as it stands in a file: keys sorted, one newline at the end."""
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def write_release(chapter: Chapter, folder: Path) -> Path:
    """Write the released notebook into the folder, whole or not at all; return its path. Raises BuildError, OSError."""
    content = as_text(released_notebook(chapter))
    path = folder / f"{chapter.name}.ipynb"
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return path  # what has not changed is not touched
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
        Path(part).chmod(0o644)  # a temporary file is for its owner alone
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return path


def _nbgrader(cell: NotebookNode) -> dict[str, object]:
    return dict(cell.metadata.get("nbgrader", {}))
