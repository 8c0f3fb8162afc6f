"""Operators of a long run: replicas move, leaders are asked for, and in the end nothing is on its way."""

from __future__ import annotations

from collections import Counter

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.facts import ReplicasReassigned, RequestAnswered
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.operating import FORCED, NAMES, Operators
from kafkalite.types import TopicPartition

PARTITIONS: tuple[TopicPartition, ...] = (("orders", 0), ("orders", 1), ("single", 0), ("single", 1), ("rolling", 0))


def operated(seed: int) -> tuple[Cluster, Operators]:
    cluster = Cluster(4, 1, seed).topic("orders", 2, 3).topic("single", 2, 1).topic("rolling", 1, 2)
    operators = Operators(cluster, seed, PARTITIONS)
    operators.begin()
    return cluster, operators


def test_they_move_what_is_used_and_in_the_end_every_replica_is_where_it_is_to_be() -> None:
    """While a broker dies and comes back."""
    cluster, operators = operated(1)
    for number in range(160):
        operators.round(500)
        if number % 10 == 4:
            cluster.kill("b102")
        if number % 10 == 8:
            cluster.restart("b102")
        cluster.run_for(500)

    operators.settle(60_000)

    moved = {(one.topic, one.partition) for one in cluster.facts(ReplicasReassigned) if one.adding}
    assert len(moved) >= 3
    assert FORCED not in moved
    assert () == cluster.admin().reassignments()
    for topic, replicas in (("orders", 3), ("single", 1), ("rolling", 2)):
        partitions = cluster.admin().describe_topic(topic).partitions.values()
        assert {replicas} == {len(one.replicas) for one in partitions}
    answers = Counter(one.error for name in NAMES for one in cluster.facts(RequestAnswered, name))
    assert answers["NONE"] > 10
    assert answers.keys() >= {"ELECTION_NOT_NEEDED", "NO_REASSIGNMENT_IN_PROGRESS"}


def test_a_move_that_cannot_end_is_told() -> None:
    """The only broker that has it is dead."""
    cluster, operators = operated(1)
    here = cluster.view.assignments["single", 0][0]
    there = next(broker for broker in (101, 102, 103, 104) if broker != here)
    cluster.isolate(f"b{there}", [name for name in cluster.brokers if name != f"b{there}"], 100_000)
    cluster.call(NAMES[0], "reassign", 1, "single", 0, (there,)).run_for(5000)

    with pytest.raises(SimulationStuck, match="the end of every reassignment has not come"):
        operators.settle(3000)
