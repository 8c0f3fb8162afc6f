"""A class: a course, every submission handed in, and what stock nbgrader made of them in one batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course.classroom.layout import lay_out
from tests.stock_nbgrader import Score, nbgrader
from tests.submissions import read
from tests.three_ways.cases import CHAPTER, CHECKS, Submission
from tests.three_ways.graders import NAME, Result, by_nbgrader

SOLVED = Submission("solved", {}, dict.fromkeys(CHECKS, "PASS"))
"""Its answers are what stands in the instructor's solution cells."""


@dataclass(frozen=True, slots=True)
class Class:
    """A course with its release, and what stock nbgrader made of every submission."""

    folder: Path
    secret: str
    shown: Mapping[str, Result]
    scores: Mapping[str, Mapping[str, Score]]


def a_class(folder: Path, submissions: tuple[Submission, ...], *seconds: str, expect: int) -> Class:
    """Lay out a course, hand everything in, and have it graded; nbgrader's exit code must be the expected one."""
    lay_out(folder, [CHAPTER])
    nbgrader(folder, "generate_assignment", NAME)
    secret = re.search(r"lab\.grading\(secret='(\w+)'", _instructors(folder).read_text(encoding="utf-8"))
    assert secret is not None
    shown, found = by_nbgrader(folder, (with_solution(folder, one) for one in submissions), *seconds, expect=expect)
    return Class(folder, secret[1], shown, found)


def with_solution(folder: Path, submission: Submission) -> Submission:
    """`solved` with its answers; any other as it is."""
    if submission is not SOLVED:
        return submission
    cells = read(_instructors(folder)).cells
    answers = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if "nbgrader" in cell.metadata}
    return Submission("solved", {exercise.id: answers[exercise.id] for exercise in CHAPTER.exercises}, SOLVED.ends)


def _instructors(folder: Path) -> Path:
    return folder / "source" / NAME / f"{NAME}.ipynb"
