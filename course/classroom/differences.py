"""Where the graders differ, on purpose: one table, for the teacher's README and for the tests that compare them.

Everywhere else the same answer has the same result, rule by rule, in the notebook, in nbgrader and in the autograder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from course.checks import limits

NBGRADER_CELL_S = 2 * math.ceil(limits.CHECK_S)  # a check cell must come to its own end before nbgrader ends it


@dataclass(frozen=True, slots=True)
class Difference:
    """What an answer does, and what becomes of it in each grader."""

    id: str
    answer: str
    notebook: str
    nbgrader: str
    autograder: str


_LOST = "loses the whole submission: no scores, an error in the log"

DIFFERENCES = (
    Difference(
        "endless-cell",
        "loops for ever in its cell",
        "waits until you interrupt it",
        f"loses that question, after {NBGRADER_CELL_S} seconds",
        f"loses that question, after {limits.CELL_S:g} seconds",
    ),
    Difference(
        "cannot-be-interrupted",
        "loops for ever inside one call of C, or swallows every interruption in its cell",
        "hangs until you restart the kernel",
        _LOST,
        "loses that question",
    ),
    Difference(
        "exits",
        "ends its process (`os._exit`, a crash)",
        "loses the kernel",
        _LOST,
        "loses that question",
    ),
    Difference("memory", "needs more than 512 MB", "goes on", "goes on", "loses that question"),
    Difference(
        "prints-in-a-cell",
        "prints more than 1 MB in its cell before the answer is defined",
        "goes on",
        "goes on",
        "ends the cell there",
    ),
    Difference(
        "cell-seconds",
        f"needs {limits.CELL_S:g} to {NBGRADER_CELL_S} seconds in its cell",
        "goes on",
        "goes on",
        f"ends the cell after {limits.CELL_S:g} seconds",
    ),
    Difference(
        "forges",
        "forges its score, reads the hidden region, or reads your files",
        "can: it is the learner's own",
        "can: it runs as you",
        "cannot",
    ),
)
