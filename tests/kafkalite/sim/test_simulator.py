"""Time is virtual, connections are FIFO, faults do what they say, and a seed is a run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.node import Node, PeerLost, Received, TimerFired
from kafkalite.sim.faults import BreakConnection, Fault, Freeze, SlowLink
from kafkalite.sim.simulator import Simulator
from kafkalite.sim.trace import Trace
from tests.kafkalite.sim.small import cluster


@dataclass(frozen=True)
class Numbered:
    number: int


class Sender(Node):
    """Sends numbers to `receiver`, all at once, when told to by a timer."""

    def __init__(self, count: int, at_ms: float = 10) -> None:
        super().__init__("sender")
        self.count, self.at_ms = count, at_ms

    def on_start(self) -> None:
        self.set_timer("go", self.at_ms)

    def on_go(self) -> None:
        for number in range(self.count):
            self.send("receiver", Numbered(number))


class Receiver(Node):
    def on_numbered(self, source: str, message: Numbered) -> None:
        self.note((self.now_ms, message.number))


def _received(*faults: tuple[float, Fault], count: int = 50, seed: int = 3) -> list[tuple[float, int]]:
    sim = Simulator([Sender(count), Receiver("receiver")], seed, faults=faults)
    sim.run()
    return [effect.fact for step in sim.steps for effect in step.effects if hasattr(effect, "fact")]


def test_messages_on_a_connection_arrive_in_the_order_they_were_sent() -> None:
    for seed in range(20):
        assert list(range(50)) == [number for _, number in _received(seed=seed)]


def test_a_broken_connection_loses_what_is_under_way_and_both_ends_are_told() -> None:
    sim = Simulator([Sender(5), Receiver("receiver")], 3, faults=[(10.5, BreakConnection("sender", "receiver"))])
    sim.run()

    assert [] == [step for step in sim.steps if isinstance(step.event, Received)]
    assert {"sender", "receiver"} == {step.node for step in sim.steps if isinstance(step.event, PeerLost)}


def test_what_is_sent_after_a_break_arrives_on_the_next_connection() -> None:
    assert 50 == len(_received((5, BreakConnection("sender", "receiver"))))


def test_a_frozen_node_meets_what_waited_in_order_when_it_thaws() -> None:
    received = _received((9, Freeze("receiver", 500)))

    assert list(range(50)) == [number for _, number in received]
    assert {509.0} == {at_ms for at_ms, _ in received}


def test_a_slow_link_slows_its_own_direction_only() -> None:
    usual_ms, _ = _received(count=1)[0]

    assert (
        pytest.approx(10 + 100 * (usual_ms - 10)) == _received((0, SlowLink("sender", "receiver", 100)), count=1)[0][0]
    )
    assert usual_ms == _received((0, SlowLink("receiver", "sender", 100)), count=1)[0][0]


class Timers(Node):
    def on_start(self) -> None:
        self.set_timer("kept", 30)
        self.set_timer("again", 10)
        self.set_timer("again", 40)
        self.set_timer("cancelled", 20)
        self.cancel_timer("cancelled")

    def on_kept(self) -> None: ...
    def on_again(self) -> None: ...


def test_a_timer_set_again_fires_once_and_a_cancelled_one_never() -> None:
    sim = Simulator([Timers("node")], seed=1)
    sim.run()

    assert [(30, TimerFired("kept")), (40, TimerFired("again"))] == [(s.now_ms, s.event) for s in sim.steps[1:]]


class Restless(Node):
    def on_start(self) -> None:
        self.set_timer("start", 1)


def test_a_run_without_an_end_stops_with_a_sentence() -> None:
    with pytest.raises(SimulationStuck, match="100 steps and no end"):
        Simulator([Restless("node")], seed=1).run(steps_max=100)


def test_waiting_for_what_never_comes_stops_with_a_sentence() -> None:
    with pytest.raises(SimulationStuck, match="nothing is left to happen"):
        Simulator([Node("node")], seed=1).run(until=lambda: False)


def test_recording_or_not_is_the_same_run() -> None:
    recorded, bare = cluster(), cluster(record=False)
    recorded.run()
    bare.run()

    assert (recorded.now_ms, recorded.deliveries) == (bare.now_ms, bare.deliveries)
    assert [] == bare.steps


def test_another_seed_is_another_run() -> None:
    assert Trace(lambda: cluster(1)).run().digest() != Trace(lambda: cluster(2)).run().digest()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_is_the_same_run_in_every_process(hash_seed: str) -> None:
    """Also under another hash seed: no order of a set or dict leaks into a run."""
    code = (
        "from tests.kafkalite.sim.small import cluster; from kafkalite.sim.trace import Trace; "
        "print(Trace(cluster).run().digest())"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": str(root), "PYTHONHASHSEED": hash_seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert Trace(cluster).run().digest() == done.stdout.strip()


def test_no_node_is_given_the_time_or_chance_of_the_machine() -> None:
    """Two simulators side by side do not touch each other."""
    one, other = cluster(), cluster()
    while not one.is_idle:
        one.step()
        other.step()

    assert one.steps == other.steps
