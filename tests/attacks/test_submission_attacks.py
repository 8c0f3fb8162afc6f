"""Hostile submissions: each loses its own points in the expected way, and nobody and nothing else is touched."""

from __future__ import annotations

import inspect
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.box import Backend
from autograder.grade import JOBS, Graded
from autograder.report import BoxReport, make_report
from autograder.submission import parse_notebook
from course.chapters import catalog
from course.checks import limits, seeds
from course.checks.examine import run_case
from course.checks.local import LocalPort
from tests.attacks.hostile_cells import CELLS, RIGHT
from tests.autograder.grading import FULL, SECRET, SHORT, SMALL, graded, outcomes, processes_below
from tests.autograder.notebooks import CHAPTER, Notebook, manifest

pytestmark = pytest.mark.attacks

# What becomes of log-append, the first check that meets the attack. Where more than one end is listed, the attack ends
# in whichever of them comes first on this machine.
EXPECTED: dict[str, set[str]] = {
    "R01 cpu_loop": {"TIMEOUT"},
    "R01 cpu_loop in the cell": {"TIMEOUT"},
    "R04 sigstop_self": {"TIMEOUT"},
    "R05 c_level_hang": {"TIMEOUT"},
    "R05 c_level_hang in the cell": {"TIMEOUT"},
    "R07 mem_bomb": {"MEMORY"},
    "R07 mem_bomb in the cell": {"MEMORY"},
    "R10 fork_bomb": {"ERROR", "FAIL"},
    "R13 disk_fill": {"ERROR", "FAIL"},
    "R15 output_flood": {"OUTPUT_LIMIT"},
    "R15 output_flood around the streams": {"OUTPUT_LIMIT"},
    "R15 output_flood in the cell": {"OUTPUT_LIMIT"},
    "R18 deep_recursion": {"CRASH", "MEMORY", "TIMEOUT"},
    "R19 segfault": {"CRASH"},
    "E01 tcp_out": {"ERROR", "FAIL"},
    "E02 udp_out": {"ERROR", "FAIL"},
    "E08 read_gradebook": {"ERROR", "FAIL"},
    "E09 symlink_gradebook": {"ERROR", "FAIL"},
    "E12 proc_env": {"ERROR", "FAIL"},
    "E14 inherited_fd": {"ERROR", "FAIL", "TIMEOUT", "PROTOCOL", "CRASH"},
    "E16 kill_grader": {"PASS", "CRASH"},
    "E21 persist_between_runs": {"ERROR", "FAIL"},  # its second call finds what its first one left, and no other does
    "I01 always_true_eq": {"FAIL"},
    "I01 always_true_eq as a subclass": {"FAIL"},
    "I03 bool_for_int": {"FAIL"},
    "I03 float_for_int": {"FAIL"},
    "I05 ast_strip_asserts": {"FAIL"},
    "I09 read_hidden_source": {"ERROR", "FAIL"},
    "I11 read_test_file": {"ERROR", "FAIL", "TIMEOUT"},
    "I14 skip": {"ERROR", "FAIL"},
    "I14 skip by its own name": {"ERROR", "FAIL"},
    "I15 os_exit0": {"CRASH"},
    "I15 os_exit0 in the cell": {"CRASH"},
    "I15 sys_exit0": {"ERROR", "FAIL"},
    "I15 sys_exit0 in the cell": {"ERROR"},
    "I20 forged_frames": {"PROTOCOL"},
    "I20 forged_frames in the cell": {"PROTOCOL"},
    "I20 forged_frames from a thread": {"PROTOCOL", "FAIL"},
    "I20 closed_pipes": {"CRASH", "TIMEOUT"},
    "I21 len_bomb": {"PROTOCOL"},
    "I21 depth_bomb": {"PROTOCOL"},
    "I21 bigint": {"PROTOCOL"},
    "I21 bad_utf8": {"PROTOCOL"},
    "I26 infinite_iterator": {"FAIL"},
    "I26 huge_list": {"FAIL", "TIMEOUT"},
    "I26 slow_for_ever": {"TIMEOUT"},
    "I28 import_reference": {"REJECTED"},
    "I28 import_reference later": {"ERROR", "FAIL"},
    "I28 import_reference by its public name": {"REJECTED"},
    "I30 poison_sys_modules": {"FAIL", "ERROR", "CRASH"},
    "I39 monkeypatch_builtins": {"FAIL", "ERROR", "CRASH", "PROTOCOL"},
    "I39 monkeypatch_worker": {"FAIL", "ERROR", "CRASH", "PROTOCOL", "REJECTED"},
}

