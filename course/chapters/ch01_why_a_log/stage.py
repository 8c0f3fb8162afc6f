"""The stage of chapter 1: the small clusters an answer is plugged into, each told by one frozen case.

A case is data, so it can be drawn from a seed, shown, and replayed. Three kinds: a log behind a broker that clients ask
by script; cursors in readers of a broker; `deliver` in a hub between sources and sinks. Left out: judging (`checks`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from course.checks.plug import Plug
from kafkalite.broker.one_partition import OnePartitionBroker
from kafkalite.clients.reader import Habits, Reader
from kafkalite.clients.writer import Writer
from kafkalite.facts import PartFailed
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol import one_partition as wire
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import Fault
from kafkalite.sim.simulator import Simulator, Step
from kafkalite.types import Hand, Left, NodeName, Published, Ready, Subscribed, Topic

STEPS_MAX = 5_000  # of one case; the longest the reference needs is a tenth of it

Script = tuple[tuple[float, Any], ...]  # (pause in ms before it, a request)
Plan = tuple[tuple[float, tuple[str, ...]], ...]  # (pause in ms before it, the values of a batch)


def numbered_values(count: int, pause_ms: float = 8, size: int = 1, letter: str = "v") -> Plan:
    """A plan of `count` batches of `size` values each: v0, v1, v2 ..."""
    values = [f"{letter}{n}" for n in range(count * size)]
    return tuple((pause_ms, tuple(values[n * size : (n + 1) * size])) for n in range(count))


def run_plugged(build: Callable[[], Simulator], plug: Plug) -> list[Step]:
    """Run a simulation to its end, telling the plug at which step each call happens."""
    sim = build()
    plug.step = lambda: len(sim.steps)
    sim.run(steps_max=STEPS_MAX)
    return sim.steps


# A log behind a broker ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogCase:
    """Clients that ask a broker by script. The log's first value gets the offset `start`."""

    name: str
    clients: tuple[tuple[NodeName, Script], ...]
    start: int = 0
    seed: int = 1
    faults: tuple[tuple[float, Fault], ...] = ()


class Client(Node):
    """Sends the requests of its script one after another, each when the one before is answered."""

    def __init__(self, name: NodeName, script: Script) -> None:
        super().__init__(name)
        self.script, self.asked = script, 0

    def on_start(self) -> None:
        self._wait()

    def on_ask(self) -> None:
        self.asked += 1
        self.request("broker", self.script[self.asked - 1][1])

    def on_produce_response(
        self, source: NodeName, response: wire.ProduceResponse, request: wire.ProduceRequest
    ) -> None:
        self._wait()

    def on_fetch_response(self, source: NodeName, response: wire.FetchResponse, request: wire.FetchRequest) -> None:
        self._wait()

    def on_list_offsets_response(
        self, source: NodeName, response: wire.ListOffsetsResponse, request: wire.ListOffsetsRequest
    ) -> None:
        self._wait()

    def on_delete_records_response(self, source: NodeName, response: Any, request: wire.DeleteRecordsRequest) -> None:
        self._wait()

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if requests:
            self._wait()

    def _wait(self) -> None:
        if self.asked < len(self.script):
            self.set_timer("ask", self.script[self.asked][0])


def log_cluster(case: LogCase, parts: Parts) -> Simulator:
    """A broker with `parts.log`, and the case's clients."""
    clients = [Client(name, script) for name, script in case.clients]
    return Simulator([OnePartitionBroker("broker", parts, case.start), *clients], case.seed, faults=case.faults)


def play_log(case: LogCase, plug: Plug) -> list[Step]:
    """The answer is the broker's log."""
    return run_plugged(lambda: log_cluster(case, replace(REFERENCE, log=plug)), plug)


# Readers with cursors -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadersCase:
    """Writers fill a log while readers, each with its habits, follow it; retention may delete from it."""

    name: str
    writers: tuple[tuple[NodeName, Plan], ...]
    readers: tuple[tuple[NodeName, Habits], ...]
    deletions: Script = ()
    start: int = 0
    seed: int = 1
    faults: tuple[tuple[float, Fault], ...] = ()


def readers_cluster(case: ReadersCase, parts: Parts) -> Simulator:
    """A broker, the writers, the readers with `parts.cursor`, and `retention`, which deletes by script."""
    nodes: list[Node] = [OnePartitionBroker("broker", parts, case.start)]
    nodes += [Writer(name, "broker", plan) for name, plan in case.writers]
    nodes += [Reader(name, "broker", parts, habits) for name, habits in case.readers]
    if case.deletions:
        nodes.append(Client("retention", case.deletions))
    return Simulator(nodes, case.seed, faults=case.faults)


def play_readers(case: ReadersCase, plug: Plug) -> list[Step]:
    """The answer is every reader's cursor."""
    return run_plugged(lambda: readers_cluster(case, replace(REFERENCE, cursor=plug)), plug)


