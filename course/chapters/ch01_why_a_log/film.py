"""From the steps of a run to the frames of a player: a fold over events, effects and facts, nothing else.

What a node keeps to itself is not drawn; what it announced and what it sent is. So a learner's mistake shows as what it
says: a base offset that is wrong is drawn where it claims to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from course.chapters.ch01_why_a_log import stage
from course.checks.model import Run, Violation
from course.checks.plug import WRONG_SHAPE
from course.diagrams.frames import Frame
from course.diagrams.hub_lane import hub_lane
from course.diagrams.log_lane import log_lane
from course.diagrams.player import Player, player
from course.diagrams.views import (
    ARRIVES,
    LEAVES,
    CursorView,
    FlightKind,
    FlightView,
    HubLaneView,
    LogLaneView,
    SinkState,
    SinkView,
    WriterView,
)
from kafkalite import facts
from kafkalite.errors import ErrorCode
from kafkalite.node import Note, PeerLost, Received, Send
from kafkalite.protocol import one_partition as wire
from kafkalite.sim.faults import BreakConnection, Freeze, SlowLink
from kafkalite.sim.simulator import Step

FRAMES_MAX = 300  # what a player of 300 KB holds
AFTER = 20  # frames shown after the one it opens at, where a run is too long to show whole


def film(run: Run, violation: Violation | None = None, flags: Mapping[int, str] | None = None) -> Player:
    """The run as a player, opened at the step where the violation shows.

    `flags` says, by step, why one would look there; without a violation the player opens at the first of them, and
    without any at the end, where the whole run is to be seen.
    """
    steps = list(run.steps)
    at = violation.step if violation is not None else None
    marks = {at: "rule broken here"} if at is not None else {} if violation is not None else dict(flags or {})
    shown, whole = _window(steps, min(marks, default=None))
    scene = _HubScene(run.case) if isinstance(run.case, stage.HubCase) else _LogScene(run.case)
    frames: list[Frame] = []
    opened: int | None = None
    for step in steps:
        frame = scene.frame(step)
        mark = marks.get(step.index)
        if not shown[0] <= step.index <= shown[1] or not (frame.caption or mark):
            continue  # a node that only set its alarm clock is nothing to look at
        if mark is not None:
            opened = len(frames) if opened is None else opened
            broken = f"RULE BROKEN: {violation.message}." if violation is not None else ""
            frame = Frame(frame.picture, ". ".join(filter(None, (frame.caption, broken))), frame.title, mark)
        frames.append(frame)
    label = run.case.name if whole else f"{run.case.name} (steps {shown[0]} to {shown[1]} of {len(run.steps)})"
    otherwise = len(frames) - 1 if violation is None else 0
    return player(frames or [scene.blank()], start=max(0, otherwise if opened is None else opened), label=label)


def _window(steps: Sequence[Step], at: int | None) -> tuple[tuple[int, int], bool]:
    if len(steps) <= FRAMES_MAX:
        return (0, steps[-1].index if steps else 0), True
    last = min(len(steps), next((i for i, s in enumerate(steps) if s.index == at), FRAMES_MAX) + AFTER)
    first = max(0, last - FRAMES_MAX)
    return (steps[first].index, steps[min(len(steps), first + FRAMES_MAX) - 1].index), False


class _Scene:
    """What the steps so far have said."""

    def __init__(self) -> None:
        self.values: dict[int, str] = {}
        self.start = self.end = 0
        self.note = ""

    def frame(self, step: Step) -> Frame:
        """Take one more step in; return how things look after it."""
        self.note = ""
        said = [effect.fact for effect in step.effects if isinstance(effect, Note)]
        for fact in said:
            self.learn(step, fact)
        self.see(step)
        announced = (text for fact in said if (text := self.caption(step.node, fact)))
        captions = [*self.told(step), *announced, *self.sent(step)]  # in the order of cause and effect
        title = f"step {step.index} · {step.now_ms:.1f} ms · {step.node or 'fault'}"
        return Frame(self.picture(step), "; ".join(captions), title)

    def blank(self) -> Frame:
        """How things look before the first step: all there is to show of a run that never began."""
        return Frame(self.picture(None), "nothing happened", "before the first step")

    def learn(self, step: Step, fact: Any) -> None: ...

    def see(self, step: Step) -> None: ...

    def caption(self, node: str, fact: Any) -> str | None: ...

    def picture(self, step: Step | None) -> Any: ...

    def told(self, step: Step) -> Iterator[str]:
        """The event in words."""
        event = step.event
        if isinstance(event, Received):
            yield f"{step.node} receives “{_message(event.message)}” from {event.source}"
        elif isinstance(event, PeerLost):
            yield f"{step.node} notices that its connection with {event.peer} broke"
        elif isinstance(event, BreakConnection):
            yield f"FAULT: the connection of {event.one} and {event.other} breaks"
        elif isinstance(event, Freeze):
            yield f"FAULT: {event.node} freezes for {event.for_ms:g} ms"
        elif isinstance(event, SlowLink):
            yield f"FAULT: the way from {event.source} to {event.to} becomes {event.factor:g} times slower"

    def sent(self, step: Step) -> Iterator[str]:
        """What left the node, in words."""
        for effect in step.effects:
            if isinstance(effect, Send):
                yield f"{step.node} sends “{_message(effect.message)}” to {effect.to}"


class _LogScene(_Scene):
    """A log with producers and readers."""

    def __init__(self, case: stage.LogCase | stage.ReadersCase) -> None:
        super().__init__()
        self.start = self.end = case.start
        self.writers: dict[str, str] = {}
        self.cursors: dict[str, CursorView] = {}
        if isinstance(case, stage.ReadersCase):
            self.writers = dict.fromkeys((name for name, _ in case.writers), "")
            self.cursors = {name: CursorView(name, habits.position) for name, habits in case.readers}
        else:
            for name, script in case.clients:
                kinds = {type(request) for _, request in script}
                if wire.FetchRequest in kinds:
                    self.cursors[name] = CursorView(name, case.start)
                else:
                    self.writers[name] = ""

    def learn(self, step: Step, fact: Any) -> None:
        if isinstance(fact, facts.RecordsAppended):
            self.values |= {fact.base_offset + i: value for i, value in enumerate(fact.values)}
            self.end = max(self.end, fact.base_offset + len(fact.values))
        elif isinstance(fact, facts.LogStartAdvanced):
            self.start = fact.start
        elif isinstance(fact, facts.ReaderMoved):
            self.cursors[step.node] = CursorView(step.node, fact.position, lag=fact.lag)
        elif isinstance(fact, facts.ReaderSought):
            self.cursors[step.node] = CursorView(step.node, fact.offset, lag=fact.lag)

    def see(self, step: Step) -> None:
        for effect in step.effects:
            if isinstance(effect, Send) and isinstance(effect.message, wire.ListOffsetsResponse):
                self._believe(effect.message)
            if isinstance(effect, Send) and isinstance(effect.message, wire.FetchRequest) and step.node in self.cursors:
                old, asked = self.cursors[step.node], effect.message
                wants = (asked.fetch_offset, asked.fetch_offset + asked.max_records)
                # A scripted client has no cursor of its own: it stands where it reads.
                position = old.position if old.lag is not None else asked.fetch_offset
                self.cursors[step.node] = CursorView(step.node, position, wants, old.lag, "fetching")
        if isinstance(step.event, Received) and isinstance(step.event.message, wire.FetchResponse):
            if step.node in self.cursors:
                old = self.cursors[step.node]
                count = len(step.event.message.values)
                position = old.position if old.lag is not None or old.wants is None else old.wants[0] + count
                self.cursors[step.node] = CursorView(step.node, position, None, old.lag, f"got {count}")
        elif isinstance(step.event, Freeze) and step.event.node in self.cursors:
            old = self.cursors[step.event.node]
            self.cursors[step.event.node] = CursorView(old.name, old.position, old.wants, old.lag, "asleep")

    def _believe(self, answer: wire.ListOffsetsResponse) -> None:
        """A log that loses values on the way (a queue does) says so only here."""
        if answer.error is ErrorCode.NONE:
            self.start = answer.earliest

    def caption(self, node: str, fact: Any) -> str | None:  # noqa: PLR0911 - a table of facts, one line each
        match fact:
            case facts.RecordsAppended(base_offset, values):
                return f"{node} appends {_values(values)} at offset {base_offset}"
            case facts.LogStartAdvanced(start):
                return f"{node} forgets everything below offset {start}"
            case facts.ReaderMoved(position, end, lag):
                return f"{node} will go on at offset {position}; the log ends at {end}, so it lags by {lag}"
            case facts.ReaderSought(offset, lag):
                return f"{node} seeks to offset {offset}, and lags by {lag}"
            case facts.PartFailed(part, error):
                return f"{node}'s {part} failed: {plainly(error)}"
            case facts.LogOpened(start):
                return f"{node} opens its log, whose first value will get offset {start}"
        return None

    def _with_lag(self, cursor: CursorView) -> CursorView:
        """Lag as it is now: the distance to the end. What a reader said of its lag is in the caption of that step."""
        if cursor.lag is None:
            return cursor
        return replace(cursor, lag=max(0, self.end - max(cursor.position, self.start)))

    def picture(self, step: Step | None) -> Any:
        flights = tuple(_flights(step, {*self.writers, *self.cursors}))
        return log_lane(
            LogLaneView(
                topic="orders",
                start=self.start,
                end=self.end,
                values=self.values,
                cursors=tuple(self._with_lag(cursor) for cursor in self.cursors.values()),
                writers=tuple(WriterView(name) for name in self.writers),
                flights=flights,
            )
        )


class _HubScene(_Scene):
    """A topic between sources and sinks."""

    def __init__(self, case: stage.HubCase) -> None:
        super().__init__()
        self.sources = tuple(WriterView(name) for name, _ in case.sources)
        self.positions = {name: habits.offset for name, habits in case.sinks}
        self.states = dict.fromkeys(self.positions, SinkState.GONE)
        self.holding: dict[str, tuple[int, int]] = {}
        self.seen: set[str] = set()  # sinks that have connected once; until then there is nothing of them to draw

    def learn(self, step: Step, fact: Any) -> None:
        if isinstance(fact, stage.TopicChanged):
            self.values = dict(enumerate(fact.values))
            self.end = len(fact.values)
            connected = dict(fact.positions)
            self.positions |= connected
            for sink in self.states:
                busy = SinkState.BUSY if sink in fact.busy else SinkState.IDLE
                self.states[sink] = busy if sink in connected else SinkState.GONE

    def see(self, step: Step) -> None:
        for effect in step.effects:
            if isinstance(effect, Send) and isinstance(effect.message, stage.HandOver):
                offset = effect.message.offset
                self.holding[effect.to] = (offset, offset + len(effect.message.values))
            elif isinstance(effect, Send) and isinstance(effect.message, stage.Done):
                self.holding.pop(step.node, None)
        if isinstance(step.event, Received) and isinstance(step.event.message, stage.Subscribe):
            self.seen.add(step.event.source)
        if isinstance(step.event, PeerLost):
            self.holding.pop(step.node, None)

    def caption(self, node: str, fact: Any) -> str | None:
        return f"{node}'s {fact.part} failed: {plainly(fact.error)}" if isinstance(fact, facts.PartFailed) else None

    def picture(self, step: Step | None) -> Any:
        sinks = tuple(
            SinkView(name, position, self.states[name], self.holding.get(name))
            for name, position in self.positions.items()
            if name in self.seen
        )
        flights = tuple(_flights(step, {*self.seen, *(source.name for source in self.sources)}))
        return hub_lane(
            HubLaneView("events", 0, self.end, self.values, sinks=sinks, sources=self.sources, flights=flights)
        )


def _flights(step: Step | None, drawn: set[str]) -> Iterator[FlightView]:
    """The message that arrives at this step, and those that leave."""
    if step is None:
        return
    if isinstance(step.event, Received) and {step.node, step.event.source} & drawn:
        message = step.event.message
        yield FlightView(step.event.source, step.node, _message(message), _kind(message), ARRIVES)
    for effect in step.effects:
        if isinstance(effect, Send) and {step.node, effect.to} & drawn:
            yield FlightView(step.node, effect.to, _message(effect.message), _kind(effect.message), LEAVES)


def plainly(error: str) -> str:
    """An answer's error without the names of what carried it here."""
    return error.removeprefix("AnswerRaised: ").removeprefix(f"{WRONG_SHAPE}: ")


