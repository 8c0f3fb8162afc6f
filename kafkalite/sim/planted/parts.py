"""Bugs that are one part: a rule that a learner writes, written wrong."""

# ruff: noqa: ARG001 - a wrong rule does not look at what the right one looks at

from __future__ import annotations

from dataclasses import replace

from kafkalite.reference import REFERENCE
from kafkalite.sim.planted.bug import Bug
from kafkalite.sim.planted.runs import divided, lagging, slow, slow_servers, troubled
from kafkalite.types import ReplicaProgress


def _maximum(ends: dict[int, int], isr: frozenset[int], maximal: frozenset[int], previous: int, min_isr: int) -> int:
    return max(previous, *ends.values())


def _majority(ends: dict[int, int], isr: frozenset[int], maximal: frozenset[int], previous: int, min_isr: int) -> int:
    return max(previous, sorted(ends.values(), reverse=True)[len(ends) // 2])


def _committed(ends: dict[int, int], isr: frozenset[int], maximal: frozenset[int], previous: int, min_isr: int) -> int:
    return previous if len(isr) < min(min_isr, len(ends)) else max(previous, min(ends[one] for one in isr))


def _any_size(ends: dict[int, int], isr: frozenset[int], maximal: frozenset[int], previous: int, min_isr: int) -> int:
    return max(previous, min(ends[one] for one in maximal))


def _memoryless(ends: dict[int, int], isr: frozenset[int], maximal: frozenset[int], previous: int, min_isr: int) -> int:
    return previous if len(isr) < min(min_isr, len(ends)) else min(ends[one] for one in maximal)


def _to_the_end(log_end: int, high_watermark: int) -> int:
    return log_end


def _by_count(followers: dict[int, ReplicaProgress], end: int, now_ms: float, max_lag_ms: float) -> frozenset[int]:
    return frozenset(broker for broker, one in followers.items() if end - one.end_offset > 2)


def _at_once(progress: ReplicaProgress, high_watermark: int, epoch_start: int) -> bool:
    return True


def _always_enough(isr_size: int, min_isr: int, acks: int) -> bool:
    return True


def _never_back(epochs: list[tuple[int, int]], end: int, answer: tuple[int, int]) -> tuple[int, bool]:
    return end, True


def _first_alive(
    assignment: list[int], isr: list[int], live: frozenset[int], unclean: bool
) -> tuple[int, list[int]] | None:
    leader = next((broker for broker in assignment if broker in live), None)
    return None if leader is None else (leader, [leader, *(one for one in isr if one in live and one != leader)])


def _half(servers: int) -> int:
    return max(1, servers // 2)


BUGS = (
    Bug(
        "watermark-is-the-maximum",
        "The watermark is the highest end offset of any replica: the leader's own (M5).",
        ("watermark-ahead",),
        slow,
        1,
        replace(REFERENCE, high_watermark=_maximum),
    ),
    Bug(
        "watermark-of-the-majority",
        "The watermark is what a majority of the replicas has, as in Raft (M5).",
        ("watermark-ahead",),
        slow,
        1,
        replace(REFERENCE, high_watermark=_majority),
    ),
    Bug(
        "watermark-of-the-committed-isr",
        "The watermark does not wait for whoever is about to join the ISR.",
        ("watermark-ahead",),
        slow_servers,
        1,
        replace(REFERENCE, high_watermark=_committed),
    ),
    Bug(
        "watermark-below-the-minimum",
        "The watermark moves although the ISR is smaller than min.insync.replicas (M10).",
        ("watermark-below-min-isr",),
        troubled,
        1,
        replace(REFERENCE, high_watermark=_any_size),
    ),
    Bug(
        "watermark-forgets",
        "The watermark is worked out anew each time, without the one before: a new leader's begins low.",
        ("watermark-retreat",),
        troubled,
        1,
        replace(REFERENCE, high_watermark=_memoryless),
    ),
    Bug(
        "reads-to-the-end",
        "Consumers are given whatever the leader has (M6).",
        ("uncommitted-read",),
        slow,
        1,
        replace(REFERENCE, readable_end=_to_the_end),
    ),
    Bug(
        "isr-by-count",
        "A follower that lacks more than two records is put out of the ISR, however short the moment (M12).",
        ("shrunk-early",),
        slow,
        1,
        replace(REFERENCE, lagging=_by_count),
    ),
    Bug(
        "joins-at-once",
        "A follower is let into the ISR when it is alive, whatever it has (M14).",
        ("joined-early",),
        troubled,
        1,
        replace(REFERENCE, may_join=_at_once),
    ),
    Bug(
        "takes-without-enough",
        "A leader takes records for acks=all although too few are in sync (M9).",
        ("acknowledged-below-min-isr",),
        troubled,
        1,
        replace(REFERENCE, enough_replicas=_always_enough),
    ),
    Bug(
        "never-truncates",
        "A follower keeps everything it has: what only a dead leader had stays in its log.",
        ("divergence", "joined-early", "lost-committed"),
        lagging,
        1,
        replace(REFERENCE, truncate_to=_never_back),
    ),
    Bug(
        "first-alive-leads",
        "The first live replica is elected, in sync or not (M15).",
        ("unclean-election",),
        troubled,
        6,
        replace(REFERENCE, elect_leader=_first_alive),
    ),
    Bug(
        "half-is-enough",
        "Half of an ensemble of four decides, so both halves do (M41).",
        ("two-zookeeper-leaders", "zookeeper-divergence", "zookeeper-lost-change"),
        divided,
        1,
        replace(REFERENCE, quorum=_half),
    ),
)
