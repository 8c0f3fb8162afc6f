"""`course teach` and `course canary` as a person meets them: what they print, and exit codes a script can trust."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from course import canary_command
from course.classroom import CannotTeach
from course.classroom.canary import Canaries, CanaryDied
from course.cli import app


def test_the_first_run_says_what_is_new_and_the_second_that_nothing_is(tmp_path: Path) -> None:
    folder = str(tmp_path / "c")

    first, second = CliRunner().invoke(app, ["teach", folder]), CliRunner().invoke(app, ["teach", folder])

    assert (0, 0) == (first.exit_code, second.exit_code)
    assert f"New in {folder}: source/01_why_a_log/01_why_a_log.ipynb, nbgrader_config.py" in first.output
    assert "is complete; nothing was changed" in second.output
    assert f"{folder}/README.md" in second.output


def test_a_chapter_can_be_named_by_number(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["teach", str(tmp_path / "c"), "--chapter", "1"])

    assert 0 == result.exit_code
    assert (tmp_path / "c" / "source" / "01_why_a_log" / "01_why_a_log.ipynb").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--chapter", "77"], "there is no chapter '77'; there are 01_why_a_log"),
        (["--course-id", "a b"], "cannot be a folder's name"),
    ],
)
def test_a_mistake_is_a_sentence_an_exit_code_and_nothing_written(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = CliRunner().invoke(app, ["teach", str(tmp_path / "c"), *arguments])

    assert 1 == result.exit_code
    assert says in result.stderr
    assert "" == result.stdout
    assert [] == list(tmp_path.iterdir())


def test_a_missing_folder_is_a_mistyped_command() -> None:
    assert 2 == CliRunner().invoke(app, ["teach"]).exit_code


def test_live_canaries_let_grading_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_command, "grade_canaries", lambda *_: Canaries(24, 24, 0))

    result = CliRunner().invoke(app, ["canary", ".", "01_why_a_log"])

    assert (0, "") == (result.exit_code, result.stderr)
    assert "has 24 of 24 automatic points, the untouched release 0. Grading can begin." in result.stdout


@pytest.mark.parametrize("error", [CanaryDied("they died"), CannotTeach("no course")])
def test_dead_canaries_and_missing_courses_fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> Canaries:
        raise error

    monkeypatch.setattr(canary_command, "grade_canaries", fail)

    result = CliRunner().invoke(app, ["canary", ".", "01_why_a_log"])

    assert (1, "", f"course canary: {error}\n") == (result.exit_code, result.stdout, result.stderr)
