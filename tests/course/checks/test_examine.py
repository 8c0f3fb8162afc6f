"""The road to a score: rules by points, fatal ends, hidden cases, misconceptions."""

from __future__ import annotations

from typing import Any

import pytest

from course.chapters.catalog import chapter
from course.checks import feedback, limits
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.port import Outcome
from course.checks.result import CheckResult
from tests.course.checks.answers import CURSOR, answer, cursor

CHAPTER = chapter("1")


def _examine(check_id: str, given: Any, *, secret: str | None = None) -> CheckResult:
    exercise, check = CHAPTER.find(check_id)
    with LocalPort({exercise.name: given}) as port:
        return examine(exercise, check, port, secret=secret, release="r", wrong_answers=CHAPTER.wrong_answers)


def test_a_right_answer_has_all_the_points_on_shown_and_on_hidden_cases() -> None:
    for secret in (None, "a", "b"):
        result = _examine("cursor-check", cursor(), secret=secret)
        assert (Outcome.PASS, 6.0, frozenset()) == (result.outcome, result.score, result.broken)


def test_a_stub_scores_nothing_and_says_that_it_is_not_written() -> None:
    body = "raise NotImplementedError()"
    stub = answer(CURSOR.replace("self.position = position", body).format(poll=body, seek=body, lag=body), "Cursor")
    result = _examine("cursor-check", stub)

    assert (0.0, True) == (result.score, result.unfinished)
    assert "Not written yet" in feedback.headline(result)


def test_a_half_written_answer_has_the_points_of_the_rules_that_hold() -> None:
    result = _examine("cursor-check", cursor(seek="raise NotImplementedError()"))

    assert (5.0, frozenset({"seek"})) == (result.score, result.broken)


@pytest.mark.parametrize("given", ["None", "0", "[]", "(0, 0)", "''", "True"])
def test_an_answer_that_always_says_the_same_scores_next_to_nothing(given: str) -> None:
    """A rule that holds of what does nothing would be worth nothing."""
    log = "class Log:\n    def __init__(self, start=0): pass\n    def {}\n".replace("{}", "")
    log = "class Log:\n    def __init__(self, start=0): pass\n" + "".join(
        f"    def {name}(self, *args): return {given}\n" for name in ("append", "read", "start", "end", "delete_before")
    )
    deliver = f"def deliver(state, event): return {given}\n"
    total = sum(_examine(check, answer(log, "Log")).score for check in ("log-append", "log-read"))

    assert total == 0
    assert 0 == _examine("deliver-check", answer(deliver, "deliver")).score


def test_an_answer_that_delivers_nothing_scores_less_than_half() -> None:
    """It hands nothing out of order, it is true."""
    assert _examine("deliver-check", answer("def deliver(state, event): return state, []\n", "deliver")).score < 4


def test_an_endless_call_ends_the_check_and_what_did_not_run_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALL_S", 0.2)
    result = _examine("cursor-check", cursor(seek="while True: pass"))

    assert (Outcome.TIMEOUT, 0.0) == (result.outcome, result.score)
    assert "seek(0): did not come back within 0.2 s; it was at line 11 of `seek`" in result.message
    assert not any(rule.ran for rule in result.rules)


def test_messages_without_an_end_stop_too() -> None:
    """Each call ends, the storm does not: a hub that hands out nothing, again and again."""
    storm = (
        "def deliver(state, event):\n    return state, [Hand(event.sink, 0, ())] if hasattr(event, 'sink') else []\n"
    )
    result = _examine("deliver-check", answer(storm, "deliver"))

    assert (Outcome.TIMEOUT, 0.0) == (result.outcome, result.score)
    assert "did not come to an end" in result.message


def test_the_reference_as_an_answer_is_refused_kindly() -> None:
    result = _examine("cursor-check", CHAPTER.find("cursor-check")[0].object)

    assert (Outcome.REJECTED, 0.0) == (result.outcome, result.score)
    assert "Not accepted" in feedback.headline(result)


def test_a_wrong_type_is_named_where_it_was_returned() -> None:
    result = _examine("cursor-check", cursor(poll="return None"))
    (rule,) = [rule for rule in result.rules if rule.id == "range"]

    assert rule.violation is not None
    assert (
        "poll(0, 1, 3) returned None; expected a tuple[int, int]. Did you forget to return?" == rule.violation.message
    )


def test_true_is_not_one() -> None:
    """Strictly: a bool is no int, a list no tuple."""
    result = _examine("cursor-check", cursor(poll="return [first, self.position]"))

    assert {"range", "independent", "seek", "reset"} <= result.broken


def test_an_answer_that_knows_the_shown_cases_by_heart_breaks_on_hidden_ones() -> None:
    """And is shown a case of the same kind, never the hidden one."""
    by_heart = cursor(lag="if end == 14: return 77777")
    shown, graded = _examine("cursor-check", by_heart), _examine("cursor-check", by_heart, secret="s3cret")
    (rule,) = [rule for rule in graded.rules if not rule.passed]

    assert (6.0, 5.0) == (shown.score, graded.score)
    assert rule.hidden
    assert rule.run is not None
    assert "on a case that grading adds; the same shows on this one" in feedback.in_words(graded)
    assert "s3cret" not in feedback.in_words(graded) + feedback.as_html(graded)


def test_hidden_cases_are_the_same_for_the_same_secret_and_others_for_another() -> None:
    behaviours = [_examine("log-append", _log(), secret=secret).behaviour for secret in ("a", "a", "b")]

    assert behaviours[0] == behaviours[1]
    assert behaviours[0] != behaviours[2]


def _log() -> Any:
    source = next(w for w in CHAPTER.wrong_answers if w.name == "LogThatReturnsTheLastOffset").source
    return answer(
        source.replace(
            "        self.values.extend(values)\n        return self.end() - 1",
            "        self.values.extend(values)\n        return self.end() - len(values)",
        ),
        "Log",
    )


def test_a_misconception_is_recognised_in_other_words() -> None:
    """A rewritten wrong answer behaves alike on every case; its question is asked."""
    source = """
shared = [0]
class Cursor:
    def __init__(self, position=0): shared[0] = position
    def poll(self, start, end, max_records):
        if not start <= shared[0] <= end: shared[0] = start
        first = shared[0]
        shared[0] = min(end, first + max_records)
        return (first, shared[0])
    def seek(self, offset): shared[0] = offset
    def lag(self, end): return max(end - shared[0], 0)
"""
    result = _examine("cursor-check", answer(source, "Cursor"))

    assert result.misconception is not None
    assert "M1" == result.misconception.misconception
    assert result.misconception.asks in feedback.in_words(result)


def test_an_unrelated_bug_is_not_taken_for_a_misconception() -> None:
    assert _examine("cursor-check", cursor(lag="return 1000")).misconception is None


def test_feedback_shows_nothing_of_an_answer_as_markup() -> None:
    hostile = cursor(poll="raise ValueError('<img src=x onerror=alert(1)>')", lag="print('<script>alert(2)</script>')")
    html = feedback.as_html(_examine("cursor-check", hostile))

    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_an_answer_that_raises_is_told_what_it_raised_and_where() -> None:
    result = _examine("cursor-check", cursor(lag="raise KeyError('position')"))

    assert (Outcome.ERROR, 5.0) == (result.outcome, result.score)
    assert "raised KeyError: 'position' [line 14 of `lag`" in feedback.in_words(result)
