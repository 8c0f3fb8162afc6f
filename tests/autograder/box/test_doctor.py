"""The doctor: finds a sandbox sound, and no sandbox wanting."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.box import Backend, Boxed, BoxFailed, Limits, Unsandboxed
from autograder.box.doctor import REQUIRED, examine, missing

from .ordinary_user import OrdinaryUser

EXAMINE = """
import json
from autograder.box import best_backend
from autograder.box.doctor import examine
print(json.dumps({finding.name: finding.enforced for finding in examine(best_backend())}))
"""
NAMES = {"net", "read", "write", "pids", "memory", "cpu", "output", "disk", "environ", "signals", "fds", "daemon"}


class Broken:
    """A sandbox that does not start."""

    name = "broken"

    def problem(self) -> str | None:
        return "broken"

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        raise BoxFailed("out of order")


def test_everything_is_enforced_by_the_sandbox(backend: Backend) -> None:
    findings = examine(backend)

    assert {} == {finding.name: finding.detail for finding in findings if not finding.enforced}
    assert NAMES == {finding.name for finding in findings}
    assert [] == missing(findings)


@pytest.mark.usefixtures("backend")
def test_everything_is_enforced_for_an_ordinary_user(tmp_path: Path) -> None:
    with OrdinaryUser.or_skip() as user:
        script = tmp_path / "examine.py"
        script.write_text(EXAMINE)
        found = json.loads(user.run(user.copy(script)))

    assert dict.fromkeys(NAMES, True) == found


def test_without_a_sandbox_the_attacks_are_noticed() -> None:
    """A doctor who finds everybody healthy is no doctor."""
    findings = {finding.name: finding.enforced for finding in examine(Unsandboxed())}

    assert {"memory", "cpu", "output", "fds"} == {name for name, enforced in findings.items() if enforced}


def test_a_probe_that_did_not_run_proves_nothing() -> None:
    findings = examine(Broken())

    assert [] == [finding.name for finding in findings if finding.enforced]
    assert {"the probe did not run: out of order"} == {finding.detail.split(";")[0] for finding in findings}
    assert sorted(REQUIRED) == missing(findings)


def test_the_required_come_first() -> None:
    assert REQUIRED == {finding.name for finding in examine(Broken())[: len(REQUIRED)]}


def test_the_doctor_leaves_nothing_behind(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o755)

    examine(backend)
    examine(Unsandboxed())

    assert [] == list(tmp_path.iterdir())
