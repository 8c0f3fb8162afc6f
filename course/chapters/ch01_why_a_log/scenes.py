"""The scenes of chapter 1: the runs and figures of its notebook, with the learner's own parts where they are given.

A scene never raises for what an answer does: an answer that is not written, or wrong, or endless, shows as such.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from course.chapters.ch01_why_a_log import stage
from course.chapters.ch01_why_a_log.checks import EXERCISES
from course.chapters.ch01_why_a_log.film import film
from course.chapters.ch01_why_a_log.reference import deliver as reference_deliver
from course.chapters.ch01_why_a_log.wrong_answers import LogThatPops
from course.checks.local import LocalPort
from course.checks.model import Run
from course.checks.plug import Plug
from course.checks.port import AnswerLost
from course.diagrams.frames import Picture
from course.diagrams.pipes import pipes as draw_pipes
from course.diagrams.player import Player, svg
from course.diagrams.views import PipesView
from kafkalite.clients.reader import Habits
from kafkalite.errors import SimulationStuck
from kafkalite.facts import PartFailed, ReaderMoved, RecordsProcessed
from kafkalite.log.memory import Log
from kafkalite.protocol.one_partition import DeleteRecordsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import Freeze
from kafkalite.sim.simulator import STEPS_MAX, Simulator
from kafkalite.sim.trace import facts_of

__all__ = [
    "a_log",
    "counterexample",
    "pipes",
    "queue",
    "replay",
    "retention_passes",
    "slow_consumer",
    "watch_log",
    "watch_readers",
    "watch_topic",
]


class Figure:
    """A still picture; shown, it is SVG with its title as text beside it."""

    def __init__(self, picture: Picture, title: str) -> None:
        self.title = title
        self.svg = svg(picture, title)

    def __repr__(self) -> str:
        return self.title

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.svg, "text/plain": self.title}


@dataclass(frozen=True, slots=True)
class Scene:
    """A run and what to read off it; shown, it is a player under its summary."""

    summary: tuple[str, ...]
    player: Player

    def __repr__(self) -> str:
        return "\n".join(self.summary)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from html import escape  # noqa: PLC0415 - small, and only here

        lines = "".join(f"<li>{escape(line)}</li>" for line in self.summary)
        return {
            "text/html": f"<ul>{lines}</ul>{self.player.html}",
            "text/plain": "\n".join((*self.summary, self.player.text)),
        }


# Figures and first steps --------------------------------------------------------------------------------------------


def pipes(sources: int = 4, sinks: int = 3) -> Figure:
    """Systems wired each to each, and the same systems around one topic."""
    made = ("orders", "payments", "clicks", "stock", "returns", "prices")[:sources]
    wanted = ("email", "search", "audit", "fraud", "billing", "reports")[:sinks]
    if not (1 <= sources <= len(made) and 1 <= sinks <= len(wanted)):
        raise ValueError(f"1 to 6 sources and 1 to 6 sinks can be drawn; got {sources} and {sinks}")
    title = f"{sources} x {sinks} = {sources * sinks} pipes, or {sources} + {sinks} = {sources + sinks} around a topic"
    return Figure(draw_pipes(PipesView(made, wanted, "events")), title)


def a_log() -> Log:
    """A finished log, to play with before you write your own."""
    return Log()


# Runs ---------------------------------------------------------------------------------------------------------------

_CHANGES = tuple((9.0, (value,)) for value in ("order 1", "order 2", "paid 1", "order 3", "paid 3", "order 4"))


def queue() -> Scene:
    """Two readers of one queue: what one has taken, the other never sees."""
    case = stage.ReadersCase(
        "two readers of one queue",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 14, polls_max=7)), ("search", Habits(0, 2, 22, polls_max=5))),
    )
    return _readers(case, log=LogThatPops, cursor=None)


def watch_log(log: Any = None) -> Scene:
    """A shop appends; two readers read the same values, one of them twice. With your `Log`, or with the reference."""
    produce = tuple((6.0, ProduceRequest(values)) for values in (("order 1",), ("order 2", "paid 1"), ("order 3",)))
    reads = ((25.0, FetchRequest(0, 2)), (6.0, FetchRequest(2, 2)), (6.0, FetchRequest(0, 4)))
    case = stage.LogCase(
        "your log, one producer, two readers",
        (("shop", produce), ("email", reads), ("search", ((32.0, ListOffsetsRequest()), (4.0, FetchRequest(1, 3))))),
    )
    run, sim_nodes = _play(
        lambda plugs: stage.log_cluster(case, replace(REFERENCE, log=plugs["log"])), case, {"log": log}
    )
    return Scene((*_failures(run), *sim_nodes, f"{_sent(run)} requests were answered"), film(run))


def watch_readers(cursor: Any = None) -> Scene:
    """A fast reader and a slow one follow a log, each at its own place. With your `Cursor`, or with the reference."""
    case = stage.ReadersCase(
        "a fast reader and a slow one",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 8, polls_max=12)), ("search", Habits(0, 1, 15, 12, polls_max=9))),
    )
    return _readers(case, log=None, cursor=cursor)


def watch_topic(deliver: Any = None) -> Scene:
    """Two sources, three sinks, one of them slow and one of them late. With your `deliver`, or with the reference."""
    case = stage.HubCase(
        "a topic instead of pipes",
        (("shop", _CHANGES[:4]), ("stock", ((12.0, ("low 7",)), (20.0, ("low 9",))))),
        (
            ("email", stage.SinkHabits(work_ms=3)),
            ("search", stage.SinkHabits(work_ms=25)),
            ("audit", stage.SinkHabits(connect_at_ms=70, work_ms=2)),
        ),
    )
    answers = {"deliver": deliver or reference_deliver}
    run, lost = _play(lambda plugs: stage.hub_cluster(case, plugs["deliver"]), case, answers)
    return Scene((*_failures(run), *lost, *_delivered(run, case)), film(run))


def counterexample() -> Scene:
    """The run that the chapter's last question asks about."""
    case = stage.ReadersCase(
        "explain this run",
        (("shop", _CHANGES),),
        (("email", Habits(0, 3, 10, polls_max=8)), ("audit", Habits(0, 3, 30, polls_max=4))),
    )
    return _readers(case, log=LogThatPops, cursor=None)


