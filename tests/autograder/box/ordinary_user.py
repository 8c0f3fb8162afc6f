"""Somebody who is not root, for tests that root runs: with an interpreter they can reach and a copy of the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

import pytest

import autograder

UID = 61234
BECOME = ("setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "env", "-i")
"""`env` is more than tidiness: what setpriv itself starts, it still finds with the rights of root."""
VERSION = "import sys; sys.exit(sys.version_info < (3, 11))"


class OrdinaryUser:
    """Runs scripts as a user without any rights; `autograder.box` can be imported by them."""

    def __init__(self, python: str) -> None:
        self._python = python

    @classmethod
    def or_skip(cls) -> Self:
        """One that works here, or the test is skipped, with the reason."""
        if os.geteuid() != 0:
            pytest.skip("whoever runs the tests is an ordinary user already")
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed: nobody to become")
        for python in (sys.executable, "/usr/bin/python3"):
            if subprocess.run([*BECOME, python, "-c", VERSION], capture_output=True, check=False).returncode == 0:
                return cls(python)
        pytest.skip("no Python 3.11 or newer that an ordinary user can reach")

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ordinary-user-")
        packages = Path(autograder.__file__).parent
        pyseccomp = pytest.importorskip("pyseccomp")
        self.folder.chmod(0o755)
        (self.folder / "autograder").mkdir()
        for source in (packages / "__init__.py", packages / "box"):
            self.copy(source, self.folder / "autograder")
        self.copy(Path(pyseccomp.__file__))
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Where their scripts and packages are; readable, not writable."""
        return Path(self._folder.name)

    def copy(self, source: Path, folder: Path | None = None) -> Path:
        """A copy that they can read."""
        target = (folder or self.folder) / source.name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
        for path in (target, target.parent, *target.rglob("*")):
            path.chmod(0o755)
        return target

    def _environment(self) -> list[str]:
        return [f"PYTHONPATH={self.folder}", f"PATH={os.environ['PATH']}", "HOME=/nonexistent"]

    def run(self, script: Path, *arguments: object) -> str:
        """What the script prints; it has to exit with 0."""
        completed = subprocess.run(
            [*BECOME, *self._environment(), self._python, "-B", str(script), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == completed.returncode, completed.stderr
        return completed.stdout
