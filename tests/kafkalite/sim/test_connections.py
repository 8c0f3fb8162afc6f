"""Connections as TCP gives them: in order, one request in the works, gone with a crash, and never half a message."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from kafkalite.node import Node
from kafkalite.sim.faults import (
    BreakConnection,
    Cut,
    Fault,
    Freeze,
    Kill,
    LoseDisk,
    PowerLoss,
    Restart,
    SkewClock,
    SlowDisk,
)
from kafkalite.sim.simulator import EPOCH_MS, Simulator
from kafkalite.sim.trace import Trace, facts_of
from kafkalite.storage.memory import MemoryStorage


@dataclass(frozen=True)
class AddRequest:
    number: int


@dataclass(frozen=True)
class AddResponse:
    total: int


@dataclass(frozen=True)
class Hint:
    number: int


class Server(Node):
    """Adds up what it is told, on its disk; answers each request `work_ms` after it came, or when it is synced."""

    work_ms = 10.0

    def __init__(self, name: str, storage: MemoryStorage, *, syncs: bool = False) -> None:
        super().__init__(name)
        self.storage, self._syncs = storage, syncs
        self.waiting: list[tuple[str, int]] = []

    def on_start(self) -> None:
        self.note(("began", self.storage.size("numbers"), self.wall_ms))

    def on_add_request(self, source: str, request: AddRequest) -> None:
        self.note(("got", source, request.number))
        self.storage.append("numbers", bytes([request.number]))
        if self._syncs:
            self.flush(self.answer, source, request.number)
        else:
            self.waiting.append((source, request.number))
            self.set_timer(f"done:{source}", self.work_ms)

    def on_hint(self, source: str, hint: Hint) -> None:
        self.note(("hint", source, hint.number))

    def on_done(self, source: str) -> None:
        found = next(one for one in self.waiting if one[0] == source)
        self.waiting.remove(found)
        self.answer(*found)

    def answer(self, source: str, number: int) -> None:
        self.reply(source, AddResponse(number))

    def on_peer_lost(self, peer: str, requests: tuple[Any, ...]) -> None:
        self.note(("lost", peer))
        self.cancel_timer(f"done:{peer}")
        self.waiting = [one for one in self.waiting if one[0] != peer]


class Client(Node):
    """Sends numbers when told to, and notes what comes of it."""

    def __init__(self, name: str, timeout_ms: float | None = None) -> None:
        super().__init__(name)
        self.timeout_ms = timeout_ms

    def ask(self, to: str, *numbers: int) -> None:
        for number in numbers:
            self.request(to, AddRequest(number), self.timeout_ms)

    def hint(self, to: str, number: int) -> None:
        self.send(to, Hint(number))

    def on_add_response(self, source: str, response: AddResponse, request: AddRequest) -> None:
        self.note(("answered", source, request.number, response.total))

    def on_peer_lost(self, peer: str, requests: tuple[Any, ...]) -> None:
        self.note(("lost", peer, tuple(request.number for request in requests)))


def run(
    *calls: tuple[float, str, tuple[Any, ...]], faults: tuple[tuple[float, Fault], ...] = (), **how: Any
) -> Simulator:
    """A client that is called at these times, a server, and faults."""
    sim = Simulator(
        [Server("s", MemoryStorage(), syncs=how.get("syncs", False)), Client("c", how.get("timeout_ms"))],
        seed=1,
        faults=faults,
        rebuild=lambda name, storage: Server(name, storage, syncs=how.get("syncs", False)),
    )
    for at_ms, method, arguments in calls:
        sim.call_at(at_ms, "c", method, *arguments)
    sim.run()
    return sim


def facts(sim: Simulator, node: str, *kinds: str) -> list[Any]:
    """What a node noted, of these kinds, without its kind if there is one alone."""
    found = [at.fact for at in facts_of(sim.steps) if at.node == node and at.fact[0] in kinds]
    return [fact[1:] if len(kinds) == 1 else fact for fact in found]


def test_the_next_request_of_a_connection_comes_when_the_one_before_is_answered() -> None:
    sim = run((0, "ask", ("s", 1, 2, 3)))

    times = [at.now_ms for at in facts_of(sim.steps) if at.fact[0] == "got"]
    assert [("c", 1), ("c", 2), ("c", 3)] == facts(sim, "s", "got")
    assert all(later - earlier >= Server.work_ms for earlier, later in pairwise(times))
    assert [("s", 1, 1), ("s", 2, 2), ("s", 3, 3)] == facts(sim, "c", "answered")


def test_channels_are_connections_of_their_own() -> None:
    sim = run((0, "ask", ("s", 1)), (0, "ask", ("s#other", 2)))

    times = [at.now_ms for at in facts_of(sim.steps) if at.fact[0] == "got"]
    assert {("c", 1), ("c#other", 2)} == set(facts(sim, "s", "got"))
    assert times[1] - times[0] < Server.work_ms
    assert {("s", 1, 1), ("s#other", 2, 2)} == set(facts(sim, "c", "answered"))


def test_what_expects_no_answer_holds_nobody_up_and_keeps_its_place() -> None:
    sim = run((0, "hint", ("s", 1)), (0, "ask", ("s", 2)), (0, "hint", ("s", 3)), (0, "hint", ("s", 4)))

    assert [("hint", "c", 1), ("got", "c", 2), ("hint", "c", 3), ("hint", "c", 4)] == facts(sim, "s", "hint", "got")


def test_a_node_can_ask_itself() -> None:
    class Both(Server, Client):
        """A server that is its own client."""

    both = Both("b", MemoryStorage())
    both.timeout_ms = None
    sim = Simulator([both], seed=1)
    sim.call("b", "ask", "b#self", 1, 2)
    sim.run()

    assert [("b#self", 1, 1), ("b#self", 2, 2)] == facts(sim, "b", "answered")


def test_a_broken_connection_loses_what_is_under_way_and_both_ends_are_told() -> None:
    sim = run((0, "ask", ("s", 1, 2)), (20, "ask", ("s", 3)), faults=((5, BreakConnection("c", "s")),))

    assert [("s", (1, 2))] == facts(sim, "c", "lost")
    assert [("c",)] == facts(sim, "s", "lost")
    assert [("c", 1), ("c", 3)] == facts(sim, "s", "got")  # 2 waited behind 1
    assert [("s", 3, 3)] == facts(sim, "c", "answered")


def test_what_a_frozen_node_sends_before_it_learns_of_a_break_is_lost_with_it() -> None:
    """At the thaw it asks before it is told: the question belongs to the connection that is no more."""
    freeze, broken = (50, Freeze("c", 20)), (60, BreakConnection("c", "s"))

    sim = run((0, "ask", ("s", 1)), (55, "ask", ("s", 2)), (80, "ask", ("s", 3)), faults=(freeze, broken))

    assert [("s", (2,))] == facts(sim, "c", "lost")
    assert [("c", 1), ("c", 3)] == facts(sim, "s", "got")
    assert [("s", 1, 1), ("s", 3, 3)] == facts(sim, "c", "answered")


def test_a_request_that_takes_too_long_closes_the_connection_and_may_have_happened() -> None:
    sim = run((0, "ask", ("s", 1)), (30, "ask", ("s", 2)), timeout_ms=8)

    assert [("s", (1,)), ("s", (2,))] == facts(sim, "c", "lost")
    assert [("c", 1), ("c", 2)] == facts(sim, "s", "got")
    assert [] == facts(sim, "c", "answered")


def test_an_answer_in_time_is_not_overdue_later() -> None:
    sim = run((0, "ask", ("s", 1)), (15, "ask", ("s", 2)), timeout_ms=18)

    assert [("s", 1, 1), ("s", 2, 2)] == facts(sim, "c", "answered")
    assert [] == facts(sim, "c", "lost")


def test_what_was_sent_before_a_disconnect_arrives_and_its_answer_does_not() -> None:
    sim = run((0, "ask", ("s", 1)), (0, "disconnect", ("s",)), (0, "ask", ("s", 2)))

    assert [("got", "c", 1), ("lost", "c"), ("got", "c", 2)] == facts(sim, "s", "got", "lost")
    assert [("s", 2, 2)] == facts(sim, "c", "answered")


def test_a_killed_node_keeps_its_files_and_its_peers_are_told() -> None:
    sim = run((0, "ask", ("s", 7)), (40, "ask", ("s", 8)), faults=((5, Kill("s")), (30, Restart("s"))))

    assert [("s", (7,))] == facts(sim, "c", "lost")
    assert [0, 1] == [size for size, _ in facts(sim, "s", "began")]
    assert [("s", 8, 8)] == facts(sim, "c", "answered")


def test_to_send_to_a_killed_node_fails_soon_every_time() -> None:
    sim = run((10, "ask", ("s", 1)), (20, "ask", ("s", 2)), faults=((5, Kill("s")),))

    assert [("s", (1,)), ("s", (2,))] == facts(sim, "c", "lost")


def test_a_node_without_power_says_nothing_until_it_is_up_again() -> None:
    sim = run(
        (0, "ask", ("s", 1)),
        (20, "ask", ("s", 2)),
        (60, "ask", ("s", 3)),
        faults=((5, PowerLoss("s")), (50, Restart("s"))),
    )

    lost_ms = next(at.now_ms for at in facts_of(sim.steps) if at.node == "c" and at.fact[0] == "lost")
    assert lost_ms > 60, "only an answer of the new life tells that the old one is over"
    assert [("s", (1, 2, 3))] == facts(sim, "c", "lost")


def test_a_connection_on_which_something_was_lost_is_over_once_the_other_end_is_up_again() -> None:
    """Or what was sent later would arrive without it, and be answered in its place."""
    sim = run(
        (0, "ask", ("s", 1)),
        (20, "disconnect", ("s",)),
        (20, "ask", ("s", 2)),
        (60, "ask", ("s", 3)),
        (90, "ask", ("s", 4)),
        faults=((5, PowerLoss("s")), (50, Restart("s"))),
    )

    assert [("s", (2, 3))] == facts(sim, "c", "lost")
    assert [("s", 4, 4)] == facts(sim, "c", "answered")


def test_power_loss_takes_what_was_not_synced_and_leaves_what_was() -> None:
    synced = run((0, "ask", ("s", 1)), faults=((8, PowerLoss("s")), (50, Restart("s"))), syncs=True)
    seeds = set()
    for seed in range(40):
        sim = Simulator(
            [Server("s", MemoryStorage()), Client("c")],
            seed,
            faults=((8, PowerLoss("s")), (50, Restart("s"))),
            rebuild=Server,
        )
        sim.call("c", "ask", "s", 1)
        sim.run()
        seeds.add(facts(sim, "s", "began")[-1][0])

    assert 1 == facts(synced, "s", "began")[-1][0]
    assert {0, 1} == seeds


def test_a_lost_disk_leaves_nothing() -> None:
    sim = run((0, "ask", ("s", 1)), faults=((30, LoseDisk("s")), (50, Restart("s"))), syncs=True)

    assert [0, 0] == [size for size, _ in facts(sim, "s", "began")]


def test_timers_and_syncs_die_with_their_node() -> None:
    for syncs in (False, True):  # an answer that waits for a timer, and one that waits for the disk
        sim = run((0, "ask", ("s", 1)), faults=((0, SlowDisk("s", 20)), (5, Kill("s")), (6, Restart("s"))), syncs=syncs)
        assert [] == facts(sim, "c", "answered")


def test_a_dead_node_hears_no_call() -> None:
    sim = Simulator([Client("c")], seed=1, faults=((1, Kill("c")),))
    sim.call_at(2, "c", "hint", "s", 1)
    sim.run()

    assert ["Started()", "Kill(node='c')"] == [repr(step.event) for step in sim.steps]


def test_a_node_that_was_dead_when_its_connection_broke_is_heard_when_it_comes_back() -> None:
    faults = ((1, PowerLoss("s")), (2, BreakConnection("c", "s")), (3, Restart("s")))
    sim = run((0, "hint", ("s", 1)), (9, "ask", ("s", 2)), faults=faults)

    assert [("s", 2, 2)] == facts(sim, "c", "answered")


def test_a_cut_holds_one_direction_and_keeps_the_order() -> None:
    sim = run((0, "ask", ("s", 1)), (0, "hint", ("s", 2)), faults=((0, Cut("c", "s", 100)), (0, Cut("s", "x", 100))))

    times = [at.now_ms for at in facts_of(sim.steps) if at.fact[0] in ("got", "hint")]
    assert times[0] >= 100
    assert [("got", "c", 1), ("hint", "c", 2)] == facts(sim, "s", "got", "hint")
    assert [("s", 1, 1)] == facts(sim, "c", "answered")


def test_a_frozen_node_meets_what_waited_in_the_order_it_came() -> None:
    sim = run((0, "ask", ("s", 1, 2)), (5, "hint", ("s", 3)), faults=((1, Freeze("s", 200)),))

    assert [("got", "c", 1), ("got", "c", 2), ("hint", "c", 3)] == facts(sim, "s", "got", "hint")
    assert min(at.now_ms for at in facts_of(sim.steps) if at.fact[0] == "got") >= 201


def test_a_wall_clock_jumps_and_timers_do_not() -> None:
    sim = run((0, "ask", ("s", 1)), faults=((5, SkewClock("s", -3_600_000)), (30, Kill("s")), (40, Restart("s"))))

    assert [EPOCH_MS, EPOCH_MS - 3_600_000 + 40] == [wall_ms for _, wall_ms in facts(sim, "s", "began")]
    assert [("s", 1, 1)] == facts(sim, "c", "answered")


@pytest.mark.parametrize("seed", range(20))
def test_a_run_with_every_kind_of_break_is_rewound_and_repeated(seed: int) -> None:
    faults: tuple[tuple[float, Fault], ...] = (
        (4, BreakConnection("c", "s")),
        (14, Kill("s")),
        (20, Restart("s")),
        (26, Cut("s", "c", 20)),
        (30, PowerLoss("s")),
        (50, Restart("s")),
        (52, Freeze("s", 5)),
    )

    def build() -> Simulator:
        sim = Simulator(
            [Server("s", MemoryStorage()), Client("c", 25)],
            seed,
            faults=faults,
            rebuild=Server,
        )
        for number in range(40):
            sim.call_at(number * 2, "c", "ask", "s" if number % 3 else "s#other", number)
        return sim

    trace = Trace(build).run()

    assert trace.digest() == Trace(build).run().digest()
    for step in range(0, len(trace.steps), 7):
        again = trace.at(step)
        again.run()
        assert trace.steps == again.steps
