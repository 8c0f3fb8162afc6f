"""Grade one submission: a session for each check, some at a time, and the same report whichever ends first.

Each check gets a fresh box, so nothing an answer has seen in one check (hidden cases, say) can come out in another.
Checks run in threads: they mostly wait for their box. A thread and its boxes share one processor, because a question
and its answer never run at the same time, and waking up another processor takes longer than most answers.

    a box that cannot be started, a check that breaks down  ->  tried once more, then INFRA: nobody's score is 0 for it
    an answer that is lost                                  ->  once more without the other exercises' cells, which may
                                                                be what took it along

Left out: several submissions at once.
"""

from __future__ import annotations

import gc
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.box import Backend, Boxed, BoxFailed, Limits
from autograder.budget import Budget
from autograder.image import image
from autograder.manifest import Manifest
from autograder.recognise import recognised
from autograder.selection import Runnable, cells_before
from autograder.session import Place, session
from autograder.submission import Submission
from autograder.withhold import without_hidden
from course.checks.examine import examine
from course.checks.model import Check, Exercise
from course.checks.port import Outcome
from course.checks.result import CheckResult, RuleResult

JOBS = 2
LOST = frozenset({Outcome.TIMEOUT, Outcome.MEMORY, Outcome.OUTPUT_LIMIT, Outcome.CRASH, Outcome.PROTOCOL})


class Graded(dict[str, CheckResult]):
    """Check id -> its result, in the release's order; what of the cells was not run, and how long it all took."""

    notes: tuple[str, ...] = ()
    duration_s: float = 0.0


def grade(
    submission: Submission,
    manifest: Manifest,
    backend: Backend,
    secret: str,
    *,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    jobs: int = JOBS,
) -> Graded:
    """Grade every check of a submission; hidden cases derive from `secret` and the release.

    Never raises for what a submission does. Ctrl-C ends every box and is raised again.
    """
    began_s = time.monotonic()
    checks = list(manifest.chapter.checks())
    with _only_new_garbage(), image() as folder, _watched(backend) as boxes:
        place = Place(boxes, folder, budget)
        grader = _Grader(submission, manifest, place, secret)
        results = _in_threads(grader, checks, jobs, boxes)
    graded = Graded(zip((check.id for _, check in checks), results, strict=True))
    for (exercise, check), result in zip(checks, results, strict=True):
        graded[check.id] = recognised(exercise, check, result, manifest, secret)
    graded.notes = tuple(
        f"Cell {number}: {note}" for number, notes in sorted(place.notes.items()) for note in notes if number > 0
    )
    graded.duration_s = time.monotonic() - began_s
    return graded


@contextmanager
def _only_new_garbage() -> Iterator[None]:
    """Collect what grading leaves behind, and do not look through all that was imported again: 0.15 s each time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Grader:
    """Grades one check at a time, from any thread."""

    def __init__(self, submission: Submission, manifest: Manifest, place: Place, secret: str) -> None:
        self._submission, self._manifest = submission, manifest
        self._place, self._secret = place, secret

    def check(self, exercise: Exercise, check: Check) -> CheckResult:
        """The result of one check; INFRA if two tries did not come to one."""
        with suppress(Exception):  # a class is not stopped by one submission; the second failure is reported
            return self._try(exercise, check)
        try:
            return self._try(exercise, check)
        except BoxFailed as error:
            return _not_graded(check, f"the sandbox could not be started: {error}")
        except Exception as error:  # noqa: BLE001 - as above; its message may hold a hidden case
            return _not_graded(check, f"the check itself broke down ({type(error).__name__})")

    def _try(self, exercise: Exercise, check: Check) -> CheckResult:
        cells = cells_before(check.id, exercise.id, self._submission, self._manifest)
        place = self._place
        result, may_be_taken_along = self._examine(exercise, check, cells, place)
        own = tuple(cell for cell in cells if cell.answers in (None, exercise.id))
        if may_be_taken_along and len(own) < len(cells):
            alone = place.without_blame(own)
            again, _ = self._examine(exercise, check, own, alone)
            if again.outcome not in LOST:
                place, cells, result = alone, own, again
        if any(rule.hidden and rule.violation is not None for rule in result.rules):
            # What it says of public cases, it says having seen the hidden ones: ask one that has not.
            with session(place, cells, exercise.id) as port:
                return without_hidden(exercise, check, result, port)
        return without_hidden(exercise, check, result, None)

    def _examine(
        self, exercise: Exercise, check: Check, cells: Sequence[Runnable], place: Place
    ) -> tuple[CheckResult, bool]:
        """The result, and whether something else than the answer itself may have ended it."""
        with session(place, cells, exercise.id) as port:
            result = examine(exercise, check, port, secret=self._secret, release=self._manifest.release)
            return result, result.outcome in LOST and not port.has_ended_itself


def _not_graded(check: Check, message: str) -> CheckResult:
    rules = tuple(RuleResult(rule.id, rule.says, rule.points, passed=False, ran=False) for rule in check.rules)
    return CheckResult(check.id, Outcome.INFRA, check.points, rules, message=message, graded=True)


# Threads -------------------------------------------------------------------------------------------------------------


def _in_threads(
    grader: _Grader, checks: Sequence[tuple[Exercise, Check]], jobs: int, boxes: _WatchedBoxes
) -> list[CheckResult]:
    processors: queue.SimpleQueue[int] = queue.SimpleQueue()
    for processor in _processors(jobs):
        processors.put(processor)
    pool = ThreadPoolExecutor(max_workers=jobs, initializer=lambda: _stay_on(processors))
    try:
        futures = [pool.submit(grader.check, exercise, check) for exercise, check in checks]
        return [future.result() for future in futures]
    except BaseException:
        boxes.end_all()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _processors(jobs: int) -> list[int]:
    """One for each thread, where this can be chosen; the first one differs between graders of one machine."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    usable = sorted(os.sched_getaffinity(0))
    return [usable[(os.getpid() + job) % len(usable)] for job in range(jobs)]


def _stay_on(processors: queue.SimpleQueue[int]) -> None:
    if not processors.empty():
        os.sched_setaffinity(0, {processors.get()})  # 0 is this thread; what it starts inherits it


class _WatchedBoxes:
    """A backend whose boxes can all be ended at once, by whoever hears Ctrl-C."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._running: list[Boxed] = []
        self._over = threading.Event()

    def start(self, argv: Sequence[str], folder: Path, limits: Limits) -> Boxed:
        if self._over.is_set():
            raise BoxFailed("grading was interrupted")
        box = self._backend.start(argv, folder, limits)
        with self._lock:
            self._running = [one for one in self._running if one.requests != -1]
            self._running.append(box)
        if self._over.is_set():
            box.kill()
            raise BoxFailed("grading was interrupted")
        return box

    def end_all(self) -> None:
        """End all boxes, now and from now on. Their pipes stay open for the threads that use them."""
        self._over.set()
        with self._lock:
            running = list(self._running)
        for box in running:
            box.wait(timeout_s=0)


@contextmanager
def _watched(backend: Backend) -> Iterator[_WatchedBoxes]:
    boxes = _WatchedBoxes(backend)
    try:
        yield boxes
    finally:
        boxes.end_all()
