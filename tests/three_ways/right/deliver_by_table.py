"""`deliver` by a table of what each event changes, then one loop."""

from typing import Any

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic

CHANGES = {
    Published: lambda topic, event: topic["values"].append(event.value),
    Subscribed: lambda topic, event: (
        topic["positions"].update({event.sink: event.offset}),
        topic["idle"].add(event.sink),
    ),
    Ready: lambda topic, event: topic["idle"].add(event.sink),
    Left: lambda topic, event: (topic["positions"].pop(event.sink), topic["idle"].discard(event.sink)),
}


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    topic: dict[str, Any] = {"values": [*state.values], "positions": {**state.positions}, "idle": {*state.idle}}
    CHANGES[type(event)](topic, event)  # type: ignore[no-untyped-call]
    hands, values = [], tuple(topic["values"])
    for sink in tuple(topic["idle"]):
        if (at := topic["positions"][sink]) < len(values):
            hands.append(Hand(sink, at, values[at:]))
            topic["positions"][sink] = len(values)
            topic["idle"] -= {sink}
    return Topic(values, topic["positions"], frozenset(topic["idle"])), hands
