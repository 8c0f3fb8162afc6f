"""`autograder doctor` as a person and a script meet it. What the probes find is tested beside the box."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from autograder import doctor_command
from autograder.box import Bubblewrap, NoWorkingBox
from autograder.box.doctor import REQUIRED, Finding
from autograder.cli import app


def examined(monkeypatch: pytest.MonkeyPatch, *findings: Finding, options: Sequence[str] = ()) -> tuple[int, str]:
    monkeypatch.setattr(doctor_command, "best_backend", Bubblewrap)
    monkeypatch.setattr(doctor_command, "examine", lambda _backend: list(findings))
    result = CliRunner().invoke(app, ["doctor", *options])
    return result.exit_code, result.output


def enforced(*names: str) -> list[Finding]:
    return [Finding(name, enforced=True, detail="tried") for name in names]


def test_a_machine_that_enforces_what_is_required_may_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = examined(monkeypatch, *enforced(*REQUIRED), Finding("disk", enforced=False, detail="96 MB written"))

    assert 0 == code
    assert "A graded run is possible on this machine." in said
    assert "disk     wanted  NOT ENFORCED: 96 MB written\n" in said
    assert "net      needed  enforced\n" in said


def test_details_say_what_was_tried_also_where_it_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _code, said = examined(monkeypatch, *enforced(*REQUIRED), options=["--details"])

    assert "net      needed  enforced: tried\n" in said


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_required_thing_that_is_not_enforced_ends_in_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    findings = [*enforced(*REQUIRED - {missing}), Finding(missing, enforced=False, detail="got out")]

    code, said = examined(monkeypatch, *findings)

    assert 3 == code
    assert f"a graded run needs {missing}, not enforced here" in said


def test_a_required_thing_that_nobody_examined_ends_in_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = examined(monkeypatch, *enforced("net", "read"))

    assert 3 == code
    assert "a graded run needs pids, write, not enforced here" in said


def test_a_machine_without_a_sandbox_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_works() -> None:
        raise NoWorkingBox("No sandbox works here. bubblewrap: not installed.")

    monkeypatch.setattr(doctor_command, "best_backend", none_works)

    result = CliRunner().invoke(app, ["doctor"])

    assert (3, "autograder doctor: No sandbox works here. bubblewrap: not installed.\n") == (
        result.exit_code,
        result.output,
    )
