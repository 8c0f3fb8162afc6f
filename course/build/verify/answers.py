"""Do the rules tell right answers from wrong ones? The solution, the wrong answers, and the rules themselves.

Answers are examined as text, run after the notebook's setup cells, because so they will come: in a notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from course.build.verify.problem import Problem
from course.build.verify.subject import SECRET, CellFailed, Subject
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.model import Check, Exercise, WrongAnswer
from course.checks.result import CheckResult

WRONG_ANSWERS_MIN = 3


def solution(subject: Subject) -> Iterator[Problem]:
    """The solution loses a point, on the cases everybody sees or on hidden ones, or is not judged on directed ones."""
    try:
        answers = subject.answers()
    except CellFailed as failed:
        yield Problem(
            subject.chapter.name, f"the solution cannot be run: {failed}", "mend the reference or a setup cell"
        )
        return
    for exercise, check in subject.chapter.checks():
        result = graded(subject, exercise, check, answers[exercise.name])
        if result.score != check.points or result.broken:
            why = result.message or f"breaks {_listed(result.broken)}"
            yield Problem(
                f"{subject.chapter.name}, {check.id}",
                f"the solution gets {result.score:g} of {check.points:g} points ({why})",
                f"mend {exercise.reference} or the rule",
            )
        elif unjudged := directed(exercise, check, answers[exercise.name]).broken:
            where = f"{subject.chapter.name}, {check.id}"
            yield Problem(where, f"the directed cases do not judge {_listed(unjudged)}", "add one that does")


def wrong_answers(subject: Subject) -> Iterator[Problem]:
    """A wrong answer passes, or breaks other rules than it says it does."""
    exercises = {exercise.id: exercise for exercise in subject.chapter.exercises}
    for wrong in subject.chapter.wrong_answers:
        yield from _unknown_breaks(subject, exercises[wrong.exercise], wrong)
        try:
            answer = subject.answers(wrong.source)[exercises[wrong.exercise].name]
        except CellFailed as failed:
            yield Problem(
                _where(subject, wrong),
                f"it cannot be run in the notebook: {failed}",
                "make it stand alone, like a submission",
            )
            continue
        yield from _other_breaks(subject, exercises[wrong.exercise], wrong, answer)


def _unknown_breaks(subject: Subject, exercise: Exercise, wrong: WrongAnswer) -> Iterator[Problem]:
    known = {check.id: {rule.id for rule in check.rules} for check in exercise.checks}
    for check, rules in wrong.breaks.items():
        for rule in sorted(rules - known.get(check, set())):
            yield Problem(
                _where(subject, wrong),
                f"it says that it breaks {check}/{rule}, and there is no such rule",
                "mend the id",
            )
    if not any(wrong.breaks.values()):
        yield Problem(_where(subject, wrong), "it says that it breaks no rule", "say which it breaks, or remove it")


def _other_breaks(subject: Subject, exercise: Exercise, wrong: WrongAnswer, answer: Any) -> Iterator[Problem]:
    for check in exercise.checks:
        declared = wrong.breaks.get(check.id, frozenset())
        for cases, broken in (
            ("the directed cases alone", directed(exercise, check, answer).broken),
            ("all cases, hidden ones too", graded(subject, exercise, check, answer).broken),
        ):
            if broken == declared:
                continue
            how = "passes" if not broken else f"breaks {_listed(broken)}"
            yield Problem(
                f"{_where(subject, wrong)}, {check.id}",
                f"on {cases} it {how}, and says that it breaks {_listed(declared)}",
                "add a directed case that shows the mistake, or mend what it declares",
            )


def rules(subject: Subject) -> Iterator[Problem]:
    """A rule that no wrong answer breaks is not known to catch anything; an exercise needs three wrong answers."""
    for exercise in subject.chapter.exercises:
        wrong = [one for one in subject.chapter.wrong_answers if one.exercise == exercise.id]
        if len(wrong) < WRONG_ANSWERS_MIN:
            yield Problem(
                f"{subject.chapter.name}, {exercise.id}",
                f"it has {len(wrong)} wrong answers and needs {WRONG_ANSWERS_MIN}",
                "write down what learners get wrong",
            )
        for check in exercise.checks:
            for rule in check.rules:
                if not any(rule.id in one.breaks.get(check.id, ()) for one in wrong):
                    yield Problem(
                        f"{subject.chapter.name}, {check.id}",
                        f"no wrong answer breaks the rule {rule.id!r}",
                        "write one that does, or remove the rule",
                    )


def directed(exercise: Exercise, check: Check, answer: Any) -> CheckResult:
    """The result on the directed cases alone."""
    with LocalPort({exercise.name: answer}) as port:
        return examine(exercise, replace(check, shown=0, hidden=0), port)


def graded(subject: Subject, exercise: Exercise, check: Check, answer: Any) -> CheckResult:
    """The result on every case, those that grading adds too."""
    with LocalPort({exercise.name: answer}) as port:
        return examine(exercise, check, port, secret=SECRET, release=subject.release)


def _where(subject: Subject, wrong: WrongAnswer) -> str:
    return f"{subject.chapter.name}, wrong answer {wrong.name}"


def _listed(rules: frozenset[str]) -> str:
    return ", ".join(sorted(rules)) or "nothing"
