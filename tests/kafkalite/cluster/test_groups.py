"""Consumers in groups, on real brokers: who reads what, who takes over, and from where they go on."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import (
    CommitAnswered,
    GroupEmptied,
    GroupStabilized,
    MemberExpired,
    MemberFenced,
    MemberJoined,
    MemberLeft,
    MembershipFailed,
    OffsetsCommitted,
    PartitionsAssigned,
    PartitionsRevoked,
    RecordsPolled,
)
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.trace import facts_of
from kafkalite.types import TopicPartition

A = "Topic-A"
SESSION = {"session_timeout_ms": 10_000, "auto_offset_reset": "earliest"}
COOPERATIVE = {"partition_assignment_strategy": ("cooperative-sticky",)}
STRATEGIES = ["range", "roundrobin", "sticky", "cooperative-sticky"]


def cluster_of(seed: int = 1, brokers: int = 1, partitions: int = 3, **broker: Any) -> Cluster:
    settings = {"offsets_topic_num_partitions": 2, "offsets_topic_replication_factor": min(3, brokers), **broker}
    cluster = Cluster(brokers=brokers, zookeepers=1, seed=seed, broker=settings)
    return cluster.topic(A, partitions=partitions, replicas=min(3, brokers))


def join(cluster: Cluster, group: str, *names: str, **settings: Any) -> None:
    """These are members, too, and every partition is read by one of them."""
    for name in names:
        cluster.member(name, group, A, **{**SESSION, **settings})
    settle(cluster, *names)


def settle(cluster: Cluster, *names: str, partitions: int = 3) -> None:
    """Wait until these read all there is, each partition once, as evenly as can be."""

    def is_settled() -> bool:
        loads = [len(cluster.view.reads.get(name, ())) for name in names]
        return sum(loads) == partitions and max(loads) - min(loads) <= 1

    cluster.run_until(is_settled, f"{names} read {partitions} partitions")


def send(cluster: Cluster, *values: str, partition: int | None = None) -> None:
    for value in values:
        cluster.producer("p1", linger_ms=0).send(A, value.encode(), key=value.encode(), partition=partition).result()


def values_of(cluster: Cluster, name: str) -> list[str]:
    return [(one.value or b"").decode() for one in cluster.view.polled.get(name, [])]


def owners_over_time(cluster: Cluster, group: str) -> list[dict[TopicPartition, set[str]]]:
    """After each time that somebody was given or gave up anything: who read what."""
    held: dict[str, set[TopicPartition]] = {}
    found = []
    for at in facts_of(cluster.steps):
        if isinstance(at.fact, PartitionsAssigned) and at.fact.group == group:
            held.setdefault(at.node, set()).update(at.fact.partitions)
        elif isinstance(at.fact, PartitionsRevoked) and at.fact.group == group:
            held[at.node] -= set(at.fact.partitions)
        else:
            continue
        owners: dict[TopicPartition, set[str]] = {}
        for node, partitions in held.items():
            for partition in partitions:
                owners.setdefault(partition, set()).add(node)
        found.append(owners)
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_members_share_the_partitions_and_each_record_is_read_once(strategy: str) -> None:
    """C1, C2: disjoint partitions, each in the order of its offsets."""
    cluster = cluster_of()
    join(cluster, "g", "c1", "c2", partition_assignment_strategy=(strategy,))
    sent = [f"v{number}" for number in range(12)]
    send(cluster, *sent)
    cluster.run_until(lambda: len(values_of(cluster, "c1") + values_of(cluster, "c2")) >= 12, "all records")

    assert sorted(sent) == sorted(values_of(cluster, "c1") + values_of(cluster, "c2"))
    assert set() == cluster.view.reads["c1"] & cluster.view.reads["c2"]
    for polled in cluster.facts(RecordsPolled):
        assert sorted(polled.offsets) == list(polled.offsets)


@pytest.mark.parametrize(("count", "loads"), [(1, [3]), (2, [1, 2]), (3, [1, 1, 1]), (4, [0, 1, 1, 1])])
def test_groups_of_one_two_and_three_and_the_fourth_is_idle(count: int, loads: list[int]) -> None:
    """C4, M26: three partitions; a fourth member has nothing to read."""
    cluster = cluster_of()
    names = [f"c{number}" for number in range(count)]

    join(cluster, "g", *names)

    assert loads == sorted(len(cluster.view.reads.get(name, ())) for name in names)


def test_the_idle_member_takes_over_when_another_one_fails() -> None:
    """C3: and goes on where that one had committed."""
    cluster = cluster_of()
    names = ["c1", "c2", "c3", "c4"]
    join(cluster, "g", *names)
    idle = next(name for name in names if not cluster.view.reads.get(name))
    victim = next(name for name in names if (A, 0) in cluster.view.reads.get(name, ()))
    send(cluster, "before", partition=0)
    cluster.run_until(lambda: cluster.view.committed.get("g", {}).get((A, 0)) == 1, "the commit")
    cluster.kill(victim)
    cluster.view.reads.pop(victim)
    settle(cluster, *(name for name in names if name != victim))
    send(cluster, "after", partition=0)
    cluster.run_for(2000)

    assert 1 == len(cluster.view.reads[idle])
    assert 1 == len(cluster.facts(MemberExpired, group="g"))
    others = [value for name in names if name != victim for value in values_of(cluster, name)]
    assert ["after"] == others, "what was committed is not read again"


def test_two_groups_read_the_same_topic_each_for_itself() -> None:
    """C6, M27: reading removes nothing, and each group has its own bookmarks."""
    cluster = cluster_of()
    send(cluster, *"abcdef")
    join(cluster, "dashboard", "d1", "d2")
    join(cluster, "notify", "n1")
    cluster.run_until(lambda: len(values_of(cluster, "n1")) == 6, "all at n1")

    assert sorted("abcdef") == sorted(values_of(cluster, "d1") + values_of(cluster, "d2"))
    cluster.run_for(6000)
    assert 6 == sum(cluster.view.committed["notify"].values()) == sum(cluster.view.committed["dashboard"].values())


def test_a_slow_group_falls_behind_and_two_more_members_let_it_catch_up() -> None:
    """C5: producing can be faster than consuming; then the lag grows."""
    cluster = cluster_of()
    join(cluster, "g", "c1", processing_ms=300, max_poll_records=1)
    lags = []
    for number in range(60):
        for partition in range(3):
            cluster.producer("p1", linger_ms=0).send(A, b"%d" % number, partition=partition)
        cluster.run_for(600)  # three records in the time in which one member works on two
        if number == 30:
            for name in ("c2", "c3"):
                cluster.member(name, "g", A, **SESSION, processing_ms=300, max_poll_records=1)
        ends = sum(cluster.view.high_watermarks[A, partition] for partition in range(3))
        lags.append(ends - sum(cluster.view.positions.get((name, A, p), 0) for name, p in readers(cluster)))

    assert lags[5] < lags[15] < lags[29]
    assert lags[-1] < max(lags) / 2


def readers(cluster: Cluster) -> list[tuple[str, int]]:
    """Who reads each partition now, or read it last."""
    found: dict[int, str] = {}
    for at in facts_of(cluster.steps):
        if isinstance(at.fact, RecordsPolled):
            found[at.fact.partition] = at.node
    return [(name, partition) for partition, name in found.items()]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_in_a_rebalance_nobody_reads_what_somebody_else_still_holds(strategy: str, seed: int) -> None:
    """C2, M25, M28: revoke, then assign, whatever the protocol."""
    cluster = cluster_of(seed, partitions=5)
    for name in ("c1", "c2", "c3"):
        cluster.member(name, "g", A, **SESSION, partition_assignment_strategy=(strategy,))
        cluster.run_for(4000)
    cluster.member("c2", "g").close()
    cluster.run_for(10_000)

    history = owners_over_time(cluster, "g")
    assert {1} == {len(owners) for moment in history for owners in moment.values()}
    assert 5 == len(history[-1])


def test_eager_gives_up_everything_and_cooperative_only_what_moves() -> None:
    """M28: a rebalance need not stop the world."""
    revoked = {}
    for strategy in ("sticky", "cooperative-sticky"):
        cluster = cluster_of()
        join(cluster, "g", "c1", partition_assignment_strategy=(strategy,))
        cluster.member("c2", "g", A, **SESSION, partition_assignment_strategy=(strategy,))
        settle(cluster, "c1", "c2")
        revoked[strategy] = [len(one.partitions) for one in cluster.facts(PartitionsRevoked, "c1")]

    assert {"sticky": [3], "cooperative-sticky": [1]} == revoked


def test_after_a_crash_a_member_goes_on_from_the_last_commit_and_repeats_what_was_not_committed() -> None:
    """O1, O2, O4: at least once; the committed offset is the next one to read."""
    cluster = cluster_of()
    join(cluster, "g", "c1", enable_auto_commit=False)
    send(cluster, "a", "b", partition=0)
    cluster.run_until(lambda: len(values_of(cluster, "c1")) == 2, "two records")
    cluster.member("c1", "g").commit()
    cluster.run_until(lambda: bool(cluster.facts(CommitAnswered, "c1", error="NONE")), "the commit")
    assert 2 == cluster.view.committed["g"][A, 0]
    send(cluster, "c", partition=0)
    cluster.run_until(lambda: len(values_of(cluster, "c1")) == 3, "the third")
    cluster.kill("c1")
    cluster.view.reads.pop("c1")

    join(cluster, "g", "c2")
    cluster.run_until(lambda: bool(values_of(cluster, "c2")), "what was not committed")

    assert ["c"] == values_of(cluster, "c2")


def test_who_commits_on_receipt_loses_what_it_was_working_on() -> None:
    """O3: at most once. What was committed is not read again, and nobody has worked on it."""
    cluster = cluster_of()
    join(cluster, "g", "c1", enable_auto_commit=False, processing_ms=60_000)
    send(cluster, "a", partition=0)
    cluster.run_until(lambda: values_of(cluster, "c1") == ["a"], "the record")
    cluster.member("c1", "g").commit()
    cluster.run_until(lambda: bool(cluster.facts(CommitAnswered, "c1", error="NONE")), "the commit")
    cluster.kill("c1")
    cluster.view.reads.pop("c1")

    join(cluster, "g", "c2")
    send(cluster, "b", partition=0)
    cluster.run_until(lambda: bool(values_of(cluster, "c2")), "what comes next")

    assert ["b"] == values_of(cluster, "c2")


def test_an_automatic_commit_never_commits_what_the_program_still_works_on() -> None:
    """O4, M33: it commits inside poll, what the polls before had handed over."""
    cluster = cluster_of(partitions=1)
    cluster.member("c1", "g", A, **SESSION, processing_ms=4000, max_poll_records=1, auto_commit_interval_ms=1000)
    settle(cluster, "c1", partitions=1)
    send(cluster, *"abcd", partition=0)
    cluster.run_for(20_000)

    polled_ms: list[float] = []
    for at in facts_of(cluster.steps):
        if isinstance(at.fact, RecordsPolled):
            polled_ms += [at.now_ms] * len(at.fact.offsets)
        elif isinstance(at.fact, OffsetsCommitted):
            worked_on = sum(at.now_ms - one_ms >= 4000 for one_ms in polled_ms)
            assert at.fact.offsets[0][2] <= worked_on
    cluster.kill("c1")
    committed = cluster.view.committed["g"][A, 0]
    assert committed < cluster.view.positions["c1", A, 0] or committed == 4
    assert committed >= 3


def test_a_member_that_closes_commits_and_the_others_need_not_wait_for_its_session() -> None:
    """C3, O2, M33."""
    cluster = cluster_of()
    join(cluster, "g", "c1", "c2", session_timeout_ms=60_000)
    send(cluster, *"abcdef")
    cluster.run_for(500)
    before_ms = cluster.now_ms
    cluster.member("c1", "g").close()
    settle(cluster, "c2")

    assert cluster.now_ms - before_ms < 10_000
    assert 6 == len(values_of(cluster, "c1") + values_of(cluster, "c2"))
    cluster.run_for(1000)
    assert 6 == len(values_of(cluster, "c1") + values_of(cluster, "c2")), "nothing is read twice"


def test_a_program_that_works_too_long_loses_its_partitions_though_its_heart_beats() -> None:
    """M29: and when it polls again, it is told so, and comes back."""
    cluster = cluster_of()
    join(cluster, "g", "c1", "c2", max_poll_interval_ms=8000, max_poll_records=1)
    victim = next(name for name in ("c1", "c2") if (A, 0) in cluster.view.reads[name])
    other = "c2" if victim == "c1" else "c1"
    cluster.member(victim, "g").work_at(30_000)
    send(cluster, "heavy", partition=0)
    cluster.run_until(lambda: len(cluster.view.reads[other]) == 3, "the other one has taken over", 20_000)
    assert [] == cluster.facts(MemberExpired), "it left by itself"
    cluster.member(victim, "g").work_at(0)
    settle(cluster, "c1", "c2")

    assert [True] == [one.is_lost for one in cluster.facts(PartitionsRevoked, victim) if one.is_lost]


def test_what_was_assigned_to_a_program_that_works_too_long_is_not_its_any_more() -> None:
    """It joined, worked on, was assigned partitions meanwhile, and had left the group when it polled again."""
    cluster = cluster_of()
    join(cluster, "g", "c1", max_poll_interval_ms=8000, max_poll_records=1, heartbeat_interval_ms=100, **COOPERATIVE)
    cluster.member("c1", "g").work_at(500)
    send(cluster, *map(str, range(9)))
    cluster.member("c2", "g", A, **SESSION, **COOPERATIVE)
    cluster.run_until(lambda: bool(cluster.facts(MemberJoined)[1:]), "c2 at the coordinator")
    cluster.run_for(150)  # c1 hears of it by its heart, and joins when it polls; then it works on
    cluster.member("c1", "g").work_at(30_000)
    cluster.run_until(lambda: bool(cluster.facts(MemberLeft)), "c1 has left", 60_000)
    cluster.run_for(40_000)

    assert "" not in {one.member for one in cluster.facts(PartitionsAssigned, "c1")}


def test_a_member_that_was_thrown_out_cannot_commit() -> None:
    """M30, O2: it stood still; its partitions went on with somebody else."""
    cluster = cluster_of()
    join(cluster, "g", "c1", "c2", enable_auto_commit=False)
    send(cluster, "a", partition=0)
    cluster.run_for(500)
    victim = next(name for name in ("c1", "c2") if (A, 0) in cluster.view.reads[name])
    other = "c2" if victim == "c1" else "c1"
    cluster.freeze(victim, 15_000)
    cluster.run_until(lambda: len(cluster.view.reads[other]) == 3, "the other one has taken over", 30_000)
    cluster.call(victim, "commit_async")
    cluster.run_until(lambda: bool(cluster.facts(CommitAnswered, victim)), "an answer to the zombie", 30_000)

    assert {"UNKNOWN_MEMBER_ID"} == {one.error for one in cluster.facts(CommitAnswered, victim)}
    assert {} == cluster.view.committed.get("g", {})


def test_a_static_member_that_restarts_in_time_causes_no_rebalance() -> None:
    """KIP-345."""
    cluster = cluster_of()
    cluster.member("c1", "g", A, **SESSION, group_instance_id="i1")
    cluster.member("c2", "g", A, **SESSION, group_instance_id="i2")
    settle(cluster, "c1", "c2")
    had = cluster.view.reads["c1"]
    cluster.kill("c1").run_for(2000)
    cluster.view.reads.pop("c1")
    cluster.member("c1-again", "g", A, **SESSION, group_instance_id="i1")
    settle(cluster, "c1-again", "c2")

    assert had == cluster.view.reads["c1-again"]
    assert 1 == len(cluster.facts(GroupStabilized)), "the one generation still holds"
    assert ["i1"] == [one.instance for one in cluster.facts(MemberFenced)]


def test_two_with_the_same_instance_id_do_not_live_together() -> None:
    """KIP-345: the earlier one is fenced, and says so."""
    cluster = cluster_of()
    join(cluster, "g", "c1", group_instance_id="i1")
    cluster.member("c2", "g", A, **SESSION, group_instance_id="i1")
    cluster.run_until(lambda: bool(cluster.facts(MembershipFailed, "c1")), "the fence")

    assert ["FENCED_INSTANCE_ID"] == [one.error for one in cluster.facts(MembershipFailed)]
    assert 3 == len(cluster.view.reads["c2"])


def test_members_find_the_next_coordinator_and_lose_nothing() -> None:
    """C3, C8, O2: the coordinator's broker dies; its groups live on in the log."""
    cluster = cluster_of(brokers=3, zookeeper_session_timeout_ms=6000)
    join(cluster, "g", "c1", "c2", session_timeout_ms=20_000)
    send(cluster, *"abcdef")
    cluster.run_for(6000)
    coordinator = next(at.node for at in facts_of(cluster.steps) if isinstance(at.fact, GroupStabilized))
    cluster.kill(coordinator).run_for(30_000)
    cluster.producer("p2", linger_ms=0).send(A, b"g", key=b"g").result()
    cluster.run_until(lambda: len(values_of(cluster, "c1") + values_of(cluster, "c2")) >= 7, "the seventh")

    assert sorted("abcdefg") == sorted(values_of(cluster, "c1") + values_of(cluster, "c2"))
    assert [] == cluster.facts(MemberExpired)
    assert [] == cluster.facts(GroupEmptied)


def test_partitions_that_are_added_are_read_soon() -> None:
    """T8, C2: the leader sees them in the metadata, and joins again."""
    cluster = cluster_of(brokers=1)
    join(cluster, "g", "c1", "c2", metadata_max_age_ms=5000)
    cluster.admin().create_partitions(A, 5)

    settle(cluster, "c1", "c2", partitions=5)


def test_a_group_of_other_assignors_takes_no_member_in() -> None:
    cluster = cluster_of()
    join(cluster, "g", "c1", partition_assignment_strategy=("range",))
    cluster.member("c2", "g", A, **SESSION, partition_assignment_strategy=("sticky",))
    cluster.run_until(lambda: bool(cluster.facts(MembershipFailed)), "the refusal")

    assert ["INCONSISTENT_GROUP_PROTOCOL"] == [one.error for one in cluster.facts(MembershipFailed, "c2")]
    assert 3 == len(cluster.view.reads["c1"])
