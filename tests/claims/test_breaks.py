"""Each claim has a test that fails when kafkalite is broken in the one place that makes the claim true.

The named test runs in a process of its own, on a copy of kafkalite with that place broken. It must fail by what it
asserts, or because what it waits for never comes; a crash would show that the break is no good.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.claims.breaks import BREAKS, Break, parse

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


@contextmanager
def broken(tree: Path, one: Break) -> Iterator[None]:
    """While one place in the tree is broken; then it is whole again, and as old as it was, so as it was compiled."""
    path = tree / one.file
    source, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(one.apply(source), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def objection(tree: Path, test: str, folder: Path) -> str:
    """Run the test in a process of its own, in this tree; why it did not fail as a test should, "" if it did."""
    report = folder / "report.xml"
    options = ["-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", f"--junitxml={report}"]
    options += ["-o", "timeout=120"]  # a break may lead to an endless loop
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *options, test],
        cwd=tree,
        env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return f"{test} should fail, and passes"
    failure = ET.parse(report).find(".//failure") if report.exists() else None
    if failure is None:
        return f"{test} could not be run:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
    kind = (failure.text or "").rpartition(": ")[2].strip()
    if kind in AS_TESTS_FAIL and "Failed: Timeout" not in failure.get("message", ""):
        return ""
    return f"{test} should fail by what it asserts:\n{failure.text}"


@pytest.mark.parametrize("one", BREAKS, ids=[f"{' '.join(one.claims)}: {one.wrong}" for one in BREAKS])
def test_breaking_the_place_makes_the_test_fail(tree: Path, one: Break, tmp_path: Path) -> None:
    with broken(tree, one):
        assert "" == objection(tree, one.test, tmp_path)


def test_every_claim_is_watched() -> None:
    watched = {claim for one in BREAKS for claim in one.claims}

    assert [] == [claim for claim in CLAIMS if claim not in watched]
    assert [] == sorted(watched - {*CLAIMS}), "no such claim"


# Breaks that are no good ---------------------------------------------------------------------------------------------

EXAMPLE = """\
T1 T2: one follows the other
kafkalite/plain.py
-two
-lines
+one
tests/a.py::test
"""


def test_a_break_is_read_and_applied_to_whole_lines() -> None:
    [one] = parse(EXAMPLE)

    assert (("T1", "T2"), "one follows the other", "kafkalite/plain.py") == (one.claims, one.wrong, one.file)
    assert "tests/a.py::test" == one.test
    assert "a\none\nb\n" == one.apply("a\ntwo\nlines\nb\n")
    assert "one\n" == one.apply("two\nlines\n")


@pytest.mark.parametrize("source", ["", "two\n", "  two\nlines\n", "two\nlines\ntwo\nlines\n"])
def test_what_does_not_stand_there_once_cannot_be_broken(source: str) -> None:
    [one] = parse(EXAMPLE)

    with pytest.raises(AssertionError, match=re.escape("must stand once in kafkalite/plain.py")):
        one.apply(source)


@pytest.mark.parametrize("part", ["-two\n-lines\n", "-", "+"])
def test_a_break_that_does_not_say_what_is_broken_is_refused(part: str) -> None:
    with pytest.raises(AssertionError, match=re.escape("one follows the other: expected lines that begin with")):
        parse(EXAMPLE.replace(part, ""))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("max(0, end - self._position)  # as before", "should fail, and passes"),
        ("max(0, end - self._postion)", "should fail by what it asserts"),
        ("max(0, end - self._position", "could not be run"),
    ],
    ids=["nothing", "a crash", "no Python"],
)
def test_a_break_that_breaks_nothing_or_too_much_is_told(tree: Path, tmp_path: Path, now: str, expected: str) -> None:
    was = "        return max(0, end - self._position)\n"
    test = "tests/kafkalite/clients/test_cursor.py::test_lag_is_never_negative"
    one = Break((), "", "kafkalite/clients/cursor.py", was, f"        return {now}\n", test)

    with broken(tree, one):
        assert expected in objection(tree, test, tmp_path)
    assert "passes" in objection(tree, test, tmp_path), "the tree is whole again"