LONGEST_S = 2 * (limits.PATIENCE * SMALL.cells_s + SMALL.check_s) * len(FULL) / JOBS + 1
"""The limits of every check, once more for what is tried again, and a second."""


@pytest.fixture
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the grader makes its files, so that what is left can be told from other tests'."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the teacher's that an attack would like to kill."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Somebody to talk to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def report_of(notebook: Notebook, results: Graded) -> str:
    """All that a grader ever says of a submission."""
    submission = parse_notebook(notebook.to_bytes(), "submitted.ipynb")
    return make_report(submission, manifest(), results, BoxReport("a box", sandboxed=True, enforces={})).to_json()


def test_every_attack_has_its_expected_end() -> None:
    assert CELLS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("attack", CELLS)
def test_an_attack_costs_its_own_points_and_nothing_else(
    attack: str,
    backend: Backend,
    own_temporary_folder: Path,
    tmp_path: Path,
    bystander: subprocess.Popen[bytes],
    server: socket.socket,
) -> None:
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_text("everybody's points")
    gradebook.chmod(0o644)
    tmp_path.chmod(0o755)
    told = {
        "E01": str(server.getsockname()[1]),
        "E02": str(server.getsockname()[1]),
        "E08": repr(str(gradebook)),
        "E09": repr(str(gradebook)),
        "E12": str(Path.cwd())[::-1],
        "E16": str(bystander.pid),
        "I09": SECRET[::-1],
    }.get(attack[:3], "")
    notebook = Notebook.solved().answer("log", CELLS[attack].replace("TOLD", told))

    results = graded(notebook, backend, SHORT if attack == "I26 slow_for_ever" else SMALL)

    found = outcomes(results)
    report = report_of(notebook, results)
    assert results["log-append"].outcome.name in EXPECTED[attack], results["log-append"].message
    assert results["log-append"].outcome.name == "PASS" or 5 > results["log-append"].score
    assert (FULL["cursor-check"], FULL["deliver-check"]) == (found["cursor-check"], found["deliver-check"])
    assert "INFRA" not in str(found)
    assert [] == list(own_temporary_folder.iterdir())
    assert [] == processes_below(own_temporary_folder)
    assert bystander.poll() is None
    assert "everybody's points" not in report
    assert SECRET not in report
    assert str(Path.cwd()) not in report
    assert results.duration_s < LONGEST_S
    with pytest.raises(BlockingIOError):
        server.accept()


def test_what_one_submission_left_the_next_one_does_not_find(backend: Backend) -> None:
    """E21: it fails only where its own first call was before."""
    notebook = Notebook.solved().answer("log", CELLS["E21 persist_between_runs"])

    first, second = graded(notebook, backend), graded(notebook, backend)

    assert outcomes(first) == outcomes(second)
    assert first["log-append"].behaviour == second["log-append"].behaviour


def test_a_check_cell_turned_into_a_number_is_worth_nothing(backend: Backend) -> None:
    """I07, F06, F07: what the notebook says of tests and points is not read."""
    notebook = Notebook.released()
    output = {"data": {"text/plain": "10.0"}, "output_type": "execute_result", "metadata": {}, "execution_count": 1}
    for grade_id in ("log-append", "log-read"):
        notebook.answer(grade_id, "10.0")
        cell = notebook.cell(grade_id)
        cell["metadata"]["nbgrader"].update(points=1000, locked=False, solution=True)
        cell["outputs"] = [output]
    results = graded(notebook, backend)

    assert {"log-append": 0.0, "log-read": 0.0} == {check: results[check].score for check in ("log-append", "log-read")}
    assert (5, 5) == (results["log-append"].points, results["log-read"].points)


@pytest.mark.parametrize("kind", ["markdown", "raw", None])
def test_a_check_cell_that_is_gone_is_made_all_the_same(kind: str | None, backend: Backend) -> None:
    """F07: neither the right answer loses by it, nor does a wrong one win."""
    right, wrong = Notebook.solved(), Notebook.released()
    for notebook in (right, wrong):
        if kind is None:
            notebook.delete("log-append")
        else:
            notebook.change("log-append", lambda cell: cell.update(cell_type=kind))

    assert FULL == outcomes(graded(right, backend))
    assert 0 == sum(result.score for result in graded(wrong, backend).values())


