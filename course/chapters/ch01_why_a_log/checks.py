"""The rules of chapter 1 and the cases they are judged on.

Each rule reads the calls of a run and compares them with a model that is as small as it can be: offsets counted, values
kept in a list. Where a later answer depends on an earlier one, the model goes on from what the answer itself said, so
that one mistake breaks one rule and not all that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from course.chapters.ch01_why_a_log.stage import (
    HubCase,
    LogCase,
    ReadersCase,
    SinkHabits,
    play_hub,
    play_log,
    play_readers,
)
from course.checks.model import Check, Exercise, Rule, Run, Violation, Written
from course.checks.plug import Call, Returned
from course.checks.rules import after_construction, numbered, per_instance, raised, returned, violation
from kafkalite.clients.reader import Habits
from kafkalite.protocol.one_partition import DeleteRecordsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest
from kafkalite.sim.faults import BreakConnection, Freeze, SlowLink
from kafkalite.types import Hand, Left, Published, Ready, Subscribed

# class Log ---------------------------------------------------------------------------------------------------------------


class _Model:
    """A log as its calls make it: how far it goes, and what stands where. Nothing the answer says counts here."""

    def __init__(self, start: int) -> None:
        self.start, self.end = start, start
        self.values: dict[int, str] = {}

    def append(self, values: list[str]) -> None:
        for value in values:
            self.values[self.end] = value
            self.end += 1

    def read(self, offset: int, max_records: int) -> list[str]:
        return [self.values[at] for at in range(offset, min(self.end, offset + max_records))]

    def is_readable(self, offset: int) -> bool:
        return self.start <= offset <= self.end


def _with_model(run: Run) -> Iterator[tuple[int, Call, _Model]]:
    """Each call with the model just before it."""
    model = _Model(0)
    for index, call in enumerate(run.calls):
        if call.name == "Log":
            model = _Model(call.args[0])
            continue
        yield index, call, model
        if call.name == "append":
            model.append(call.args[0])
        elif call.name == "delete_before" and call.args[0] <= model.end:
            model.start = max(model.start, call.args[0])


def _log_rule(name: str, expect: Callable[[Call, _Model], str | None]) -> Callable[[Run], Violation | None]:
    """A rule about the calls of one name: `expect` says what the call must do where it did not, and None if it did."""

    @after_construction
    def judge(run: Run) -> Violation | None:
        for index, call, model in _with_model(run):
            if call.name == name:
                expected = expect(call, model)
                if expected is not None:
                    return violation(run, index, expected)
        return None

    return judge


def _append_returns_the_base_offset(call: Call, model: _Model) -> str | None:
    if not call.args[0] or returned(call, model.end):
        return None
    return f"return {model.end}, the offset of {call.args[0][0]!r}, the first value of the batch"


def _append_of_nothing_returns_the_end(call: Call, model: _Model) -> str | None:
    if call.args[0] or returned(call, model.end):
        return None
    return f"change nothing and return the end, {model.end}"


def _end_is_the_next_offset(call: Call, model: _Model) -> str | None:
    if returned(call, model.end):
        return None
    written = f"the last value stands at {model.end - 1}" if model.end > model.start else "the log is empty"
    return f"return {model.end}, the offset that the next value will get ({written})"


def _start_is_the_oldest_offset(call: Call, model: _Model) -> str | None:
    return None if returned(call, model.start) else f"return {model.start}: appending does not move the start"


def _first_reads(run: Run) -> Iterator[tuple[int, Call, _Model, bool]]:
    """Reads inside the log, each with whether some offset of it has been read before."""
    seen: set[int] = set()
    for index, call, model in _with_model(run):
        if call.name == "read" and model.start <= call.args[0] < model.end:
            wanted = range(call.args[0], min(model.end, call.args[0] + call.args[1]))
            yield index, call, model, any(offset in seen for offset in wanted)
            seen.update(wanted)


@after_construction
def _read_returns_the_values(run: Run) -> Violation | None:
    for index, call, model, again in _first_reads(run):
        expected = model.read(*call.args)
        if not again and not returned(call, expected):
            return violation(run, index, f"return {expected!r}: at most {call.args[1]} values from offset {call.args[0]} on")
    return None


@after_construction
def _read_removes_nothing(run: Run) -> Violation | None:
    for index, call, model, again in _first_reads(run):
        expected = model.read(*call.args)
        if again and not returned(call, expected):
            return violation(run, index, f"return {expected!r}, also to whoever reads it a second time")
    return None


def _read_minds_the_range(call: Call, model: _Model) -> str | None:
    offset = call.args[0]
    if offset == model.end:
        return None if returned(call, []) else "return no values: the end is where the next value will be written"
    if model.is_readable(offset) or raised(call, "OffsetOutOfRange"):
        return None
    return f"raise OffsetOutOfRange: the log goes from {model.start} to {model.end}"


def _delete_moves_the_start(call: Call, model: _Model) -> str | None:
    offset = call.args[0]
    if offset > model.end:
        return None if raised(call, "OffsetOutOfRange") else f"raise OffsetOutOfRange: the log ends at {model.end}"
    start = max(model.start, offset)
    return None if returned(call, start) else f"return {start}, where the log begins now"


@after_construction
def _deleting_keeps_the_offsets(run: Run) -> Violation | None:
    deleted = False
    for index, call, model in _with_model(run):
        if call.name == "delete_before":
            expected = _delete_moves_the_start(call, model)
            if expected is not None:
                return violation(run, index, expected)
            deleted = deleted or model.start < call.args[0] <= model.end
        elif deleted and call.name == "read" and model.start <= call.args[0] < model.end:
            values = model.read(*call.args)
            if not returned(call, values):
                return violation(run, index, f"return {values!r}: a value keeps its offset when older ones are deleted")
        elif deleted and call.name in ("start", "end") and not returned(call, getattr(model, call.name)):
            return violation(run, index, f"return {getattr(model, call.name)} after the deletion")
    return None


def _produce(*values: str) -> tuple[float, ProduceRequest]:
    return (2, ProduceRequest(values))


def _fetch(offset: int, max_records: int = 10) -> tuple[float, FetchRequest]:
    return (2, FetchRequest(offset, max_records))


def _delete(offset: int) -> tuple[float, DeleteRecordsRequest]:
    return (2, DeleteRecordsRequest(offset))


_LIST = (1.0, ListOffsetsRequest())


def _draw_appends(rng: Random) -> LogCase:
    names = ["orders", "payments", "refunds"][: rng.randint(1, 3)]
    clients = []
    for name in names:
        batches = [[f"{name[0]}{n}{i}" for i in range(rng.choice([0, 1, 1, 2, 3, 5]))] for n in range(rng.randint(2, 6))]
        script = tuple(step for batch in batches for step in ((rng.uniform(0, 9), ProduceRequest(tuple(batch))), _LIST))
        clients.append((name, script))
    faults = ((rng.uniform(5, 30), BreakConnection("broker", names[0])),) if rng.random() < 0.3 else ()
    return LogCase("several producers", tuple(clients), rng.choice([0, 0, 1, 7, 1000]), rng.randrange(1 << 30), faults)


def _draw_reads(rng: Random) -> LogCase:
    start, count = rng.choice([0, 0, 3, 500]), rng.randint(3, 12)
    writes = tuple((rng.uniform(0, 6), ProduceRequest((f"v{i}",))) for i in range(count))
    clients = [("orders", writes)]
    for name in ["email", "search", "audit"][: rng.randint(1, 3)]:
        reads = (FetchRequest(start + rng.randint(-1, count + 1), rng.randint(1, 5)) for _ in range(rng.randint(4, 9)))
        clients.append((name, tuple((rng.uniform(0, 12), read) for read in reads)))
    if rng.random() < 0.6:
        deletes = (DeleteRecordsRequest(start + rng.randint(0, count + 1)) for _ in range(rng.randint(1, 3)))
        clients.append(("retention", tuple((rng.uniform(5, 20), delete) for delete in deletes)))
    return LogCase("readers and retention", tuple(clients), start, rng.randrange(1 << 30))


APPEND = Check(
    id="log-append",
    rules=(
        Rule(
            "base-offset",
            "`append` returns the base offset: the offset of the first value of the batch",
            2,
            _log_rule("append", _append_returns_the_base_offset),
        ),
        Rule(
            "empty-batch",
            "appending no values changes nothing and returns the end",
            1,
            _log_rule("append", _append_of_nothing_returns_the_end),
        ),
        Rule("end", "`end` is the next offset to be written, not the last one written", 1, _log_rule("end", _end_is_the_next_offset)),
        Rule("start", "`start` stays where it was, however much is appended", 1, _log_rule("start", _start_is_the_oldest_offset)),
    ),
    directed=(
        LogCase("one value after another", (("orders", (_LIST, _produce("a"), _LIST, _produce("b"), _LIST)),)),
        LogCase("batches of several values", (("orders", (_produce("a", "b", "c"), _LIST, _produce("d", "e"), _LIST)),)),
        LogCase("an empty batch", (("orders", (_produce(), _LIST, _produce("a", "b"), _produce(), _LIST, _produce("c"))),)),
        LogCase("equal values", (("orders", (_produce("a"), _produce("a", "a"), _produce("a"), _LIST)),)),
        LogCase("a log that starts at 40", (("orders", (_LIST, _produce(), _produce("a", "b"), _LIST, _produce("c"))),), start=40),
    ),
    draw=_draw_appends,
    play=play_log,
)  # fmt: skip

_ABC = (_produce("a"), _produce("b", "c"), _produce("d"))
_LATER = (30.0, ListOffsetsRequest())  # lets the producer finish first

READ = Check(
    id="log-read",
    rules=(
        Rule("values", "`read` returns the values from that offset on, oldest first, at most `max_records`", 2, _read_returns_the_values),
        Rule("kept", "reading removes nothing: the next reader gets the same values", 1, _read_removes_nothing),
        Rule(
            "range",
            "outside the log `read` raises OffsetOutOfRange; at its end there is nothing to read, and no error",
            1,
            _log_rule("read", _read_minds_the_range),
        ),
        Rule("deleting", "`delete_before` moves the start; every value that is left keeps its offset", 1, _deleting_keeps_the_offsets),
    ),
    directed=(
        LogCase("one reader", (("orders", _ABC), ("email", (_LATER, _fetch(0, 2), _fetch(2, 2))))),
        LogCase("a reader that asks for little", (("orders", _ABC), ("email", (_LATER, _fetch(1, 1), _fetch(2, 1), _fetch(3, 1))))),
        LogCase(
            "two readers of the same values",
            (("orders", _ABC), ("email", (_LATER, _fetch(0), _fetch(0))), ("search", (_LATER, _fetch(0, 3), _fetch(3)))),
        ),
        LogCase("at the end, and beyond", (("orders", _ABC), ("email", (_fetch(0), _LATER, _fetch(4), _fetch(5), _fetch(9))))),
        LogCase(
            "below the start",
            (("orders", _ABC), ("email", (_fetch(7), _LATER, _fetch(6), _fetch(0), _fetch(-1), _fetch(7)))),
            start=7,
        ),
        LogCase(
            "retention passes",
            (("orders", (*_ABC, _produce("e"))), ("retention", (_LATER, _delete(2), _LIST, _fetch(2, 2), _fetch(3, 1), _fetch(1), _fetch(5), _LIST))),
        ),
        LogCase(
            "retention takes all, then none, then too much",
            (("orders", _ABC), ("retention", (_LATER, _delete(4), _LIST, _produce("e"), _fetch(4), _delete(1), _delete(9), _LIST))),
        ),
    ),
    draw=_draw_reads,
    play=play_log,
)  # fmt: skip

# class Cursor ------------------------------------------------------------------------------------------------------------


class _Place:
    """Where a cursor must stand: by what it was told, and by what it said itself at its last poll."""

    def __init__(self, position: int) -> None:
        self.position, self.sought = position, False

    def told(self, call: Call) -> None:
        if call.name == "seek":
            self.position, self.sought = call.args[0], True
        elif call.name == "poll" and isinstance(call.outcome, Returned):
            self.position, self.sought = call.outcome.value[1], False

    def expected(self, call: Call) -> tuple[int, int]:
        start, end, max_records = call.args
        first = self.position if start <= self.position <= end else start
        return first, min(end, first + max_records)


def _with_place(run: Run) -> Iterator[tuple[int, Call, _Place]]:
    """Each call on a cursor with where that cursor must stand just before it."""
    for calls in per_instance(run).values():
        place = _Place(0)
        for index, call in calls:
            if call.name == "Cursor":
                place = _Place(call.args[0])
                continue
            yield index, call, place
            place.told(call)


def _poll_rule(applies: Callable[[Call, _Place, bool], bool], why: str) -> Callable[[Run], Violation | None]:
    @after_construction
    def judge(run: Run) -> Violation | None:
        alone = len(per_instance(run)) == 1
        for index, call, place in _with_place(run):
            if call.name == "poll" and applies(call, place, alone) and not returned(call, place.expected(call)):
                return violation(run, index, f"return {place.expected(call)!r}: {why}, and it stood at {place.position}")
        return None

    return judge


def _is_inside(call: Call, place: _Place) -> bool:
    return bool(call.args[0] <= place.position <= call.args[1])


def _is_next(call: Call, place: _Place, alone: bool) -> bool:
    return alone and not place.sought and _is_inside(call, place)


def _is_among_others(call: Call, place: _Place, alone: bool) -> bool:
    return not alone and not place.sought and _is_inside(call, place)


def _is_after_seek(call: Call, place: _Place, alone: bool) -> bool:
    return place.sought and _is_inside(call, place)


def _is_outside(call: Call, place: _Place, alone: bool) -> bool:
    return not _is_inside(call, place)


@after_construction
def _lag_is_the_way_to_the_end(run: Run) -> Violation | None:
    for index, call, place in _with_place(run):
        expected = max(0, call.args[0] - place.position) if call.name == "lag" else 0
        if call.name == "lag" and not returned(call, expected):
            return violation(run, index, f"return {expected}: this reader stands at {place.position}")
    return None


def _plan(count: int, pause_ms: float = 8, size: int = 1, letter: str = "v") -> tuple[tuple[float, tuple[str, ...]], ...]:
    values = [f"{letter}{n}" for n in range(count * size)]
    return tuple((pause_ms, tuple(values[n * size : (n + 1) * size])) for n in range(count))


def _draw_readers(rng: Random) -> ReadersCase:
    start, count = rng.choice([0, 0, 5, 300]), rng.randint(6, 14)
    readers = []
    for name in ["email", "search", "audit", "fraud"][: rng.choice([1, 2, 3, 4])]:
        seeks = tuple((rng.randint(2, 7), start + rng.randint(0, 5)) for _ in range(rng.choice([0, 0, 1, 2])))
        position = start + rng.choice([0, 0, 2, -3, 50])
        pace = rng.choice([0.0, 4.0, 30.0])
        readers.append((name, Habits(position, rng.randint(1, 4), rng.uniform(4, 20), pace, seeks, rng.randint(5, 9))))
    deletions = ((rng.uniform(25, 70), DeleteRecordsRequest(start + rng.randint(1, 6))),) if rng.random() < 0.5 else ()
    writers = (("orders", _plan(count, rng.uniform(2, 9), rng.randint(1, 2))),)
    faults = ((rng.uniform(10, 50), Freeze("email", 60)),) if rng.random() < 0.3 else ()
    return ReadersCase("readers of every kind", writers, tuple(readers), deletions, start, rng.randrange(1 << 30), faults)


_ONE = (("orders", _plan(9)),)

CURSOR = Check(
    id="cursor-check",
    rules=(
        Rule("range", "`poll` goes on where the last one stopped, at most `max_records`, never past the end", 2, _poll_rule(_is_next, "a poll goes on where the last one stopped")),
        Rule("independent", "readers do not disturb each other", 1, _poll_rule(_is_among_others, "other readers do not move this one")),
        Rule("seek", "after `seek(offset)` the next poll begins there, earlier or later", 1, _poll_rule(_is_after_seek, "it was told where to go on")),
        Rule("reset", "a reader that retention has passed goes on from the start of the log", 1, _poll_rule(_is_outside, "a position outside the log goes on from its start")),
        Rule("lag", "`lag` is how many offsets lie between the reader and the end, never negative", 1, _lag_is_the_way_to_the_end),
    ),
    directed=(
        ReadersCase("one reader", _ONE, (("email", Habits(0, 3, 10, polls_max=12)),)),
        ReadersCase("a reader that starts late in the log", _ONE, (("email", Habits(4, 2, 25, polls_max=8)),)),
        ReadersCase("a fast reader and a slow one", _ONE, (("email", Habits(0, 2, 5, polls_max=16)), ("search", Habits(0, 1, 20, 25, polls_max=8)))),
        ReadersCase("back to the beginning", _ONE, (("email", Habits(0, 3, 12, seeks=((5, 0), (8, 2)), polls_max=10)),)),
        ReadersCase("skip ahead", _ONE, (("email", Habits(0, 1, 14, seeks=((4, 3),), polls_max=8)),)),
        ReadersCase("seek beyond the end", _ONE, (("email", Habits(0, 3, 12, seeks=((3, 90),), polls_max=8)),)),
        ReadersCase("retention passes a sleeping reader", _ONE, (("email", Habits(0, 2, 9, polls_max=10)),), ((40, DeleteRecordsRequest(4)),), faults=((12, Freeze("email", 60)),)),
    ),
    draw=_draw_readers,
    play=play_readers,
)  # fmt: skip

# deliver -----------------------------------------------------------------------------------------------------------------


class _Sinks:
    """The topic as the events make it, and each sink as the answer's own effects leave it."""

    def __init__(self) -> None:
        self.values: tuple[str, ...] = ()
        self.next: dict[str, int] = {}
        self.busy: set[str] = set()
        self.subscribed_behind: set[str] = set()  # came when there was something to catch up with

    def told(self, event: Any) -> None:
        if isinstance(event, Published):
            self.values += (event.value,)
        elif isinstance(event, Subscribed):
            self.next[event.sink] = event.offset
            self.busy.discard(event.sink)
            if event.offset < len(self.values):
                self.subscribed_behind.add(event.sink)
        elif isinstance(event, Ready):
            self.busy.discard(event.sink)
        else:
            self.next.pop(event.sink, None)
            self.busy.discard(event.sink)
            self.subscribed_behind.discard(event.sink)

    def handed(self, hand: Hand) -> None:
        if hand.sink in self.next:
            self.next[hand.sink] = hand.offset + len(hand.values)
            self.busy.add(hand.sink)
            self.subscribed_behind.discard(hand.sink)

    def waiting(self) -> list[str]:
        """Sinks with nothing in hand that lack something."""
        return sorted(s for s, at in self.next.items() if s not in self.busy and at < len(self.values))


