"""The report: whole or not at all, stable for scripts, and harmless for whoever looks at it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from autograder.box import Backend
from autograder.report import BoxReport, Report, make_report
from autograder.submission import parse_notebook
from autograder.terminal import show
from tests.autograder.grading import SECRET, graded
from tests.autograder.notebooks import Notebook, manifest, right_answer

BOX = BoxReport("bubblewrap", sandboxed=True, enforces={"net": True, "read": True})
NASTY = "class Log:\n    def __init__(self, start=0): raise ValueError('\\x1b[2J[red]\\u202e</script>')\n"


def report_of(notebook: Notebook, backend: Backend, box: BoxReport = BOX) -> Report:
    submission = parse_notebook(notebook.to_bytes(), "hw.ipynb")
    return make_report(submission, manifest(), graded(notebook, backend), box)


def shown(report: Report) -> str:
    """What a terminal gets to see, colours and all."""
    out = io.StringIO()
    show(report, Console(file=out, force_terminal=True, width=100, color_system="truecolor", legacy_windows=False))
    return out.getvalue()


@pytest.fixture(scope="module")
def report(backend: Backend) -> Report:
    """Of a notebook with one answer nasty, one wrong, one right, and an answer for a person."""
    notebook = Notebook.solved().answer("log", NASTY).answer("explain", "Because [b]offsets[/b] \x1b[31m stay.")
    notebook.answer("cursor", right_answer("cursor").replace("min(end, first + max_records)", "first + max_records"))
    return report_of(notebook, backend)


def test_the_json_says_which_schema_it_follows_and_what_it_holds(report: Report) -> None:
    content = json.loads(report.to_json())

    assert {"name": "kafkalite-course/grade", "version": 1} == content["schema"]
    assert {
        *("schema", "complete", "score", "max", "automatic", "manual", "exercises", "written", "box", "submission"),
        *("release", "notes", "duration_s"),
    } == content.keys()
    check = content["exercises"][1]["checks"][0]
    assert {"id", "outcome", "score", "max", "message", "unfinished", "misconception", "rules"} == check.keys()
    assert {"id", "says", "points", "passed", "ran", "hidden", "sentence", "history"} == check["rules"][0].keys()
    assert manifest().release == content["release"]["id"]
    assert {"net": True, "read": True} == content["box"]["enforces"]
    assert "Because [b]offsets[/b] \x1b[31m stay." == content["written"][0]["text"]


def test_a_broken_rule_is_told_with_its_counterexample_and_a_question(report: Report) -> None:
    check = report.exercises[1].checks[0]
    broken = {rule.id: rule for rule in check.rules if not rule.passed}

    assert "CursorThatRunsPastTheEnd" == (check.misconception and check.misconception.name)
    assert "must return" in broken["range"].sentence
    assert broken["range"].sentence.startswith("in “")
    assert "poll(" in broken["range"].history[-1]
    assert check.score == sum(rule.points for rule in check.rules if rule.passed)


def test_secrets_are_not_in_it(report: Report) -> None:
    assert SECRET not in report.to_json()


def test_what_comes_from_a_submission_does_nothing_to_a_terminal(report: Report) -> None:
    """Neither the terminal's own language nor rich's markup is read in it."""
    text = shown(report)

    assert r"\x1b[2J[red]\u202e</script>" in text
    assert "\x1b[2J" not in text
    assert "\u202e" not in text


def test_the_terminal_says_score_and_sandbox(report: Report) -> None:
    text = shown(report)

    assert "of 24 points" in text
    assert "which kept back: net, read" in text
    assert "4 more await a person" in text


def test_a_run_without_a_sandbox_says_so(backend: Backend) -> None:
    report = report_of(Notebook.solved(), backend, BoxReport("unsandboxed", sandboxed=False, enforces={}))

    assert "unsandboxed: nothing kept the answers from this machine" in shown(report).replace("\n", " ")
    assert not json.loads(report.to_json())["box"]["sandboxed"]


def test_it_is_written_whole_or_not_at_all(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("yesterday's")
    report.write(tmp_path / "report.json")

    assert report.to_json() == (tmp_path / "report.json").read_text()
    assert ["report.json"] == [path.name for path in tmp_path.iterdir()]

    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        report.write(tmp_path / "folder")

    assert {"report.json", "folder"} == {path.name for path in tmp_path.iterdir()}
