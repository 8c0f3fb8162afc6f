"""How a result looks as HTML. That it stays escaped, and what it says in words, is in test_examine."""

from __future__ import annotations

import re

from course.chapters.catalog import chapter
from course.checks import feedback
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.result import CheckResult
from tests.course.checks.answers import answer, cursor

CHAPTER = chapter("01_why_a_log")
FILM = "<i>the player</i>"


def _result(given: object) -> CheckResult:
    exercise, check = CHAPTER.find("cursor-check")
    with LocalPort({exercise.name: given}) as port:
        return examine(exercise, check, port, wrong_answers=CHAPTER.wrong_answers)


def _html(given: object) -> str:
    return feedback.as_html(_result(given), lambda _run, _violation: FILM).split("</style>")[1]


def _marks(html: str) -> list[tuple[str, str]]:
    """Each rule's sign and word, with what it says of the points."""
    return re.findall(r"<li[^>]*><b>(.*?)</b>.*?<small>(.*?)</small>", html)


def test_every_rule_ends_in_a_sign_a_word_and_its_points() -> None:
    html = _html(cursor(lag="return 1000"))

    assert ("✗ broken", "0 of 1 point") == _marks(html)[4]
    assert {("✓ holds", "2 points"), ("✓ holds", "1 point")} == set(_marks(html)[:4])


def test_what_is_not_written_yet_is_to_do_and_has_no_player() -> None:
    html = _html(answer("class Cursor:\n    def __init__(self, position=0): raise NotImplementedError()", "Cursor"))

    assert {"○ to do"} == {mark for mark, _ in _marks(html)}
    assert FILM not in html
    assert "kl-story" not in html


def test_the_first_broken_rule_is_told_the_player_follows_and_the_others_are_folded() -> None:
    html = _html(cursor(poll="return first, self.position + 1"))

    first, player, *others = re.findall(r'<div class="kl-story">|<i>the player</i>|<details class="kl-story">', html)
    assert ('<div class="kl-story">', FILM) == (first, player)
    assert {'<details class="kl-story">'} == set(others)
    assert len(others) == html.count("✗ broken") - 1


def test_the_call_that_broke_the_rule_stands_out_among_those_before_it() -> None:
    result = _result(cursor(lag="return 1000"))
    html = feedback.as_html(result)

    (broken,) = (rule for rule in result.rules if not rule.passed)
    assert f"<b>&gt; {broken.history[-1]}</b></pre>".replace("->", "-&gt;") in html


def test_dollars_in_what_a_learner_printed_are_not_taken_for_mathematics() -> None:
    html = feedback.as_html(_result(cursor(lag="print('$x$ and $y$')")))

    assert html.startswith('<div class="kl kl-verdict mathjax_ignore tex2jax_ignore">')
    assert "$x$ and $y$" in html