def test_magics_are_left_out_with_a_note(backend: Backend) -> None:
    """F18."""
    notebook = Notebook.solved()
    notebook.add("%%bash\nrm -rf ~", before="log")
    notebook.add("!rm -rf ~\n%run ../x.py\n%load_ext evil\nx = !cat /etc/passwd", before="log")
    results = graded(notebook, backend)

    assert FULL == outcomes(results)
    assert ["%%bash", "!rm -rf ~", "%run ../x.py", "%load_ext evil", "x = !cat /etc/passwd"] == [
        note.partition("not run when graded: ")[2] for note in results.notes
    ]


def _key(state: Any, event: Any) -> str:
    return repr((state.values, sorted(state.positions.items()), sorted(state.idle), event))


def test_an_answer_that_knows_the_public_cases_by_heart_fails_on_hidden_ones(backend: Backend) -> None:
    """I35."""
    (exercise,) = (one for one in catalog.chapter(CHAPTER).exercises if one.id == "deliver")
    with LocalPort({exercise.name: exercise.object}) as port:
        runs = [run_case(exercise, check, port, case) for check in exercise.checks for case in seeds.shown_cases(check)]
    known = {_key(*call.args) for run in runs for call in run.calls}
    right = Notebook.solved().cell("deliver")["source"].replace("def deliver", "def right", 1)
    notebook = Notebook.solved().answer(
        "deliver",
        f"KNOWN = {known!r}\n{right}\nfrom typing import Any\n{inspect.getsource(_key)}\n"
        "def deliver(state, event):\n"
        "    return right(state, event) if _key(state, event) in KNOWN else (state, [])\n",
    )
    (result,) = (graded(notebook, backend)[check.id] for check in exercise.checks)

    assert "FAIL" == result.outcome.name
    assert {True} == {rule.hidden for rule in result.rules if not rule.passed}


TELLS = """
logs = []
def attack(log):
    if log not in logs:
        logs.append(log)
    if len(logs) >= {last}:
        raise RuntimeError(str(logs[{told}].values))
"""


def test_an_answer_cannot_carry_hidden_cases_out(backend: Backend) -> None:
    """O10: it remembers what it was asked and says it in its errors; shown are those of one that was asked less."""
    check = next(check for _, check in catalog.chapter(CHAPTER).checks() if check.id == "log-append")
    shown, hidden = len(seeds.shown_cases(check)), seeds.hidden_cases(check, SECRET, manifest().release)
    told = shown + len(hidden) // 2  # the log that is told about, once all cases have been seen
    notebook = Notebook.solved().answer("log", TELLS.format(last=shown + len(hidden), told=told) + RIGHT)
    exercise = next(one for one in catalog.chapter(CHAPTER).exercises if one.id == "log")
    with LocalPort({exercise.name: exercise.object}) as port:
        (calls,) = (run_case(exercise, check, port, hidden[told - shown]).calls,)
    secret_values = str([value for call in calls if call.name == "append" for value in call.args[0]])

    results = graded(notebook, backend)

    assert any(rule.hidden for rule in results["log-append"].rules)
    assert secret_values not in report_of(notebook, results)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no kill -9 here")
def test_a_grader_that_is_killed_leaves_no_box_and_no_half_report(
    backend: Backend, own_temporary_folder: Path, tmp_path: Path
) -> None:
    """C05: and the next one grades as if nothing had been."""
    path = Notebook.solved().answer("log", "import time\nprint('ready')\ntime.sleep(9)").save(tmp_path)
    report = tmp_path / "report.json"
    command = [
        sys.executable,
        "-c",
        "from autograder.cli import main; main()",
        "grade",
        str(path),
        "--json",
        str(report),
    ]
    environment = {**os.environ, "TMPDIR": str(own_temporary_folder), "KAFKALITE_HOME": str(tmp_path / "home")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as grader:
        while not processes_below(own_temporary_folder) and grader.poll() is None:
            pass
        grader.kill()
    while processes_below(own_temporary_folder):  # the kernel is at it; a box that stayed would hang this test
        pass

    assert not report.exists()
    assert FULL == outcomes(graded(Notebook.solved(), backend))
