"""A small cluster for tests of the simulator."""

from __future__ import annotations

from kafkalite.broker.one_partition import OnePartitionBroker
from kafkalite.clients.reader import Habits, Reader
from kafkalite.clients.writer import Writer
from kafkalite.node import Node
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import BreakConnection, Fault, Freeze, SlowLink
from kafkalite.sim.simulator import Simulator

FAULTS: tuple[tuple[float, Fault], ...] = (
    (20, BreakConnection("writer", "broker")),
    (30, Freeze("reader", 20)),
    (45, SlowLink("broker", "other", 5)),
)


def cluster(
    seed: int = 1, batches: int = 12, *, record: bool = True, faults: tuple[tuple[float, Fault], ...] = FAULTS
) -> Simulator:
    """A broker, a writer, two readers, and every kind of fault."""
    nodes: list[Node] = [
        OnePartitionBroker("broker", REFERENCE),
        Writer("writer", "broker", tuple((3.0, (f"v{n}",)) for n in range(batches))),
        Reader("reader", "broker", REFERENCE, Habits(polls_max=batches)),
        Reader("other", "broker", REFERENCE, Habits(polls_max=batches, poll_every_ms=7)),
    ]
    return Simulator(nodes, seed, faults=faults, record=record)