# A hub between sources and sinks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SinkHabits:
    """How a sink behaves: when it connects, from which offset, and how long one value keeps it busy."""

    connect_at_ms: float = 0
    offset: int = 0
    work_ms: float = 5


@dataclass(frozen=True, slots=True)
class HubCase:
    """Sources publish into one topic; every sink wants everything."""

    name: str
    sources: tuple[tuple[NodeName, Plan], ...]
    sinks: tuple[tuple[NodeName, SinkHabits], ...]
    seed: int = 1
    faults: tuple[tuple[float, Fault], ...] = ()


@dataclass(frozen=True, slots=True)
class Publish:
    """A source's message to the hub."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A sink's first message on a connection."""

    offset: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """Values on their way to a sink."""

    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A sink's word that it has worked through what it was handed."""


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """Fact: what the topic holds and where each sink stands, by what the events and effects say."""

    values: tuple[str, ...]
    positions: tuple[tuple[str, int], ...]
    busy: frozenset[str]


class Hub(Node):
    """Puts events to `deliver` and hands out what it says. It keeps the state and does not look into it."""

    def __init__(self, deliver: Callable[..., Any]) -> None:
        super().__init__("hub")
        self._deliver, self._state = deliver, Topic()
        self._values: tuple[str, ...] = ()
        self._positions: dict[str, int] = {}
        self._busy: set[str] = set()

    def on_publish(self, source: NodeName, message: Publish) -> None:
        for value in message.values:
            self._values += (value,)
            self._put(Published(value))

    def on_subscribe(self, source: NodeName, message: Subscribe) -> None:
        self._positions[source] = message.offset
        self._busy.discard(source)
        self._put(Subscribed(source, message.offset))

    def on_done(self, source: NodeName, message: Done) -> None:
        self._busy.discard(source)
        self._put(Ready(source))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if peer in self._positions:
            del self._positions[peer]
            self._busy.discard(peer)
            self._put(Left(peer))

    def _put(self, event: Published | Subscribed | Ready | Left) -> None:
        try:
            self._state, hands = self._deliver(self._state, event)
        except Exception as error:  # noqa: BLE001 - a part may raise anything; the hub goes on
            self.note(PartFailed("deliver", str(error)))
            return
        for hand in hands:
            self._hand_over(hand)
        self.note(TopicChanged(self._values, tuple(sorted(self._positions.items())), frozenset(self._busy)))

    def _hand_over(self, hand: Hand) -> None:
        if hand.sink in self._positions:  # there is no connection to send the others over
            self._positions[hand.sink] = hand.offset + len(hand.values)
            self._busy.add(hand.sink)
            self.send(hand.sink, HandOver(hand.offset, hand.values))


class Source(Node):
    """Publishes by plan and does not wait for anybody."""

    def __init__(self, name: NodeName, plan: Plan) -> None:
        super().__init__(name)
        self.plan, self.sent = plan, 0

    def on_start(self) -> None:
        self._wait()

    def on_publish_next(self) -> None:
        self.send("hub", Publish(self.plan[self.sent][1]))
        self.sent += 1
        self._wait()

    def _wait(self) -> None:
        if self.sent < len(self.plan):
            self.set_timer("publish_next", self.plan[self.sent][0])


class Sink(Node):
    """Connects, works through what it is handed, says so; connects again, where it was, when its connection breaks."""

    def __init__(self, name: NodeName, habits: SinkHabits) -> None:
        super().__init__(name)
        self.habits, self.next_offset = habits, habits.offset
        self._in_hand: list[HandOver] = []

    def on_start(self) -> None:
        self.set_timer("connect", self.habits.connect_at_ms)

    def on_connect(self) -> None:
        self.send("hub", Subscribe(self.next_offset))

    def on_hand_over(self, source: NodeName, message: HandOver) -> None:
        self._in_hand.append(message)
        if len(self._in_hand) == 1:
            self._work()

    def on_worked(self) -> None:
        done = self._in_hand.pop(0)
        self.next_offset = done.offset + len(done.values)
        self.send("hub", Done())
        if self._in_hand:
            self._work()

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self._in_hand.clear()
        self.cancel_timer("worked")
        self.set_timer("connect", 20)

    def _work(self) -> None:
        self.set_timer("worked", self.habits.work_ms * len(self._in_hand[0].values))


def hub_cluster(case: HubCase, deliver: Callable[..., Any]) -> Simulator:
    """A hub with this `deliver`, and the case's sources and sinks."""
    sources = [Source(name, plan) for name, plan in case.sources]
    sinks = [Sink(name, habits) for name, habits in case.sinks]
    return Simulator([Hub(deliver), *sources, *sinks], case.seed, faults=case.faults)


def play_hub(case: HubCase, plug: Plug) -> list[Step]:
    """The answer is the hub's `deliver`."""
    return run_plugged(lambda: hub_cluster(case, plug), plug)
