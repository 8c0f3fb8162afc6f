"""The rules of `class Log`, in two checks, and the cases they are judged on.

Each rule compares the calls of a run with a model as small as can be: offsets counted, values kept by offset. Nothing
the answer says of itself counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from course.chapters.ch01_why_a_log.stage import (
    LogCase,
    Script,
    play_log,
)
from course.checks.model import UNJUDGED, Check, Rule, Run, Unjudged, Violation
from course.checks.plug import Call, Raised, Returned
from course.checks.rules import Judge, after_construction, raised, returned, violation
from kafkalite.errors import OffsetOutOfRange
from kafkalite.protocol.one_partition import DeleteRecordsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest
from kafkalite.sim.faults import BreakConnection


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


def _log_rule(name: str, expect: Callable[[Call, _Model], str | None]) -> Judge:
    """A rule about the calls of one name: `expect` says what the call must do where it did not, and None if it did."""

    @after_construction
    def judge(run: Run) -> Violation | Unjudged | None:
        judged = False
        for index, call, model in _with_model(run):
            if call.name == name:
                judged = True
                expected = expect(call, model)
                if expected is not None:
                    return violation(run, index, expected)
        return None if judged else UNJUDGED

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


def _before_deletion(run: Run) -> Iterator[tuple[int, Call, _Model]]:
    """The reads before anything is deleted; what comes after is the business of the rule about deleting."""
    for index, call, model in _with_model(run):
        if call.name == "delete_before":
            return
        if call.name == "read":
            yield index, call, model


@after_construction
def _read_returns_the_values(run: Run) -> Violation | Unjudged | None:
    judged, seen = False, set[int]()
    for index, call, model in _before_deletion(run):
        wanted = range(call.args[0], min(model.end, call.args[0] + call.args[1]))
        if not model.start <= call.args[0] < model.end or not seen.isdisjoint(wanted):
            continue
        judged = True
        seen.update(wanted)
        expected = model.read(*call.args)
        if not returned(call, expected):
            return violation(run, index, f"return {expected!r}: from offset {call.args[0]} on, at most {call.args[1]}")
    return None if judged else UNJUDGED


@after_construction
def _read_removes_nothing(run: Run) -> Violation | Unjudged | None:
    """The same question gets the same values, right or wrong: a slip in `read` is not taken for a queue."""
    judged, answers = False, dict[tuple[Any, ...], list[str]]()
    for index, call, model in _before_deletion(run):
        if not model.start <= call.args[0] < model.end:
            continue
        question = (*call.args, model.end)  # an append in between may make the answer of a wrong `read` longer
        if question in answers:
            judged = True
            if not returned(call, answers[question]):
                return violation(run, index, f"return {answers[question]!r}, as it did when it was read before")
        elif isinstance(call.outcome, Returned) and call.outcome.value:
            answers[question] = call.outcome.value
    return None if judged else UNJUDGED


@after_construction
def _read_minds_the_range(run: Run) -> Violation | Unjudged | None:
    judged = False
    for index, call, model in _before_deletion(run):
        judged = judged or not model.start <= call.args[0] < model.end
        expected = _range_of_read(call, model)
        if expected is not None:
            return violation(run, index, expected)
    return None if judged else UNJUDGED


def _range_of_read(call: Call, model: _Model) -> str | None:
    offset = call.args[0]
    if offset == model.end:
        return None if returned(call, []) else "return no values: the end is where the next value will be written"
    return None if model.is_readable(offset) else _out_of_range(call, model)


def _out_of_range(call: Call, model: _Model) -> str | None:
    """The error, with what was asked for and where the log begins and ends."""
    expected = OffsetOutOfRange(call.args[0], model.start, model.end)
    if raised(call, "OffsetOutOfRange") and isinstance(call.outcome, Raised) and call.outcome.message == str(expected):
        return None
    return f"raise OffsetOutOfRange({call.args[0]}, {model.start}, {model.end}): the offset, the start and the end"


def _delete_moves_the_start(call: Call, model: _Model) -> str | None:
    offset = call.args[0]
    if offset > model.end:
        return _out_of_range(call, model)
    start = max(model.start, offset)
    return None if returned(call, start) else f"return {start}, where the log begins now"


@after_construction
def _deleting_keeps_the_offsets(run: Run) -> Violation | Unjudged | None:
    deleted = False
    for index, call, model in _with_model(run):
        deleted = deleted or call.name == "delete_before"
        expected = _after_deletion(call, model) if deleted else None
        if expected is not None:
            return violation(run, index, expected)
    return None if deleted else UNJUDGED


def _after_deletion(call: Call, model: _Model) -> str | None:
    """What the call must do, deletions or not, where it did not."""
    if call.name == "delete_before":
        return _delete_moves_the_start(call, model)
    if call.name in ("start", "end"):
        expected = getattr(model, call.name)
        return None if returned(call, expected) else f"return {expected} after the deletion"
    if call.name != "read":
        return None
    if not model.start <= call.args[0] < model.end:
        return _range_of_read(call, model)
    values = model.read(*call.args)
    if returned(call, values):
        return None
    return f"return {values!r}: a value keeps its offset when older ones are deleted"


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
        batches = [
            [f"{name[0]}{n}{i}" for i in range(rng.choice([0, 1, 1, 2, 3, 5]))] for n in range(rng.randint(2, 6))
        ]
        script = tuple(step for batch in batches for step in ((rng.uniform(0, 9), ProduceRequest(tuple(batch))), _LIST))
        clients.append((name, script))
    faults = ((rng.uniform(5, 30), BreakConnection("broker", names[0])),) if rng.random() < 0.3 else ()
    return LogCase("several producers", tuple(clients), rng.choice([0, 0, 1, 7, 1000]), rng.randrange(1 << 30), faults)


def _draw_reads(rng: Random) -> LogCase:
    start, count = rng.choice([0, 0, 3, 500]), rng.randint(3, 12)
    writes = tuple((rng.uniform(0, 6), ProduceRequest((f"v{i}",))) for i in range(count))
    clients: list[tuple[str, Script]] = [("orders", writes)]
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
        Rule(
            "end",
            "`end` is the next offset to be written, not the last one written",
            1,
            _log_rule("end", _end_is_the_next_offset),
        ),
        Rule(
            "start",
            "`start` stays where it was, however much is appended",
            1,
            _log_rule("start", _start_is_the_oldest_offset),
        ),
    ),
    directed=(
        LogCase("one value after another", (("orders", (_LIST, _produce("a"), _LIST, _produce("b"), _LIST)),)),
        LogCase(
            "batches of several values", (("orders", (_produce("a", "b", "c"), _LIST, _produce("d", "e"), _LIST)),)
        ),
        LogCase(
            "an empty batch", (("orders", (_produce(), _LIST, _produce("a", "b"), _produce(), _LIST, _produce("c"))),)
        ),
        LogCase("equal values", (("orders", (_produce("a"), _produce("a", "a"), _produce("a"), _LIST)),)),
        LogCase(
            "a log that starts at 40",
            (("orders", (_LIST, _produce(), _produce("a", "b"), _LIST, _produce("c"))),),
            start=40,
        ),
    ),
    draw=_draw_appends,
    play=play_log,
)

_ABC = (_produce("a"), _produce("b", "c"), _produce("d"))
_LATER = (30.0, ListOffsetsRequest())  # lets the producer finish first

READ = Check(
    id="log-read",
    rules=(
        Rule(
            "values",
            "`read` returns the values from that offset on, oldest first, at most `max_records`",
            2,
            _read_returns_the_values,
        ),
        Rule("kept", "reading removes nothing: the next reader gets the same values", 1, _read_removes_nothing),
        Rule(
            "range",
            "outside the log `read` raises OffsetOutOfRange; at its end there is nothing to read, and no error",
            1,
            _read_minds_the_range,
        ),
        Rule(
            "deleting",
            "`delete_before` moves the start; every value that is left keeps its offset",
            1,
            _deleting_keeps_the_offsets,
        ),
    ),
    directed=(
        LogCase("one reader", (("orders", _ABC), ("email", (_LATER, _fetch(0, 2), _fetch(2, 2))))),
        LogCase(
            "a reader that asks for little",
            (("orders", _ABC), ("email", (_LATER, _fetch(1, 1), _fetch(2, 1), _fetch(3, 1)))),
        ),
        LogCase(
            "reads between appends", (("orders", (_produce("a"), _fetch(0), _produce("b", "c"), _fetch(1), _fetch(3))),)
        ),
        LogCase(
            "two readers of the same values",
            (
                ("orders", _ABC),
                ("email", (_LATER, _fetch(0), _fetch(0))),
                ("search", (_LATER, _fetch(0, 3), _fetch(3))),
            ),
        ),
        LogCase("the newest first", (("orders", _ABC), ("email", (_LATER, _fetch(2, 2), _fetch(0, 2), _fetch(1, 3))))),
        LogCase(
            "at the end, and beyond",
            (("orders", _ABC), ("email", (_fetch(0), _LATER, _fetch(4), _fetch(5), _fetch(9)))),
        ),
        LogCase(
            "below the start",
            (("orders", _ABC), ("email", (_fetch(7), _LATER, _fetch(6), _fetch(0), _fetch(-1), _fetch(7)))),
            start=7,
        ),
        LogCase(
            "retention passes",
            (
                ("orders", (*_ABC, _produce("e"))),
                ("retention", (_LATER, _delete(2), _LIST, _fetch(2, 2), _fetch(3, 1), _fetch(1), _fetch(5), _LIST)),
            ),
        ),
        LogCase(
            "retention passes twice",
            (
                ("orders", _ABC),
                ("retention", (_LATER, _delete(41), _fetch(41, 2), _delete(7), _delete(43), _fetch(43), _LIST)),
            ),
            start=40,
        ),
        LogCase(
            "retention takes all, then none, then too much",
            (
                ("orders", _ABC),
                ("retention", (_LATER, _delete(4), _LIST, _produce("e"), _fetch(4), _delete(1), _delete(9), _LIST)),
            ),
        ),
    ),
    draw=_draw_reads,
    play=play_log,
)
