"""Facts in prose that must agree with the code: `{{points:log}}` in a chapter's text, filled in from its objects.

    {{points}}  {{automatic-points}}  {{minutes}}  {{claims}}        of the chapter
    {{points:ID}}  {{minutes:ID}}  {{claims:ID}}  {{title:ID}}       of an exercise or a question for a person
    {{about:ID}}                                                     one line with all of these
    {{points:CHECK}}  {{rules:CHECK}}                                of a check: its points, its rules as a list

Only markdown is filled in: braces in code mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from course.build.errors import BuildError
from course.build.text import TextCell
from course.chapters.catalog import Chapter
from course.checks.model import Check, Exercise, Written

PLACEHOLDER = re.compile(r"\{\{\s*([a-z-]+)(?::([A-Za-z0-9_-]+))?\s*\}\}")
LOOKS_LIKE_ONE = re.compile(r"\{\{.*?\}\}")

Asked = Exercise | Written


@dataclass(frozen=True, slots=True)
class Facts:
    """What placeholders of one chapter can say. `claims` is what the head of its text promises."""

    chapter: Chapter
    claims: tuple[str, ...]

    def fill(self, cell: TextCell) -> str:
        """The cell's source with every placeholder filled in. Raises BuildError, which names file and line."""
        file = cell.where.rpartition(":")[0]
        return "\n".join(self._line(f"{file}:{number}", line) for number, line in cell.lines)

    def _line(self, where: str, line: str) -> str:
        def replace(found: re.Match[str]) -> str:
            exact = PLACEHOLDER.fullmatch(found[0])
            if exact is None:
                raise BuildError(where, f"{found[0]} is not a placeholder: write {{{{what}}}} or {{{{what:of-which}}}}")
            return self._value(where, exact[1], exact[2])

        return LOOKS_LIKE_ONE.sub(replace, line)

    def _value(self, where: str, what: str, of: str | None) -> str:
        if of is None:
            return self._known(where, what, self._of_the_chapter())
        for one in self._asked:
            if one.id == of:
                return self._known(where, what, _of_one(one))
        for _, check in self.chapter.checks():
            if check.id == of:
                return self._known(where, what, _of_check(check))
        ids = [*(one.id for one in self._asked), *(check.id for _, check in self.chapter.checks())]
        raise BuildError(where, f"the chapter has no {of!r}; it has {', '.join(ids)}")

    def _known(self, where: str, what: str, values: Mapping[str, Callable[[], str]]) -> str:
        if what not in values:
            raise BuildError(where, f"there is no placeholder {what!r} here; there are {', '.join(values)}")
        return values[what]()

    @property
    def _asked(self) -> tuple[Asked, ...]:
        return (*self.chapter.exercises, *self.chapter.written)

    def _of_the_chapter(self) -> Mapping[str, Callable[[], str]]:
        chapter = self.chapter
        return {
            "points": lambda: _number(chapter.points),
            "automatic-points": lambda: _number(sum(exercise.points for exercise in chapter.exercises)),
            "minutes": lambda: _number(sum(one.minutes for one in self._asked)),
            "claims": lambda: ", ".join(self.claims),
        }


def _of_one(one: Asked) -> Mapping[str, Callable[[], str]]:
    return {
        "points": lambda: _number(one.points),
        "minutes": lambda: _number(one.minutes),
        "claims": lambda: ", ".join(one.claims),
        "title": lambda: one.title,
        "about": lambda: about(one),
    }


def _of_check(check: Check) -> Mapping[str, Callable[[], str]]:
    return {"points": lambda: _number(check.points), "rules": lambda: _rules(check)}


def about(one: Asked) -> str:
    """What a learner wants to know before beginning, in one line."""
    parts = [_points(one.points), f"about {one.minutes} minutes", "core" if one.core else "extra"]
    parts += [f"{_plural('claim', one.claims)} {', '.join(one.claims)}"] if one.claims else []
    return f"*{' · '.join(parts)}*"


def _rules(check: Check) -> str:
    return "\n".join(f"- {rule.says} ({_points(rule.points)})" for rule in check.rules)


def _points(points: float) -> str:
    return f"{_number(points)} point{'' if points == 1 else 's'}"


def _plural(word: str, of: Sequence[str]) -> str:
    return word if len(of) == 1 else f"{word}s"


def _number(value: float) -> str:
    return f"{value:g}"
