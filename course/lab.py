"""The lab: what a notebook talks to. Checks answers, gives hints one at a time, and shows a chapter's scenes.

The scenes (runs and figures) are the public functions of the chapter's `scenes` module; the lab offers them by name.
Nothing here may stop a notebook that is run from top to bottom: an answer that is not written yet is a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Self

from course.chapters.catalog import Chapter
from course.checks import feedback
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.model import Run, Violation
from course.checks.result import CheckResult

FILM_LENGTH_MAX = 200_000  # of all calls of a run in words; ten times the longest of a sensible answer
MIME_TYPE = "application/vnd.kafkalite.check+json"  # a result as data, beside its looks, in a notebook's outputs


class Verdict(float):
    """The points an answer has, which is also what nbgrader reads; shown, it is the feedback.

    Its `text/plain` must stay a bare number: nbgrader turns that, and nothing else, into partial credit.
    """

    result: CheckResult
    html: str

    def __new__(cls, result: CheckResult, html: str) -> Self:
        self = super().__new__(cls, result.score)
        self.result, self.html = result, html
        return self

    def __repr__(self) -> str:
        return float.__repr__(self)

    def __str__(self) -> str:
        return feedback.in_words(self.result)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {MIME_TYPE: self.result.as_data()}


class Hint:
    """One hint; shown, it is its text."""

    def __init__(self, number: int, total: int, text: str) -> None:
        self.number, self.total, self.text = number, total, text

    def __repr__(self) -> str:
        more = "Run the cell again for the next." if self.number < self.total else "That was the last."
        return f"Hint {self.number} of {self.total}: {self.text} ({more})"


class Lab:
    """A chapter's lab. Made by `course.chapter(name)`."""

    def __init__(self, chapter: Chapter) -> None:
        self._chapter = chapter
        self._hints: dict[str, int] = {}
        self._secret: str | None = None
        self._release = ""

    def check(self, check_id: str, answer: Any) -> Verdict:
        """Judge an answer by the rules of a check, on the cases everybody sees; in grading also on others.

        Returns the points it has, which show themselves as feedback. Raises KeyError for an unknown check.
        """
        exercise, check = self._chapter.find(check_id)
        with LocalPort({exercise.name: answer}) as port:
            result = examine(
                exercise,
                check,
                port,
                secret=self._secret,
                release=self._release,
                wrong_answers=self._chapter.wrong_answers,
            )
        return Verdict(result, feedback.as_html(result, self._film))

    def hint(self, exercise_id: str) -> Hint:
        """The next of an exercise's three hints; after the last, the last again."""
        for exercise in self._chapter.exercises:
            if exercise.id == exercise_id:
                number = min(self._hints.get(exercise_id, 0) + 1, len(exercise.hints))
                self._hints[exercise_id] = number
                return Hint(number, len(exercise.hints), exercise.hints[number - 1])
        known = ", ".join(e.id for e in self._chapter.exercises)
        raise KeyError(f"there is no exercise {exercise_id!r} in this chapter; there are {known}")

    def grading(self, secret: str, release: str) -> None:
        """From here on `check` also judges the cases that derive from this secret. For an instructor's notebook."""
        self._secret, self._release = secret, release

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A scene of the chapter."""
        scenes = import_module(f"{self._chapter.package}.scenes")
        if name.startswith("_") or name not in scenes.__all__:
            raise AttributeError(f"the lab of {self._chapter.name} has no {name!r}; it has {', '.join(dir(self))}")
        scene: Callable[..., Any] = getattr(scenes, name)
        return scene

    def __dir__(self) -> list[str]:
        scenes = import_module(f"{self._chapter.package}.scenes")
        return sorted(["check", "grading", "hint", *scenes.__all__])

    def __repr__(self) -> str:
        return f"the lab of chapter {self._chapter.name}: {', '.join(dir(self))}"

    def _film(self, run: Run, violation: Violation | None) -> str:
        if sum(len(str(call)) for call in run.calls) > FILM_LENGTH_MAX:
            return "<p>The values of this run are too many or too long to be drawn.</p>"
        film = import_module(f"{self._chapter.package}.film").film
        html: str = film(run, violation).html
        return html
