"""Does a solution need more than the box offers, where a submission is graded?

The setup and solution cells run in a process of their own that has what the box has and nothing else: Python's
standard library, the modules of `kafkalite` that `course.checks.allowed` names, and an inert `course`. What answers
may import of the standard library is that module's list, here as there. Only here an import that is not on it is an
error; the box has stand-ins for it, so that a learner's stray import in a cell of their own costs nothing.
Left out: the box's walls (files, network, memory); the autograder's own tests take the whole road.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kafkalite
from course.build import text
from course.build.verify import box_driver
from course.build.verify.problem import Problem
from course.build.verify.subject import Subject
from course.checks import allowed

FILES = ("__init__.py", "errors.py", "plain.py", "types.py")  # of kafkalite, as they are copied into the box
TIMEOUT_S = 60


def needs(subject: Subject) -> Iterator[Problem]:
    """A setup or solution cell fails where only what the box offers is there."""
    cells = [(cell.id, cell.source) for role in (text.SETUP, text.SOLUTION) for cell in subject.cells(role)]
    names = [exercise.name for exercise in subject.chapter.exercises]
    with tempfile.TemporaryDirectory() as folder:
        _furnish(Path(folder))
        try:
            done = _run(Path(folder), {"cells": cells, "names": names})
        except subprocess.TimeoutExpired:
            yield _problem(subject, "cells", f"do not come to an end within {TIMEOUT_S} s")
            return
    if done.returncode != 0:
        yield _problem(
            subject, "cells", f"end the process with exit code {done.returncode}: {done.stderr.strip()[-300:]}"
        )
        return
    for where, error in json.loads(done.stdout.rpartition(box_driver.MARK)[2]):
        yield _problem(subject, where, error)


def _problem(subject: Subject, where: str, error: str) -> Problem:
    return Problem(
        f"{subject.chapter.name}, {where}",
        f"needs more than the box offers: {error}",
        "use only what course.checks.allowed lists, kafkalite.types and kafkalite.errors",
    )


def _furnish(folder: Path) -> None:
    """Copy what the box gets."""
    (folder / "kafkalite").mkdir()
    for name in FILES:
        shutil.copy(Path(kafkalite.__path__[0]) / name, folder / "kafkalite" / name)
    shutil.copy(allowed.__file__, folder / "allowed.py")
    shutil.copy(box_driver.__file__, folder / "box_driver.py")


def _run(folder: Path, job: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "box_driver.py")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=folder,
        check=False,
    )
