"""How a scene is told: a run with the learner's own parts in it, what to read off it, and where to look.

What an answer does never raises here: one that is not written is a sentence, one that fails is a line and a player.
Left out: which runs there are (`scenes`), where to look in them (`flags`), and how a step is drawn (`film`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from course.chapters.ch01_why_a_log import stage
from course.chapters.ch01_why_a_log.checks import EXERCISES
from course.chapters.ch01_why_a_log.film import film, plainly
from course.chapters.ch01_why_a_log.flags import facts_in
from course.checks.local import LocalPort
from course.checks.model import Run
from course.checks.plug import Plug
from course.checks.port import AnswerLost
from course.diagrams.player import Player
from kafkalite.errors import ErrorCode, SimulationStuck
from kafkalite.facts import PartFailed, ReaderMoved, ReaderSought, RecordsAppended, RecordsProcessed
from kafkalite.node import Received
from kafkalite.protocol.one_partition import (
    DeleteRecordsResponse,
    FetchResponse,
    ListOffsetsResponse,
    ProduceResponse,
)
from kafkalite.reference import REFERENCE
from kafkalite.sim.simulator import Simulator
from kafkalite.sim.trace import first_divergence

PRINTED_LINES = 20

Build = Callable[[dict[str, Any]], Simulator]
"""Makes the simulator, given what goes where each part goes: `log`, `cursor`, `deliver`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A run and what to read off it; shown, it is a player under its summary. Without a player it is a sentence."""

    summary: tuple[str, ...]
    player: Player | None = None

    def __repr__(self) -> str:
        return "\n".join(self.summary)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Jupyter asks for this."""
        if self.player is None:
            return {"text/html": "".join(f"<p>{_code(line)}</p>" for line in self.summary), "text/plain": repr(self)}
        lines = "".join(f"<li>{_code(line)}</li>" for line in self.summary)
        return {
            "text/html": f"<ul>{lines}</ul>{self.player.html}",
            "text/plain": "\n".join((*self.summary, self.player.text)),
        }


@dataclass(frozen=True, slots=True)
class Played:
    """A run with answers plugged in; `lost` says in a sentence why it stopped early, `printed` what they printed."""

    run: Run
    lost: str
    printed: str


def play(build: Build, case: Any, answers: Mapping[str, Any]) -> Played:
    """Run a cluster with the answers, by exercise id, plugged in and guarded; the other parts are the reference's."""
    exercises = {exercise.id: exercise for exercise in EXERCISES}
    lost = ""
    with LocalPort({exercises[part].name: answer for part, answer in answers.items()}) as port:
        plugs: dict[str, Any] = {"log": REFERENCE.log, "cursor": REFERENCE.cursor}
        plugs |= {part: Plug(port, exercises[part].name, exercises[part].object) for part in answers}
        sim = build(plugs)
        try:
            sim.run(steps_max=stage.STEPS_MAX)
        except (AnswerLost, SimulationStuck) as end:
            lost = f"The run stops here: {end}"
        return Played(Run(case, (), tuple(sim.steps)), lost, port.printed())


def tell(
    played: Played,
    read_off: Callable[[Run], list[str]],
    flags: Callable[[Run], Mapping[int, str]] | None = None,
    *,
    like: Played | None = None,
) -> Scene:
    """The scene of a run. `like` is the same run with finished parts, to compare it with."""
    unwritten = _unwritten(played.run)
    if unwritten:
        names = " and ".join(f"`{name}`" for name in unwritten)
        are, they = ("are", "they are") if len(unwritten) > 1 else ("is", "it is")
        return Scene(
            (f"{names} {are} not written yet. When {they}, this cell shows a system that runs with your code.",)
        )
    lines = [*_failed(played.run), *([played.lost] if played.lost else [])]
    marks = dict(flags(played.run)) if flags is not None else {}
    if like is not None:
        parted = first_divergence(list(played.run.steps), list(like.run.steps))
        if parted is None:
            lines.append("This is the run that a finished one makes, step by step.")
        else:
            lines.append(f"A finished one does something else at step {parted}. The player opens there.")
            marks = {min(parted, len(played.run.steps) - 1): "a finished one does something else here"}
    return Scene((*lines, *read_off(played.run), *_printed(played.printed)), film(played.run, flags=marks))


# What to read off ---------------------------------------------------------------------------------------------------


def answers_of(run: Run) -> list[str]:
    """What each client was told, in order."""
    told: dict[str, list[str]] = {name: [] for name, _ in run.case.clients}
    for step in run.steps:
        if isinstance(step.event, Received) and step.node in told:
            message = step.event.message
            if getattr(message, "error", ErrorCode.NONE) is not ErrorCode.NONE:
                told[step.node].append(message.error.name)
            elif isinstance(message, ProduceResponse):
                told[step.node].append(f"base offset {message.base_offset}")
            elif isinstance(message, FetchResponse):
                told[step.node].append(f"[{', '.join(message.values)}]")
            elif isinstance(message, ListOffsetsResponse):
                told[step.node].append(f"from {message.earliest} to {message.latest}")
            elif isinstance(message, DeleteRecordsResponse):
                told[step.node].append(f"begins at {message.low_watermark}")
    return [f"{name} was told {', then '.join(answers) or 'nothing'}" for name, answers in told.items()]


