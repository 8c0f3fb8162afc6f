"""The chapters there are, and what each consists of. A chapter is a package here named `chNN_name`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from course import chapters
from course.checks.model import Check, Exercise, Written, WrongAnswer
from course.checks.wrong import wrong_answers_of


@dataclass(frozen=True)
class Chapter:
    """One chapter: `01_why_a_log` is the name of its notebook and of its nbgrader assignment."""

    name: str
    package: str
    folder: Path
    exercises: tuple[Exercise, ...]
    written: tuple[Written, ...]
    wrong_answers: tuple[WrongAnswer, ...]

    @property
    def text(self) -> Path:
        """The chapter's text: MyST Markdown."""
        return self.folder / "chapter.md"

    @property
    def points(self) -> float:
        """All points: those of the checks and those a person gives."""
        return sum(e.points for e in self.exercises) + sum(w.points for w in self.written)

    def checks(self) -> Iterator[tuple[Exercise, Check]]:
        """Every check with its exercise, in order."""
        return ((exercise, check) for exercise in self.exercises for check in exercise.checks)

    def find(self, check_id: str) -> tuple[Exercise, Check]:
        """The check of that id. Raises KeyError, which lists those there are."""
        for exercise, check in self.checks():
            if check.id == check_id:
                return exercise, check
        raise KeyError(f"{self.name} has no check {check_id!r}; it has {', '.join(c.id for _, c in self.checks())}")


def load(package: str) -> Chapter:
    """The chapter in that package: its full import name, so that tests can bring chapters of their own."""
    checks, wrong = import_module(f"{package}.checks"), import_module(f"{package}.wrong_answers")
    folder = Path(import_module(package).__path__[0])
    return Chapter(
        name=package.rpartition(".")[2].removeprefix("ch"),
        package=package,
        folder=folder,
        exercises=checks.EXERCISES,
        written=checks.WRITTEN,
        wrong_answers=wrong_answers_of(wrong, checks.EXERCISES),
    )


@cache
def names() -> dict[str, str]:
    """Chapter name -> package, of all chapters, in order, without importing them."""
    found = sorted(
        m.name for m in pkgutil.iter_modules(chapters.__path__) if m.name.startswith("ch0") or m.name.startswith("ch1")
    )
    return {name.removeprefix("ch"): f"course.chapters.{name}" for name in found if name[2:4].isdigit()}


@cache
def chapter(name: str) -> Chapter:
    """The chapter of that name, of that number, or of that package. Raises LookupError, which lists those there are.

    A name with dots is a package's: that is how a notebook reaches a chapter that is not one of the course's own.

    >>> chapter("1").name
    '01_why_a_log'
    """
    if "." in name:
        try:
            return load(name)
        except ModuleNotFoundError as missing:
            raise LookupError(f"there is no chapter {name!r}: {missing}") from None
    for full, package in names().items():
        if name == full or (name.isdigit() and int(name) == int(full[:2])):
            return load(package)
    raise LookupError(f"there is no chapter {name!r}; there are {', '.join(names())}")
