"""Grading a submission: full points for right answers however the notebook was treated, and reasons for the others."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.box import Backend, Boxed, BoxFailed, Limits
from autograder.grade import Graded, grade
from autograder.report import BoxReport, make_report
from autograder.submission import parse_notebook
from course.chapters import catalog
from course.checks.port import Outcome
from course.checks.result import CheckResult
from tests.autograder.grading import FULL, SECRET, SMALL, graded, outcomes
from tests.autograder.notebooks import CHAPTER, Notebook, manifest, right_answer

BOX = BoxReport("a box", sandboxed=True, enforces={"net": True})


def test_the_solved_chapter_has_all_automatic_points(backend: Backend) -> None:
    notebook = Notebook.solved()
    results = graded(notebook, backend)
    report = make_report(parse_notebook(notebook.to_bytes(), "hw.ipynb"), manifest(), results, BOX)

    assert FULL == outcomes(results)
    assert (24, 24, 28, True) == (report.score, report.automatic.max, report.max, report.complete)
    assert ("not answered", 4) == (report.written[0].status, report.written[0].max)


@pytest.mark.parametrize(
    ("text", "status"),
    [("The broker cannot know.", "awaits a person"), (" \n", "not answered"), (None, "not answered")],
)
def test_a_question_in_words_awaits_a_person_once_it_is_answered(text: str | None, status: str) -> None:
    notebook = Notebook.released()
    if text is None:
        del notebook.cells[notebook.index("explain")]
    else:
        notebook.answer("explain", text)
    checks = catalog.chapter(CHAPTER).checks()
    ungraded = Graded({check.id: CheckResult(check.id, Outcome.INFRA, check.points, ()) for _, check in checks})

    report = make_report(parse_notebook(notebook.to_bytes(), "hw.ipynb"), manifest(), ungraded, BOX)

    assert status == report.written[0].status


def test_the_untouched_release_has_no_points_and_is_told_to_be_unwritten(backend: Backend) -> None:
    results = graded(Notebook.released(), backend)

    assert {0.0} == {result.score for result in results.values()}
    assert all(result.unfinished for result in results.values())


def test_the_same_submission_has_the_same_result_tomorrow(backend: Backend) -> None:
    notebook = Notebook.solved().answer("log", right_answer("log").replace("return base_offset", "return 0"))
    one, two = graded(notebook, backend), graded(notebook, backend)

    assert dict(one) == dict(two)


@pytest.mark.parametrize("wrong", catalog.chapter(CHAPTER).wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_answer_breaks_the_rules_it_declares_and_is_recognised(wrong: object, backend: Backend) -> None:
    (kept,) = (one for one in catalog.chapter(CHAPTER).wrong_answers if one is wrong)
    imports = "from __future__ import annotations\nfrom dataclasses import replace\n"
    results = graded(Notebook.solved().answer(kept.exercise, imports + kept.source), backend)

    assert kept.breaks == {check: result.broken for check, result in results.items() if result.broken}
    assert {kept.name} == {result.misconception and result.misconception.name for result in results.values()} - {None}


def test_a_notebook_that_suffered_accidents_keeps_its_points(backend: Backend) -> None:
    notebook = Notebook.solved()
    notebook.change("cursor", lambda cell: cell.update(cell_type="raw"))
    notebook.copy_cell("log", right_answer("log"), after="deliver")
    notebook.delete("log-append").move("deliver", before="setup")
    notebook.add("import numpy as np\nnp.zeros(3)\n1 / 0", before="log").add("%matplotlib inline", before="log")

    assert FULL == outcomes(graded(notebook, backend))


def test_answers_may_lean_on_cells_the_learner_added(backend: Backend) -> None:
    notebook = Notebook.solved().add("def end_of(log): return log._start + len(log._values)", before="log")
    notebook.answer("log", right_answer("log").replace("return self._start + len(self._values)", "return end_of(self)"))

    assert "end_of" in notebook.cell("log")["source"]
    assert FULL == outcomes(graded(notebook, backend))


def test_a_cell_that_takes_the_worker_with_it_is_left_out_for_the_others(backend: Backend) -> None:
    notebook = (
        Notebook.solved().add("import os\nos._exit(1)", before="log").add("import os\nos.abort()", before="cursor")
    )

    assert FULL == outcomes(graded(notebook, backend))


def test_a_cell_that_cannot_be_interrupted_is_left_out_for_the_others(backend: Backend) -> None:
    notebook = Notebook.solved().add("import re\nre.match('(a+)+$', 'a' * 40 + 'b')", before="log")
    notebook.add("import os\nos.kill(os.getpid(), 19)", before="cursor")

    assert FULL == outcomes(graded(notebook, backend, SMALL))


def test_a_cell_that_strikes_later_costs_its_own_exercise_and_no_other(backend: Backend) -> None:
    strike = "import os, threading\nthreading.Timer(0.05, lambda: os._exit(1)).start()\n"
    results = outcomes(graded(Notebook.solved().answer("log", strike), backend))

    assert {"cursor-check": "PASS 6", "deliver-check": "PASS 8"} == {
        check: results[check] for check in ("cursor-check", "deliver-check")
    }


def test_cells_that_take_too_long_together_are_left_out(backend: Backend) -> None:
    notebook = Notebook.solved()
    for _ in range(4):  # each of them is in time
        notebook.add("import time\ntime.sleep(2)", before="cursor")
    results = graded(notebook, backend, replace(SMALL, cell_s=1.2, cells_s=1.0))  # on the clock 6 s, and 5 s

    assert {
        "log-append": "PASS 5",
        "log-read": "PASS 5",
        "cursor-check": "TIMEOUT 0",
        "deliver-check": "TIMEOUT 0",
    } == (outcomes(results))
    assert "all cells together took too long" in results["cursor-check"].message


class Broken:
    """A backend whose boxes fail to start, the first few of them."""

    name = "broken"

    def __init__(self, backend: Backend, failures: int) -> None:
        self._backend, self._failures = backend, failures
        self._lock = threading.Lock()

    def problem(self) -> str | None:
        return None

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        with self._lock:
            self._failures -= 1
            if self._failures >= 0:
                raise BoxFailed("no room")
        return self._backend.start(argv, image, limits)


def test_a_box_that_fails_once_is_started_again(backend: Backend) -> None:
    assert FULL == outcomes(graded(Notebook.solved(), Broken(backend, failures=1)))


def test_a_box_that_never_starts_is_not_the_learners_fault_and_not_a_zero(backend: Backend) -> None:
    notebook = Notebook.solved()
    results = graded(notebook, Broken(backend, failures=99))
    report = make_report(parse_notebook(notebook.to_bytes(), "hw.ipynb"), manifest(), results, BOX)

    assert {"INFRA 0"} == set(outcomes(results).values())
    assert (False, None, None) == (report.complete, report.score, report.exercises[0].score)
    assert "the sandbox could not be started: no room" == report.exercises[0].checks[0].message


class Interrupting:
    """A backend during whose work somebody presses Ctrl-C, once."""

    name = "interrupting"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._is_pressed = threading.Lock()
        self.boxes: list[Boxed] = []

    def problem(self) -> str | None:
        return None

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        box = self._backend.start(argv, image, limits)
        self.boxes.append(box)
        if self._is_pressed.acquire(blocking=False):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return box


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """As in a terminal: what a shell starts in the background begins with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
def test_ctrl_c_ends_every_box_and_is_raised(backend: Backend) -> None:
    watched = Interrupting(backend)
    submission = parse_notebook(Notebook.solved().answer("log", "while True: pass").to_bytes(), "hw.ipynb")
    with pytest.raises(KeyboardInterrupt):
        grade(submission, manifest(), watched, SECRET, budget=replace(SMALL, cell_s=60, cells_s=60))

    assert watched.boxes
    assert {-1} == {box.requests for box in watched.boxes}
