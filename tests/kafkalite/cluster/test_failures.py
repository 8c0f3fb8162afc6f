"""What is acknowledged stays: under every failure, and every two failures in a row. And when it does not.

The claim is of replication factor 3, min.insync.replicas 2, acks=all, and an idempotent producer. Every failure strikes
while records are on their way. Page caches are real: who loses power may lose its tail, and nobody syncs before it
acknowledges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafkalite.reference import REFERENCE

from .failures import (
    FORGETTING,
    KINDS,
    LATE_MS,
    ROLES,
    SESSION_MS,
    ZOOKEEPER_KINDS,
    Failure,
    Ground,
    Report,
    is_more_than_two,
    ordered_pairs,
    single_failures,
    twice_the_same,
)

NOTICED_MS = SESSION_MS + 40  # the session is over, and another leads since a moment
BACK_MS = LATE_MS + 40  # who was away for long is back since a moment


def name(failures: tuple[Failure, ...]) -> str:
    return ", then ".join(map(str, failures))


def what_went_wrong(ground: Ground, cases: list[tuple[Failure, ...]]) -> list[str]:
    """Play every case; a line for each in which a record was lost, or stands there twice or out of order."""
    wrong = []
    for failures in cases:
        report = ground.struck_by(failures)
        if report.lost:
            wrong.append(f"{name(failures)}: lost {report.lost}")
        if not report.is_in_order_and_once:
            wrong.append(f"{name(failures)}: not once, or not in order: {report.stands}")
    return wrong


@pytest.mark.parametrize("controller_leads", [True, False])
def test_nothing_acknowledged_is_lost_under_any_single_failure(controller_leads: bool) -> None:
    """R4, R6, P4."""
    ground = Ground(seed=1, controller_leads=controller_leads)

    assert [] == what_went_wrong(ground, single_failures())


@pytest.mark.parametrize("role", [*ROLES, "ZooKeeper"])
@pytest.mark.parametrize(
    ("after_ms", "controller_leads"),
    [(5, True), (NOTICED_MS, False)],
    ids=["at once", "once the first was noticed"],
)
def test_nothing_acknowledged_is_lost_under_any_two_failures(
    after_ms: float, controller_leads: bool, role: str
) -> None:
    """R4, R6, P4."""
    ground = Ground(seed=1, controller_leads=controller_leads)
    pairs = [pair for pair in ordered_pairs(after_ms) if pair[0].role == role]

    assert [] == what_went_wrong(ground, [pair for pair in pairs if not is_more_than_two(pair)])


@pytest.mark.parametrize("first", ["restarts late", "restarts late without its tail"])
def test_nothing_acknowledged_is_lost_when_another_fails_as_the_first_comes_back(first: str) -> None:
    """R4, R6: restart, then leader crash, for one (KIP-101)."""
    pairs = [
        pair for pair in ordered_pairs(BACK_MS) if pair[0].kind == first and {one.role for one in pair} <= set(ROLES)
    ]

    assert [] == what_went_wrong(Ground(seed=1), pairs)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_acknowledged_is_lost_when_the_same_broker_fails_again(role: str) -> None:
    """R4, R6."""
    pairs = [pair for pair in twice_the_same(NOTICED_MS) if pair[0].role == role]

    assert [] == what_went_wrong(Ground(seed=1), pairs)


def test_the_enumeration_has_every_ordered_pair() -> None:
    pairs = ordered_pairs(5)

    of_brokers = len(ROLES) * (len(ROLES) - 1) * len(KINDS) ** 2
    of_both = 2 * len(ROLES) * len(KINDS) * len(ZOOKEEPER_KINDS)
    assert of_brokers + of_both == len(pairs) == len(set(pairs))
    assert 2 * len(ROLES) * len(FORGETTING) == sum(map(is_more_than_two, pairs)), "those left out"
    forgetting = {"loses power", "loses its disk", "restarts soon without its tail", "restarts late without its tail"}
    assert forgetting == FORGETTING


# The enumeration sees what it should --------------------------------------------------------------------------------


def leaders_end(end_offsets: dict[int, int], *_: Any) -> int:
    """Wrong: whatever the longest log has counts as committed."""
    return max(end_offsets.values())


def last_that_lives(assignment: list[int], _: Any, live: frozenset[int], *__: Any) -> tuple[int, list[int]] | None:
    """Wrong: whoever lives may lead."""
    return next(((broker, [broker]) for broker in reversed(assignment) if broker in live), None)


def test_it_would_see_a_watermark_that_does_not_wait() -> None:
    ground = Ground(seed=1, parts=replace(REFERENCE, high_watermark=leaders_end))

    assert [] != what_went_wrong(ground, single_failures())


def test_it_would_see_an_election_outside_the_isr() -> None:
    ground = Ground(seed=1, parts=replace(REFERENCE, elect_leader=last_that_lives))
    pairs = [pair for pair in ordered_pairs(BACK_MS) if pair[0] == Failure(ROLES[2], "loses its disk")]

    assert [] != what_went_wrong(ground, pairs)


# What does lose ------------------------------------------------------------------------------------------------------


def losing(ground: Ground, cases: list[tuple[Failure, ...]]) -> dict[str, Report]:
    reports = {name(failures): ground.struck_by(failures) for failures in cases}
    return {failures: report for failures, report in reports.items() if report.lost}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_acks_1_loses_when_a_leader_that_nobody_follows_any_more_goes_on_acknowledging(seed: int) -> None:
    """P3: it stands still, or does not hear that it was deposed, and what it takes meanwhile is cut off later."""
    found = losing(Ground(seed, acks=1), single_failures())

    assert {"the leader stands still at 10 ms", "the leader is cut off from ZooKeeper at 10 ms"} <= set(found)


def test_an_unclean_election_loses_where_a_clean_one_waits() -> None:
    """R4, R6: two replicas, min.insync.replicas 1; nobody forgets anything, and they are away one after the other."""
    pairs = [
        one
        for one in ordered_pairs(NOTICED_MS)
        if {failure.role for failure in one} == set(ROLES[:2]) and not {failure.kind for failure in one} & FORGETTING
    ]
    clean = Ground(seed=1, replicas=2, min_insync_replicas=1)
    unclean = Ground(seed=1, replicas=2, min_insync_replicas=1, unclean_leader_election_enable="true")

    assert {} == losing(clean, pairs)
    assert "a follower restarts late at 10 ms, then the leader is killed at 350 ms" in losing(unclean, pairs)


def test_with_min_insync_replicas_1_the_last_one_in_sync_loses_alone_what_it_alone_has() -> None:
    """R6: acks=all waits for those in sync, and that can be one. Its tail is in its page cache."""
    failures = (Failure("a follower", "is killed"), Failure("the leader", "restarts soon without its tail", 350.0))

    assert [] != Ground(seed=1, replicas=2, min_insync_replicas=1).struck_by(failures).lost
    assert [] == Ground(seed=1, replicas=3, min_insync_replicas=2).struck_by(failures).lost


def test_when_all_sessions_end_at_once_the_first_to_come_back_leads_with_or_without_its_tail() -> None:
    """Kafka's own weakness: a broker did not say that it had lost its tail. With KIP-966 it does, and is kept out."""
    found = losing(Ground(seed=1), [pair for pair in ordered_pairs(5) if is_more_than_two(pair)])

    assert "the leader restarts soon without its tail at 10 ms, then ZooKeeper stands still at 15 ms" in found