HandRule = Callable[[Hand, _Sinks], str | None]
AfterRule = Callable[[Any, _Sinks], str | None]


def _hub_rule(of_hand: HandRule | None = None, after: AfterRule | None = None) -> Callable[[Run], Violation | None]:
    """A rule about what is handed out, hand by hand, or about how things stand after an event."""

    def judge(run: Run) -> Violation | None:
        sinks = _Sinks()
        for index, call in numbered(run, "deliver"):
            event = call.args[1]
            sinks.told(event)
            if not isinstance(call.outcome, Returned):
                return violation(run, index, "return the next state and a list of Hand")
            for hand in call.outcome.value[1]:
                expected = of_hand(hand, sinks) if of_hand else None
                sinks.handed(hand)
                if expected is not None:
                    return Violation(f"after {event!r} came {hand!r}; {expected}", index, call.step)
            expected = after(event, sinks) if after else None
            if expected is not None:
                return Violation(f"after {event!r} {expected}", index, call.step)
        return None

    return judge


def _hands_go_on_in_order(hand: Hand, sinks: _Sinks) -> str | None:
    at = sinks.next.get(hand.sink)
    if at is None or hand.sink in sinks.busy or hand.sink in sinks.subscribed_behind:
        return None
    if hand.offset != at:
        return f"{hand.sink} has everything below {at}, so the next it gets begins there"
    expected = sinks.values[at : at + len(hand.values)]
    if not hand.values:
        return "there is nothing in it; a sink is handed values or left alone"
    return None if hand.values == expected else f"at offset {at} the topic has {expected!r}"


