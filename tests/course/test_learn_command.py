"""`course learn` as a person meets it: what it prints, and the exit code a script can trust."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from course import learn_command
from course.cli import app
from course.lab_server import LabOptions, NoJupyterLab

RELEASED = b'{"cells": [], "metadata": {"kafkalite": {"release": "r1"}}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LabOptions]:
    """What JupyterLab would have been started with; the released notebooks are one tiny one."""
    released = tmp_path / "released"
    released.mkdir()
    (released / "01_log.ipynb").write_bytes(RELEASED)
    calls: list[LabOptions] = []
    monkeypatch.setattr(learn_command, "released_notebooks", lambda: released)
    monkeypatch.setattr(learn_command, "serve", calls.append)
    monkeypatch.chdir(tmp_path)
    return calls


def test_the_first_run_opens_the_first_chapter_and_later_runs_what_was_open(served: list[LabOptions]) -> None:
    first = CliRunner().invoke(app, ["learn", "--port", "9000", "--no-browser"])
    second = CliRunner().invoke(app, ["learn"])

    assert (0, 0) == (first.exit_code, second.exit_code)
    assert "Copied to my-notebooks: 01_log.ipynb" in first.output
    assert "as you left them" in second.output
    assert [
        LabOptions(Path("my-notebooks"), "/lab/tree/01_log.ipynb", 9000, None, open_browser=False),
        LabOptions(Path("my-notebooks"), "/lab", None, None, open_browser=True),
    ] == served


def test_prepare_only_lays_out_and_stops(served: list[LabOptions]) -> None:
    result = CliRunner().invoke(app, ["learn", "elsewhere", "--prepare-only"])

    assert 0 == result.exit_code
    assert RELEASED == Path("elsewhere/01_log.ipynb").read_bytes()
    assert [] == served


def test_a_kept_copy_of_another_release_is_said_and_still_opened(served: list[LabOptions]) -> None:
    Path("my-notebooks").mkdir()
    Path("my-notebooks/01_log.ipynb").write_bytes(RELEASED.replace(b"r1", b"r0"))

    result = CliRunner().invoke(app, ["learn"])

    assert 0 == result.exit_code
    assert "Note: 01_log.ipynb is of release r0; the course now holds r1." in result.output
    assert 1 == len(served)


def test_a_refused_folder_is_one_sentence_and_exit_code_1(served: list[LabOptions]) -> None:
    result = CliRunner().invoke(app, ["learn", "released"])

    assert 1 == result.exit_code
    assert result.output.startswith("course learn: released is inside ")
    assert [] == served


def test_without_jupyterlab_nothing_is_laid_out(served: list[LabOptions], monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise NoJupyterLab("JupyterLab is not installed")

    monkeypatch.setattr(learn_command, "require_jupyterlab", absent)

    result = CliRunner().invoke(app, ["learn"])

    assert (1, "course learn: JupyterLab is not installed\n") == (result.exit_code, result.output)
    assert not Path("my-notebooks").exists()
    assert [] == served


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_a_usage_error(served: list[LabOptions], port: str) -> None:
    assert 2 == CliRunner().invoke(app, ["learn", "--port", port]).exit_code
    assert [] == served