# Break it -----------------------------------------------------------------------------------------------------------


def slow_consumer(log: Any = None, cursor: Any = None, *, work_ms: float = 40) -> Scene:
    """One reader needs `work_ms` for each value. Does it hold anybody up? Watch its lag."""
    case = stage.ReadersCase(
        f"a reader that needs {work_ms:g} ms for each value",
        (("shop", tuple((6.0, (f"order {n}",)) for n in range(12))),),
        (("email", Habits(0, 3, 8, polls_max=14)), ("search", Habits(0, 1, 8, work_ms, polls_max=14))),
    )
    return _readers(case, log=log, cursor=cursor)


def replay(log: Any = None, cursor: Any = None) -> Scene:
    """A reader has read everything, finds that it had a bug, and goes back to the beginning."""
    case = stage.ReadersCase(
        "back to offset 0",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 12, polls_max=8)), ("search", Habits(0, 2, 12, seeks=((6, 0),), polls_max=12))),
    )
    return _readers(case, log=log, cursor=cursor)


def retention_passes(log: Any = None, cursor: Any = None, *, sleep_ms: float = 60, keep_from: int = 4) -> Scene:
    """A reader sleeps while retention deletes everything below `keep_from`. What does it miss, and does it notice?"""
    case = stage.ReadersCase(
        f"asleep for {sleep_ms:g} ms",
        (("shop", _CHANGES),),
        (("email", Habits(0, 2, 9, polls_max=12)), ("search", Habits(0, 1, 9, polls_max=12))),
        ((58.0, DeleteRecordsRequest(keep_from)),),
        faults=((14.0, Freeze("search", sleep_ms)),),
    )
    return _readers(case, log=log, cursor=cursor)


# How a scene is played ----------------------------------------------------------------------------------------------


def _readers(case: stage.ReadersCase, *, log: Any, cursor: Any) -> Scene:
    def build(plugs: dict[str, Any]) -> Simulator:
        return stage.readers_cluster(case, replace(REFERENCE, log=plugs["log"], cursor=plugs["cursor"]))

    run, lost = _play(build, case, {"log": log, "cursor": cursor})
    return Scene((*_failures(run), *lost, *_read(run)), film(run))


def _play(build: Any, case: Any, answers: dict[str, Any]) -> tuple[Run, tuple[str, ...]]:
    """Run a cluster with the learner's answers plugged in, guarded; a part that was not given is the reference's."""
    exercises = {exercise.id: exercise for exercise in EXERCISES}
    given = {part: answer for part, answer in answers.items() if answer is not None}
    names = {exercises[part].name: answer for part, answer in given.items()}
    with LocalPort(names) as port:
        plugs: dict[str, Any] = {"log": REFERENCE.log, "cursor": REFERENCE.cursor}
        plugs |= {part: Plug(port, exercises[part].name, exercises[part].object) for part in given}
        sim = build(plugs)
        lost: tuple[str, ...] = ()
        try:
            sim.run(steps_max=min(STEPS_MAX, stage.STEPS_MAX))
        except (AnswerLost, SimulationStuck) as end:
            lost = (f"The run stops here: {end}",)
    return Run(case, (), tuple(sim.steps)), lost


def _failures(run: Run) -> list[str]:
    """The first thing that a part could not do."""
    failed = [at for at in facts_of(list(run.steps)) if isinstance(at.fact, PartFailed)]
    if not failed:
        return []
    fact = failed[0].fact
    if "NotImplementedError" in fact.error:
        return [f"`{fact.part}` is not written yet: at step {failed[0].step} it raised NotImplementedError."]
    return [f"`{fact.part}` failed at step {failed[0].step}: {fact.error}"]


def _read(run: Run) -> list[str]:
    """What each reader has processed, and how far behind it was at worst."""
    values: dict[str, list[str]] = {name: [] for name, _ in run.case.readers}
    lags: dict[str, int] = {}
    for at in facts_of(list(run.steps)):
        if isinstance(at.fact, RecordsProcessed):
            values[at.node] += at.fact.values
        elif isinstance(at.fact, ReaderMoved):
            lags[at.node] = max(lags.get(at.node, 0), at.fact.lag)
    return [
        f"{name} read {len(got)}: {', '.join(got) or 'nothing'}; its lag was {lags.get(name, 0)} at most"
        for name, got in values.items()
    ]


def _delivered(run: Run, case: stage.HubCase) -> list[str]:
    got: dict[str, list[str]] = {name: [] for name, _ in case.sinks}
    for step in run.steps:
        message = getattr(step.event, "message", None)
        if isinstance(message, stage.HandOver) and step.node in got:
            got[step.node] += message.values
    return [f"{name} got {len(values)}: {', '.join(values) or 'nothing'}" for name, values in got.items()]


def _sent(run: Run) -> int:
    return sum(type(getattr(step.event, "message", None)).__name__.endswith("Response") for step in run.steps)
