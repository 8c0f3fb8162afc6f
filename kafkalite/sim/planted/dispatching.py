"""Bugs of what is done in the world outside: programs that lose it, and a sink that does it twice."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from kafkalite.clients import pipeline as pipeline_module
from kafkalite.clients.pipeline import Pipeline
from kafkalite.clients.semantics import ORDERS, Step
from kafkalite.parts import Parts
from kafkalite.sim import dispatching
from kafkalite.sim.checkers import Expectations, TopicPromise, value_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.dispatching import SOURCE, Dispatchers
from kafkalite.sim.facades import EARLIEST
from kafkalite.sim.network import Delays
from kafkalite.sim.outside import IdempotentSink
from kafkalite.sim.planted.bug import Attach, Bug, Patch
from kafkalite.sim.workload import BROKER, CLIENT, ROUND_MS, ZOOKEEPER

PARTITIONS, ROUNDS, RECORDS = 2, 40, 8  # records at most in a round
SETTLE_MS = 60_000.0


def dispatched(seed: int, parts: Parts, attach: Attach) -> None:
    """Programs die, hang and leave, as in a long run, and nothing else goes wrong; the sink is as the seed has it."""
    broker = BROKER | {"offsets_topic_replication_factor": 1}
    delays = Delays(0.5, 3.0)
    cluster = Cluster(
        1, 1, seed, parts=parts, broker=broker, zookeeper=ZOOKEEPER, client=CLIENT, delays=delays, record=False
    )
    books = {"__consumer_offsets": TopicPromise(is_compacted=True)}
    attach(cluster, dispatching.promised(Expectations(topics=books, disks_keep_everything=True), seed))
    cluster.topic(SOURCE, PARTITIONS)
    cluster.producer("p1", acks="all")
    reader = cluster.consumer("reader", auto_offset_reset="earliest")
    reader.assign(*((SOURCE, number, EARLIEST) for number in range(PARTITIONS)))
    dispatchers = Dispatchers(cluster, seed)
    dispatchers.begin()
    _keep_busy(cluster, dispatchers, Random(f"dispatched/{seed}"))
    dispatchers.settle(SETTLE_MS)


def _keep_busy(cluster: Cluster, dispatchers: Dispatchers, rng: Random) -> None:
    record = 0
    for _ in range(ROUNDS):
        for _ in range(rng.randint(0, RECORDS)):
            record += 1
            at_ms = cluster.now_ms + rng.uniform(0, ROUND_MS)
            value = value_of("p1", record)
            cluster.call_at(at_ms, "p1", "produce", record, SOURCE, None, value, None, record % PARTITIONS)
        dispatchers.round(ROUND_MS)
        cluster.run_for(ROUND_MS)


# Programs -------------------------------------------------------------------------------------------------------------

COMMITTED_FIRST = ORDERS | {"at least once": (Step.COMMIT, Step.WRITE)}


def _taken_for_done(self: Any) -> None:
    self._next_application()


# The sink -------------------------------------------------------------------------------------------------------------


def _known_by_who_asks(apply: Callable[..., None]) -> Callable[..., None]:
    def applying(self: Any, source: Any, request: Any) -> None:
        everything, self._done = self._done, set()
        of_this_one = f"{source}: "
        self._done = {key.removeprefix(of_this_one) for key in everything if key.startswith(of_this_one)}
        apply(self, source, request)
        self._done = everything | {of_this_one + key for key in self._done}

    return applying


BUGS = (
    Bug(
        "commits-before-it-is-done",
        "A program that is to work at least once commits before it has had anything done (M34).",
        ("lost-effect",),
        dispatched,
        1,
        patches=(Patch(pipeline_module, "ORDERS", COMMITTED_FIRST),),
    ),
    Bug(
        "no-answer-is-an-answer",
        "A program takes what it has asked for as done, though nobody has answered.",
        ("lost-effect",),
        dispatched,
        1,
        patches=(Patch(Pipeline, "on_apply_again", _taken_for_done),),
    ),
    Bug(
        "known-by-who-asks",
        "An idempotent sink knows again what the same program has asked for, and not what another one has.",
        ("doubled-effect",),
        dispatched,
        2,
        patches=(Patch(IdempotentSink, "on_apply_request", _known_by_who_asks(IdempotentSink.on_apply_request)),),
    ),
)
