"""What chapter 1 needs and no room of kafkalite is home to: a topic as one pure function."""

from __future__ import annotations

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """What a topic does about one event: its next state, and what it hands to whom.

    Every subscribed sink gets every value from its offset on, in order, and as much at once
    as there is; one that has something in hand gets nothing until it is `Ready`; and nobody
    waits for anybody else.

    >>> topic, _ = deliver(Topic(), Subscribed("email", offset=0))
    >>> topic, hands = deliver(topic, Published("a"))
    >>> hands
    [Hand(sink='email', offset=0, values=('a',))]
    """
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    for sink in sorted(idle):
        if positions[sink] < len(values):
            hands.append(Hand(sink, positions[sink], values[positions[sink] :]))
            positions[sink] = len(values)
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands
