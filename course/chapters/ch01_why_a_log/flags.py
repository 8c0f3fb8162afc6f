"""Where to look in a run: the steps that a scene flags, each with its reason in a few words.

Everything is read off what nodes sent and announced. Left out: what a run comes to (`telling`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from course.chapters.ch01_why_a_log import stage
from course.checks.model import Run
from kafkalite.errors import ErrorCode
from kafkalite.facts import ReaderMoved, ReaderSought, RecordsAppended, RecordsProcessed
from kafkalite.node import Note, Received, Send
from kafkalite.protocol.one_partition import FetchRequest, FetchResponse, ListOffsetsResponse
from kafkalite.sim.simulator import Step
from kafkalite.sim.trace import FactAt, facts_of


def facts_in(run: Run, kind: type) -> Iterator[FactAt]:
    """The facts of one kind, in order."""
    return (at for at in facts_of(list(run.steps)) if isinstance(at.fact, kind))


def jumps(run: Run) -> Mapping[int, str]:
    """Where a reader goes on elsewhere than where it stood, or seeks."""
    return {turn.step: turn.in_words() for turn in _turns(run)}


def who_took_it(run: Run) -> Mapping[int, str]:
    """Where a reader cannot have what it stood at, because another has taken it."""
    values: dict[int, str] = {}
    for at in facts_in(run, RecordsAppended):
        values |= dict(enumerate(at.fact.values, at.fact.base_offset))
    found = {}
    for turn in _turns(run):
        takers = [
            at.node
            for at in facts_in(run, RecordsProcessed)
            if at.step < turn.step and at.node != turn.reader and values.get(turn.stood) in at.fact.values
        ]
        found[turn.step] = f"{takers[-1]} has taken {values[turn.stood]}" if takers else turn.in_words()
    return found


def who_moved_it(run: Run) -> Mapping[int, str]:
    """Where a reader goes on elsewhere because another's poll has moved the place that both share."""
    found = {}
    for turn in _turns(run):
        before = [at for at in facts_in(run, ReaderMoved) if at.step < turn.step and at.fact.position == turn.first]
        movers = [at.node for at in before if at.node != turn.reader]
        found[turn.step] = f"{movers[-1]}'s poll moved it to {turn.first}" if movers else turn.in_words()
    return found


def refusals(run: Run) -> Mapping[int, str]:
    """Where a reader asks for what is not in the log, and is told so."""
    answers = ((step, step.event.message) for step in run.steps if isinstance(step.event, Received))
    return {
        step.index: f"{step.node} asks for what is gone"
        for step, message in answers
        if isinstance(message, FetchResponse) and message.error is ErrorCode.OFFSET_OUT_OF_RANGE
    }


def furthest_behind(run: Run) -> Mapping[int, str]:
    """Where the lag that a reader reports is at its greatest."""
    worst = max(facts_in(run, ReaderMoved), key=lambda at: at.fact.lag, default=None)
    return {worst.step: f"{worst.node} lags by {worst.fact.lag}"} if worst is not None and worst.fact.lag else {}


def one_caught_up(run: Run) -> Mapping[int, str]:
    """Where one reader has everything, and another lags most."""
    lags: dict[str, int] = {}
    worst: tuple[int, int, str] = (0, 0, "")
    for at in facts_in(run, ReaderMoved):
        lags[at.node] = at.fact.lag
        done = [name for name, lag in lags.items() if not lag]
        if done and at.fact.lag > worst[0]:
            worst = (at.fact.lag, at.step, f"{at.node} lags by {at.fact.lag}, {done[0]} by 0")
    return {worst[1]: worst[2]} if worst[0] else {}


def who_is_held_up(run: Run) -> Mapping[int, str]:
    """Where a sink lacks most: one that is free and gets nothing, or else one that is busy and holds nobody up."""
    free: tuple[int, int, str] = (0, 0, "")
    busy: tuple[int, int, str] = (0, 0, "")
    for at in facts_in(run, stage.TopicChanged):
        for sink, position in at.fact.positions:
            lack = len(at.fact.values) - position
            if sink in at.fact.busy and lack > busy[0]:
                busy = (lack, at.step, f"{sink} lags, nobody waits")
            elif sink not in at.fact.busy and lack > free[0]:
                free = (lack, at.step, f"{sink} is free and waits")
    _, step, why = free if free[0] else busy
    return {step: why} if why else {}


@dataclass(frozen=True, slots=True)
class _Turn:
    """A reader that stood at `stood` was told where the log goes from and to, and went on at `first`."""

    step: int
    reader: str
    stood: int
    first: int
    start: int
    end: int

    def in_words(self) -> str:
        if self.stood < self.start:
            return f"{self.stood} is gone, {self.reader} goes to {self.first}"
        if self.stood > self.end:
            return f"no {self.stood} yet, {self.reader} goes to {self.first}"
        if self.first == self.stood:
            return f"{self.reader} seeks to {self.first}"
        return f"{self.reader} {'skips' if self.first > self.stood else 'goes back'} to {self.first}"


def _turns(run: Run) -> Iterator[_Turn]:
    """Every poll of a reader that sought, or stood outside the log, or went on elsewhere than where it stood."""
    position = {name: habits.position for name, habits in run.case.readers}
    for step in run.steps:
        moved = next(_said(step, ReaderMoved), None)
        if step.node not in position or moved is None or not isinstance(step.event, Received):
            continue
        log = step.event.message
        if not isinstance(log, ListOffsetsResponse) or log.error is not ErrorCode.NONE:
            continue
        sought = [fact.offset for fact in _said(step, ReaderSought)]
        stood = sought[-1] if sought else position[step.node]
        asked = [e.message for e in step.effects if isinstance(e, Send) and isinstance(e.message, FetchRequest)]
        first = asked[0].fetch_offset if asked else moved.position
        if sought or first != stood or not log.earliest <= stood <= log.latest:
            yield _Turn(step.index, step.node, stood, first, log.earliest, log.latest)
        position[step.node] = moved.position


def _said(step: Step, kind: type) -> Iterator[Any]:
    return (effect.fact for effect in step.effects if isinstance(effect, Note) and isinstance(effect.fact, kind))
