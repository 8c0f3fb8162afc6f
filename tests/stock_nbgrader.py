"""Stock nbgrader, run as a person would from the command line, and what its gradebook then holds."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Score:
    """One cell's score in the gradebook."""

    auto: float | None
    points: float
    waits_for_a_person: bool


def nbgrader(folder: Path, *command: str, expect: int = 0, **environment: str) -> str:
    """Run one nbgrader command in that folder; return what it said."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join((programs, os.environ["PATH"]))
    with one_at_a_time():
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=folder,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    said = done.stdout + done.stderr
    assert expect == done.returncode, said
    return said


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two autogrades at once can take each other's ports; this waits for those of other test processes."""
    with Path(tempfile.gettempdir(), f"one-autograde-at-a-time.{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def scores(folder: Path, assignment: str) -> Mapping[str, Mapping[str, Score]]:
    """What the gradebook of the course in that folder holds: student -> grade id -> score."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", _course_id(folder)) as gradebook:
        return {
            submission.student.id: {
                grade.name: Score(grade.auto_score, grade.max_score, bool(grade.needs_manual_grade))
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(assignment)
        }


def _course_id(folder: Path) -> str:
    from course.classroom.settings import settings_of  # noqa: PLC0415 - only the classroom's tests need it

    settings = settings_of(folder)
    assert settings is not None
    return settings.course_id
