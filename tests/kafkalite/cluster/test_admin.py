"""An administrator on real brokers: topics and groups are listed, described and deleted, whoever knows of them."""

from __future__ import annotations

import pytest

from kafkalite.clients.admin_answers import GroupDescription
from kafkalite.facts import GroupStabilized
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed
from kafkalite.sim.trace import facts_of

A = "Topic-A"


def cluster_with_a_group(*names: str) -> Cluster:
    """Three brokers, a topic of three partitions with a record in each, a group that has read them."""
    settings = {"offsets_topic_num_partitions": 2, "zookeeper_session_timeout_ms": 6000}
    cluster = Cluster(brokers=3, zookeepers=1, seed=1, broker=settings).topic(A, partitions=3, replicas=3)
    for partition in range(3):
        cluster.producer().send(A, b"v", partition=partition).result()
    for name in names or ("c1",):
        cluster.member(name, "g", A, auto_offset_reset="earliest", session_timeout_ms=10_000)
    return cluster.run_until(lambda: 3 == sum(cluster.view.committed.get("g", {}).values()), "all committed")


def test_topics_are_listed_and_described() -> None:
    cluster = Cluster(brokers=3, seed=1).topic("orders", assignment=((101, 102), (103, 101)))

    found = cluster.admin().describe_topic("orders")

    assert {"orders"} == set(cluster.admin().topics())
    assert {0: (101, (101, 102)), 1: (103, (103, 101))} == {
        index: (one.leader, one.replicas) for index, one in found.partitions.items()
    }
    assert (101, 102) == found.partitions[0].isr
    assert not found.is_internal


def test_a_topic_that_is_not_there_is_not_made_by_asking_for_it() -> None:
    cluster = Cluster(brokers=1, seed=1).start()

    with pytest.raises(RequestFailed, match="UNKNOWN_TOPIC_OR_PARTITION"):
        cluster.admin().describe_topic("orders")

    assert {} == cluster.admin().topics()


def test_groups_are_listed_by_all_brokers_together_and_described_by_their_coordinator() -> None:
    """C2, O1: state, members, who reads what, and how far the group has come."""
    cluster = cluster_with_a_group("c1", "c2")

    found = cluster.admin().describe_group("g")

    assert {"g": "Stable"} == cluster.admin().groups()
    assert ("Stable", "range") == (found.state, found.strategy)
    assert {"c1", "c2"} == {one.client_id for one in found.members}
    assert [(A, 0), (A, 1), (A, 2)] == sorted(one for member in found.members for one in member.partitions)
    assert {(A, 0): 1, (A, 1): 1, (A, 2): 1} == cluster.admin().group_offsets("g")


def test_a_group_that_nobody_knows_is_dead_and_has_no_offsets() -> None:
    cluster = cluster_with_a_group()

    assert GroupDescription("nobody", "Dead", "", ()) == cluster.admin().describe_group("nobody")
    assert {} == cluster.admin().group_offsets("nobody")


def test_the_first_question_about_a_group_brings_its_topic_about() -> None:
    """Until `__consumer_offsets` is there, nobody coordinates; who asks is patient."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=1, broker={"offsets_topic_num_partitions": 2}).start()

    assert "Dead" == cluster.admin().describe_group("g").state
    assert {"__consumer_offsets"} == set(cluster.admin().topics())


def test_a_group_with_members_cannot_be_deleted_and_one_without_is_forgotten_with_its_offsets() -> None:
    """KIP-229."""
    cluster = cluster_with_a_group()
    with pytest.raises(RequestFailed, match="NON_EMPTY_GROUP"):
        cluster.admin().delete_group("g")
    cluster.member("c1", "g").close()
    cluster.run_until(lambda: {"g": "Empty"} == cluster.admin().groups(), "an empty group")

    cluster.admin().delete_group("g")

    assert {} == cluster.admin().groups()
    assert {} == cluster.admin().group_offsets("g")
    with pytest.raises(RequestFailed, match="GROUP_ID_NOT_FOUND"):
        cluster.admin().delete_group("g")


def test_bookmarks_are_forgotten_one_by_one_but_not_of_a_topic_that_is_being_read() -> None:
    """KIP-496."""
    cluster = cluster_with_a_group()
    with pytest.raises(RequestFailed, match="GROUP_SUBSCRIBED_TO_TOPIC"):
        cluster.admin().delete_offsets("g", A, 0)
    with pytest.raises(RequestFailed, match="GROUP_ID_NOT_FOUND"):
        cluster.admin().delete_offsets("nobody", A, 0)
    cluster.member("c1", "g").close()
    cluster.run_until(lambda: {"g": "Empty"} == cluster.admin().groups(), "an empty group")
    with pytest.raises(RequestFailed, match="UNKNOWN_TOPIC_OR_PARTITION"):
        cluster.admin().delete_offsets("g", A, 7)

    cluster.admin().delete_offsets("g", A, 0, 2)

    assert {(A, 1): 1} == cluster.admin().group_offsets("g")
    assert {"g": "Empty"} == cluster.admin().groups()


def test_what_was_forgotten_stays_so_at_the_next_coordinator() -> None:
    """It is a tombstone in `__consumer_offsets`."""
    cluster = cluster_with_a_group()
    first = next(at.node for at in facts_of(cluster.steps) if isinstance(at.fact, GroupStabilized))
    cluster.member("c1", "g").close()
    cluster.run_until(lambda: {"g": "Empty"} == cluster.admin().groups(), "an empty group")
    cluster.admin().delete_offsets("g", A, 0, 2)
    cluster.run_for(1000).kill(first)

    assert {(A, 1): 1} == cluster.admin().group_offsets("g")


def test_an_administrator_finds_the_next_coordinator() -> None:
    cluster = cluster_with_a_group()
    before = cluster.admin().group_offsets("g")
    first = next(at.node for at in facts_of(cluster.steps) if isinstance(at.fact, GroupStabilized))
    cluster.kill(first)

    assert before == cluster.admin().group_offsets("g")
    assert "Stable" == cluster.admin().describe_group("g").state
