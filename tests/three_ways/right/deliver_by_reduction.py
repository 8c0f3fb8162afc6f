"""`deliver` as a fold: each idle sink in turn is served from the state that the one before left."""

from dataclasses import replace
from functools import reduce

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic

Step = tuple[Topic, list[Hand]]


def applied(state: Topic, event: Published | Subscribed | Ready | Left) -> Topic:
    if isinstance(event, Published):
        return replace(state, values=(*state.values, event.value))
    others = {sink: at for sink, at in state.positions.items() if sink != event.sink}
    if isinstance(event, Left):
        return replace(state, positions=others, idle=state.idle - {event.sink})
    if isinstance(event, Subscribed):
        state = replace(state, positions=others | {event.sink: event.offset})
    return replace(state, idle=state.idle.union([event.sink]))


def served(step: Step, sink: str) -> Step:
    state, hands = step
    lacking = state.values[state.positions[sink] :]
    if not lacking:
        return step
    moved = replace(state, positions=state.positions | {sink: len(state.values)}, idle=state.idle - {sink})
    return moved, [*hands, Hand(sink, state.positions[sink], lacking)]


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    state = applied(state, event)
    nothing_yet: list[Hand] = []
    return reduce(served, sorted(state.idle, reverse=True), (state, nothing_yet))
