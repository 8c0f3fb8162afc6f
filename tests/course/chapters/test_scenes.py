"""The scenes of chapter 1 show what its text says they show, and no answer makes them raise."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

import course
from course.chapters.ch01_why_a_log import scenes, wrong_answers
from course.chapters.ch01_why_a_log.reference import deliver
from course.chapters.ch01_why_a_log.telling import Scene
from course.diagrams.player import Player
from kafkalite.clients.cursor import Cursor
from kafkalite.log.memory import Log

# scene -> the exercises whose answers it takes, in order
TAKES: dict[Callable[..., Scene], tuple[str, ...]] = {
    scenes.watch_log: ("log",),
    scenes.watch_readers: ("cursor",),
    scenes.watch_topic: ("deliver",),
    scenes.slow_consumer: ("log", "cursor"),
    scenes.replay: ("log", "cursor"),
    scenes.retention_passes: ("log", "cursor"),
}
LAB: Any = scenes  # as a notebook has it: nothing minds the types
FINISHED: dict[str, Any] = {"log": Log, "cursor": Cursor, "deliver": deliver}


class Unwritten:
    """A stub as the release has it, of a class and of a function."""

    def __init__(self, *args: Any) -> None:
        raise NotImplementedError


class Endless:
    """Never comes back from whatever it is asked."""

    def __init__(self, *args: Any) -> None:
        while True:
            pass


class Talkative(Log):
    """Prints, and warns."""

    def append(self, values: list[str]) -> int:
        sys.stdout.write(f"appending {values}\n")
        warnings.warn("careful", stacklevel=2)
        return super().append(values)


def takes_nothing() -> None:
    """Cannot be called with what an answer is called with."""


def returns_nothing(*args: Any) -> None:
    """Forgets to return."""


def player_of(scene: Scene) -> Player:
    assert scene.player is not None, f"expected a player; there is only {scene!r}"
    return scene.player


def opened_at(scene: Scene) -> str:
    """What the player says at the step it opens at."""
    return unescape(player_of(scene).html.partition('<p class="kl-now">')[2].partition("</p>")[0])


# What an answer does never raises -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", scenes.__all__)
def test_every_scene_can_be_shown_without_an_answer(name: str) -> None:
    shown = getattr(course.chapter("1"), name)()

    if name != "a_log":  # which is played with, and not looked at
        bundle = shown._repr_mimebundle_()
        assert {"text/html", "text/plain"} == set(bundle)
        assert all(bundle.values())


@pytest.mark.parametrize("scene", TAKES, ids=lambda scene: scene.__name__)
def test_a_scene_whose_answers_are_not_written_is_a_sentence(scene: Callable[..., Scene]) -> None:
    shown = scene(*(Unwritten for _ in TAKES[scene]))

    assert shown.player is None
    assert 1 == len(shown.summary)
    assert "not written yet" in repr(shown)
    assert "<p>" in shown._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("scene", [s for s, takes in TAKES.items() if len(takes) > 1], ids=lambda scene: scene.__name__)
def test_one_unwritten_answer_of_two_is_named_alone(scene: Callable[..., Scene]) -> None:
    assert repr(scene(Log, Unwritten)).startswith("`Cursor` is not written yet")
    assert repr(scene(Unwritten, Cursor)).startswith("`Log` is not written yet")
    assert repr(scene(Unwritten, Unwritten)).startswith("`Log` and `Cursor` are not written yet")


@pytest.mark.parametrize("answer", [5, object(), takes_nothing, returns_nothing, dict, Unwritten, Endless])
@pytest.mark.parametrize("scene", TAKES, ids=lambda scene: scene.__name__)
def test_no_answer_makes_a_scene_raise(
    scene: Callable[..., Scene], answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.checks.limits.CALL_S", 0.05)

    shown = scene(*(answer for _ in TAKES[scene]))

    assert shown.summary


@pytest.mark.parametrize(
    "name", [n for n, kind in vars(wrong_answers).items() if n.startswith(("Log", "Cursor", "deliver"))]
)
def test_every_wrong_answer_can_be_watched(name: str) -> None:
    answer = getattr(wrong_answers, name)
    part = next(part for part in FINISHED if name.lower().startswith(part))

    for scene, takes in TAKES.items():
        if part in takes:
            assert player_of(scene(*(answer if taken == part else FINISHED[taken] for taken in takes))).text


def test_what_an_answer_printed_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    shown = scenes.watch_log(Talkative)

    assert "Your code printed: appending ['order 1']" in shown.summary
    assert ("", "") == capfd.readouterr()


# A finished answer and another --------------------------------------------------------------------------------------


def test_a_finished_answer_makes_the_run_of_the_reference() -> None:
    for shown in (scenes.watch_log(Log), scenes.watch_readers(Cursor)):
        assert "This is the run that a finished one makes, step by step." == shown.summary[0]


def test_a_wrong_answer_opens_the_player_where_a_finished_one_does_something_else() -> None:
    shown = scenes.watch_log(wrong_answers.LogThatReturnsTheLastOffset)

    assert any(line.startswith("A finished one does something else at step") for line in shown.summary)
    assert "a finished one does something else here" in opened_at(shown)


def test_an_error_is_told_in_the_answers_own_words() -> None:
    shown = scenes.watch_log(returns_nothing)

    assert shown.summary[0].startswith("`Log` failed at step 6: AttributeError: ")


# What goes wrong in the shop ----------------------------------------------------------------------------------------


HALF_EACH = (
    "email read order 1, paid 1, paid 3; it never saw order 2, order 3, order 4",
    "search read order 2, order 3, order 4; it never saw order 1, paid 1, paid 3",
)


def test_two_readers_of_one_queue_get_half_each_and_the_flags_say_who_took_the_rest() -> None:
    assert HALF_EACH == scenes.queue().summary
    assert "email has taken order 1" in opened_at(scenes.queue())
    assert 6 == player_of(scenes.queue()).text.count(" has taken ")


def test_two_readers_of_one_bookmark_get_half_each_and_the_flags_say_whose_poll_moved_it() -> None:
    assert HALF_EACH == scenes.one_bookmark().summary
    assert "email's poll moved it to 1" in opened_at(scenes.one_bookmark())


def test_a_topic_that_waits_for_all_makes_the_fast_wait_and_a_finished_one_does_not() -> None:
    waiting, finished = scenes.wait_for_all(), scenes.watch_topic()

    assert "email is free and waits" in opened_at(waiting)
    assert "search lags, nobody waits" in opened_at(finished)
    assert all("got all 8, in order" in line for line in (*waiting.summary, *finished.summary))
    assert "at most 223 ms after the value was there and email was free" in waiting.summary[0]
    assert "at most 3 ms after the value was there and email was free" in finished.summary[0]


def test_a_busy_sink_is_not_said_to_be_kept_waiting() -> None:
    search = scenes.watch_topic().summary[1]

    assert "at most 3 ms after the value was there and search was free" in search


def test_the_finished_log_is_watched_with_retention_and_opens_where_it_refuses_what_is_gone() -> None:
    shown = scenes.watch_log()

    assert "retention was told begins at 2, then begins at 3" in shown.summary
    assert "search asks for what is gone" in opened_at(shown)


@pytest.mark.parametrize("name", ["LogThatDeletesByOffset", "LogWhoseOffsetIsAListIndex"])
def test_a_log_that_is_wrong_only_when_something_is_deleted_is_seen_to_be_wrong(name: str) -> None:
    shown = scenes.watch_log(getattr(wrong_answers, name))

    assert any(line.startswith("A finished one does something else at step") for line in shown.summary)


def test_two_paces_are_shown_where_the_fast_has_everything_and_the_slow_lags() -> None:
    assert "search lags by 3, email by 0" in opened_at(scenes.watch_readers())
    assert "search lags by 3, email by 0" in opened_at(scenes.watch_readers(Cursor))


def test_the_counterexample_loses_values_without_an_error_and_with_no_lag() -> None:
    shown = scenes.counterexample()

    assert all("never saw" in line and "the lag it reported stayed 0" in line for line in shown.summary)
    assert "OFFSET_OUT_OF_RANGE" not in player_of(shown).text
    assert "failed" not in player_of(shown).text


# Break it -----------------------------------------------------------------------------------------------------------


def test_a_slow_consumer_lags_alone_and_loses_nothing() -> None:
    shown = scenes.slow_consumer(Log, Cursor)

    assert (
        "email read all 12, in order; the lag it reported stayed 0",
        "search read all 12, in order; the lag it reported rose to 7",
    ) == shown.summary
    assert "search lags by 7" in opened_at(shown)


@pytest.mark.parametrize("work_ms", [0, 5, 400, 1000])
def test_a_slow_consumer_reads_everything_however_slow_it_is(work_ms: float) -> None:
    assert all("read all 12, in order" in line for line in scenes.slow_consumer(work_ms=work_ms).summary)


@pytest.mark.parametrize(("work_ms", "lag"), [(5, 1), (40, 7), (400, 9)])
def test_how_slow_a_reader_is_shows_in_its_lag(work_ms: float, lag: int) -> None:
    assert scenes.slow_consumer(work_ms=work_ms).summary[1].endswith(f"the lag it reported rose to {lag}")


@pytest.mark.parametrize(("seek_to", "again"), [(0, 6), (3, 3)])
def test_a_replay_reads_again_what_is_still_there(seek_to: int, again: int) -> None:
    email, search = scenes.replay(Log, Cursor, seek_to=seek_to).summary

    assert "email read all 6, in order; the lag it reported stayed 0" == email
    assert 6 + again == search.partition(";")[0].count(",") + 1


@pytest.mark.parametrize(
    ("seek_to", "flag"),
    [
        (0, "search seeks to 0"),
        (6, "search seeks to 6"),
        (7, "no 7 yet, search goes to 0"),
        (100, "no 100 yet, search goes to 0"),
    ],
)
def test_a_replay_opens_at_the_seek_and_tells_a_reset(seek_to: int, flag: str) -> None:
    assert flag in opened_at(scenes.replay(Log, Cursor, seek_to=seek_to))


def test_retention_that_passes_a_sleeping_reader_takes_values_from_it_alone() -> None:
    shown = scenes.retention_passes(Log, Cursor)

    assert (
        "email read all 6, in order; the lag it reported stayed 0",
        "search read order 1, paid 3, order 4; it never saw order 2, paid 1, order 3; the lag it reported stayed 0",
        "retention deleted everything below 4: the log begins at 4",
    ) == shown.summary
    assert "1 is gone, search goes to 4" in opened_at(shown)


def test_a_sleeper_that_finds_nothing_left_has_a_flag_too() -> None:
    assert "1 is gone, search goes to 6" in opened_at(scenes.retention_passes(keep_from=6))


def test_a_deletion_above_the_end_is_said_to_be_refused() -> None:
    shown = scenes.retention_passes(keep_from=9)

    assert "retention wanted to delete everything below 9 and was refused: OFFSET_OUT_OF_RANGE" == shown.summary[-1]


@pytest.mark.parametrize(
    ("sleep_ms", "keep_from", "missed"), [(130, 6, 5), (20, 6, 0), (20, 4, 0), (130, 0, 0), (130, 9, 0)]
)
def test_what_a_sleeper_misses_is_what_is_deleted_while_it_sleeps(sleep_ms: float, keep_from: int, missed: int) -> None:
    email, search, _ = scenes.retention_passes(sleep_ms=sleep_ms, keep_from=keep_from).summary

    assert "email read all 6, in order; the lag it reported stayed 0" == email
    assert missed == (search.partition("never saw")[2].partition(";")[0].count(",") + 1 if "never saw" in search else 0)


# Figures ------------------------------------------------------------------------------------------------------------


def test_the_figure_of_pipes_counts_them() -> None:
    assert "4 x 3 = 12 pipes, or 4 + 3 = 7 around a topic" == LAB.pipes().title


# What cannot be shown is a sentence -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        (lambda: LAB.pipes(0, 3), "`sources` can be a whole number from 1 to 6; got 0."),
        (lambda: LAB.pipes(4, 7), "`sinks` can be a whole number from 1 to 6; got 7."),
        (lambda: LAB.pipes("four"), "`sources` can be a whole number from 1 to 6; got 'four'."),
        (lambda: LAB.pipes(True), "`sources` can be a whole number from 1 to 6; got True."),
        (lambda: LAB.slow_consumer(work_ms=-1), "`work_ms` can be a number from 0 to 1000; got -1."),
        (lambda: LAB.slow_consumer(work_ms=float("nan")), "`work_ms` can be a number from 0 to 1000; got nan."),
        (lambda: LAB.replay(seek_to=-1), "`seek_to` can be a whole number from 0 to 100; got -1."),
        (lambda: LAB.replay(seek_to=1.5), "`seek_to` can be a whole number from 0 to 100; got 1.5."),
        (lambda: LAB.retention_passes(sleep_ms="130"), "`sleep_ms` can be a number from 0 to 1000; got '130'."),
        (lambda: LAB.retention_passes(keep_from=101), "`keep_from` can be a whole number from 0 to 100; got 101."),
        (lambda: LAB.watch_log(Log()), "Give the class itself: `Log` without parentheses, not `Log()`."),
        (lambda: LAB.replay(Log, 5), "Your `Cursor` was expected here; got 5."),
        (
            lambda: LAB.watch_log(lag=1),
            "`lab.watch_log` takes log; this call does not fit: got an unexpected keyword argument 'lag'.",
        ),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(scene: Callable[[], Scene], said: str) -> None:
    assert (said,) == scene().summary
    assert scene().player is None


@pytest.mark.parametrize("edge", [0, 1000])
def test_the_edges_of_what_can_be_asked_are_shown(edge: int) -> None:
    assert player_of(scenes.slow_consumer(work_ms=edge)).text
    assert player_of(scenes.retention_passes(sleep_ms=edge, keep_from=edge // 10)).text


# A log to play with -------------------------------------------------------------------------------------------------


def test_the_finished_log_does_what_a_log_does() -> None:
    log = scenes.a_log()

    assert (0, 2) == (log.append(["a", "b"]), log.append(("c",)))
    assert (["b", "c"], 1, ["b"]) == (log.read(1, 9), log.delete_before(1), log.read(1, max_records=1))
    assert (1, 3, "a log with start 1 and end 3") == (log.start(), log.end(), repr(log))


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda log: log.append("abc"), r"a list of values; a single one is a list too: append\(\['abc'\]\)"),
        (lambda log: log.append([1]), r"a list of strings; got \[1\]"),
        (lambda log: log.read("0", 1), "offset is a whole number; got '0'"),
        (lambda log: log.read(0, -1), "max_records is 0 or more; got -1"),
        (lambda log: log.read(5, 1), "offset 5 is outside the log, which goes from 0 to 0"),
        (lambda log: log.delete_before(2), "offset 2 is outside the log, which goes from 0 to 0"),
    ],
)
def test_what_the_finished_log_refuses_shows_nothing_of_how_a_log_is_made(
    slip: Callable[[Any], Any], said: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=said) as caught:
        slip(scenes.a_log())

    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert [] == [file for file in files if file.endswith("memory.py")]
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
