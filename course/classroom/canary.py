"""Canaries: two submissions whose scores are known, graded by stock nbgrader before anybody else's.

The instructor's solution must have every automatic point and the untouched release none. If not, something is wrong
that would change everybody's scores without a word: the kernel lacks the course, the notebooks were edited, a plugin
interferes. They are graded in a throwaway copy of the course, so the gradebook never hears of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.classroom import CannotTeach
from course.classroom.settings import CONFIG

SOLVED, RELEASED = "canary-solved", "canary-released"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class CanaryDied(Exception):
    """A canary's score is not what it must be; the message says which, by how much, and what the kernel said."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """What both canaries got, in automatic points."""

    points: float
    solved: float
    released: float


def grade_canaries(folder: Path, assignment: str) -> Canaries:
    """Grade the canaries of one assignment of the course in that folder.

    Raises CannotTeach if there is no such assignment, CanaryDied if a score is wrong or nbgrader could not grade.
    """
    source = folder / "source" / assignment
    if not (folder / CONFIG).is_file() or not source.is_dir():
        there = sorted(path.name for path in folder.glob("source/*") if path.is_dir())
        raise CannotTeach(
            f"Expected an nbgrader course at {folder} with the assignment {assignment!r}; "
            f"it has {', '.join(there) or 'none'}. Lay one out: course teach {folder}"
        )
    with tempfile.TemporaryDirectory(prefix="course-canary.") as made:
        copy = Path(made).resolve()
        shutil.copytree(source, copy / "source" / assignment)
        shutil.copy(folder / CONFIG, copy / CONFIG)
        _nbgrader(copy, "generate_assignment", assignment)
        for student, notebooks in ((SOLVED, "source"), (RELEASED, "release")):
            shutil.copytree(copy / notebooks / assignment, copy / "submitted" / student / assignment)
        _nbgrader(copy, "autograde", assignment)
        scores = _scores(copy, assignment)
        found = Canaries(scores["points"], scores[SOLVED], scores[RELEASED])
        _judge(found, copy, assignment)
    return found


def _nbgrader(folder: Path, *command: str) -> None:
    """Run stock nbgrader on the copy, whatever the config says of places."""
    programs = Path(sys.executable).parent
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", *command),
            f"--CourseDirectory.root={folder}",
            f"--CourseDirectory.db_url=sqlite:///{folder / 'gradebook.db'}",
        ],
        cwd=folder,
        # nbgrader starts `alembic` by name.
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise CanaryDied(f"nbgrader {command[0]} failed on a canary. It said: {' / '.join(said[-3:]) or 'nothing'}")


def _scores(folder: Path, assignment: str) -> dict[str, float]:
    from nbgrader.api import Gradebook  # noqa: PLC0415 - costs a second, and only here

    scores = dict.fromkeys(("points", SOLVED, RELEASED), 0.0)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            grades = [g for notebook in submission.notebooks for g in notebook.grades if g.cell.cell_type == "code"]
            scores[submission.student.id] = sum(grade.auto_score or 0.0 for grade in grades)
            scores["points"] = sum(grade.max_score for grade in grades)
    return scores


def _judge(found: Canaries, folder: Path, assignment: str) -> None:
    if found.points <= 0:
        raise CanaryDied(f"{assignment} has no automatic points, so there is nothing to grade.")
    if found.solved != found.points:
        raise CanaryDied(
            f"The instructor's own solution of {assignment} has {found.solved:g} of {found.points:g} automatic points, "
            f"so nobody could have them all. {_first_error(folder / 'autograded' / SOLVED / assignment)}"
        )
    if found.released != 0:
        raise CanaryDied(
            f"The untouched release of {assignment} has {found.released:g} points; it must have none. "
            "Do its check cells still end in lab.check(...), and nothing after it?"
        )


def _first_error(folder: Path) -> str:
    """What the kernel said first, in a sentence."""
    for path in sorted(folder.glob("*.ipynb")):
        for cell in json.loads(path.read_bytes())["cells"]:
            for output in cell.get("outputs", ()):
                if output["output_type"] == "error":
                    return _advice(output)
    return "The kernel raised no error; were the rules or the solution edited?"


def _advice(output: dict[str, Any]) -> str:
    said = COLOUR.sub("", f"{output['ename']}: {output['evalue']}").strip()
    if output["ename"] == "ModuleNotFoundError":
        return (
            f"The kernel said {said}: it does not have the course. Install kafkalite-course for the Python of the "
            'kernel "python3" (jupyter kernelspec list), or run nbgrader from the environment that has it.'
        )
    return f"The kernel said first: {said}."
