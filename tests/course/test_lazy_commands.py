"""Commands are listed without being loaded, and loaded when called."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from autograder import cli as autograder_cli
from course import cli as course_cli
from course.lazy_commands import LazyCommand, command_line

ALL_ROWS = (*course_cli.COMMANDS, *autograder_cli.COMMANDS)
HEAVY = {"jupyterlab", "IPython", "nbformat", "nbclient", "jupytext", "matplotlib", "networkx", "nbgrader"}


@pytest.mark.parametrize("row", ALL_ROWS, ids=lambda row: row.home)
def test_every_row_names_a_home_that_loads(row: LazyCommand) -> None:
    assert row.load() is not None


@pytest.mark.parametrize("module", ["course.cli", "autograder.cli"])
def test_help_lists_every_command_and_loads_none(module: str) -> None:
    rows = {"course.cli": course_cli.COMMANDS, "autograder.cli": autograder_cli.COMMANDS}[module]
    script = (
        f"import sys; from typer.testing import CliRunner; from {module} import app; "
        "result = CliRunner().invoke(app, ['--help']); print(result.output, *sys.modules, sep='\\n')"
    )

    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    assert [] == [row.name for row in rows if row.name not in printed]
    assert set() == {row.home.partition(":")[0] for row in rows} & set(printed.split())


def test_calling_learn_does_not_load_what_other_commands_need() -> None:
    script = "import sys, course.learn_command; print(*sys.modules, sep='\\n')"

    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    assert set() == HEAVY & set(printed.split())


def test_a_home_that_does_not_exist_hurts_only_when_called() -> None:
    app = command_line([LazyCommand("gone", "course.no_such_module:gone", "Is gone.")], help_text="")

    listed, called = CliRunner().invoke(app, ["--help"]), CliRunner().invoke(app, ["gone"])

    assert (0, True) == (listed.exit_code, "Is gone." in listed.output)
    assert isinstance(called.exception, ModuleNotFoundError)


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    result = CliRunner().invoke(course_cli.app, ["lern"])

    assert 2 == result.exit_code
    assert "Did you mean 'learn'?" in result.output
