"""A call that swallows its interruption is interrupted until it ends, and what it returns then comes too late."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from course.checks import limits
from course.checks.interrupt import Watch
from course.checks.local import LocalPort, _is_learners
from course.checks.port import AnswerLost, AnswerRaised, Outcome
from tests.course.checks.answers import answer

SWALLOWING = {
    "and goes on": """
        while True:
            try: time.sleep(9)
            except: pass""",
    "and goes on by name": """
        while True:
            try: time.sleep(9)
            except BaseException: continue""",
    "twice": """
        while True:
            try:
                while True:
                    try: time.sleep(9)
                    except: pass
            except: pass""",
    "in a finally": """
        while True:
            try: time.sleep(9)
            except: time.sleep(0.01)
            finally: continue""",
    "in another function": """
        def inner():
            try: time.sleep(9)
            except: pass
        while True:
            inner()""",
    "and returns": """
        try: time.sleep(9)
        except: return 1""",
    "and raises something else": """
        try: time.sleep(9)
        except: raise ValueError""",
}


@pytest.mark.parametrize("body", SWALLOWING.values(), ids=SWALLOWING)
def test_swallowing_an_interruption_does_not_help(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setattr(limits, "CALL_S", 0.2)
    tracing = sys.gettrace()

    says = r"did not come back within 0\.2 s; it was at line \d+ of `\w+`"
    with LocalPort({"f": answer(f"import time\ndef f():{body}\n", "f")}) as port, pytest.raises(AnswerLost) as caught:
        port.call(None, "f", ())

    assert re.match(says, str(caught.value))
    assert Outcome.TIMEOUT == caught.value.outcome
    assert tracing is sys.gettrace()
    assert sys.exception() is None  # or every later exception would come "during the handling" of this one


@pytest.mark.parametrize("in_time", [True, False], ids=["by the clock", "by counting"])
def test_an_answer_may_end_with_any_exception(monkeypatch: pytest.MonkeyPatch, in_time: bool) -> None:
    """Also with one that ends an iteration, which a generator around it could not raise."""
    source = "def f(value):\n    raise StopIteration(value)\n"
    watch = Watch(_is_learners)
    monkeypatch.setattr(watch, "_timer", in_time)
    with watch, pytest.raises(StopIteration) as caught:
        watch.call(answer(source, "f"), ("mine",))

    assert "mine" == caught.value.value


def test_an_error_in_time_is_only_an_error() -> None:
    """The guard must not take an honest error for an interruption."""
    source = "def f():\n    raise AssertionError('mine')\n"
    with LocalPort({"f": answer(source, "f")}) as port, pytest.raises(AnswerRaised, match="AssertionError: mine"):
        port.call(None, "f", ())


@pytest.mark.parametrize("body", SWALLOWING.values(), ids=SWALLOWING)
def test_alarms_that_come_faster_than_one_is_dealt_with_do_not_pile_up(
    body: str,
) -> None:
    """On a slow machine, or under a tracer."""
    at_once, at_most = 0, 0

    def slowly(filename: str) -> bool:
        nonlocal at_once, at_most
        at_once += 1
        at_most = max(at_once, at_most)
        try:
            for _ in range(2_000):  # longer than until the next alarm
                pass
            return filename.startswith("<f")
        finally:
            at_once -= 1

    namespace: dict[str, Any] = {}
    exec(compile(f"import time\ndef f():{body}\n", "<f>", "exec"), namespace)

    with Watch(slowly) as watch, pytest.raises(AnswerLost, match="did not come back"):
        watch.call(namespace["f"], (), 0.05)

    assert at_most < 5


def test_pythons_own_frozen_modules_are_not_the_learners_code() -> None:
    """What interrupts an import's clean-up is told on the console, and interrupts nothing."""
    assert _is_learners("<ipython-input-3-abc>")
    assert not _is_learners("<frozen importlib._bootstrap>")
