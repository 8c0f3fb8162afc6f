"""A verdict as a notebook shows it, nbgrader reads it, and a program finds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_output
from nbgrader.utils import get_partial_grade

import course
from course.chapters.catalog import chapter
from course.lab import MIME_TYPE, Lab, Verdict
from tests.course.checks.answers import answer

CHAPTER = chapter("01_why_a_log")
WRONG = {wrong.name: wrong for wrong in CHAPTER.wrong_answers}


@pytest.fixture
def lab() -> Lab:
    return course.chapter(CHAPTER.name)


def shown(verdict: Verdict) -> dict[str, Any]:
    """What a kernel sends to the notebook for a last expression with this value."""
    data, _ = DisplayFormatter().format(verdict)  # type: ignore[no-untyped-call]
    return dict(data)


@pytest.mark.parametrize("name", ["LogWhoseEndIsTheLastOffset", "LogThatReturnsTheLastOffset"])
def test_nbgrader_reads_a_verdict_as_partial_credit(lab: Lab, name: str) -> None:
    verdict = lab.check("log-append", answer(WRONG[name].source, "Log"))
    output = new_output("execute_result", data=shown(verdict))

    assert 0 < verdict < 5
    assert float(verdict) == get_partial_grade(output, 5.0)


def test_its_plain_text_is_a_bare_number_and_the_feedback_is_html(lab: Lab) -> None:
    data = shown(lab.check("log-append", answer(WRONG["LogWhoseEndIsTheLastOffset"].source, "Log")))

    assert {"text/plain", "text/html", MIME_TYPE} == data.keys()
    assert "4.0" == data["text/plain"]
    assert "the next offset to be written" in data["text/html"]


def test_it_carries_its_rules_as_data_and_nothing_of_a_case(lab: Lab) -> None:
    lab.grading("a secret", "a release")

    data = shown(lab.check("log-append", answer(WRONG["LogWhoseEndIsTheLastOffset"].source, "Log")))[MIME_TYPE]

    assert data == json.loads(json.dumps(data))
    assert {"check", "outcome", "score", "points", "graded", "misconception", "rules"} == data.keys()
    assert ("log-append", "FAIL", 4.0, 5, True) == tuple(
        data[key] for key in ("check", "outcome", "score", "points", "graded")
    )
    assert ["end"] == [rule["id"] for rule in data["rules"] if not rule["passed"]]


def test_a_run_of_enormous_values_is_not_drawn(lab: Lab) -> None:
    """A wrong answer may return a book at every call; the page must stay one that a browser can show."""
    book = """
class Log:
    def __init__(self, start=0): pass
    def append(self, values): return 0
    def read(self, offset, max_records): return ["page" * 1000] * 70
    def start(self): return 0
    def end(self): return 10**3999
    def delete_before(self, offset): return 0
"""

    verdict = lab.check("log-read", answer(book, "Log"))

    assert "too many or too long to be drawn" in verdict.html
    assert len(verdict.html) < 100_000
