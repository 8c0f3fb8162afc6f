"""One answer, ready to be asked: a box in which the cells have run, as often as it takes.

Cells run in order in one worker. An error ends its cell and nothing else. A cell that takes the worker with it (a
crash, a loop that cannot be interrupted, all memory) is remembered and left out, and a fresh box begins again; so a
deadly cell costs the answers that need it, and no other. What was remembered holds for every check of the submission.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from autograder.box import Boxed, Limits
from autograder.budget import Budget
from autograder.image import SCRIPT
from autograder.remote import CellEnd, Remote
from autograder.selection import Runnable
from course.checks import limits
from course.checks.port import AnswerLost, Outcome


class Boxes(Protocol):
    """Where boxes come from: a backend, or what watches over one."""

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        """Start a worker. Raises BoxFailed."""


@dataclass
class Place:
    """What all sessions of one submission share."""

    boxes: Boxes
    image: Path
    budget: Budget
    deadly: dict[int, AnswerLost] = field(default_factory=dict)
    """Cells that took a worker with them, by number."""
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """What of a cell was not run, by number."""

    def without_blame(self, cells: Sequence[Runnable]) -> Place:
        """The same for a session of these cells alone, where others cannot be behind what happens.

        What the learner added and was deadly is deadly there too; of a solution, or of messages on the pipe, that is
        not known before it was tried.
        """
        deadly = {
            cell.number: self.deadly[cell.number]
            for cell in cells
            if cell.answers is None and cell.number in self.deadly
            if self.deadly[cell.number].outcome is not Outcome.PROTOCOL
        }
        return replace(self, deadly=deadly)


@contextmanager
def session(place: Place, cells: Sequence[Runnable], exercise_id: str) -> Iterator[Remote]:
    """The port to the answers that these cells leave. Raises BoxFailed; whatever else happens, the port itself says."""
    deadline_s = time.monotonic() + limits.PATIENCE * place.budget.cells_s
    ends: dict[int, CellEnd | AnswerLost] = {}
    solutions = [cell for cell in cells if cell.answers == exercise_id]

    def why_missing(name: str) -> AnswerLost:
        return _why_missing(name, solutions, ends)

    while True:
        box = place.boxes.start([SCRIPT, _settings(place.budget)], place.image, place.budget.box_limits())
        with box:
            remote = Remote(box, place.budget, why_missing)
            if _run_all(place, cells, remote, ends, deadline_s):
                yield remote
                return


def _run_all(
    place: Place, cells: Sequence[Runnable], remote: Remote, ends: dict[int, CellEnd | AnswerLost], deadline_s: float
) -> bool:
    """Run all cells that may run; False if one of them took the worker with it."""
    for cell in cells:
        if cell.number in place.deadly:
            ends[cell.number] = place.deadly[cell.number]
            continue
        if time.monotonic() >= deadline_s:
            ends[cell.number] = AnswerLost(Outcome.TIMEOUT, "all cells together took too long, so it did not run")
            continue
        try:
            end = ends[cell.number] = remote.run(cell.number, cell.source)
        except AnswerLost as lost:
            place.deadly[cell.number] = lost
            return False
        if end.notes:
            place.notes[cell.number] = end.notes
    return True


def _settings(budget: Budget) -> str:
    return f'{{"output_bytes": {budget.output_bytes}}}'


def _why_missing(name: str, solutions: Sequence[Runnable], ends: dict[int, CellEnd | AnswerLost]) -> AnswerLost:
    if not solutions:
        return AnswerLost(Outcome.ERROR, f"there is no `{name}`: its cell is not in the notebook")
    end = ends[solutions[-1].number]
    cell = f"there is no `{name}`: its cell"
    if isinstance(end, AnswerLost):
        return AnswerLost(end.outcome, f"{cell} was lost, {end.message}")
    if end.how == "timeout":
        return AnswerLost(Outcome.TIMEOUT, f"{cell} {end.message}")
    if end.how == "output":
        return AnswerLost(Outcome.OUTPUT_LIMIT, f"{cell} printed too much")
    if end.how == "error":
        return AnswerLost(Outcome.ERROR, f"{cell} raised {end.error}: {end.message}")
    return AnswerLost(Outcome.ERROR, f"{cell} ran and does not define it")
