"""Programs that have something done outside, in a long run: drawn from the seed, troubled, and in the end at rest."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.facts import EffectApplied, PartitionsAssigned
from kafkalite.sim import dispatching
from kafkalite.sim.checkers import Checker, Expectations, TopicPromise
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.dispatching import GROUP, SINK, SOURCE, Dispatchers
from kafkalite.sim.faults import BreakConnection, Cut, Freeze, Kill, KillAfter, SlowLink
from kafkalite.sim.members import BROKER
from kafkalite.sim.workload import draw_plan
from kafkalite.types import NodeName

EXPECTED = Expectations(topics={"__consumer_offsets": TopicPromise(is_compacted=True)}, disks_keep_everything=True)
ALONE = {
    "offsets_topic_replication_factor": 1,
    "transaction_state_log_replication_factor": 1,
    "transaction_state_log_min_isr": 1,
}
PARTITIONS, ROUNDS, ROUND_MS = 2, 60, 500.0


class Run:
    """A cluster of one broker, programs in trouble, two records every now and then, and a checker."""

    def __init__(self, seed: int, *, is_idempotent: bool) -> None:
        """The first seed from there on that has such a sink."""
        seed = next(one for one in range(seed, 100) if dispatching.is_idempotent(one) is is_idempotent)
        self.cluster = Cluster(1, 1, seed, broker=BROKER | ALONE, record=False)
        self.checker = Checker(dispatching.promised(EXPECTED, seed))
        self.done: Counter[str] = Counter()  # how often something was done for each record
        self.reading = 0  # programs that read at a time, at most
        self.faults: list[Any] = []
        self.cluster.sim.observers += [self.checker.observe, self._observe]
        self.cluster.sim.fault_observers.append(self._note)
        self.cluster.topic(SOURCE, PARTITIONS)
        self.dispatchers = Dispatchers(self.cluster, seed)
        self.dispatchers.begin()

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, EffectApplied):
            self.done[fact.key] += 1
        elif isinstance(fact, PartitionsAssigned):
            down = self.cluster.sim.down
            reading = [name for name, owned in self.cluster.view.reads.items() if owned and name not in down]
            self.reading = max(self.reading, len(reading))

    def _note(self, now_ms: float, fault: Any) -> None:
        self.faults.append(fault)

    def play(self) -> None:
        """To the end."""
        for number in range(ROUNDS):
            for record in (2 * number, 2 * number + 1):
                self.cluster.producer("p1").send(SOURCE, b"%d" % record, partition=record % PARTITIONS)
            self.dispatchers.round(ROUND_MS)
            self.cluster.run_for(ROUND_MS)
        self.dispatchers.settle(30_000)


def test_some_runs_of_any_profile_have_such_programs_and_some_of_these_an_idempotent_sink() -> None:
    plans = [draw_plan(seed) for seed in range(1, 201)]

    drawn = [plan for plan in plans if plan.has_dispatchers]
    assert 40 <= len(drawn) <= 80
    assert {plan.profile for plan in plans} == {plan.profile for plan in drawn}
    assert {True, False} == {dispatching.is_idempotent(plan.seed) for plan in drawn}
    assert {True, False} == {plan.through_codec for plan in drawn}


@pytest.mark.parametrize("seed", [1, 20])
def test_whatever_happens_to_the_programs_all_is_done_and_committed_in_the_end(seed: int) -> None:
    """O4: and some of it twice, by a sink that is asked twice."""
    run = Run(seed, is_idempotent=False)
    run.play()

    assert 2 * ROUNDS == len(run.done)
    assert max(run.done.values()) > 1
    assert dict.fromkeys([(SOURCE, 0), (SOURCE, 1)], ROUNDS) == run.cluster.view.committed[GROUP]
    assert [] == run.checker.finish(run.cluster.now_ms)


@pytest.mark.parametrize("seed", [1, 20])
def test_an_idempotent_sink_does_all_of_it_once(seed: int) -> None:
    """O5."""
    run = Run(seed, is_idempotent=True)
    run.play()

    assert [1] * 2 * ROUNDS == list(run.done.values())
    assert [] == run.checker.finish(run.cluster.now_ms)


def test_programs_die_hang_and_are_two_at_a_time_and_are_answered_late_or_never() -> None:
    runs = [Run(seed, is_idempotent=True) for seed in (1, 10, 20, 30)]
    for run in runs:
        run.play()

    faults = [fault for run in runs for fault in run.faults]
    assert {KillAfter, Kill, Freeze, Cut, BreakConnection, SlowLink} == {type(fault) for fault in faults}
    frozen = {fault.node for fault in faults if isinstance(fault, Freeze)}
    assert {SINK} < frozen
    assert 2 == max(run.reading for run in runs)


def test_what_a_program_passes_over_is_no_work() -> None:
    """The end of a transaction is no record: nothing is done for it, and the program is at rest behind it."""
    run = Run(1, is_idempotent=True)
    producer = run.cluster.transactional_producer("t1", "t1")
    producer.init()
    producer.begin()
    producer.send(SOURCE, b"v", partition=0).result()
    run.cluster.run_until(lambda: bool(run.done), "what is to be done for the record").run_for(100)
    producer.commit()
    run.dispatchers.settle(30_000)

    assert 2 == run.cluster.view.high_watermarks[SOURCE, 0]
    assert {f"{SOURCE}-0@0": 1} == run.done
    assert 1 == run.cluster.view.committed[GROUP][SOURCE, 0]


def test_programs_that_do_not_come_to_an_end_are_told() -> None:
    run = Run(1, is_idempotent=True)
    run.cluster.producer("p1", acks="all").send(SOURCE, b"v", partition=0).result()
    run.cluster.kill("b101")

    with pytest.raises(SimulationStuck, match="the end of what is to be done for orders has not come"):
        run.dispatchers.settle(3000)
