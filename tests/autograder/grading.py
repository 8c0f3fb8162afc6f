"""Grading in tests: small limits, and results that are short to compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder.box import Backend
from autograder.budget import Budget
from autograder.grade import Graded, grade
from autograder.submission import parse_notebook
from tests.autograder.notebooks import Notebook, manifest

SMALL = Budget(call_s=0.8, check_s=60.0, cell_s=0.8, cells_s=12.0, output_bytes=1 << 16, memory_bytes=256 << 20)
"""Enough for every honest answer on a machine that is busy, or stands still for three seconds (on the clock a call may
take four); and soon at an end for all others."""
SHORT = replace(SMALL, check_s=10.0)
"""Where calls that are each in time are to end, too."""
SECRET = "a class's secret"


def graded(notebook: Notebook, backend: Backend, budget: Budget = SMALL, secret: str = SECRET) -> Graded:
    """Grade it by the release."""
    return grade(parse_notebook(notebook.to_bytes(), "submitted.ipynb"), manifest(), backend, secret, budget=budget)


def outcomes(results: Graded) -> dict[str, str]:
    """Check id -> outcome and points, as in `PASS 5`."""
    return {check: f"{result.outcome.name} {result.score:g}" for check, result in results.items()}


FULL = {"log-append": "PASS 5", "log-read": "PASS 5", "cursor-check": "PASS 6", "deliver-check": "PASS 8"}


def processes_below(folder: Path) -> list[int]:
    """Processes that were started with a path in this folder on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return found
