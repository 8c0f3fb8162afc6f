"""`deliver` with an object for each sink, made from the state and turned back into it."""

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic


class Sink:
    def __init__(self, name: str, position: int, idle: bool) -> None:
        self.name, self.position, self.idle = name, position, idle

    def take(self, values: tuple[str, ...]) -> list[Hand]:
        if not self.idle or self.position >= len(values):
            return []
        hand = Hand(self.name, self.position, values[self.position :])
        self.position, self.idle = len(values), False
        return [hand]


class Hub:
    def __init__(self, state: Topic) -> None:
        self.values = list(state.values)
        self.sinks = {name: Sink(name, at, name in state.idle) for name, at in state.positions.items()}

    def on_published(self, event: Published) -> None:
        self.values.append(event.value)

    def on_subscribed(self, event: Subscribed) -> None:
        self.sinks[event.sink] = Sink(event.sink, event.offset, idle=True)

    def on_ready(self, event: Ready) -> None:
        self.sinks[event.sink].idle = True

    def on_left(self, event: Left) -> None:
        self.sinks.pop(event.sink)

    def state(self) -> Topic:
        return Topic(
            tuple(self.values),
            {sink.name: sink.position for sink in self.sinks.values()},
            frozenset(sink.name for sink in self.sinks.values() if sink.idle),
        )


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    hub = Hub(state)
    getattr(hub, f"on_{type(event).__name__.lower()}")(event)
    hands = [hand for sink in hub.sinks.values() for hand in sink.take(tuple(hub.values))]
    return hub.state(), hands
