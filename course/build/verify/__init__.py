"""What can be wrong with a chapter, found before a learner finds it: `course build --check`.

Each way to go wrong has a module here, a function from a `Subject` to the problems it finds. They do not depend on
one another, so a chapter with three problems is told of all three. Only what cannot even be built stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from course.build.errors import BuildError
from course.build.verify import answers, box, claims, drift, kernels, leaks
from course.build.verify.drift import stray
from course.build.verify.problem import Problem
from course.build.verify.subject import Subject
from course.chapters.catalog import Chapter

__all__ = ["Problem", "Step", "Subject", "problems", "steps", "stray"]

WITHOUT_KERNEL: tuple[tuple[str, Callable[[Subject], Iterable[Problem]]], ...] = (
    ("the notebook in the repository", drift.drift),
    ("claims", claims.claims),
    ("traces of solutions", leaks.leaks),
    ("what a solution needs", box.needs),
    ("the solution", answers.solution),
    ("wrong answers", answers.wrong_answers),
    ("rules", answers.rules),
)
WITH_KERNEL: tuple[tuple[str, Callable[[Subject], Iterable[Problem]]], ...] = (
    ("the solved notebook in a kernel", kernels.solved),
    ("the released notebook in a kernel", kernels.untouched),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the verification: its name for people, and what runs it."""

    name: str
    run: Callable[[], list[Problem]]


def steps(chapter: Chapter, folder: Path, *, kernels: bool = True) -> list[Step]:
    """What there is to do for a chapter whose release should lie in `folder`."""
    subject = Subject(chapter, folder)
    try:
        _ = subject.text, subject.released, subject.release
    except BuildError as error:
        problem = Problem(error.where, error.what, "nothing else of this chapter is checked before that is mended")
        return [Step("the text", lambda: [problem])]
    parts = WITHOUT_KERNEL + (WITH_KERNEL if kernels else ())
    return [Step(name, lambda part=part: list(part(subject))) for name, part in parts]  # type: ignore[misc]


def problems(chapter: Chapter, folder: Path, *, kernels: bool = True) -> list[Problem]:
    """Everything that is wrong with a chapter."""
    return [problem for step in steps(chapter, folder, kernels=kernels) for problem in step.run()]
