"""Where the graders differ, on purpose: one table, for the teacher's README and for the tests that compare them.

Everywhere else the same answer has the same result, rule by rule, in the notebook, in nbgrader and in the autograder.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """What an answer does, and what becomes of its submission in each grader."""

    id: str
    answer: str
    nbgrader: str
    autograder: str


DIFFERENCES = (
    Difference(
        "exits",
        "ends its process (`os._exit`, a crash, too much memory)",
        "loses the whole submission: no scores, an error in the log",
        "loses that question",
    ),
    Difference(
        "swallows-the-interrupt",
        "loops for ever in its cell and swallows KeyboardInterrupt",
        "loses the whole submission after a minute",
        "loses that question",
    ),
    Difference(
        "cell-seconds",
        "needs between 10 and 60 seconds in a cell of its own",
        "goes on",
        "ends the cell after 10 seconds",
    ),
    Difference(
        "forges",
        "forges its score, reads the hidden region, or reads your files",
        "succeeds: everything runs as you",
        "fails",
    ),
)
