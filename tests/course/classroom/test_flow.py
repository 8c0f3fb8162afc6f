"""A course from `course teach` to feedback, by stock nbgrader alone, with the commands of the teacher's README."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.box import NoWorkingBox, best_backend
from autograder.cli import app
from course.build import as_text, released_notebook
from course.chapters.catalog import chapter
from course.classroom.layout import lay_out
from tests.stock_nbgrader import Score, nbgrader, scores
from tests.submissions import answered, read, write

pytestmark = pytest.mark.slow

CHAPTER = chapter("01_why_a_log")
NAME = CHAPTER.name
NOTEBOOK = f"{NAME}.ipynb"
WRONG = {wrong.name: wrong for wrong in CHAPTER.wrong_answers}
RIGHT = Path(__file__).parents[2] / "three_ways" / "right"

# student -> what they typed; whoever types nothing hands in the release as it is
TYPED = {
    "ada": {
        "log": (RIGHT / "log_on_a_deque.py").read_text(encoding="utf-8"),
        "cursor": (RIGHT / "cursor_dataclass.py").read_text(encoding="utf-8"),
        "deliver": (RIGHT / "deliver_by_matching.py").read_text(encoding="utf-8"),
        "explain": "Both readers share one position. What one has read, the other misses.",
    },
    "bob": {
        "log": WRONG["LogWhoseEndIsTheLastOffset"].source,
        "cursor": WRONG["CursorThatCountsFromTheLastOffset"].source,
        "deliver": WRONG["deliver_by_pushing"].source,
    },
    "eve": {},
}


def expected_score(check_id: str, typed: str | None) -> float:
    """By rule: a right answer has all, a wrong one what it does not break, a stub nothing."""
    _, check = CHAPTER.find(check_id)
    if typed is None:
        return 0.0
    broken = next((w.breaks.get(check_id, frozenset()) for w in WRONG.values() if w.source == typed), frozenset())
    return float(sum(rule.points for rule in check.rules if rule.id not in broken))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that has been through everything, once."""
    folder = tmp_path_factory.mktemp("class") / "course"
    lay_out(folder, [CHAPTER], course_id="kafka-101")
    nbgrader(folder, "generate_assignment", NAME)
    nbgrader(folder, "release_assignment", NAME)
    for student, typed in TYPED.items():
        desk = tmp_path_factory.mktemp(student)
        exchange = ("--course=kafka-101", f"--Exchange.root={folder / 'exchange'}")
        nbgrader(desk, "fetch_assignment", NAME, *exchange, HOME=str(desk))
        write(answered(read(desk / NAME / NOTEBOOK), typed), desk / NAME / NOTEBOOK)
        nbgrader(desk, "submit", NAME, *exchange, f"--student={student}", HOME=str(desk))
    nbgrader(folder, "collect", NAME)
    nbgrader(folder, "autograde", NAME)
    nbgrader(folder, "generate_feedback", NAME)
    nbgrader(folder, "release_feedback", NAME)
    return folder


def test_students_fetch_what_the_build_makes_and_no_secret(course: Path) -> None:
    fetched = (course / "exchange" / "kafka-101" / "outbound" / NAME / NOTEBOOK).read_text(encoding="utf-8")

    assert as_text(released_notebook(CHAPTER)) == fetched.rstrip("\n") + "\n"
    assert "secret" not in fetched


@pytest.mark.parametrize("student", TYPED)
def test_partial_credit_arrives_by_rule(course: Path, student: str) -> None:
    typed = TYPED[student]
    expected = {
        check.id: Score(expected_score(check.id, typed.get(exercise.id)), check.points, waits_for_a_person=False)
        for exercise, check in CHAPTER.checks()
    }

    found = scores(course, NAME)[student]

    assert expected == {check_id: found[check_id] for check_id in expected}


def test_the_wrong_answers_really_ask_for_partial_credit() -> None:
    """Or else the test above would only have shown 0 and all."""
    got = [expected_score(check.id, TYPED["bob"][exercise.id]) for exercise, check in CHAPTER.checks()]
    points = [check.points for _, check in CHAPTER.checks()]

    assert all(0 < score < most for score, most in zip(got, points, strict=True))


def test_the_question_in_words_waits_for_a_person_unless_nothing_was_written(course: Path) -> None:
    found = {student: grades["explain"] for student, grades in scores(course, NAME).items()}

    assert {
        "ada": Score(None, 4, waits_for_a_person=True),
        "bob": Score(0, 4, waits_for_a_person=False),
        "eve": Score(0, 4, waits_for_a_person=False),
    } == found


def test_feedback_names_the_rule_that_broke(course: Path) -> None:
    feedback = (course / "feedback" / "bob" / NAME / f"{NAME}.html").read_text(encoding="utf-8")

    assert "is the next offset to be written, not the last one written" in feedback
    assert "must return" in feedback
    assert '<li class="kl-broken">' in feedback


def test_feedback_reaches_the_students(course: Path) -> None:
    inbox = course / "exchange" / "kafka-101" / "feedback"

    assert len(TYPED) == len(list(inbox.glob("*.html")))


def test_the_autograder_grades_what_was_collected_as_the_readme_says(course: Path, tmp_path: Path) -> None:
    """With the teacher's own secret; the answers are the same, so the points are."""
    try:
        best_backend()
    except NoWorkingBox as error:
        pytest.skip(str(error))
    report = tmp_path / "ada.json"
    command = ["grade", f"--secret-file={course / 'secret'}", f"--json={report}"]
    release = f"--release={course / 'release' / NAME / NOTEBOOK}"

    done = CliRunner().invoke(app, [*command, release, str(course / "submitted" / "ada" / NAME / NOTEBOOK)])

    assert 0 == done.exit_code, done.output
    assert 24 == json.loads(report.read_text(encoding="utf-8"))["score"]


def test_nobody_else_can_read_what_is_the_teachers(course: Path) -> None:
    others = 0o077
    private = ["secret", "gradebook.db", "source", "submitted", "autograded", "feedback", "release"]

    assert {} == {
        name: oct((course / name).stat().st_mode) for name in private if (course / name).stat().st_mode & others
    }


def test_laying_it_out_again_keeps_the_gradebook_and_the_secrets(course: Path) -> None:
    kept = [course / "secret", course / "source" / NAME / NOTEBOOK, course / "nbgrader_config.py"]
    before = [path.read_bytes() for path in kept]
    rows = _grades(course)

    lay_out(course, [CHAPTER])
    lay_out(course, [CHAPTER], force=True)

    assert before == [path.read_bytes() for path in kept]
    assert rows == _grades(course) != []


def _grades(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "gradebook.db")) as gradebook:
        return gradebook.execute("select * from grade order by id").fetchall()