def who_saw_what(run: Run) -> list[str]:
    """What each reader has read, and what it never saw."""
    return [f"{name} {'; it '.join(_seen(run, name))}" for name, _ in run.case.readers]


def what_was_read(run: Run) -> list[str]:
    """What each reader has read, what it never saw, and the greatest lag that it reported after a poll."""
    lines = []
    said = [*facts_in(run, ReaderMoved), *facts_in(run, ReaderSought)]
    for name, _ in run.case.readers:
        lag = max((at.fact.lag for at in said if at.node == name), default=0)
        behind = f"the lag it reported rose to {lag}" if lag else "the lag it reported stayed 0"
        lines.append(f"{name} {'; it '.join(_seen(run, name))}; {behind}")
    return lines


def what_was_deleted(run: Run) -> list[str]:
    """What retention asked to delete, and what came of it."""
    asked = iter(request.offset for _, request in run.case.deletions)
    lines = []
    for step in run.steps:
        if not isinstance(step.event, Received) or not isinstance(step.event.message, DeleteRecordsResponse):
            continue
        answer, offset = step.event.message, next(asked)
        if answer.error is ErrorCode.NONE:
            lines.append(f"retention deleted everything below {offset}: the log begins at {answer.low_watermark}")
        else:
            lines.append(f"retention wanted to delete everything below {offset} and was refused: {answer.error.name}")
    return lines


def _seen(run: Run, name: str) -> list[str]:
    appended = [value for at in facts_in(run, RecordsAppended) for value in at.fact.values]
    got = [value for at in facts_in(run, RecordsProcessed) if at.node == name for value in at.fact.values]
    if got == appended and got:
        return [f"read all {len(got)}, in order"]
    missed = [value for value in appended if value not in got]
    return [f"read {', '.join(got) or 'nothing'}", *([f"never saw {', '.join(missed)}"] if missed else [])]


def what_was_delivered(run: Run) -> list[str]:
    """What each sink got, and how long at worst a value was kept from it while it was there and the sink was free."""
    got: dict[str, list[str]] = {name: [] for name, _ in run.case.sinks}
    free: dict[str, float] = {}  # since when the sink, by its own word, has nothing in hand
    published: list[float] = []
    waits: dict[str, float] = {}
    for step in run.steps:
        if not isinstance(step.event, Received):
            continue
        message = step.event.message
        if isinstance(message, stage.Publish):
            published += [step.now_ms] * len(message.values)
        elif isinstance(message, stage.Subscribe | stage.Done):
            free[step.event.source] = step.now_ms
        elif isinstance(message, stage.HandOver):
            got[step.node] += message.values
            for at_ms in published[max(0, message.offset) : message.offset + len(message.values)]:
                waited_ms = step.now_ms - max(at_ms, free.get(step.node, 0))
                waits[step.node] = max(waits.get(step.node, 0), waited_ms)
    topic = next((list(at.fact.values) for at in reversed(list(facts_in(run, stage.TopicChanged)))), [])
    return [
        f"{name} got {f'all {len(topic)}, in order' if values == topic else ', '.join(values)}; "
        f"at most {waits.get(name, 0):.0f} ms after the value was there and {name} was free"
        if values
        else f"{name} got nothing"
        for name, values in got.items()
    ]


# In words -----------------------------------------------------------------------------------------------------------


def _names() -> dict[str, str]:
    return {exercise.id: exercise.name for exercise in EXERCISES}


def _unwritten(run: Run) -> list[str]:
    """Answers that still raise NotImplementedError."""
    failed = {at.fact.part for at in facts_in(run, PartFailed) if "NotImplementedError" in at.fact.error}
    return [name for part, name in _names().items() if part in failed]


def _failed(run: Run) -> list[str]:
    """The first thing that a part could not do."""
    failed = next(facts_in(run, PartFailed), None)
    if failed is None:
        return []
    return [f"`{_names()[failed.fact.part]}` failed at step {failed.step}: {plainly(failed.fact.error)}"]


def _printed(text: str) -> list[str]:
    lines = text.splitlines()
    rest = [f"... and {len(lines) - PRINTED_LINES} lines more"] if len(lines) > PRINTED_LINES else []
    return [f"Your code printed: {line[:200]}" for line in lines[:PRINTED_LINES]] + rest


def _code(text: str) -> str:
    """Escaped text, with what stands in backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
