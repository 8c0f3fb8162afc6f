"""Do the notebooks run from top to bottom in a fresh kernel, and do the scores come out as nbgrader reads them?

The solved notebook must get every automatic point, the untouched release none; and in both every cell must finish,
because a learner who picks "Restart and run all" must reach the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from course.build import text
from course.build.kernel import KernelFailed, run_all
from course.build.verify.problem import Problem
from course.build.verify.subject import Subject, role_of


def solved(subject: Subject) -> Iterator[Problem]:
    """The instructor notebook stops, or loses a point."""
    yield from _run(subject, subject.instructor, "the solved notebook", full=True)


def untouched(subject: Subject) -> Iterator[Problem]:
    """The released notebook stops, or scores."""
    yield from _run(subject, subject.released, "the untouched release", full=False)


def _run(subject: Subject, notebook: NotebookNode, what: str, *, full: bool) -> Iterator[Problem]:
    try:
        ran = run_all(notebook)
    except KernelFailed as failed:
        yield Problem(subject.chapter.name, f"{what} cannot be run to its end: {failed}", "mend the cell")
        return
    for cell in ran.cells:
        where = f"{subject.chapter.name}, cell {cell.id}"
        error = _error(cell)
        if error:
            yield Problem(where, f"in {what} it stops Run All with {error}", "mend it: an unwritten answer is no error")
        elif role_of(cell) == text.CHECK:
            yield from _score(where, what, cell, full=full)


def _error(cell: NotebookNode) -> str | None:
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
    return None


def _score(where: str, what: str, cell: NotebookNode, *, full: bool) -> Iterator[Problem]:
    points = float(cell.metadata.nbgrader.points)
    value = score_text(cell)
    if value is None or not 0 <= value <= points:
        shown = "; ".join(_shown(output) for output in cell.outputs) or "nothing"
        yield Problem(
            where,
            f"in {what} its value must read as a number from 0 to {points:g}, or nbgrader gives full marks to anybody; "
            f"it shows {shown}",
            "end the cell with lab.check(...)",
        )
        return
    score, _ = determine_grade(cell)
    wanted = points if full else 0.0
    if score != wanted:
        yield Problem(
            where, f"in {what} nbgrader reads {score:g} points; expected {wanted:g}", "mend the rules or the answer"
        )


def score_text(cell: NotebookNode) -> float | None:
    """The number that nbgrader will read; None if what it would read first is something else."""
    for output in cell.outputs:
        if output.output_type == "error" or (output.output_type == "stream" and output.name == "stderr"):
            return None
        if output.output_type == "execute_result":
            shown = output.data.get("text/plain")
            try:
                value = float(shown)
            except (TypeError, ValueError):
                return None
            return None if math.isnan(value) else value
    return None


def _shown(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return f"{output.name} {output.text[:100]!r}"
    return f"{output.output_type} {str(output.get('data', {}).get('text/plain'))[:100]!r}"
