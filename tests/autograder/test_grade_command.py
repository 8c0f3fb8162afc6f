"""`autograder grade` as a person and a script meet it: sentences, exit codes, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder import grade_command
from autograder.box import Backend, BoxFailed, NoWorkingBox
from autograder.box.doctor import Finding
from autograder.cli import app
from tests.autograder.grading import processes_below
from tests.autograder.notebooks import Notebook

GRADE = [sys.executable, "-c", "from autograder.cli import main; main()", "grade"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder, and a home of their own for the secret."""
    monkeypatch.setenv("KAFKALITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["grade", *arguments])


def one_sentence(result: Result) -> str:
    """What was said on stderr, which must be all that was said."""
    assert "" == result.stdout
    assert result.stderr.startswith("autograder grade: ")
    assert 1 == result.stderr.count("\n")
    return result.stderr.removeprefix("autograder grade: ").strip()


@pytest.mark.usefixtures("backend")
def test_a_graded_notebook_is_exit_code_0_whatever_the_score(own_folder: Path) -> None:
    Notebook.solved().save(own_folder, "solved.ipynb")
    Notebook.released().save(own_folder, "stub.ipynb")

    solved, stub = run("solved.ipynb", "--json", "report.json"), run("stub.ipynb")

    assert (0, 0) == (solved.exit_code, stub.exit_code), solved.output + stub.output
    assert "24 of 24 points; 4 more not answered" in solved.output
    assert "0 of 24 points" in stub.output
    report = json.loads((own_folder / "report.json").read_text())
    assert (24, "bubblewrap", True) == (report["score"], report["box"]["backend"], report["box"]["sandboxed"])
    assert {"net", "read", "write", "pids"} == {name for name, holds in report["box"]["enforces"].items() if holds}


@pytest.mark.usefixtures("backend")
def test_hidden_cases_come_from_the_learners_own_secret_or_from_the_teachers(own_folder: Path) -> None:
    Notebook.solved().save(own_folder, "hw.ipynb")
    (own_folder / "class.txt").write_text("our class\n")

    assert 0 == run("hw.ipynb", "--secret-file", "class.txt").exit_code
    assert not (own_folder.parent / "home").exists()
    assert 0 == run("hw.ipynb").exit_code
    assert (own_folder.parent / "home" / "secret").exists()


def test_without_a_sandbox_only_whoever_asks_for_it_is_graded_and_it_is_written_down(own_folder: Path) -> None:
    Notebook.solved().save(own_folder, "hw.ipynb")
    result = run("hw.ipynb", "--unsandboxed", "--json", "report.json")

    assert 0 == result.exit_code, result.output
    assert "nothing kept the answers from this machine" in result.output
    box = json.loads((own_folder / "report.json").read_text())["box"]
    assert {"backend": "unsandboxed", "sandboxed": False, "enforces": {}} == box


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no hw.ipynb"),
        (b"", "hw.ipynb is empty"),
        (b"print('hello')", "hw.ipynb is not a notebook: it is not JSON"),
        (b"{}", "hw.ipynb is not a notebook of format 4"),
        (b'{"nbformat": 4, "cells": []}', "hw.ipynb is not a notebook of this course"),
    ],
)
def test_a_bad_notebook_is_one_sentence_and_exit_code_2(own_folder: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (own_folder / "hw.ipynb").write_bytes(content)
    result = run("hw.ipynb", "--json", "report.json")

    assert 2 == result.exit_code
    assert said in one_sentence(result)
    assert not (own_folder / "report.json").exists()


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ({"course": "another"}, "is not a notebook of this course"),
        ({"chapter": "99_nowhere"}, "is of chapter '99_nowhere', which the installed course does not have"),
        ({"release": "0000"}, "is of release 0000; expected release"),
    ],
)
def test_a_notebook_from_elsewhere_is_exit_code_2(own_folder: Path, says: dict[str, str], said: str) -> None:
    notebook = Notebook.solved()
    notebook.content["metadata"]["kafkalite"].update(says)
    notebook.save(own_folder, "hw.ipynb")
    result = run("hw.ipynb")

    assert 2 == result.exit_code
    assert said in one_sentence(result)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--json", "absent/report.json"], "expected a file in a folder that exists"),
        (["--json", "."], "expected a file in a folder that exists"),
        (["--secret-file", "absent.txt"], "The secret cannot be read from absent.txt: No such file"),
        (["--secret-file", "empty.txt"], "empty.txt is empty"),
        (["--release", "empty.txt"], "empty.txt is no released notebook to grade by"),
    ],
)
def test_an_option_that_cannot_be_used_is_exit_code_2(own_folder: Path, options: list[str], said: str) -> None:
    Notebook.solved().save(own_folder, "hw.ipynb")
    (own_folder / "empty.txt").touch()
    result = run("hw.ipynb", *options)

    assert 2 == result.exit_code
    assert said in one_sentence(result)


