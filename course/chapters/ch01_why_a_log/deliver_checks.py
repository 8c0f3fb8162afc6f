"""The rules of `deliver` and the cases they are judged on.

The state is the answer's own business: rules look at the events that went in and at what was handed out. Where a sink
stands follows from what the answer handed it, so that one mistake breaks one rule and not all that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from course.chapters.ch01_why_a_log.stage import (
    HubCase,
    SinkHabits,
    numbered_values,
    play_hub,
)
from course.checks.model import UNJUDGED, Check, Rule, Run, Unjudged, Violation
from course.checks.plug import Call, Returned
from course.checks.rules import Judge, numbered, violation
from kafkalite.sim.faults import BreakConnection, SlowLink
from kafkalite.types import Hand, Left, Published, Ready, Subscribed


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


def _hub_rule(about: type | None, of_hand: HandRule | None = None, after: AfterRule | None = None) -> Judge:
    """A rule about what is handed out, hand by hand, or about how things stand after an event.

    An error in a call breaks the rule that is `about` its event, and no other.
    """

    def judge(run: Run) -> Violation | Unjudged | None:
        sinks, handed = _Sinks(), 0
        for index, call in numbered(run, "deliver"):
            event = call.args[1]
            sinks.told(event)
            if not isinstance(call.outcome, Returned):
                if isinstance(event, about or ()):
                    return violation(run, index, "return the next state and a list of Hand")
                continue
            handed += len(call.outcome.value[1])
            for hand in call.outcome.value[1]:
                expected = of_hand(hand, sinks) if of_hand else None
                sinks.handed(hand)
                if expected is not None:
                    return Violation(f"after {event!r} came {hand!r}; {expected}", index, call.step)
            expected = after(event, sinks) if after else None
            if expected is not None:
                return Violation(f"after {event!r} {expected}", index, call.step)
        return None if handed else UNJUDGED

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


def _a_ready_sink_gets_all_it_lacks(hand: Hand, sinks: _Sinks) -> str | None:
    if sinks.next.get(hand.sink) != hand.offset or hand.sink in sinks.subscribed_behind or not hand.values:
        return None
    missing = len(sinks.values) - hand.offset - len(hand.values)
    return f"{hand.sink} lacks {missing} more, and gets as much at once as there is" if missing > 0 else None


def _nobody_waits(_event: Any, sinks: _Sinks) -> str | None:
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


def _a_late_sink_is_served(_event: Any, sinks: _Sinks) -> str | None:
    waiting = [sink for sink in sinks.waiting() if sink in sinks.subscribed_behind]
    return f"{waiting[0]} asked for everything from {sinks.next[waiting[0]]} on, and got nothing" if waiting else None


def _who_left_gets_nothing(hand: Hand, sinks: _Sinks) -> str | None:
    return None if hand.sink in sinks.next else f"{hand.sink} is not connected"


def _it_changes_nothing(run: Run) -> Violation | Unjudged | None:
    judged = False
    for index, call in numbered(run, "deliver"):
        judged = judged or (isinstance(call.outcome, Returned) and bool(call.outcome.value[1]))
        if call.changed:
            return Violation(f"the state it was given was changed by {call.args[1]!r}", index, call.step)
    return None if judged else UNJUDGED


def _hands(call: Call) -> Any:
    """What an answer is known by: what it hands out after which event, however it writes its state."""
    return call.args[1], call.outcome.value[1] if isinstance(call.outcome, Returned) else call.outcome.name


def _event_and_hands(call: Call) -> str:
    """A call without its states: they are in the player, and long."""
    hands = call.outcome.value[1] if isinstance(call.outcome, Returned) else call.outcome
    return f"{call.args[1]!r} -> {hands}"


def _draw_hub(rng: Random) -> HubCase:
    names = ["email", "search", "audit", "fraud"][: rng.randint(2, 4)]
    sinks = tuple(
        (n, SinkHabits(rng.choice([0, 0, 25, 60]), rng.choice([0, 0, 0, 2]), rng.choice([1, 5, 40]))) for n in names
    )
    sources = tuple(
        (
            name,
            tuple((rng.uniform(1, 12), (f"{name[0]}{n}",) * rng.choice([1, 1, 2])) for n in range(rng.randint(2, 6))),
        )
        for name in ["orders", "clicks"][: rng.randint(1, 2)]
    )
    faults: list[Any] = [(rng.uniform(10, 50), BreakConnection("hub", name)) for name in names if rng.random() < 0.3]
    if rng.random() < 0.3:
        faults.append((rng.uniform(0, 30), SlowLink("hub", names[-1], 10)))
    return HubCase("sinks of every kind", sources, sinks, rng.randrange(1 << 30), tuple(faults))


_TWO_SOURCES = (("clicks", numbered_values(3, 7, letter="c")), ("orders", numbered_values(3, 5, 2, "o")))

DELIVER = Check(
    id="deliver-check",
    rules=(
        Rule(
            "order",
            "a sink gets every value from its offset on, in order, none twice and none left out",
            2,
            _hub_rule(Published, _hands_go_on_in_order),
        ),
        Rule(
            "one-at-a-time",
            "a sink that still has something in hand gets nothing more",
            1,
            _hub_rule(None, _a_busy_sink_gets_nothing),
        ),
        Rule(
            "nobody-waits",
            "a sink that is ready gets all it lacks at once, however slow the others are",
            2,
            _hub_rule(Ready, _a_ready_sink_gets_all_it_lacks, _nobody_waits),
        ),
        Rule(
            "late",
            "a sink that comes late gets everything from the offset it asks for",
            1,
            _hub_rule(Subscribed, _a_late_sink_starts_where_it_asks, _a_late_sink_is_served),
        ),
        Rule("gone", "a sink that has left gets nothing", 1, _hub_rule(Left, _who_left_gets_nothing)),
        Rule("pure", "`deliver` changes nothing that it is given: it returns a new state", 1, _it_changes_nothing),
    ),
    directed=(
        HubCase("one source, one sink", (("orders", numbered_values(4)),), (("email", SinkHabits(work_ms=1)),)),
        HubCase(
            "two sources, two sinks",
            _TWO_SOURCES,
            (("email", SinkHabits(work_ms=2)), ("search", SinkHabits(work_ms=3))),
        ),
        HubCase("a slow sink", _TWO_SOURCES, (("email", SinkHabits(work_ms=1)), ("search", SinkHabits(work_ms=60)))),
        HubCase(
            "a sink that comes late", _TWO_SOURCES, (("email", SinkHabits()), ("audit", SinkHabits(connect_at_ms=60)))
        ),
        HubCase(
            "a sink that comes late and wants the rest",
            _TWO_SOURCES,
            (("email", SinkHabits()), ("audit", SinkHabits(60, 3))),
        ),
        HubCase(
            "a sink that asks for what is not written yet",
            _TWO_SOURCES,
            (("email", SinkHabits()), ("audit", SinkHabits(0, 2))),
        ),
        HubCase(
            "a connection breaks",
            (("orders", numbered_values(9, 6)),),
            (("email", SinkHabits(work_ms=4)), ("search", SinkHabits(work_ms=20))),
            faults=((30, BreakConnection("hub", "search")),),
        ),
        HubCase(
            "a connection breaks while there is nothing to do",
            (("orders", ((5, ("a",)), (45, ("b", "c")))),),
            (("email", SinkHabits(work_ms=1)),),
            faults=((40, BreakConnection("hub", "email")),),
        ),
    ),
    draw=_draw_hub,
    play=play_hub,
    tell=_event_and_hands,
    observe=_hands,
)
