"""Traces of solutions, hidden regions and secrets, wherever in a release they are."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
import pytest

from course.build import instructor_notebook, released_notebook
from course.build.verify import Subject
from course.build.verify.leaks import leaks, leaks_in
from course.build.verify.subject import SECRET
from tests.course.build.seam import seam, with_text

PROSE = ("of them automatic.", "of them automatic.\n\n")


def test_a_clean_release_has_no_trace() -> None:
    assert [] == list(leaks(Subject(seam(), Path())))


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (
            "    return max(previous, min(end_offsets[replica] for replica in maximal_isr))",
            "a line of the solution of high_",
        ),
        ("The solution is:\n\n    base_offset   =  self.end()", "a line of the solution of log"),
        ("# leader 1  a   b   c   d   e     end 5", "a line of the solution of high_watermark"),
        ("Look for lab.grading in the source.", "holds `lab.grading`"),
        ("What stands at END HIDDEN is cut.", "holds `END HIDDEN`"),
        (f"Psst: {SECRET}", "holds the secret"),
        ("Any member of the ISR may be elected, also one outside the majority.", "shows the model answer"),
    ],
)
def test_a_trace_in_the_prose_is_found(tmp_path: Path, trace: str, said: str) -> None:
    chapter = with_text(tmp_path, (PROSE[0], PROSE[1] + trace))

    (problem,) = leaks(Subject(chapter, tmp_path))

    assert said in problem.what
    assert problem.where.startswith("cell text-")


def test_what_the_learner_is_given_is_no_trace(tmp_path: Path) -> None:
    given = "        first = offset - self._start"  # of `read`, which this chapter gives

    assert [] == list(leaks(Subject(with_text(tmp_path, (PROSE[0], PROSE[1] + given)), tmp_path)))


def test_a_trace_in_code_metadata_or_output_is_found() -> None:
    line = "self._values.extend(values)"
    in_code, in_metadata, in_output, in_head = (copy.deepcopy(released_notebook(seam())) for _ in range(4))
    in_code.cells[1].source += f"\n    {line}"
    in_metadata.cells[1].metadata["note"] = {"deep": [line]}
    in_output.cells[1].outputs = [nbformat.v4.new_output("display_data", {"text/plain": line})]
    in_head.metadata["note"] = SECRET

    found = [
        [problem.where for problem in leaks_in(one, seam(), SECRET)]
        for one in (in_code, in_metadata, in_output, in_head)
    ]

    cell = in_code.cells[1].id
    assert [
        [f"cell {cell}"],
        [f"cell {cell}, metadata"],
        [f"cell {cell}, output"],
        ["the notebook's metadata"],
    ] == found


def test_an_instructor_notebook_handed_out_by_mistake_is_full_of_traces() -> None:
    found = " ".join(problem.what for problem in leaks_in(instructor_notebook(seam(), secret=SECRET), seam(), SECRET))

    for said in ("BEGIN SOLUTION", "HIDDEN TESTS", "the secret", "a line of the solution of log"):
        assert said in found
