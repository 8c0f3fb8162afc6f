"""Groups in a long run: drawn from a seed, troubled, asked odd things; and in the end settled, or said not to be."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.facts import GroupRequestRefused, GroupStabilized, OffsetsCommitted, RequestAnswered
from kafkalite.sim.checkers import Checker, Expectations, TopicPromise
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.group_probes import Known, draw_group_probe
from kafkalite.sim.members import BROKER, GroupPlan, Members, draw_groups
from kafkalite.sim.prober import Prober

TOPICS = ("compacted", "single")
GROUP = GroupPlan("g1", ("orders",), ("cooperative-sticky",), 2, static=1)
EXPECTED = Expectations(
    topics={"__consumer_offsets": TopicPromise(is_compacted=True)}, groups={GROUP.name: GROUP.promise}
)


def cluster_of(seed: int, **broker: object) -> Cluster:
    cluster = Cluster(1, 1, seed, broker=BROKER | {"offsets_topic_replication_factor": 1} | broker, record=True)
    return cluster.topic("orders", 3)


def test_groups_are_drawn_from_the_seed_and_differ() -> None:
    drawn = [draw_groups(seed, TOPICS) for seed in range(40)]

    assert drawn == [draw_groups(seed, TOPICS) for seed in range(40)]
    plans = [plan for plans in drawn for plan in plans]
    assert {1, 2} == {len(plans) for plans in drawn}
    assert {"range", "roundrobin", "sticky", "cooperative-sticky"} == {one for plan in plans for one in plan.strategies}
    assert {True, False} == {plan.is_auto_commit for plan in plans}
    assert {0, 1, 2} == {plan.static for plan in plans}
    assert all(plan.topics[0] == "orders" and {*plan.topics[1:]} <= {*TOPICS} for plan in plans)


def test_members_come_and_go_and_in_the_end_all_is_committed_and_read_by_one() -> None:
    """C2, C3, O1: whatever happened to them."""
    cluster = cluster_of(1)
    checker = Checker(EXPECTED)
    cluster.sim.observers.append(checker.observe)
    members = Members((GROUP,), cluster, 1)
    members.begin()
    for number in range(40):
        cluster.producer("p1").send("orders", b"%d" % number, partition=number % 3)
        members.round()
        cluster.run_for(500)

    members.settle(60_000)

    assert 40 == sum(cluster.view.committed["g1"].values())
    assert len(cluster.facts(GroupStabilized, group="g1")) > 5
    assert [] == checker.finish(cluster.now_ms)


def test_a_group_that_does_not_settle_is_told_with_what_is_missing() -> None:
    cluster = cluster_of(1)
    members = Members((GROUP,), cluster, 1)
    members.begin()
    cluster.producer("p1", acks="all").send("orders", b"v", partition=0).result()
    cluster.kill("b101")

    with pytest.raises(SimulationStuck, match=r"group g1 has committed None of .*'orders', 0.* which ends at 1"):
        members.settle(3000)


def test_a_member_may_know_of_a_generation_that_nobody_announced_but_not_miss_one_that_was() -> None:
    """A coordinator that is deposed while it writes an assignment does not say so; the next one goes by it."""
    cluster = cluster_of(1)
    members = Members((GROUP,), cluster, 1)
    members.begin()
    members.settle(20_000)
    newest = cluster.view.generations["g1"]

    cluster.view.generations["g1"] = newest - 1
    members.settle(1000)
    cluster.view.generations["g1"] = newest + 1
    with pytest.raises(SimulationStuck, match=f"knows nothing of generation {newest + 1} of g1"):
        members.settle(1000)


def test_odd_questions_are_all_answered_and_change_nothing_in_a_group_that_lives() -> None:
    """C2, O1: neither who is in it, nor how far it is."""
    cluster = cluster_of(1)
    members = Members((GROUP,), cluster, 1)
    members.begin()
    members.settle(20_000)
    cluster.join(Prober, "prober")
    told = next(iter(members.told.values()))
    known = Known("g1", told.member, told.generation, "g1-i0", (("orders", 0), ("orders", 1)))
    generations, rng = len(cluster.facts(GroupStabilized, group="g1")), Random(1)
    for number in range(300):
        cluster.call("prober", "probe", number, "b101", draw_group_probe(rng, known)).run_for(20)

    assert 300 == len(cluster.facts(RequestAnswered, "prober"))
    refused = Counter(one.error for one in cluster.facts(GroupRequestRefused))
    assert refused.keys() >= {
        *("FENCED_INSTANCE_ID", "GROUP_ID_NOT_FOUND", "ILLEGAL_GENERATION", "INCONSISTENT_GROUP_PROTOCOL"),
        *("INVALID_GROUP_ID", "INVALID_SESSION_TIMEOUT", "NON_EMPTY_GROUP", "OFFSET_METADATA_TOO_LARGE"),
        *("UNKNOWN_MEMBER_ID", "UNKNOWN_TOPIC_OR_PARTITION"),
    }
    assert generations == len(cluster.facts(GroupStabilized, group="g1"))
    assert {"odd"} == {one.group for one in cluster.facts(OffsetsCommitted) if one.generation < 0}
