"""Wrong answers, kept as code: what the checks must kill, and what a learner's misconception is recognised by.

    @wrong("log", misconception="M1", breaks={"log-read": {"values", "kept"}}, asks="Who else may want this value?")
    class LogThatPops: ...

Each is a whole answer that stands alone, so that it can also be put into a notebook and graded like a submission.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TypeVar

from course.checks.model import Exercise, WrongAnswer

T = TypeVar("T")
_MARK = "__wrong__"


def wrong(
    exercise: str, *, breaks: Mapping[str, set[str]], asks: str, misconception: str | None = None
) -> Callable[[T], T]:
    """Declare a wrong answer: the exact rules it breaks, and what to ask somebody who answers so."""

    def mark(answer: T) -> T:
        setattr(
            answer, _MARK, (exercise, {check: frozenset(rules) for check, rules in breaks.items()}, asks, misconception)
        )
        return answer

    return mark


def wrong_answers_of(module: ModuleType, exercises: tuple[Exercise, ...]) -> tuple[WrongAnswer, ...]:
    """All the wrong answers of a module, in the order they are written."""
    names = {exercise.id: exercise.name for exercise in exercises}
    found = []
    for name, answer in vars(module).items():
        if _MARK in getattr(answer, "__dict__", {}):
            exercise, breaks, asks, misconception = getattr(answer, _MARK)
            source = f"{_bare_source(answer)}\n\n{names[exercise]} = {name}\n"
            found.append(WrongAnswer(name, exercise, breaks, asks, source, answer, misconception))
    return tuple(found)


def fresh(wrong_answer: WrongAnswer) -> object:
    """The wrong answer made anew from its source: one that keeps something in its class begins empty again."""
    namespace = dict(vars(sys.modules[wrong_answer.object.__module__]))
    definition = wrong_answer.source.rpartition("\n\n")[0]
    exec(compile(definition, f"<{wrong_answer.name}>", "exec", flags=annotations.compiler_flag), namespace)  # noqa: S102
    return namespace[wrong_answer.name]


def _bare_source(answer: object) -> str:
    """The definition without its decorator."""
    source = textwrap.dedent(inspect.getsource(answer))  # type: ignore[arg-type]  # a class or function, as marked above
    definition = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[definition.lineno - 1 :])
