"""The scenes of chapter 1 show what its text says they show, and no answer makes them raise."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
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
    return player_of(scene).html.partition('<p class="kl-now">')[2].partition("</p>")[0]


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

    assert shown.summary[0].startswith("`Log` failed at step 5: AttributeError: ")


# What goes wrong in the shop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", [scenes.queue, scenes.one_bookmark])
def test_two_readers_of_one_queue_or_one_bookmark_get_half_each(scene: Callable[[], Scene]) -> None:
    assert (
        "email read order 1, paid 1, paid 3; it never saw order 2, order 3, order 4",
        "search read order 2, order 3, order 4; it never saw order 1, paid 1, paid 3",
    ) == scene().summary
    assert "search skips to 1" in opened_at(scene())


def test_a_topic_that_waits_for_all_makes_the_fast_wait_and_a_finished_one_does_not() -> None:
    waiting, finished = scenes.wait_for_all(), scenes.watch_topic()

    assert "email is free and waits" in opened_at(waiting)
    assert "search lags, nobody waits" in opened_at(finished)
    assert all("got all 8, in order" in line for line in (*waiting.summary, *finished.summary))
    assert "each at most 244 ms" in waiting.summary[0]
    assert "each at most 9 ms" in finished.summary[0]


def test_the_counterexample_loses_values_without_an_error_and_with_no_lag() -> None:
    shown = scenes.counterexample()

    assert all("never saw" in line and "its lag stayed 0" in line for line in shown.summary)
    assert "OFFSET_OUT_OF_RANGE" not in player_of(shown).text
    assert "failed" not in player_of(shown).text


# Break it -----------------------------------------------------------------------------------------------------------


def test_a_slow_consumer_lags_alone_and_loses_nothing() -> None:
    shown = scenes.slow_consumer(Log, Cursor)

    assert (
        "email read all 10, in order; its lag stayed 0",
        "search read all 10, in order; its lag rose to 7",
    ) == shown.summary
    assert "search lags by 7" in opened_at(shown)


@pytest.mark.parametrize("work_ms", [0, 5, 400])
def test_a_slow_consumer_reads_everything_however_slow_it_is(work_ms: float) -> None:
    assert all("read all 10, in order" in line for line in scenes.slow_consumer(work_ms=work_ms).summary)


@pytest.mark.parametrize(("seek_to", "again"), [(0, 6), (3, 3)])
def test_a_replay_reads_again_what_is_still_there(seek_to: int, again: int) -> None:
    email, search = scenes.replay(Log, Cursor, seek_to=seek_to).summary

    assert "email read all 6, in order; its lag stayed 0" == email
    assert 6 + again == search.partition(";")[0].count(",") + 1


def test_retention_that_passes_a_sleeping_reader_takes_values_from_it_alone() -> None:
    shown = scenes.retention_passes(Log, Cursor)

    assert (
        "email read all 6, in order; its lag stayed 0",
        "search read order 1, paid 3, order 4; it never saw order 2, paid 1, order 3; its lag stayed 0",
    ) == shown.summary
    assert "search skips to 4" in opened_at(shown)


@pytest.mark.parametrize(
    ("sleep_ms", "keep_from", "missed"), [(130, 6, 5), (20, 6, 0), (20, 4, 0), (130, 0, 0), (130, 9, 0)]
)
def test_what_a_sleeper_misses_is_what_is_deleted_while_it_sleeps(sleep_ms: float, keep_from: int, missed: int) -> None:
    email, search = scenes.retention_passes(sleep_ms=sleep_ms, keep_from=keep_from).summary

    assert "email read all 6, in order; its lag stayed 0" == email
    assert missed == (search.partition("never saw")[2].partition(";")[0].count(",") + 1 if "never saw" in search else 0)


# Figures ------------------------------------------------------------------------------------------------------------


def test_the_figure_of_pipes_counts_them() -> None:
    assert "4 x 3 = 12 pipes, or 4 + 3 = 7 around a topic" == scenes.pipes().title


@pytest.mark.parametrize(("sources", "sinks"), [(0, 3), (7, 3), (4, 0), (4, 7)])
def test_more_pipes_than_can_be_drawn_are_refused_in_words(sources: int, sinks: int) -> None:
    with pytest.raises(ValueError, match=f"got {sources} and {sinks}"):
        scenes.pipes(sources, sinks)
