"""How many machine-made mutants of a reference the rules kill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from course.build.mutants import Mutant, mutants_of
from course.build.verify.answers import directed, graded
from course.build.verify.subject import CellFailed, Subject
from course.chapters.catalog import Chapter
from course.checks.model import Exercise


@dataclass(frozen=True, slots=True)
class Mutation:
    """What became of an exercise's mutants. `survivors` pass every rule and are not listed as equivalent.

    `unknown` are ids listed as equivalent that no mutant has, or whose mutant is killed after all.
    """

    exercise: str
    mutants: int
    equivalent: int
    survivors: tuple[Mutant, ...]
    unknown: tuple[str, ...]

    @property
    def killed_share(self) -> float:
        """Killed, of those that are not equivalent; from 0 to 1."""
        different = self.mutants - self.equivalent
        return 1.0 if different == 0 else (different - len(self.survivors)) / different

    def __str__(self) -> str:
        different = self.mutants - self.equivalent
        return (
            f"{self.exercise}: {self.mutants} mutants, {self.equivalent} of them equivalent, "
            f"{different - len(self.survivors)} of {different} killed ({self.killed_share:.1%})"
        )


def mutate(subject: Subject, exercise: Exercise) -> Mutation:
    """Examine every mutant of the exercise's reference."""
    listed = equivalent_mutants(subject.chapter).get(exercise.id, {})
    mutants = mutants_of(exercise)
    alive = [mutant for mutant in mutants if not _is_killed(subject, exercise, mutant)]
    equivalent = [mutant for mutant in alive if mutant.id in listed]
    return Mutation(
        exercise=exercise.id,
        mutants=len(mutants),
        equivalent=len(equivalent),
        survivors=tuple(mutant for mutant in alive if mutant.id not in listed),
        unknown=tuple(sorted(listed.keys() - {mutant.id for mutant in equivalent})),
    )


def equivalent_mutants(chapter: Chapter) -> Mapping[str, Mapping[str, str]]:
    """Exercise id -> mutant id -> why it behaves as the reference does; empty where the chapter lists none."""
    name = f"{chapter.package}.equivalent_mutants"
    if find_spec(name) is None:
        return {}
    listed: Mapping[str, Mapping[str, str]] = import_module(name).EQUIVALENT
    return listed


def _is_killed(subject: Subject, exercise: Exercise, mutant: Mutant) -> bool:
    try:
        answer: Any = subject.answers(mutant.source)[exercise.name]
    except CellFailed:
        return True
    # The directed cases are few and kill nearly all; the others are played for the rest.
    return any(directed(exercise, check, answer).broken for check in exercise.checks) or any(
        graded(subject, exercise, check, answer).broken for check in exercise.checks
    )
