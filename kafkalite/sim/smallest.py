"""A random run of the smallest cluster, chapter 1's: one broker with one log, writers, readers, somebody who deletes.

Connections break, slow down, nodes stand still. Whatever happens, a reader is handed what stands in the log, in order,
and nothing twice, unless it was told to go back, or beyond the end. (It may miss something: what was under way when its
connection broke, and what was deleted.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from kafkalite.broker.one_partition import OnePartitionBroker
from kafkalite.clients.reader import Habits, Reader
from kafkalite.clients.writer import Writer
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol import one_partition as wire
from kafkalite.reference import REFERENCE
from kafkalite.sim.checkers import Coverage
from kafkalite.sim.faults import BreakConnection, Fault, Freeze, SlowLink
from kafkalite.sim.simulator import Simulator
from kafkalite.types import NodeName

BROKER, DELETER = "broker", "deleter"
WRITERS, READERS = ("writer", "other-writer"), ("reader", "other-reader")
BATCHES = 12
FAULTS = 6
UNTIL_MS = 150.0  # faults come until then


class Deleter(Node):
    """Lets the log begin at an offset now and then; it may be one that the log does not have."""

    def delete(self, offset: int) -> None:
        """Ask for it."""
        self.request(BROKER, wire.DeleteRecordsRequest(offset))

    def on_delete_records_response(self, source: NodeName, response: Any, request: Any) -> None:
        """It is done, or refused: nothing hangs on it."""

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """It may be done."""


@dataclass(slots=True)
class Log:
    """What stands in the log, by what was announced of it, and where each reader goes on."""

    start: int = 0
    values: dict[int, str] = field(default_factory=dict)
    positions: dict[NodeName, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)

    def observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        """Take in one fact."""
        self.coverage.count(fact)
        handler = getattr(self, "_" + type(fact).__name__, None)
        if handler is not None:
            handler(node, fact)

    def _RecordsAppended(self, node: NodeName, fact: Any) -> None:  # noqa: N802 - named as the fact is
        end = max(self.values, default=-1) + 1
        if fact.base_offset != end:
            self.problems.append(f"the log ends at {end}, and what is appended begins at {fact.base_offset}")
        self.values.update(enumerate(fact.values, fact.base_offset))

    def _LogStartAdvanced(self, node: NodeName, fact: Any) -> None:  # noqa: N802 - named as the fact is
        if fact.start < self.start:
            self.problems.append(f"the log begins at {self.start}, and then at {fact.start}")
        self.start = fact.start

    def _ReaderSought(self, node: NodeName, fact: Any) -> None:  # noqa: N802 - named as the fact is
        self.positions[node] = fact.offset if fact.lag else 0  # behind the end, it begins anew

    def _RecordsProcessed(self, node: NodeName, fact: Any) -> None:  # noqa: N802 - named as the fact is
        wanted = self.positions.get(node, 0)
        if fact.offset < wanted:
            self.problems.append(f"{node} goes on at {wanted}, and is handed {fact.offset}")
        found = tuple(self.values.get(fact.offset + index) for index in range(len(fact.values)))
        if found != fact.values:
            self.problems.append(f"{node} is handed {fact.values} at {fact.offset}, where {found} stands")
        self.positions[node] = fact.offset + len(fact.values)


def play_smallest(seed: int, parts: Parts = REFERENCE) -> Log:
    """Let it happen; what was found wrong is in `problems`."""
    rng = Random(f"smallest/{seed}")
    nodes: list[Node] = [OnePartitionBroker(BROKER, parts), Deleter(DELETER)]
    nodes += [Writer(name, BROKER, tuple(_batch(rng, name, number) for number in range(BATCHES))) for name in WRITERS]
    nodes += [Reader(name, BROKER, parts, _habits(rng)) for name in READERS]
    sim, log = Simulator(nodes, seed, faults=_faults(rng), record=False), Log()
    sim.observers.append(log.observe)
    for _ in range(3):
        sim.call_at(rng.uniform(20, UNTIL_MS), DELETER, "delete", rng.randint(0, BATCHES))
    sim.run()
    return log


def _batch(rng: Random, name: NodeName, number: int) -> tuple[float, tuple[str, ...]]:
    return rng.uniform(0, 10), tuple(f"{name} {number}.{index}" for index in range(rng.randint(1, 4)))


def _habits(rng: Random) -> Habits:
    seeks = ((rng.randint(2, 20), rng.randint(0, 3 * BATCHES)),)
    return Habits(max_records=rng.randint(1, 5), poll_every_ms=rng.uniform(3, 12), seeks=seeks)


def _faults(rng: Random) -> list[tuple[float, Fault]]:
    clients = (*WRITERS, *READERS)
    return [
        (
            rng.uniform(5, UNTIL_MS),
            rng.choice(
                (
                    BreakConnection(rng.choice(clients), BROKER),
                    Freeze(rng.choice((*clients, BROKER)), rng.uniform(5, 60)),
                    SlowLink(BROKER, rng.choice(clients), rng.choice((1, 5, 20))),
                )
            ),
        )
        for _ in range(FAULTS)
    ]
