"""The scenes of chapter 1: the runs and figures that its notebook shows, with the learner's own parts where given.

A scene never raises for what an answer does: an answer that is not written, or wrong, or endless, shows as such. What
cannot be shown is a sentence (`asking`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from course.chapters.ch01_why_a_log import stage
from course.chapters.ch01_why_a_log.asking import FinishedLog, answers, number, sentence_instead, whole
from course.chapters.ch01_why_a_log.flags import (
    furthest_behind,
    jumps,
    one_caught_up,
    refusals,
    who_is_held_up,
    who_moved_it,
    who_took_it,
)
from course.chapters.ch01_why_a_log.reference import deliver as reference_deliver
from course.chapters.ch01_why_a_log.telling import (
    Played,
    Scene,
    answers_of,
    play,
    tell,
    what_was_deleted,
    what_was_delivered,
    what_was_read,
    who_saw_what,
)
from course.chapters.ch01_why_a_log.wrong_answers import CursorSharedByAll, LogThatPops, deliver_when_all_are_ready
from course.diagrams.figure import Figure
from course.diagrams.pipes import pipes as draw_pipes
from course.diagrams.views import PipesView
from kafkalite.clients.reader import Habits
from kafkalite.protocol.one_partition import DeleteRecordsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import Freeze
from kafkalite.sim.simulator import Simulator

__all__ = [
    "a_log",
    "counterexample",
    "one_bookmark",
    "pipes",
    "queue",
    "replay",
    "retention_passes",
    "slow_consumer",
    "wait_for_all",
    "watch_log",
    "watch_readers",
    "watch_topic",
]

# Figures and first steps --------------------------------------------------------------------------------------------

_SOURCES = ("orders", "payments", "clicks", "stock", "returns", "prices")
_SINKS = ("email", "search", "audit", "fraud", "billing", "reports")


@sentence_instead
def pipes(sources: int = 4, sinks: int = 3) -> Figure:
    """Systems wired each to each, and the same systems around one topic; 1 to 6 of each can be drawn."""
    sources, sinks = whole("sources", sources, 1, len(_SOURCES)), whole("sinks", sinks, 1, len(_SINKS))
    title = f"{sources} x {sinks} = {sources * sinks} pipes, or {sources} + {sinks} = {sources + sinks} around a topic"
    return Figure(draw_pipes(PipesView(_SOURCES[:sources], _SINKS[:sinks], "events")), title)


def a_log() -> FinishedLog:
    """A finished log, to play with before you write your own."""
    return FinishedLog()


# What goes wrong ----------------------------------------------------------------------------------------------------

_CHANGES = tuple((9.0, (value,)) for value in ("order 1", "order 2", "paid 1", "order 3", "paid 3", "order 4"))
_TWO_READERS = (("email", Habits(0, 2, 18, polls_max=6)), ("search", Habits(0, 2, 24, polls_max=5)))


def queue() -> Scene:
    """Two readers of one queue: what one has taken, the other never sees."""
    case = stage.ReadersCase("two readers of one queue", (("shop", _CHANGES),), _TWO_READERS)
    return tell(_readers(case, log=LogThatPops), who_saw_what, who_took_it)


def one_bookmark() -> Scene:
    """A log that keeps everything, and two readers that share one place in it."""
    case = stage.ReadersCase("two readers, one bookmark", (("shop", _CHANGES),), _TWO_READERS)
    return tell(_readers(case, cursor=CursorSharedByAll), who_saw_what, who_moved_it)


_SOURCE_PLANS = (("shop", _CHANGES), ("stock", ((12.0, ("low 7",)), (20.0, ("low 9",)))))
_FAST_AND_SLOW = (("email", stage.SinkHabits(work_ms=3)), ("search", stage.SinkHabits(work_ms=40)))


def wait_for_all() -> Scene:
    """A topic that hands out only when every sink is ready: the slowest sets the pace."""
    case = stage.HubCase("everybody waits for the slowest", _SOURCE_PLANS, _FAST_AND_SLOW)
    return tell(_topic(case, deliver_when_all_are_ready), what_was_delivered, who_is_held_up)


def counterexample() -> Scene:
    """The run that the chapter's last question asks about."""
    case = stage.ReadersCase(
        "explain this run",
        (("shop", _CHANGES),),
        (("email", Habits(0, 3, 10, polls_max=8)), ("audit", Habits(0, 3, 39, polls_max=3))),
    )
    return tell(_readers(case, log=LogThatPops), what_was_read)


# What it should be --------------------------------------------------------------------------------------------------


