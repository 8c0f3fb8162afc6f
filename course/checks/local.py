"""The port to an answer in the learner's own process: guarded calls on the learner's own objects.

What crosses is copied as if it went over a pipe, errors are told by name, what is printed is turned aside, an endless
call is interrupted. Not guarded here, and named as this grader's limit: memory, `os._exit`, and a loop inside one call
of C that never looks at signals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Self

from course.checks import allowed, limits
from course.checks.interrupt import Watch
from course.checks.port import AnswerLost, AnswerRaised, Outcome
from course.checks.quiet import Quiet
from kafkalite import plain


class LocalPort:
    """Reaches answers by their objects. Use as a context manager around one check."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self._instances: list[Any] = []
        self._quiet = Quiet()
        self._watch = Watch(_is_learners)
        self._left_s = limits.CHECK_S
        self.changed_arguments = False

    def __enter__(self) -> Self:
        self._quiet.__enter__()
        self._watch.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._watch.__exit__(*exc)
        self._quiet.__exit__(*exc)

    def open(self, name: str) -> None:
        if name not in self._answers:
            raise AnswerLost(Outcome.ERROR, f"there is no `{name}` yet")
        refused = allowed.refusal(name, self._answers[name])
        if refused:
            raise AnswerLost(Outcome.REJECTED, refused)
        if not callable(self._answers[name]):
            kind = type(self._answers[name]).__name__
            raise AnswerLost(Outcome.ERROR, f"`{name}` is a {kind}, where a function or a class was expected")

    def construct(self, name: str, args: tuple[Any, ...]) -> int:
        self._instances.append(self._guarded(self._answers[name], args, keep=True))
        return len(self._instances) - 1

    def call(self, handle: int | None, name: str, args: tuple[Any, ...]) -> Any:
        if handle is None:
            return self._guarded(self._answers[name], args)
        return self._guarded(_Method(self._instances[handle], name), args)

    def printed(self) -> str:
        return self._quiet.text

    def _guarded(self, function: Callable[..., Any], args: tuple[Any, ...], *, keep: bool = False) -> Any:
        if self._left_s <= 0:  # also if no single call was slow
            raise self._too_slow()
        crossing = plain.copy(args)
        began_s = monotonic()
        self.changed_arguments = False
        try:
            value = self._watch.call(function, crossing, min(limits.CALL_S, max(0.001, self._left_s)))
            self.changed_arguments = plain.differs(crossing, args)
            came = value if keep else plain.copy(value)
        except AnswerLost as lost:
            if lost.outcome is Outcome.TIMEOUT and self._left_s < limits.CALL_S:
                raise self._too_slow() from None
            raise
        except BaseException as error:
            raise AnswerRaised(*plain.error_name(error, _is_learners)) from error
        else:
            plain.spoil((crossing, None if keep else value))
            return came
        finally:
            self._left_s -= monotonic() - began_s

    def _too_slow(self) -> AnswerLost:
        return AnswerLost(Outcome.TIMEOUT, f"all its calls together took more than {limits.CHECK_S:g} s")


class _Method:
    """A method looked up inside the guard: a missing one is the answer's error, not ours."""

    def __init__(self, instance: Any, name: str) -> None:
        self._instance, self._name = instance, name

    def __call__(self, *args: Any) -> Any:
        return getattr(self._instance, self._name)(*args)


def _is_learners(filename: str) -> bool:
    # A notebook's cells have files of ipykernel's own, or IPython's or exec's names in angle brackets; so has importlib
    return "ipykernel_" in filename or (filename.startswith("<") and not filename.startswith("<frozen "))
