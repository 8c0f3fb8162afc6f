"""The exit code of `make test` can be trusted, and it always says how long things took."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "suite.py"


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("suite", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "suite", module)  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def run(suite: ModuleType, monkeypatch: pytest.MonkeyPatch, *codes: int) -> int:
    steps = [
        suite.Step(f"step {number}", (sys.executable, "-c", f"raise SystemExit({code})"))
        for number, code in enumerate(codes)
    ]
    monkeypatch.setattr(suite, "STEPS", steps)
    result: int = suite.main()
    return result


def test_all_steps_passing_is_0(suite: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 == run(suite, monkeypatch, 0, 0)


@pytest.mark.parametrize("codes", [(1, 0, 0), (0, 2, 0), (0, 0, 5)])
def test_one_failed_step_is_1_and_the_steps_after_it_still_run(
    suite: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], codes: tuple[int, ...]
) -> None:
    assert 1 == run(suite, monkeypatch, *codes)

    table = capsys.readouterr().out.partition("=== minutes")[2]
    assert (2, 1) == (table.count(" ok"), table.count("FAILED"))
    assert f"FAILED ({max(codes)})" in table


def test_an_interrupt_is_130_and_shows_what_was_done(
    suite: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real_run = subprocess.run

    def interrupted_in_step_1(command: tuple[str, ...], **_more: object) -> object:
        if command[2].endswith("(1)"):
            raise KeyboardInterrupt
        return real_run(command, check=False, cwd=None)

    monkeypatch.setattr(suite.subprocess, "run", interrupted_in_step_1)

    assert 130 == run(suite, monkeypatch, 0, 1)
    assert "step 0" in capsys.readouterr().out.partition("=== minutes")[2]


def test_the_steps_are_style_types_build_and_tests(suite: ModuleType) -> None:
    commands = [" ".join(step.command) for step in suite.STEPS]

    for part in ("ruff format --check", "ruff check", "mypy", "-m build --wheel", "-m pytest"):
        assert [part] == [part for command in commands if part in command]
