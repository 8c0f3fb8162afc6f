"""Every chapter's wrong answers break exactly the rules they declare, on the shown cases and on drawn ones."""

from __future__ import annotations

from typing import Any

import pytest

from course.chapters.catalog import chapter, names
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.model import WrongAnswer
from tests.course.checks.answers import answer

# What is lost must not depend on the cases a class happens to draw. Class 15 reads again after an append, where a wrong
# `read` answers more than before: that is no queue.
SECRETS = [None, *(f"class {number}" for number in range(12, 18))]
ALL = [(name, wrong) for name in names() for wrong in chapter(name).wrong_answers]


@pytest.mark.parametrize(("name", "wrong"), ALL, ids=[wrong.name for _, wrong in ALL])
@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: f"hidden by {secret}" if secret else "shown")
def test_a_wrong_answer_breaks_the_rules_it_declares_and_no_other(
    name: str, wrong: WrongAnswer, secret: str | None
) -> None:
    found = _broken(name, wrong, secret)

    assert wrong.breaks == found


def _broken(name: str, wrong: WrongAnswer, secret: str | None) -> dict[str, frozenset[str]]:
    found = {}
    for exercise, check in chapter(name).checks():
        if exercise.id == wrong.exercise:
            with LocalPort({exercise.name: answer(wrong.source, exercise.name)}) as port:
                result = examine(exercise, check, port, secret=secret, release="r")
            if result.broken:
                found[check.id] = result.broken
    return found


@pytest.mark.parametrize("name", names())
def test_every_rule_is_broken_by_some_wrong_answer(name: str) -> None:
    """A rule that nothing breaks checks nothing."""
    declared = {
        (check, rule)
        for wrong in chapter(name).wrong_answers
        for check, rules in wrong.breaks.items()
        for rule in rules
    }
    rules = {(check.id, rule.id) for _, check in chapter(name).checks() for rule in check.rules}

    assert rules == declared


@pytest.mark.parametrize("name", names())
def test_every_exercise_has_three_wrong_answers_each_with_a_question(name: str) -> None:
    count: dict[str, list[Any]] = {exercise.id: [] for exercise in chapter(name).exercises}
    for wrong in chapter(name).wrong_answers:
        count[wrong.exercise].append(wrong)
        assert wrong.asks.endswith("?")

    assert all(len(found) >= 3 for found in count.values())


@pytest.mark.parametrize(("name", "wrong"), ALL, ids=[wrong.name for _, wrong in ALL])
def test_a_wrong_answer_is_recognised_as_itself(name: str, wrong: WrongAnswer) -> None:
    for check_id in wrong.breaks:
        exercise, check = chapter(name).find(check_id)
        with LocalPort({exercise.name: answer(wrong.source, exercise.name)}) as port:
            result = examine(exercise, check, port, wrong_answers=chapter(name).wrong_answers)
        assert result.misconception is wrong


def test_chapter_1_has_28_points_24_of_them_by_machine() -> None:
    one = chapter("1")

    assert (28, [10, 6, 8]) == (one.points, [exercise.points for exercise in one.exercises])
    assert [4] == [written.points for written in one.written]
