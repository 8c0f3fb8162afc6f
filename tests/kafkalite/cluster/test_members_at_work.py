"""A member's program between two polls: what it hears of its group, what is committed, and when it is out for good."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import (
    CommitAnswered,
    MembershipFailed,
    OffsetsCommitted,
    PartitionsRevoked,
    PollProcessed,
    RecordsPolled,
)
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.trace import facts_of

A, PARTITIONS = "Topic-A", 4
MEMBER: dict[str, Any] = {"session_timeout_ms": 10_000, "auto_offset_reset": "earliest"}


def cluster_of(seed: int = 1, records: int = 200) -> Cluster:
    settings = {"offsets_topic_num_partitions": 1, "offsets_topic_replication_factor": 1}
    cluster = Cluster(brokers=1, zookeepers=1, seed=seed, broker=settings).topic(A, partitions=PARTITIONS)
    for number in range(records):
        cluster.producer("p1").send(A, b"%d" % number, partition=number % PARTITIONS)
    return cluster


def facts_at(cluster: Cluster, node: str, *kinds: type) -> list[Any]:
    return [one.fact for one in facts_of(cluster.steps) if one.node == node and isinstance(one.fact, kinds)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_program_gives_nothing_up_in_the_middle_of_its_work(seed: int) -> None:
    """O4, M28: what moves is committed with what it worked on, and not before."""
    cluster = cluster_of(seed, records=1000)
    working = {**MEMBER, "max_poll_records": 5, "processing_ms": 100, "auto_commit_interval_ms": 100}
    names = ("c1", "c2", "c3", "c4")
    for name in names:
        cluster.member(name, "g", A, **working, partition_assignment_strategy=("cooperative-sticky",))
        cluster.run_for(6000)

    for name in names[:3]:
        told = facts_at(cluster, name, RecordsPolled, PollProcessed, PartitionsRevoked)
        before = {type(told[number - 1]) for number, fact in enumerate(told) if isinstance(fact, PartitionsRevoked)}
        assert {PollProcessed, PartitionsRevoked} >= before
    assert len(cluster.facts(PartitionsRevoked)) >= 3


def test_nothing_is_committed_that_a_program_still_works_on() -> None:
    """O4, M33: whoever dies in the middle does it again."""
    cluster = cluster_of()
    cluster.member("c1", "g", A, **MEMBER, max_poll_records=7, processing_ms=200, auto_commit_interval_ms=300)
    cluster.run_for(20_000)

    done: dict[tuple[str, int], int] = {}
    commits = 0
    for at in facts_of(cluster.steps):
        if isinstance(at.fact, PollProcessed):
            done.update({(topic, partition): position for topic, partition, position in at.fact.positions})
        elif isinstance(at.fact, OffsetsCommitted):
            commits += 1
            assert all(offset <= done.get((topic, partition), 0) for topic, partition, offset in at.fact.offsets)
    assert commits > 5


def test_who_is_fenced_gives_everything_up_and_reads_no_more() -> None:
    """C2: another one has its place, and its partitions."""
    cluster = cluster_of()
    cluster.member("c1", "g", A, **MEMBER, group_instance_id="i1")
    cluster.run_until(lambda: PARTITIONS == len(cluster.view.reads.get("c1", ())), "c1 reads all")
    cluster.member("c2", "g", A, **MEMBER, group_instance_id="i1")
    cluster.run_until(lambda: bool(cluster.facts(MembershipFailed, "c1")), "c1 is told")
    polled = len(cluster.facts(RecordsPolled, "c1"))
    for number in range(8):
        cluster.producer("p1").send(A, b"later", partition=number % PARTITIONS)
    cluster.run_for(10_000)

    assert ["FENCED_INSTANCE_ID"] == [one.error for one in cluster.facts(MembershipFailed)]
    assert [(PARTITIONS, True)] == [
        (len(one.partitions), one.is_lost) for one in cluster.facts(PartitionsRevoked, "c1")
    ]
    assert polled == len(cluster.facts(RecordsPolled, "c1"))
    assert PARTITIONS == len(cluster.view.reads["c2"])
    assert {"NONE"} == {one.error for one in cluster.facts(CommitAnswered, "c2")}