def _a_busy_sink_gets_nothing(hand: Hand, sinks: _Sinks) -> str | None:
    if hand.sink not in sinks.busy:
        return None
    return f"{hand.sink} still works on what it was handed before; wait for its Ready"


def _nobody_waits(event: Any, sinks: _Sinks) -> str | None:
    waiting = [sink for sink in sinks.waiting() if sink not in sinks.subscribed_behind]
    if not waiting:
        return None
    sink = waiting[0]
    return f"{sink} has nothing in hand and lacks offset {sinks.next[sink]}, and nothing was handed to it"


def _a_late_sink_starts_where_it_asks(hand: Hand, sinks: _Sinks) -> str | None:
    if hand.sink not in sinks.subscribed_behind:
        return None
    at = sinks.next[hand.sink]
    expected = sinks.values[at : at + len(hand.values)]
    return None if hand.offset == at and hand.values == expected else f"it asked for everything from offset {at} on"


def _a_late_sink_is_served(event: Any, sinks: _Sinks) -> str | None:
    waiting = [sink for sink in sinks.waiting() if sink in sinks.subscribed_behind]
    return f"{waiting[0]} asked for everything from {sinks.next[waiting[0]]} on, and got nothing" if waiting else None


def _who_left_gets_nothing(hand: Hand, sinks: _Sinks) -> str | None:
    return None if hand.sink in sinks.next else f"{hand.sink} is not connected"


