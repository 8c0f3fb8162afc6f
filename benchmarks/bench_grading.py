"""Seconds for a graded submission, ours beside stock nbgrader's, on the same submissions of the same class.

A class is laid out as `course teach` does and its 30 notebooks are handed in: solved, with one answer wrong each, and
untouched. nbgrader grades them in one `autograde`, as a teacher would; ours one after another. Ratios from this one
run: absolute figures move with the machine.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from autograder.box import best_backend
from autograder.grade import grade
from autograder.manifest import Manifest, read_manifest
from autograder.submission import read_submission
from course.chapters import catalog
from course.chapters.catalog import Chapter
from course.classroom.layout import lay_out

SUBMISSIONS = 30


def answers(chapter: Chapter) -> list[Mapping[str, str]]:
    """Exercise -> source, for everything that a class hands in."""
    right = {exercise.id: inspect.getsource(exercise.object) for exercise in chapter.exercises}
    imports = "from __future__ import annotations\nfrom dataclasses import replace\n"
    return [right, *({**right, wrong.exercise: imports + wrong.source} for wrong in chapter.wrong_answers), {}]


def hand_in(folder: Path, chapter: Chapter) -> list[Path]:
    """As many notebooks as a small class hands in, made from the release in this folder."""
    kinds = answers(chapter)
    release = (folder / "release" / chapter.name / f"{chapter.name}.ipynb").read_text(encoding="utf-8")
    paths = []
    for number in range(SUBMISSIONS):
        content = json.loads(release)
        for cell in content["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = kinds[number % len(kinds)].get(grade_id, cell["source"])
        path = folder / "submitted" / f"student{number:02}" / chapter.name / f"{chapter.name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        paths.append(path)
    return paths


def nbgrader(folder: Path, *command: str) -> float:
    """Run one command of stock nbgrader; seconds."""
    programs = Path(sys.executable).parent
    began_s = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        check=True,
    )
    return perf_counter() - began_s


def ours(paths: list[Path], manifest: Manifest, secret: str, jobs: int) -> float:
    """Grade them one after another, `jobs` checks of each at a time; seconds."""
    backend = best_backend()
    began_s = perf_counter()
    for path in paths:
        grade(read_submission(path), manifest, backend, secret, jobs=jobs)
    return perf_counter() - began_s


def main() -> None:
    """Print the figures."""
    (name, *_) = catalog.names()
    chapter = catalog.chapter(name)
    with tempfile.TemporaryDirectory(prefix="bench-class-") as temporary:
        folder = Path(temporary) / "class"
        lay_out(folder, [chapter], course_id="bench")
        nbgrader(folder, "generate_assignment", chapter.name)
        paths = hand_in(folder, chapter)
        manifest = read_manifest(folder / "release" / chapter.name / f"{chapter.name}.ipynb")
        secret = (folder / "secret").read_text(encoding="ascii").strip()
        seconds = {f"autograder, {jobs} at a time": ours(paths, manifest, secret, jobs) for jobs in (1, 2)}
        seconds["nbgrader autograde"] = nbgrader(folder, "autograde", chapter.name)
    one = seconds["autograder, 2 at a time"]
    print(f"seconds for a graded submission, mean of {SUBMISSIONS}: solved, with one answer wrong each, untouched")
    for who, all_of_them in seconds.items():
        print(f"  {who:<26} {all_of_them / SUBMISSIONS:>8.3f}   {all_of_them / one:.2f} of the autograder's two")


if __name__ == "__main__":
    main()
