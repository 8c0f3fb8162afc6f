"""What chapter 1's text works out by hand is what the code does, and what it says of its runs is what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from course.chapters.catalog import chapter
from course.chapters.ch01_why_a_log import scenes
from course.chapters.ch01_why_a_log.reference import deliver
from kafkalite import types
from kafkalite.clients.cursor import Cursor
from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.memory import Log
from kafkalite.types import Topic

TEXT = chapter("1").text.read_text(encoding="utf-8")


def worked_run() -> Iterator[list[str]]:
    """The rows of the table in which `deliver` is followed by hand."""
    table = TEXT.partition("| event | values | email at |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        yield [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]


def test_the_run_worked_by_hand_is_the_run_of_deliver() -> None:
    state, rows = Topic(), 0
    for event, values, email, search, idle, handed in worked_run():
        state, hands = deliver(state, eval(event.strip("`"), vars(types)))

        expected = [eval(hand.strip("`"), vars(types)) for hand in handed.split("<br>") if hand]
        positions = {name: int(at) for name, at in (("email", email), ("search", search)) if at}
        assert (event, tuple(values.split()), positions) == (event, state.values, state.positions)
        assert (event, {name for name in idle.split(", ") if name}) == (event, set(state.idle))
        assert (event, expected) == (event, hands)
        rows += 1
    assert 11 == rows


def shown_calls(heading: str) -> Iterator[tuple[str, str]]:
    """The lines `call -> result` of the first drawing after a heading."""
    drawing = TEXT.partition(heading)[2].partition("```text")[2].partition("```")[0]
    for line in drawing.splitlines():
        call, arrow, result = line.partition("->")
        if arrow:
            yield call.strip().removeprefix("search: "), re.split(r"\s{2,}", result.strip())[0]


def test_the_calls_beside_the_drawing_of_a_log_return_what_is_said() -> None:
    log = Log(0)
    log.append(["a", "b", "c", "d", "e", "f"])
    log.delete_before(2)
    calls = list(shown_calls("## 3. Exercise 1"))

    for call, result in calls:
        if result == "OffsetOutOfRange":
            with pytest.raises(OffsetOutOfRange):
                eval(f"log.{call}", {"log": log})
        else:
            assert (call, eval(result)) == (call, eval(f"log.{call}", {"log": log}))
    assert 4 == len(calls)


def test_the_calls_beside_the_drawing_of_a_cursor_return_what_is_said() -> None:
    cursor = Cursor(2)
    calls = list(shown_calls("## 4. Exercise 2"))

    for call, result in calls:
        assert (call, eval(result)) == (call, eval(f"cursor.{call}", {"cursor": cursor}))
    assert 3 == len(calls)


def test_the_step_that_the_model_answer_names_shows_what_it_says() -> None:
    step = re.search(r"at step (\d+) it tells `audit` that it begins at 2", TEXT)
    player = scenes.counterexample().player
    assert step is not None
    assert player is not None

    (line,) = [line for line in player.text.splitlines() if f" step {step[1]} ·" in line]

    assert "broker sends “from 2 to 3” to audit" in line


def test_the_flag_of_the_waiting_topic_is_six_values_behind() -> None:
    player = scenes.wait_for_all().player
    assert player is not None
    assert "behind by six values" in TEXT

    flagged = next(line for line in player.text.splitlines() if "email is free and waits" in line)
    before = player.text.partition(flagged)[0]

    assert 7 == before.count("hub receives “append") + 1  # with the flagged one; email had the first of them
    assert 1 == before.count("hub sends “[order 1] at 0” to email")


def test_the_experiments_with_a_slow_consumer_show_what_the_text_says() -> None:
    for work_ms, said, lag in ((5, "with a lag of 1 at most", 1), (400, "it lags by 9", 9)):
        assert said in TEXT.partition(f"Try `work_ms={work_ms}`")[2].partition("\n")[0]
        assert scenes.slow_consumer(work_ms=work_ms).summary[1].endswith(f"rose to {lag}")


def test_the_sleepers_lag_is_five_while_it_sleeps_and_zero_in_every_report() -> None:
    shown = scenes.retention_passes()
    assert shown.player is not None
    asleep = shown.player.text.partition("FAULT: search freezes")[2].partition("search receives")[0]

    assert "While it slept its lag was 5, for it stood at 1 and the log ended at 6." in TEXT
    assert "search will go on at offset 1;" in shown.player.text.partition("FAULT: search freezes")[0]
    assert "broker appends [order 4] at offset 5" in asleep
    assert shown.summary[1].endswith("the lag it reported stayed 0")


def test_the_question_in_words_has_one_name() -> None:
    assert f"## 9. {chapter('1').written[0].title}\n" in TEXT


def test_every_scene_is_shown_in_the_chapter() -> None:
    assert [] == [name for name in scenes.__all__ if f"lab.{name}(" not in TEXT]


def test_code_cells_hold_no_prose() -> None:
    """A translation changes the text and leaves the code alone."""
    cells = re.findall(r"```\{code-cell\}\n(.*?)```", TEXT, flags=re.DOTALL)
    comments = [line for cell in cells for line in cell.splitlines() if line.strip().startswith("#")]

    assert all(re.fullmatch(r'# lab\.hint\("\w+"\)', comment) for comment in comments)
    assert 3 == len(comments)