def _kind(message: Any) -> FlightKind:
    if isinstance(message, wire.ProduceRequest | stage.Publish):
        return FlightKind.PRODUCE
    if getattr(message, "error", ErrorCode.NONE) is not ErrorCode.NONE:
        return FlightKind.ERROR
    return FlightKind.REPLY if type(message).__name__.endswith("Response") else FlightKind.FETCH


def _message(message: Any) -> str:  # noqa: C901, PLR0911 - a table of messages, one line each
    error = getattr(message, "error", ErrorCode.NONE)
    if error is not ErrorCode.NONE:
        return str(error.name)
    match message:
        case wire.ProduceRequest(values) | stage.Publish(values):
            return f"append {_values(values)}"
        case wire.ProduceResponse(base_offset):
            return f"base offset {base_offset}"
        case wire.FetchRequest(fetch_offset, max_records):
            return f"read {max_records} from {fetch_offset}"
        case wire.FetchResponse(values):
            return f"{_values(values)}"
        case wire.ListOffsetsRequest():
            return "start and end?"
        case wire.ListOffsetsResponse(earliest, latest):
            return f"from {earliest} to {latest}"
        case wire.DeleteRecordsRequest(offset):
            return f"delete below {offset}"
        case wire.DeleteRecordsResponse(low_watermark):
            return f"begins at {low_watermark}"
        case stage.Subscribe(offset):
            return f"subscribe from {offset}"
        case stage.HandOver(offset, values):
            return f"{_values(values)} at {offset}"
        case stage.Done():
            return "ready"
    return type(message).__name__


def _values(values: Sequence[str]) -> str:
    return "[" + ", ".join(values) + "]" if values else "nothing"
