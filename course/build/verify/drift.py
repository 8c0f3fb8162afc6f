"""Does the repository hold what the build makes?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from course.build.release import as_text
from course.build.verify.problem import Problem
from course.build.verify.subject import Subject

BUILD = "run `course build` and commit what it writes"


def drift(subject: Subject) -> Iterator[Problem]:
    """The released notebook is missing, or is not the one that a fresh build makes."""
    path = subject.folder / f"{subject.chapter.name}.ipynb"
    if not path.is_file():
        yield Problem(str(path), "there is no released notebook of this chapter", BUILD)
    elif path.read_text(encoding="utf-8") != as_text(subject.released):
        yield Problem(str(path), "differs from a fresh build", BUILD)


def stray(folder: Path, chapters: Iterable[str]) -> list[Problem]:
    """Notebooks of no chapter."""
    names = set(chapters)
    return [
        Problem(str(path), "no chapter has this name", "remove it, or bring the chapter back")
        for path in sorted(folder.glob("*.ipynb"))
        if path.stem not in names
    ]
