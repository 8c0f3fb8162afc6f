"""The versions that are promised are the versions that are installed."""

from __future__ import annotations

import re
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([0-9][0-9A-Za-z.!+-]*)")


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [PIN.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(found), "constraints.txt holds names and versions only; make it with `make constraints`"
    return {match[1]: match[2] for match in found if match}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_installed_distribution_is_constrained_to_the_version_it_has() -> None:
    """No drift: what the tests ran with is what the next person gets."""
    promised = pins()
    # Of the environment's own folders: setuptools, once imported, adds copies of others that it carries inside itself.
    folders = list({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    installed = {normalised(one.name): one.version for one in distributions(path=folders)}
    del installed["kafkalite-course"]

    differing = {name: (promised.get(name), has) for name, has in installed.items() if promised.get(name) != has}

    assert {} == differing, "name: (promised, installed); try: make constraints, then make .venv"


def test_every_declared_dependency_is_constrained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]

    names = {normalised(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in declared}

    assert set() == names - pins().keys()
