"""Does a release give away what it must not: a solution, a hidden region, the secret?"""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from course.build import text
from course.build.solution import body_lines, solution_source
from course.build.verify.problem import Problem
from course.build.verify.subject import SECRET, Subject, role_of
from course.chapters.catalog import Chapter

MARKS = (
    "BEGIN SOLUTION",
    "END SOLUTION",
    "BEGIN HIDDEN",
    "END HIDDEN",
    "HIDDEN TESTS",
    "BEGIN MARK SCHEME",
    "lab.grading",
)
TELLING = 16  # characters; a shorter line (`return first`, `else:`) says nothing of who wrote it


def leaks(subject: Subject) -> Iterator[Problem]:
    """Whatever of the solutions, the hidden regions and the secret can be found in the released notebook."""
    yield from leaks_in(subject.released, subject.chapter, SECRET, _model_answers(subject))


def leaks_in(
    released: NotebookNode, chapter: Chapter, secret: str, model_answers: tuple[str, ...] = ()
) -> Iterator[Problem]:
    """The same of any notebook, which is asked to be a release of that chapter."""
    telling = _telling_lines(chapter)
    for where, said in _sayings(released):
        for mark in (*MARKS, secret):
            if mark in said:
                what = "the secret" if mark == secret else f"`{mark}`"
                yield Problem(where, f"the release holds {what}", "take it out of the text: nbgrader did not")
        lines = {_bare(line) for line in said.splitlines()}
        for line, exercise in telling.items():
            if line in lines:
                yield Problem(
                    where, f"the release shows a line of the solution of {exercise}: `{line}`", "write it differently"
                )
        for answer in model_answers:
            if answer in said:
                yield Problem(where, f"the release shows the model answer: {answer!r}", "say it differently")


def _telling_lines(chapter: Chapter) -> dict[str, str]:
    """Lines that only a solution has, without blanks at their ends, each with its exercise."""
    lines = {}
    for exercise in chapter.exercises:
        bodies = {_bare(line) for line in body_lines(exercise)}
        shown = _shown_lines(solution_source(exercise))
        lines.update({line: exercise.id for line in sorted(bodies - shown) if len(line) >= TELLING})
    return lines


def _shown_lines(solution: str) -> set[str]:
    """Lines of a solution cell outside its regions: they are meant to be seen."""
    shown, inside = set(), False
    for line in solution.splitlines():
        inside = "BEGIN SOLUTION" in line or (inside and "END SOLUTION" not in line)
        if not inside:
            shown.add(_bare(line))
    return shown


def _model_answers(subject: Subject) -> tuple[str, ...]:
    """The telling lines of the answers to the questions for a person."""
    cells = [cell for cell in subject.instructor.cells if role_of(cell) == text.WRITTEN]
    return tuple(line for cell in cells for line in cell.source.splitlines() if len(_bare(line)) >= TELLING)


def _sayings(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Everything a notebook says, piece by piece: sources, metadata, outputs."""
    yield "the notebook's metadata", nbformat.v4.writes_json(nbformat.v4.new_notebook(metadata=notebook.metadata))
    for cell in notebook.cells:
        yield f"cell {cell.id}", cell.source
        yield f"cell {cell.id}, metadata", "\n".join(_strings(cell.metadata))
        for output in cell.get("outputs", ()):
            yield f"cell {cell.id}, output", "\n".join(_strings(output))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _bare(line: str) -> str:
    return " ".join(line.split())