def test_a_missing_argument_is_a_usage_error() -> None:
    assert 2 == run().exit_code


def test_an_older_release_is_graded_by_its_own_notebook(own_folder: Path) -> None:
    for name, notebook in (("hw.ipynb", Notebook.solved()), ("release.ipynb", Notebook.released())):
        notebook.content["metadata"]["kafkalite"]["release"] = "0000"
        notebook.save(own_folder, name)

    assert 0 == run("hw.ipynb", "--release", "release.ipynb", "--unsandboxed").exit_code


def test_without_a_working_sandbox_it_is_exit_code_3(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Backend:
        raise NoWorkingBox("No sandbox works here. bubblewrap is not installed.")

    monkeypatch.setattr(grade_command, "best_backend", none)
    Notebook.solved().save(own_folder, "hw.ipynb")
    result = run("hw.ipynb")

    assert 3 == result.exit_code
    assert "No sandbox works here. bubblewrap is not installed." == one_sentence(result)


def test_a_sandbox_that_does_not_hold_is_none(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, backend: Backend
) -> None:
    monkeypatch.setattr(grade_command, "missing", lambda findings: ["net"] if isinstance(findings[0], Finding) else [])
    Notebook.solved().save(own_folder, "hw.ipynb")
    result = run("hw.ipynb")

    assert 3 == result.exit_code
    assert f"{backend.name} does not enforce net here" in one_sentence(result)


def test_a_box_that_cannot_be_started_is_exit_code_4_and_no_score(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        name = "full"

        def problem(self) -> None: ...

        def start(self, *_: object) -> None:
            raise BoxFailed("no room")

    monkeypatch.setattr(grade_command, "Unsandboxed", Full)
    Notebook.solved().save(own_folder, "hw.ipynb")
    result = run("hw.ipynb", "--unsandboxed", "--json", "report.json")

    assert 4 == result.exit_code
    assert "the score is not final" in result.stderr
    assert json.loads((own_folder / "report.json").read_text())["score"] is None


@pytest.mark.usefixtures("backend")
def test_ctrl_c_is_exit_code_130_and_leaves_nothing(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grade_command, "grade_submission", interrupted)
    Notebook.solved().save(own_folder, "hw.ipynb")
    result = run("hw.ipynb", "--json", "report.json")

    assert 130 == result.exit_code
    assert "interrupted; nothing was written" == one_sentence(result)
    assert ["hw.ipynb"] == [path.name for path in own_folder.iterdir()]


@pytest.mark.usefixtures("backend")
def test_a_real_ctrl_c_ends_the_boxes_too(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = own_folder.parent / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    Notebook.solved().answer("log", "while True: pass").save(own_folder, "hw.ipynb")
    command = [*GRADE, "hw.ipynb", "--json", "report.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as grader:
        while not _worker_of(temporary) and grader.poll() is None:
            os.sched_yield()
        grader.send_signal(signal.SIGINT)
        stdout, stderr = grader.communicate()

    assert 130 == grader.returncode, stderr
    assert ("", "autograder grade: interrupted; nothing was written\n") == (stdout, stderr)
    assert ["hw.ipynb"] == [path.name for path in own_folder.iterdir()]
    assert [] == list(temporary.iterdir())
    assert [] == processes_below(temporary)


def _worker_of(temporary: Path) -> bool:
    """A box that holds the grader's image: grading has begun."""
    return any(temporary.glob("autograder-image-*")) and bool(processes_below(temporary))


def test_a_script_gets_exit_codes_from_the_installed_command() -> None:
    result = subprocess.run([*GRADE, "absent.ipynb"], capture_output=True, text=True, check=False)

    assert (2, "") == (result.returncode, result.stdout)
    assert result.stderr.startswith("autograder grade: There is no absent.ipynb")


def test_help_says_the_exit_codes() -> None:
    text = run("--help").output

    assert all(f"{code} " in text for code in (0, 2, 3, 4, 130))
    assert "--unsandboxed" in text


def test_help_of_the_command_line_imports_no_command() -> None:
    """It answers in a blink."""
    code = (
        "import sys; sys.argv = ['autograder', '--help']\n"
        "from autograder.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('autograder.grade', 'course.chapters.catalog')))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
