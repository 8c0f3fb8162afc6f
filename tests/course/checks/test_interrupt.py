"""A call that swallows its interruption is interrupted until it ends, and what it returns then comes too late."""

from __future__ import annotations

import re
import sys

import pytest

from course.checks import limits
from course.checks.local import LocalPort
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


def test_an_error_in_time_is_only_an_error() -> None:
    """The guard must not take an honest error for an interruption."""
    source = "def f():\n    raise AssertionError('mine')\n"
    with LocalPort({"f": answer(source, "f")}) as port, pytest.raises(AnswerRaised, match="AssertionError: mine"):
        port.call(None, "f", ())