def _event_and_hands(call: Call) -> str:
    """A call without its states: they are in the player, and long."""
    hands = call.outcome.value[1] if isinstance(call.outcome, Returned) else call.outcome
    return f"{call.args[1]!r} -> {hands}"


def _draw_hub(rng: Random) -> HubCase:
    names = ["email", "search", "audit", "fraud"][: rng.randint(2, 4)]
    sinks = tuple((n, SinkHabits(rng.choice([0, 0, 25, 60]), rng.choice([0, 0, 0, 2]), rng.choice([1, 5, 40]))) for n in names)
    sources = tuple(
        (name, tuple((rng.uniform(1, 12), (f"{name[0]}{n}",) * rng.choice([1, 1, 2])) for n in range(rng.randint(2, 6))))
        for name in ["orders", "clicks"][: rng.randint(1, 2)]
    )
    faults: list[Any] = [(rng.uniform(10, 50), BreakConnection("hub", name)) for name in names if rng.random() < 0.3]
    if rng.random() < 0.3:
        faults.append((rng.uniform(0, 30), SlowLink("hub", names[-1], 10)))
    return HubCase("sinks of every kind", sources, sinks, rng.randrange(1 << 30), tuple(faults))


_TWO_SOURCES = (("clicks", _plan(3, 7, letter="c")), ("orders", _plan(3, 5, 2, "o")))

