"""The rules of `class Cursor` and the cases they are judged on.

A cursor must go on from where it said itself that it stands, so that one mistake breaks one rule and not all after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from course.chapters.ch01_why_a_log.stage import (
    ReadersCase,
    numbered_values,
    play_readers,
)
from course.checks.model import UNJUDGED, Check, Rule, Run, Unjudged, Violation
from course.checks.plug import Call, Returned
from course.checks.rules import Judge, after_construction, per_instance, returned, violation
from kafkalite.clients.reader import Habits
from kafkalite.protocol.one_partition import DeleteRecordsRequest
from kafkalite.sim.faults import Freeze


class _Place:
    """Where a cursor must stand: by what it was told, and by what it said itself at its last poll."""

    def __init__(self, position: int) -> None:
        self.position, self.sought = position, False
        self.said = False  # by itself, at an earlier poll

    def told(self, call: Call) -> None:
        if call.name == "seek" and isinstance(call.outcome, Returned):
            self.position, self.sought = call.args[0], True
        elif call.name == "poll" and isinstance(call.outcome, Returned):
            self.position, self.sought, self.said = call.outcome.value[1], False, True

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


_HOW_FAR = "at most `max_records` offsets, and none at or above the end"


def _poll_rule(applies: Callable[[Call, _Place, bool], bool], why: str) -> Judge:
    @after_construction
    def judge(run: Run) -> Violation | Unjudged | None:
        alone, judged = len(per_instance(run)) == 1, False
        for index, call, place in _with_place(run):
            if call.name != "poll" or not applies(call, place, alone):
                continue
            judged = True
            expected = place.expected(call)
            if not returned(call, expected):
                first_is_right = isinstance(call.outcome, Returned) and call.outcome.value[0] == expected[0]
                because = _HOW_FAR if first_is_right else f"{why}, and it stood at {place.position}"
                return violation(run, index, f"return {expected!r}: {because}")
        return None if judged else UNJUDGED

    return judge


@after_construction
def _readers_stay_apart(run: Run) -> Violation | Unjudged | None:
    """Only where a poll begins counts here; how far it goes is another rule's business."""
    if len(per_instance(run)) == 1:
        return UNJUDGED
    judged = False
    for index, call, place in _with_place(run):
        if call.name == "poll" and place.said and not place.sought and _is_inside(call, place):
            judged = True
            if not isinstance(call.outcome, Returned) or call.outcome.value[0] != place.position:
                return violation(
                    run, index, f"begin at {place.position}, where this reader stopped: other readers do not move it"
                )
    return None if judged else UNJUDGED


def _is_inside(call: Call, place: _Place) -> bool:
    return bool(call.args[0] <= place.position <= call.args[1])


def _is_next(call: Call, place: _Place, alone: bool) -> bool:
    return alone and not place.sought and _is_inside(call, place)


def _is_after_seek(call: Call, place: _Place, _alone: bool) -> bool:
    return place.sought and _is_inside(call, place)


def _is_outside(call: Call, place: _Place, _alone: bool) -> bool:
    return not _is_inside(call, place)


@after_construction
def _lag_is_the_way_to_the_end(run: Run) -> Violation | Unjudged | None:
    judged = False
    for index, call, place in _with_place(run):
        if call.name == "lag":
            judged = True
            if place.sought and place.position < call.args[0]:
                continue  # where a reader stands after a seek is its next poll's business
            expected = max(0, call.args[0] - place.position)
            if not returned(call, expected):
                return violation(run, index, f"return {expected}: this reader stands at {place.position}")
    return None if judged else UNJUDGED