@sentence_instead
def watch_log(log: Any = None) -> Scene:
    """A shop appends, two services read, retention deletes. With your `Log`, or without for a finished one."""
    answers(Log=log)
    produce = tuple((6.0, ProduceRequest(values)) for values in (("order 1",), ("order 2", "paid 1"), ("order 3",)))
    email = (
        (25.0, FetchRequest(0, 2)),
        (6.0, FetchRequest(2, 2)),
        (6.0, FetchRequest(0, 4)),
        (30.0, FetchRequest(2, 2)),
        (20.0, FetchRequest(3, 2)),
    )
    search = ((32.0, ListOffsetsRequest()), (4.0, FetchRequest(1, 3)), (40.0, FetchRequest(1, 3)))
    case = stage.LogCase(
        "one producer, two readers, and retention",
        (
            ("shop", (*produce, (45.0, ProduceRequest(("paid 3",))))),
            ("email", email),
            ("search", (*search, (4.0, ListOffsetsRequest()))),
            ("retention", ((68.0, DeleteRecordsRequest(2)), (20.0, DeleteRecordsRequest(3)))),
        ),
    )

    def build(plugs: dict[str, Any]) -> Simulator:
        return stage.log_cluster(case, replace(REFERENCE, log=plugs["log"]))

    finished = play(build, case, {})
    if log is None:
        return tell(finished, answers_of, refusals)
    return tell(play(build, case, {"log": log}), answers_of, refusals, like=finished)


@sentence_instead
def watch_readers(cursor: Any = None) -> Scene:
    """A fast reader and a slow one, each at its own place. With your `Cursor`, or without for a finished one."""
    answers(Cursor=cursor)
    case = stage.ReadersCase(
        "a fast reader and a slow one",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 8, polls_max=12)), ("search", Habits(0, 1, 15, 12, polls_max=9))),
    )
    finished = _readers(case)
    if cursor is None:
        return tell(finished, what_was_read, one_caught_up)
    return tell(_readers(case, cursor=cursor), what_was_read, one_caught_up, like=finished)


@sentence_instead
def watch_topic(deliver: Any = None) -> Scene:
    """Two sources, three sinks, one slow and one late. With your `deliver`, or without for a finished one."""
    answers(deliver=deliver)
    late = ("audit", stage.SinkHabits(connect_at_ms=70, work_ms=2))
    case = stage.HubCase("a topic instead of pipes", _SOURCE_PLANS, (*_FAST_AND_SLOW, late))
    return tell(_topic(case, reference_deliver if deliver is None else deliver), what_was_delivered, who_is_held_up)


# Break it -----------------------------------------------------------------------------------------------------------


@sentence_instead
def slow_consumer(log: Any = None, cursor: Any = None, *, work_ms: float = 40) -> Scene:
    """One reader needs `work_ms` for each value. Does it hold anybody up? Watch its lag."""
    answers(Log=log, Cursor=cursor)
    work_ms = number("work_ms", work_ms, 0, 1000)
    case = stage.ReadersCase(
        f"a reader that needs {work_ms:g} ms for each value",
        (("shop", tuple((6.0, (f"order {n}",)) for n in range(1, 13))),),
        (("email", Habits(0, 3, 8, polls_max=18)), ("search", Habits(0, 2, 6, work_ms, polls_max=20))),
    )
    return tell(_readers(case, log=log, cursor=cursor), what_was_read, furthest_behind)


@sentence_instead
def replay(log: Any = None, cursor: Any = None, *, seek_to: int = 0) -> Scene:
    """A reader has read everything, finds that it had a bug, and goes back to `seek_to`."""
    answers(Log=log, Cursor=cursor)
    seek_to = whole("seek_to", seek_to, 0, 100)
    case = stage.ReadersCase(
        f"back to offset {seek_to}",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 12, polls_max=8)), ("search", Habits(0, 2, 12, seeks=((7, seek_to),), polls_max=12))),
    )
    return tell(_readers(case, log=log, cursor=cursor), what_was_read, jumps)


@sentence_instead
def retention_passes(log: Any = None, cursor: Any = None, *, sleep_ms: float = 130, keep_from: int = 4) -> Scene:
    """A reader sleeps while retention deletes everything below `keep_from`. What does it miss, and does it notice?"""
    answers(Log=log, Cursor=cursor)
    sleep_ms, keep_from = number("sleep_ms", sleep_ms, 0, 1000), whole("keep_from", keep_from, 0, 100)
    case = stage.ReadersCase(
        f"asleep for {sleep_ms:g} ms",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 9, polls_max=12)), ("search", Habits(0, 2, 9, polls_max=14))),
        ((110.0, DeleteRecordsRequest(keep_from)),),
        faults=((14.0, Freeze("search", sleep_ms)),),
    )
    return tell(
        _readers(case, log=log, cursor=cursor), lambda run: [*what_was_read(run), *what_was_deleted(run)], jumps
    )


# With whose parts ---------------------------------------------------------------------------------------------------


def _readers(case: stage.ReadersCase, *, log: Any = None, cursor: Any = None) -> Played:
    def build(plugs: dict[str, Any]) -> Simulator:
        return stage.readers_cluster(case, replace(REFERENCE, log=plugs["log"], cursor=plugs["cursor"]))

    given = {"log": log, "cursor": cursor}
    return play(build, case, {part: answer for part, answer in given.items() if answer is not None})


def _topic(case: stage.HubCase, deliver: Any) -> Played:
    return play(lambda plugs: stage.hub_cluster(case, plugs["deliver"]), case, {"deliver": deliver})
