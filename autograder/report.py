"""What a graded submission comes to, as data: the report that scripts read, and that everything shown is made of.

The JSON is a contract. `version` counts up when a field changes its meaning or goes; fields may be added without.

    schema      {"name": "kafkalite-course/grade", "version": 1}
    complete    false if some check could not be graded (INFRA); then `score` is null, never a number that is too low
    score       points so far; `max` all points, `automatic` and `manual` the part of each, `manual.score` null
    exercises   id, title, score, max, checks:
      checks    id, outcome (PASS FAIL ERROR TIMEOUT MEMORY OUTPUT_LIMIT CRASH PROTOCOL REJECTED INFRA), score, max,
                message (why it could not be asked or was lost), unfinished, misconception {id, name, asks} or null
        rules   id, says, points, passed, ran, hidden (breaks only on a case that grading adds), sentence, history
    written     id, title, max, text (null if its cell is gone), status: "awaits a person", or "not answered" if its
                cell is as it was handed out, blank or gone
    box         backend, sandboxed, enforces (what was tried on this machine before grading, and held)
    submission  file, sha256, bytes;   release: course, chapter, id, sha256;   notes, duration_s

Never in it: secrets and seeds, hidden cases, what was printed. Text that comes from the submission is bounded here, and
is to be escaped by whoever shows it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.grade import Graded
from autograder.manifest import Manifest
from autograder.selection import remarks, written_text
from autograder.submission import COURSE, Submission
from course.checks.model import Exercise, Written, WrongAnswer
from course.checks.port import Outcome
from course.checks.result import CheckResult, RuleResult

SCHEMA, VERSION = "kafkalite-course/grade", 1
AWAITS, NOT_ANSWERED = "awaits a person", "not answered"
TEXT_LENGTH_MAX = 100_000  # of a written answer
LINE_LENGTH_MAX = 1_000
HISTORY = 7  # lines, the bad call included


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it says, whether it holds, and if not, what was expected and what came."""

    id: str
    says: str
    points: float
    passed: bool
    ran: bool
    hidden: bool
    sentence: str
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misconception:
    """What a wrong answer seems to think: an id of the curriculum's table (or null for a slip), and a question."""

    id: str | None
    name: str
    asks: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check."""

    id: str
    outcome: str
    score: float | None
    max: float
    message: str
    unfinished: bool
    misconception: Misconception | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ExerciseReport:
    """One exercise: the sum of its checks."""

    id: str
    title: str
    score: float | None
    max: float
    checks: tuple[CheckReport, ...]


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A question for a person, with what was answered."""

    id: str
    title: str
    max: float
    status: str
    text: str | None


@dataclass(frozen=True, slots=True)
class BoxReport:
    """Where the answers ran. `enforces` is empty where nothing was tried."""

    backend: str
    sandboxed: bool
    enforces: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Part:
    """Points of one kind."""

    score: float | None
    max: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one graded submission."""

    complete: bool
    score: float | None
    max: float
    automatic: Part
    manual: Part
    exercises: tuple[ExerciseReport, ...]
    written: tuple[WrittenReport, ...]
    box: BoxReport
    submission: Mapping[str, Any]
    release: Mapping[str, Any]
    notes: tuple[str, ...]
    duration_s: float

    def to_json(self) -> str:
        """The report as JSON, with its schema's name and version, ending in a newline."""
        content = {"schema": {"name": SCHEMA, "version": VERSION}, **asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the JSON whole or not at all. Raises OSError."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with os.fdopen(
                os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", encoding="utf-8"
            ) as file:
                file.write(self.to_json())
            temporary.replace(path)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


def make_report(submission: Submission, manifest: Manifest, graded: Graded, box: BoxReport) -> Report:
    """The report of a graded submission."""
    chapter = manifest.chapter
    exercises = tuple(_exercise(exercise, graded) for exercise in chapter.exercises)
    score = _sum([exercise.score for exercise in exercises])
    automatic = Part(score, sum(exercise.max for exercise in exercises))
    manual = Part(None, sum(written.points for written in chapter.written))
    return Report(
        complete=score is not None,
        score=score,
        max=automatic.max + manual.max,
        automatic=automatic,
        manual=manual,
        exercises=exercises,
        written=tuple(_written(one, submission, manifest) for one in chapter.written),
        box=box,
        submission={"file": submission.file, "sha256": submission.sha256, "bytes": submission.size_bytes},
        release={"course": COURSE, "chapter": chapter.name, "id": manifest.release, "sha256": manifest.sha256},
        notes=(*remarks(submission, manifest), *(_line(note) for note in graded.notes)),
        duration_s=round(graded.duration_s, 3),
    )


def _written(question: Written, submission: Submission, manifest: Manifest) -> WrittenReport:
    text = written_text(question.id, submission)
    released = manifest.by_grade_id()[question.id].source
    is_answered = text is not None and text.strip() not in ("", released.strip())
    status = AWAITS if is_answered else NOT_ANSWERED
    return WrittenReport(question.id, question.title, question.points, status, _bounded(text))


def _exercise(exercise: Exercise, graded: Graded) -> ExerciseReport:
    checks = tuple(_check(graded[check.id]) for check in exercise.checks)
    return ExerciseReport(exercise.id, exercise.title, _sum([check.score for check in checks]), exercise.points, checks)


def _check(result: CheckResult) -> CheckReport:
    return CheckReport(
        id=result.check,
        outcome=result.outcome.name,
        score=None if result.outcome is Outcome.INFRA else result.score,
        max=result.points,
        message=_line(result.message),
        unfinished=result.unfinished,
        misconception=_misconception(result.misconception),
        rules=tuple(_rule(rule) for rule in result.rules),
    )


def _rule(rule: RuleResult) -> Rule:
    lines = tuple(_line(line) for line in rule.history[-HISTORY:])
    return Rule(rule.id, rule.says, rule.points, rule.passed, rule.ran, rule.hidden, _line(_sentence(rule)), lines)


def _sentence(rule: RuleResult) -> str:
    if rule.passed:
        return ""
    if rule.violation is not None and rule.run is not None:
        where = "breaks on a case that grading adds; the same shows in" if rule.hidden else "in"
        return f"{where} “{rule.run.case.name}”: {rule.violation.message}"
    if rule.hidden:
        return "breaks on a case that grading adds; no public case was found that shows it"
    return "was not judged on every case, so it does not pass"


def _misconception(wrong: WrongAnswer | None) -> Misconception | None:
    return None if wrong is None else Misconception(wrong.misconception, wrong.name, wrong.asks)


def _sum(scores: list[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return float(sum(known)) if len(known) == len(scores) else None


def _line(text: str) -> str:
    return text if len(text) <= LINE_LENGTH_MAX else text[: LINE_LENGTH_MAX - 3] + "..."


def _bounded(text: str | None) -> str | None:
    return text if text is None or len(text) <= TEXT_LENGTH_MAX else text[: TEXT_LENGTH_MAX - 3] + "..."