DELIVER = Check(
    id="deliver-check",
    rules=(
        Rule("order", "a sink gets every value from its offset on, in order, none twice and none left out", 2, _hub_rule(_hands_go_on_in_order)),
        Rule("one-at-a-time", "a sink that still has something in hand gets nothing more", 2, _hub_rule(_a_busy_sink_gets_nothing)),
        Rule("nobody-waits", "a sink that is ready gets what it lacks at once, however slow the others are", 2, _hub_rule(after=_nobody_waits)),
        Rule("late", "a sink that comes late gets everything from the offset it asks for", 1, _hub_rule(_a_late_sink_starts_where_it_asks, _a_late_sink_is_served)),
        Rule("gone", "a sink that has left gets nothing", 1, _hub_rule(_who_left_gets_nothing)),
    ),
    directed=(
        HubCase("one source, one sink", (("orders", _plan(4)),), (("email", SinkHabits(work_ms=1)),)),
        HubCase("two sources, two sinks", _TWO_SOURCES, (("email", SinkHabits(work_ms=2)), ("search", SinkHabits(work_ms=3)))),
        HubCase("a slow sink", _TWO_SOURCES, (("email", SinkHabits(work_ms=1)), ("search", SinkHabits(work_ms=60)))),
        HubCase("a sink that comes late", _TWO_SOURCES, (("email", SinkHabits()), ("audit", SinkHabits(connect_at_ms=60)))),
        HubCase("a sink that comes late and wants the rest", _TWO_SOURCES, (("email", SinkHabits()), ("audit", SinkHabits(60, 3)))),
        HubCase("a sink that asks for what is not written yet", _TWO_SOURCES, (("email", SinkHabits()), ("audit", SinkHabits(0, 2)))),
        HubCase("a connection breaks", (("orders", _plan(9, 6)),), (("email", SinkHabits(work_ms=4)), ("search", SinkHabits(work_ms=20))), faults=((30, BreakConnection("hub", "search")),)),
        HubCase("a connection breaks while there is nothing to do", (("orders", ((5, ("a",)), (45, ("b", "c")))),), (("email", SinkHabits(work_ms=1)),), faults=((40, BreakConnection("hub", "email")),)),
    ),
    draw=_draw_hub,
    play=play_hub,
    tell=_event_and_hands,
)  # fmt: skip

