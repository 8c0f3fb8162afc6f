"""Deliveries a second of the simulator, with and without a trace; and whether a step's cost grows with the run.

Medians of interleaved runs, and ratios from this one run: absolute figures move with the machine.
"""

from __future__ import annotations

from statistics import median
from time import process_time

from kafkalite.broker.one_partition import OnePartitionBroker
from kafkalite.clients.reader import Habits, Reader
from kafkalite.clients.writer import Writer
from kafkalite.reference import REFERENCE
from kafkalite.sim.simulator import Simulator

ROUNDS = 7
BATCHES = 5_000


def cluster(batches: int, *, record: bool) -> Simulator:
    """A broker, a writer and a reader that exchange produce, list offsets and fetch."""
    plan = tuple((2.0, (f"v{n}",)) for n in range(batches))
    habits = Habits(polls_max=batches)
    nodes = [
        OnePartitionBroker("broker", REFERENCE),
        Writer("writer", "broker", plan),
        Reader("reader", "broker", REFERENCE, habits),
    ]
    return Simulator(nodes, seed=1, record=record)


def rate(batches: int, *, record: bool) -> float:
    """Deliveries a second of one run."""
    sim = cluster(batches, record=record)
    began_s = process_time()
    sim.run()
    return sim.deliveries / (process_time() - began_s)


def main() -> None:
    """Print the figures."""
    bare, traced, longer = [], [], []
    for _ in range(ROUNDS):
        bare.append(rate(BATCHES, record=False))
        traced.append(rate(BATCHES, record=True))
        longer.append(rate(10 * BATCHES, record=False))
    print(f"simulator, deliveries a CPU second, median of {ROUNDS} interleaved runs of produce, list offsets and fetch")
    print(f"  without a trace        {median(bare):>10,.0f}")
    print(f"  with a trace           {median(traced):>10,.0f}   {median(traced) / median(bare):.2f} of without")
    print(f"  a run ten times longer {median(longer):>10,.0f}   {median(longer) / median(bare):.2f} of the short one")


if __name__ == "__main__":
    main()
