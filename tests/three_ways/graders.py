"""The three graders, each as it is really used, with what they say brought to one form: rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.box import Backend
from autograder.budget import Budget
from autograder.grade import grade
from autograder.manifest import read_manifest
from autograder.submission import read_submission
from course.build.kernel import run_all
from course.checks.result import CheckResult
from course.lab import MIME_TYPE
from tests.stock_nbgrader import Score, nbgrader, scores
from tests.submissions import answered, read, write
from tests.three_ways.cases import CHAPTER, Submission

NAME = CHAPTER.name
BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Check:
    """How a check ended: its outcome and points, and each rule with whether it passed, ran, and broke only hidden."""

    outcome: str
    score: float
    rules: Mapping[str, tuple[bool, bool, bool]]


Result = Mapping[str, Check]


def _check(data: Mapping[str, Any]) -> Check:
    rules = {rule["id"]: (rule["passed"], rule["ran"], rule["hidden"]) for rule in data["rules"]}
    return Check(data["outcome"], data["score"], rules)


def _missing(check_id: str) -> Check:
    """There is no answer of that name: the check cell ends in a NameError."""
    _, check = CHAPTER.find(check_id)
    return Check("ERROR", 0.0, {rule.id: (False, False, False) for rule in check.rules})


def _from_outputs(notebook: NotebookNode) -> Result:
    """What the check cells of a notebook that was run show."""
    found = {}
    for cell in notebook.cells:
        if cell.metadata.get("kafkalite", {}).get("role") == "check":
            data = [output["data"][MIME_TYPE] for output in cell.outputs if MIME_TYPE in output.get("data", {})]
            errors = [output["ename"] for output in cell.outputs if output["output_type"] == "error"]
            assert (1, []) == (len(data), errors) or (0, ["NameError"]) == (len(data), errors), cell.outputs
            check_id = cell.metadata.kafkalite.check
            found[check_id] = _check(data[0]) if data else _missing(check_id)
    return found


def typed(released: NotebookNode, submission: Submission) -> NotebookNode:
    """The release with these answers, and without the lab's cells: an endless answer is endless in each of them."""
    notebook = answered(released, submission.answers)
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("kafkalite", {}).get("role") != "lab"]
    return notebook


def in_a_kernel(released: NotebookNode, submission: Submission, secret: str, release: str) -> Result:
    """A learner's notebook, run from top to bottom in a fresh kernel, also on the cases of that secret."""
    notebook = typed(released, submission)
    setup = next(
        n for n, cell in enumerate(notebook.cells) if cell.metadata.get("kafkalite", {}).get("role") == "setup"
    )
    notebook.cells.insert(setup + 1, nbformat.v4.new_code_cell(f"lab.grading({secret!r}, {release!r})"))
    return _from_outputs(run_all(notebook))


def by_nbgrader(
    course: Path, submissions: Iterable[Submission], *options: str, expect: int = 0
) -> tuple[Mapping[str, Result], Mapping[str, Mapping[str, Score]]]:
    """One batch: what each autograded notebook shows, and what the gradebook holds. Lost submissions are absent."""
    released = read(course / "release" / NAME / f"{NAME}.ipynb")
    for submission in submissions:
        target = course / "submitted" / submission.name / NAME / f"{NAME}.ipynb"
        write(typed(released, submission), target)
    nbgrader(course, "autograde", NAME, *options, expect=expect)
    graded = course.glob(f"autograded/*/{NAME}/{NAME}.ipynb")
    return {path.parts[-3]: _from_outputs(read(path)) for path in graded}, scores(course, NAME)


def in_the_box(
    course: Path, submission: Submission, secret: str, backend: Backend, folder: Path, budget: Budget = BUDGET
) -> Result:
    """The autograder, with that secret."""
    release = course / "release" / NAME / f"{NAME}.ipynb"
    path = write(typed(read(release), submission), folder / f"{submission.name}.ipynb")
    graded = grade(read_submission(path), read_manifest(release), backend, secret, budget=budget)
    return {check_id: as_check(result) for check_id, result in graded.items()}


def as_check(result: CheckResult) -> Check:
    """A result in the form that is compared."""
    return _check(result.as_data())
