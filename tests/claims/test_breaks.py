"""Each claim has a test that fails when kafkalite is broken in the one place that makes the claim true.

The named test runs in a process of its own, on a copy of kafkalite with that place broken. It must fail by what it
asserts, or because what it waits for never comes; a crash would show that the break is no good.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.claims.breaks import BREAKS, Break

ROOT = Path(__file__).resolve().parents[2]

# Every claim about how Kafka behaves. K1 to K3 and Z7 are left out: they are facts about the world. So are B2's numbers
# of brokers and C8's of consumers.
CLAIMS = [
    *(f"T{number}" for number in range(1, 12)),
    *("B1", "B2", "B3", "R1", "R2", "R3", "R4", "R5", "R6"),
    *("P1", "P2", "P3", "P4", "P5", "P6", "D1", "D2", "D3", "D4"),
    *("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "O1", "O2", "O3", "O4", "O5"),
    *("Z1", "Z2", "Z3", "Z4", "Z5", "Z6", "Z8"),
]

# How a test may fail: by an assertion, by an error that did not come, by waiting for what does not come.
AS_TESTS_FAIL = {"AssertionError", "ClaimFailed", "Failed", "SimulationStuck", "RequestFailed"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose kafkalite may be broken. It is compiled once; of each break only one file has to be again."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "kafkalite", root / "kafkalite", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(root / "kafkalite", quiet=1)
    for name in ("tests", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    return root


@pytest.fixture
def broken(tree: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The tree while one place is broken; then it is whole again, and as old as it was, so as it was compiled."""
    one: Break = request.param
    path = tree / one.file
    source, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(one.apply(source), encoding="utf-8")
    yield tree
    path.write_text(source, encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def run(tree: Path, test: str, report: Path) -> subprocess.CompletedProcess[str]:
    """One test in a process of its own, in this tree, without leaving anything there."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", f"--junitxml={report}"]
    options += ["-o", "timeout=60"]  # a break may lead to an endless loop
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *options, test],
        cwd=tree,
        env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(report.parent / "hypothesis")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("broken", "one"),
    [(one, one) for one in BREAKS],
    indirect=["broken"],
    ids=[f"{' '.join(one.claims)}: {one.wrong}" for one in BREAKS],
)
def test_breaking_the_place_makes_the_test_fail(broken: Path, one: Break, tmp_path: Path) -> None:
    done = run(broken, one.test, tmp_path / "report.xml")

    assert 1 == done.returncode, f"{one.test} should fail, and did not:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
    [failure] = ET.parse(tmp_path / "report.xml").iterfind(".//failure")
    kind = (failure.text or "").rpartition(": ")[2].strip()
    assert "Timeout" not in failure.get("message", ""), f"{one.test} should fail, and goes on and on"
    assert kind in AS_TESTS_FAIL, f"{one.test} should fail by what it asserts:\n{failure.text}"


def test_every_claim_is_watched() -> None:
    watched = {claim for one in BREAKS for claim in one.claims}

    assert [] == [claim for claim in CLAIMS if claim not in watched]
    assert [] == sorted(watched - {*CLAIMS}), "no such claim"
