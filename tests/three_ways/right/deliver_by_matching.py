"""`deliver` by structural pattern matching."""

from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic


def deliver(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    match event:
        case Published(value):
            state = Topic((*state.values, value), state.positions, state.idle)
        case Subscribed(sink, offset):
            state = Topic(state.values, {**state.positions, sink: offset}, state.idle | {sink})
        case Ready(sink):
            state = Topic(state.values, state.positions, state.idle | {sink})
        case Left(sink):
            staying = {name: at for name, at in state.positions.items() if name != sink}
            state = Topic(state.values, staying, state.idle - {sink})
    end = len(state.values)
    hands = [
        Hand(sink, state.positions[sink], state.values[state.positions[sink] :])
        for sink in state.idle
        if state.positions[sink] < end
    ]
    handed = frozenset(hand.sink for hand in hands)
    positions = {sink: end if sink in handed else at for sink, at in state.positions.items()}
    return Topic(state.values, positions, state.idle - handed), hands