def _draw_readers(rng: Random) -> ReadersCase:
    start, count = rng.choice([0, 0, 5, 300]), rng.randint(6, 14)
    readers = []
    for name in ["email", "search", "audit", "fraud"][: rng.choice([1, 2, 3, 4])]:
        seeks = tuple((rng.randint(2, 7), start + rng.randint(0, 5)) for _ in range(rng.choice([0, 0, 1, 2])))
        position = start + rng.choice([0, 0, 2, -3, 50])
        pace = rng.choice([0.0, 4.0, 30.0])
        readers.append((name, Habits(position, rng.randint(1, 4), rng.uniform(4, 20), pace, seeks, rng.randint(5, 9))))
    deletions = ((rng.uniform(25, 70), DeleteRecordsRequest(start + rng.randint(1, 6))),) if rng.random() < 0.5 else ()
    writers = (("orders", numbered_values(count, rng.uniform(2, 9), rng.randint(1, 2))),)
    faults = ((rng.uniform(10, 50), Freeze("email", 60)),) if rng.random() < 0.3 else ()
    return ReadersCase(
        "readers of every kind", writers, tuple(readers), deletions, start, rng.randrange(1 << 30), faults
    )


_ONE = (("orders", numbered_values(9)),)

CURSOR = Check(
    id="cursor-check",
    rules=(
        Rule(
            "range",
            "`poll` goes on where the last one stopped, at most `max_records`, never past the end",
            2,
            _poll_rule(_is_next, "a poll goes on where the last one stopped"),
        ),
        Rule(
            "independent",
            "readers do not disturb each other",
            1,
            _readers_stay_apart,
        ),
        Rule(
            "seek",
            "after `seek(offset)` the next poll begins there, earlier or later",
            1,
            _poll_rule(_is_after_seek, "it was told where to go on"),
        ),
        Rule(
            "reset",
            "a reader whose position is not in the log, below its start or above its end, goes on from the start",
            1,
            _poll_rule(_is_outside, "a position outside the log goes on from its start"),
        ),
        Rule(
            "lag",
            "`lag` is how many offsets lie between the reader and the end, never negative",
            1,
            _lag_is_the_way_to_the_end,
        ),
    ),
    directed=(
        ReadersCase("one reader", _ONE, (("email", Habits(0, 3, 10, polls_max=12)),)),
        ReadersCase("a reader that starts late in the log", _ONE, (("email", Habits(4, 2, 70, polls_max=4)),)),
        ReadersCase("a reader that waits for what is not written", _ONE, (("email", Habits(4, 2, 25, polls_max=8)),)),
        ReadersCase(
            "a fast reader and a slow one",
            _ONE,
            (("email", Habits(0, 2, 5, polls_max=16)), ("search", Habits(0, 1, 20, 25, polls_max=8))),
        ),
        ReadersCase(
            "back to the beginning", _ONE, (("email", Habits(0, 3, 12, seeks=((5, 0), (8, 2)), polls_max=10)),)
        ),
        ReadersCase("skip ahead", _ONE, (("email", Habits(0, 1, 14, seeks=((4, 3),), polls_max=8)),)),
        ReadersCase("seek to near the end", _ONE, (("email", Habits(0, 3, 12, seeks=((9, 8),), polls_max=11)),)),
        ReadersCase("seek below the start", _ONE, (("email", Habits(0, 3, 12, seeks=((4, -2),), polls_max=8)),)),
        ReadersCase("seek beyond the end", _ONE, (("email", Habits(0, 3, 12, seeks=((3, 90),), polls_max=8)),)),
        ReadersCase(
            "retention passes a sleeping reader",
            _ONE,
            (("email", Habits(0, 2, 9, polls_max=10)),),
            ((40, DeleteRecordsRequest(4)),),
            faults=((12, Freeze("email", 60)),),
        ),
        ReadersCase(
            "retention passes one reader while another goes on",
            _ONE,
            (("email", Habits(0, 2, 9, polls_max=10)), ("search", Habits(0, 2, 7, polls_max=16))),
            ((65, DeleteRecordsRequest(4)),),
            faults=((30, Freeze("email", 60)),),
        ),
    ),
    draw=_draw_readers,
    play=play_readers,
)
