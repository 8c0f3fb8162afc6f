"""Notebooks in a kernel: cells that stop Run All, and scores that are not what nbgrader should read."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from course.build.verify import Subject
from course.build.verify.kernels import score_text, solved, untouched
from tests.course.build.seam import with_lab, with_text


def test_a_cell_that_raises_stops_run_all_in_both_notebooks(tmp_path: Path) -> None:
    subject = Subject(with_text(tmp_path, ('lab.hint("log")', "1 / 0")), tmp_path)

    (in_solved,), (in_release,) = list(solved(subject)), list(untouched(subject))

    assert "90_seam, cell lab-play: in the solved notebook it stops Run All with ZeroDivisionError" in str(in_solved)
    assert "90_seam, cell lab-play: in the untouched release it stops Run All with ZeroDivisionError" in str(in_release)


def test_a_lab_that_cannot_bear_a_stub_stops_run_all_in_the_release_alone(tmp_path: Path) -> None:
    subject = Subject(with_text(tmp_path, ('lab.hint("log")', "Log().end()")), tmp_path)

    assert [] == list(solved(subject))
    assert ["in the untouched release it stops Run All with NotImplementedError: "] == [
        problem.what for problem in untouched(subject)
    ]


def test_a_kernel_that_dies_is_a_problem(tmp_path: Path) -> None:
    subject = Subject(with_text(tmp_path, ('lab.hint("log")', "import os; os._exit(1)")), tmp_path)

    (problem,) = untouched(subject)

    assert "90_seam: the untouched release cannot be run to its end: the kernel died" in str(problem)


def test_a_solution_without_full_points_and_a_stub_that_scores_are_problems(tmp_path: Path) -> None:
    subject = Subject(with_lab(tmp_path, "return 4.5"), tmp_path)

    lost, won = [str(problem) for problem in solved(subject)], [str(problem) for problem in untouched(subject)]

    assert "cell 90_seam-high-watermark-check: in the solved notebook nbgrader reads 4.5 points; expected 10" in lost[0]
    assert "cell 90_seam-log-append: in the solved notebook nbgrader reads 4.5 points; expected 5" in lost[1]
    assert "cell 90_seam-log-append: in the untouched release nbgrader reads 4.5 points; expected 0" in won[1]
    assert (2, 2) == (len(lost), len(won))


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        ("return None", "it shows nothing"),
        ("return 'full marks'", "full marks"),
        ("return 11.0", "execute_result '11.0'"),
        ("return -1.0", "execute_result '-1.0'"),
        ("return float('nan')", "execute_result 'nan'"),
        ("import sys; print('oh', file=sys.stderr); return 5.0", "stderr 'oh"),
    ],
)
def test_a_value_that_nbgrader_would_misread_is_a_problem(tmp_path: Path, check: str, shown: str) -> None:
    """Each of these would give full marks, none, or drop the whole submission."""
    found = [str(problem) for problem in untouched(Subject(with_lab(tmp_path, check), tmp_path))]

    assert 2 == len(found)
    for problem, points in zip(found, (10, 5), strict=True):
        assert f"must read as a number from 0 to {points}" in problem
        assert shown in problem


def output(kind: str, **content: object) -> NotebookNode:
    made: NotebookNode = nbformat.v4.new_output(kind, **content)
    return made


@pytest.mark.parametrize(
    ("expected", "outputs"),
    [
        (4.0, [output("execute_result", data={"text/plain": "4.0"})]),
        (0.0, [output("stream", name="stdout", text="hello"), output("execute_result", data={"text/plain": "0.0"})]),
        (2.5, [output("display_data", data={"text/plain": "x"}), output("execute_result", data={"text/plain": "2.5"})]),
        (None, [output("stream", name="stderr", text="!"), output("execute_result", data={"text/plain": "4.0"})]),
        (None, [output("error", ename="E", evalue="", traceback=[])]),
        (None, [output("execute_result", data={"text/plain": "np.float64(4.0)"})]),
        (None, [output("execute_result", data={"text/html": "<p>4.0</p>"})]),
        (None, []),
    ],
)
def test_the_score_is_the_first_error_stderr_or_result(expected: float | None, outputs: list[NotebookNode]) -> None:
    assert expected == score_text(nbformat.v4.new_code_cell(outputs=outputs))
