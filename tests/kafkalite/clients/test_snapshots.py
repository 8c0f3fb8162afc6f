"""A client that is copied in the middle of its work goes on as the original does, and disturbs it in nothing."""

from __future__ import annotations

from typing import Any

from kafkalite.clients.consumer import Consumer
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import BreakConnection, Fault
from kafkalite.sim.simulator import Simulator
from kafkalite.sim.trace import Trace, facts_of
from tests.kafkalite.clients.fake_cluster import FakeBroker, Truth, producer

BREAKS: list[tuple[float, Fault]] = [(30.0 + 20 * number, BreakConnection("p1", "b101")) for number in range(6)]


def _build() -> Simulator:
    truth = Truth((101, 102), work_ms=3).topic("orders", 101, 102)
    consumer = Consumer("c1", ClientConfig(("b101",)), ConsumerConfig(auto_offset_reset="earliest"), REFERENCE)
    brokers = [FakeBroker(broker, truth) for broker in truth.brokers]
    sim = Simulator([*brokers, producer(truth, linger_ms=1), consumer], 5, faults=BREAKS)
    sim.call("c1", "assign", (("orders", 0, None), ("orders", 1, None)))
    for number in range(60):
        sim.call_at(5.0 + 3 * number, "p1", "produce", number, "orders", b"%d" % (number % 7), b"v%d" % number)
    return sim


def _facts(sim: Simulator) -> list[tuple[float, str, Any]]:
    return [(at.now_ms, at.node, at.fact) for at in facts_of(sim.steps)]


def test_a_run_that_is_forked_anywhere_goes_on_as_before() -> None:
    trace = Trace(_build).run(lambda sim: sim.now_ms > 1_500)
    expected = _facts(trace.at(len(trace.steps)))

    for step in range(0, len(trace.steps), 97):
        fork = trace.at(step)
        while len(fork.steps) < len(trace.steps):
            fork.step()
        assert expected == _facts(fork), f"forked at step {step}"


def test_a_run_is_its_seed() -> None:
    digests = {Trace(_build).run(lambda sim: sim.now_ms > 1_500).digest() for _ in range(2)}

    assert 1 == len(digests)
