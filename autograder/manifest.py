"""What the release says, and the release alone: which cells there are and what each is for, tests and points.

The released notebook names the cells; the installed course holds the checks. Both must be of one make: a release that
has other exercises than the course is refused before anything is graded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.submission import COURSE, BadSubmission, Cell, Submission, read_submission
from course.chapters import catalog
from course.chapters.catalog import Chapter

SETUP, SOLUTION, CHECK, WRITTEN = "setup", "solution", "check", "written"


class BadRelease(Exception):
    """The released notebook cannot be graded by; the message says what is wrong and what to do. Not the learner's."""


@dataclass(frozen=True)
class Manifest:
    """One released chapter: `release` is its id, `cells` are its cells, `chapter` holds its checks and points."""

    release: str
    sha256: str
    chapter: Chapter
    cells: tuple[Cell, ...]

    @property
    def setup(self) -> tuple[Cell, ...]:
        """The cells every notebook begins with, in order."""
        return tuple(cell for cell in self.cells if cell.role == SETUP)

    def by_id(self) -> dict[str, Cell]:
        """Cell id -> cell."""
        return {cell.id: cell for cell in self.cells if cell.id is not None}

    def by_grade_id(self) -> dict[str, Cell]:
        """grade_id -> cell."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id is not None}


def read_manifest(path: Path) -> Manifest:
    """The manifest of the released notebook at `path`. Raises BadRelease."""
    try:
        released = read_submission(path)
        chapter = catalog.chapter(released.chapter or "")
    except (BadSubmission, LookupError) as error:
        raise BadRelease(f"{path} is no released notebook to grade by: {_sentence(error)}") from None
    if released.course != COURSE or released.release is None:
        raise BadRelease(f"{path} is no released notebook to grade by: it records no release of {COURSE}.")
    found = {(cell.role, cell.grade_id) for cell in released.cells}
    missing = sorted(f"{role} {grade_id}" for role, grade_id in _expected(chapter) - found)
    if missing:
        raise BadRelease(
            f"{path} does not fit the installed course, which has {', '.join(missing)}. "
            "Grade with the course that the notebook was released from."
        )
    return Manifest(released.release, released.sha256, chapter, released.cells)


def manifest_for(submission: Submission, released: Path) -> Manifest:
    """The manifest to grade a submission by, from the folder `released` of released notebooks.

    Raises BadSubmission if there is none, BadRelease if there is one and it cannot be used.
    """
    if submission.course != COURSE:
        raise BadSubmission(
            f"{submission.file} is not a notebook of this course: expected one that was handed out by {COURSE} and "
            f"says so in its metadata, got {_other(submission.course)}. Start from the notebook that was handed out."
        )
    known = catalog.names()
    if submission.chapter not in known:
        raise BadSubmission(
            f"{submission.file} is of chapter {submission.chapter!r}, which the installed course does not have; "
            f"it has {', '.join(known)}. Update the course, or grade another notebook."
        )
    return read_manifest(released / f"{submission.chapter}.ipynb")


def must_fit(submission: Submission, manifest: Manifest) -> None:
    """Raises BadSubmission unless the submission began as a copy of this very release."""
    if (submission.course, submission.chapter) != (COURSE, manifest.chapter.name):
        raise BadSubmission(
            f"{submission.file} is of {_other(submission.course)}, chapter {submission.chapter!r}; expected {COURSE}, "
            f"chapter {manifest.chapter.name!r}. Name the released notebook that belongs to it."
        )
    if submission.release != manifest.release:
        raise BadSubmission(
            f"{submission.file} is of release {submission.release}; expected release {manifest.release}, which the "
            "checks belong to. Grade it with the course it was released from (--release names another released "
            "notebook), or copy the answers into a fresh notebook."
        )


def _expected(chapter: Chapter) -> set[tuple[str | None, str | None]]:
    return {
        *((SOLUTION, exercise.id) for exercise in chapter.exercises),
        *((CHECK, check.id) for _, check in chapter.checks()),
        *((WRITTEN, written.id) for written in chapter.written),
    }


def _other(course: str | None) -> str:
    return f"one of {course!r}" if course else "one that names no course"


def _sentence(error: Exception) -> str:
    return str(error.args[0]) if error.args else str(error)
