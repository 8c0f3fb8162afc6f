"""`deliver` with a generator that hands out what is due, taking note of it on copies of the state's fields."""

from collections.abc import Iterator

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic


def due(values: tuple[str, ...], positions: dict[str, int], idle: set[str]) -> Iterator[Hand]:
    for sink, at in list(positions.items()):
        if sink in idle and at < len(values):
            positions[sink] = len(values)
            idle.remove(sink)
            yield Hand(sink=sink, offset=at, values=values[at:])


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    values, positions, idle = state.values, state.positions.copy(), set(state.idle)
    if type(event) is Published:
        values = (*values, event.value)
    if type(event) is Subscribed:
        positions[event.sink] = event.offset
    if type(event) in (Subscribed, Ready):
        idle.add(event.sink)  # type: ignore[union-attr]
    if type(event) is Left:
        positions.pop(event.sink)
        idle.discard(event.sink)
    hands = list(due(values, positions, idle))
    return Topic(values, positions, frozenset(idle)), hands