# The chapter -------------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        id="log",
        title="A log",
        reference="kafkalite.log.memory:Log",
        checks=(APPEND, READ),
        hints=(
            "Which two numbers do you need to remember, besides the values themselves, so that an offset still names the same "
            "value after older ones were deleted?",
            "Keep the values in a list and the offset of the list's first element beside it. The end is then a sum, and a place "
            "in the list is a difference.",
            "`append`: note the end, extend the list, return what you noted. `read`: check the range first, then slice from "
            "`offset - first`. `delete_before`: cut the list and move the first offset by as much.",
        ),
        minutes=35,
        claims=("T1", "T3", "C6"),
    ),
    Exercise(
        id="cursor",
        title="A cursor",
        reference="kafkalite.clients.cursor:Cursor",
        checks=(CURSOR,),
        hints=(
            "Who has to know how far a reader has come: the log, or the reader?",
            "One number per cursor is enough. `poll` returns a range and then stands at its far side; where does that number live "
            "if two readers must not share it?",
            "In `poll`: if the position is not within [start, end], take start; the far side is the smaller of end and position "
            "plus max_records. Store it on self, return both.",
        ),
        minutes=25,
        claims=("C6", "T3"),
    ),
    Exercise(
        id="deliver",
        title="A topic instead of pipes",
        reference="course.chapters.ch01_why_a_log.reference:deliver",
        checks=(DELIVER,),
        hints=(
            "After any event, which sinks should be handed something? Say it in one sentence about one sink, without mentioning "
            "the others.",
            "First apply the event to copies of the state's fields; then, whatever the event was, go over the idle sinks and hand "
            "each what it lacks.",
            "A sink that is handed something leaves `idle` and its position becomes `len(values)`. `Ready` and `Subscribed` put it "
            "into `idle`; `Left` takes it out of both.",
        ),
        minutes=40,
        claims=("K2", "T1", "C6"),
        core=False,
    ),
)

WRITTEN = (Written("explain", "Explain a counterexample", points=4, minutes=15, claims=("C6",)),)
