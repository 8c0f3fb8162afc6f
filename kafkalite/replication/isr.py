"""Who is in sync: what a leader concludes from its followers' fetches, and what it then does about the ISR.

A follower is in sync if it has been *caught up* within `replica.lag.time.max.ms`. Time decides, not the number of
records: a burst makes every follower lag by thousands for a moment, and none of them is at fault.

    time               0 s      1 s       2 s
    leader's end       10       20        30
    follower fetches   from 5   from 12   from 20
    so it caught up    -        at 0 s    at 1 s       it has by now all that the leader had then

On a busy log nobody is ever at the leader's end; so to have what the leader had at the fetch before counts as well.

Source: Kafka's Replica.updateFetchStateOrThrow, ReplicaState.isCaughtUp, Partition.isFollowerInSync,
Partition.getOutOfSyncReplicas; KIP-16, KIP-101.
"""

from __future__ import annotations

from kafkalite.types import ReplicaProgress

ACKS_ALL = -1


def progress(before: ReplicaProgress, fetch_offset: int, leader_end: int, now_ms: float) -> ReplicaProgress:
    """What is known of a follower once it has fetched from `fetch_offset`, which says that it has all below.

    >>> progress(ReplicaProgress(), fetch_offset=10, leader_end=10, now_ms=500.0).caught_up_ms
    500.0
    >>> busy = ReplicaProgress(end_offset=5, last_fetch_ms=500.0, leader_end_at_last_fetch=10)
    >>> progress(busy, fetch_offset=12, leader_end=20, now_ms=600.0).caught_up_ms
    500.0
    """
    caught_up_ms = before.caught_up_ms
    if fetch_offset >= leader_end:
        caught_up_ms = now_ms
    elif fetch_offset >= before.leader_end_at_last_fetch >= 0:
        caught_up_ms = before.last_fetch_ms
    return ReplicaProgress(fetch_offset, caught_up_ms, now_ms, leader_end)


def lagging(followers: dict[int, ReplicaProgress], leader_end: int, now_ms: float, max_lag_ms: float) -> frozenset[int]:
    """Which followers of the ISR are to leave it: not caught up for longer than `max_lag_ms`.

    A follower that has all the leader has stays, however long ago it fetched: nothing would be lost with the leader.

    >>> slow, quiet = ReplicaProgress(end_offset=7, caught_up_ms=0.0), ReplicaProgress(end_offset=9, caught_up_ms=0.0)
    >>> lagging({2: slow, 3: quiet}, leader_end=9, now_ms=40_000.0, max_lag_ms=30_000.0)
    frozenset({2})
    """
    return frozenset(
        broker for broker, one in followers.items() if not is_caught_up(one, leader_end, now_ms, max_lag_ms)
    )


def is_caught_up(one: ReplicaProgress, leader_end: int, now_ms: float, max_lag_ms: float) -> bool:
    """Whether a follower has all the leader has, or had it within `max_lag_ms`."""
    return one.end_offset == leader_end or now_ms - one.caught_up_ms <= max_lag_ms


def may_join(progress: ReplicaProgress, high_watermark: int, epoch_start: int) -> bool:
    """Whether a follower outside the ISR may come in: it lacks nothing committed, and has reached this leader's epoch.

    The watermark alone is not enough: a new leader's own may lag behind what the leader before it had committed, and
    all of that lies below the start of the epoch (KIP-101).

    >>> may_join(ReplicaProgress(end_offset=8), high_watermark=8, epoch_start=6)
    True
    >>> may_join(ReplicaProgress(end_offset=8), high_watermark=5, epoch_start=9)
    False
    """
    return progress.end_offset >= high_watermark and progress.end_offset >= epoch_start


def enough_replicas(isr_size: int, min_isr: int, acks: int) -> bool:
    """Whether a batch may be appended at all. `min.insync.replicas` is a floor, and only who wants all asks for it.

    >>> [enough_replicas(isr_size=1, min_isr=2, acks=acks) for acks in (0, 1, ACKS_ALL)]
    [True, True, False]
    """
    return acks != ACKS_ALL or isr_size >= min_isr
