"""What may be asked of a new or growing topic: names, numbers, placements by hand, settings. Pure; a refusal says why.

Source: org.apache.kafka.common.internals.Topic, kafka.zk.AdminZkClient, kafka.server.ZkAdminManager.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from kafkalite.broker.topic_settings import SETTINGS, makes_sense
from kafkalite.errors import ErrorCode

NEW_PARTITIONS_MAX = 10_000  # in one request; Kafka's, since its controllers keep their own log
NAME_LENGTH_MAX = 249  # with "-0.log" and the like behind it, a file's name still has at most 255 characters
_LEGAL = re.compile(r"[a-zA-Z0-9._-]+")

Refusal = tuple[ErrorCode, str]


def why_not_named(name: str, others: Collection[str]) -> Refusal | None:
    """Why a topic cannot have this name.

    >>> why_not_named("a/b", [])[1]
    "topic name 'a/b': expected letters, digits, '.', '_' and '-' only"
    >>> why_not_named("a.b", ["a_b"])[1]
    "topic 'a.b' collides with 'a_b': metrics write '_' for '.'"
    """
    if name in {"", ".", ".."}:
        return ErrorCode.INVALID_TOPIC_EXCEPTION, f"topic name {name!r} cannot be a directory's"
    if len(name) > NAME_LENGTH_MAX:
        reason = f"a topic name of {len(name)} characters; expected at most {NAME_LENGTH_MAX}"
        return ErrorCode.INVALID_TOPIC_EXCEPTION, reason
    if not _LEGAL.fullmatch(name):
        reason = f"topic name {name!r}: expected letters, digits, '.', '_' and '-' only"
        return ErrorCode.INVALID_TOPIC_EXCEPTION, reason
    if name in others:
        return ErrorCode.TOPIC_ALREADY_EXISTS, f"topic {name!r} exists already"
    if "." in name or "_" in name:
        for other in others:
            if other.replace(".", "_") == name.replace(".", "_"):
                reason = f"topic {name!r} collides with {other!r}: metrics write '_' for '.'"
                return ErrorCode.INVALID_TOPIC_EXCEPTION, reason
    return None


def why_not_placed(
    assignment: Mapping[int, Sequence[int]],
    live: Collection[int],
    first_partition: int = 0,
    replicas: int | None = None,
) -> Refusal | None:
    """Why partitions cannot be placed by hand like this, the first of them having this number.

    >>> why_not_placed({0: [1, 1]}, live=[1, 2])[1]
    'partition 0: a broker twice in [1, 1]'
    """
    numbers = range(first_partition, first_partition + len(assignment))
    reason = None
    if sorted(assignment) != [*numbers]:
        reason = f"expected partitions {numbers.start} to {numbers.stop - 1}, got {sorted(assignment)}"
    for partition, brokers in sorted(assignment.items()):
        expected = replicas or len(assignment[min(assignment)])
        unknown = sorted(set(brokers) - set(live))
        if not brokers or len(brokers) != expected:
            reason = reason or f"partition {partition}: expected {expected or 'some'} replicas, got {list(brokers)}"
        elif len(set(brokers)) != len(brokers):
            reason = reason or f"partition {partition}: a broker twice in {list(brokers)}"
        elif unknown:
            reason = reason or f"partition {partition}: brokers {unknown} are not alive; {sorted(live)} are"
    return (ErrorCode.INVALID_REPLICA_ASSIGNMENT, reason) if reason else None


def why_not_set(settings: Iterable[tuple[str, str | None]]) -> Refusal | None:
    """Why a topic cannot have these settings.

    >>> why_not_set([("retention.ms", "soon")])[1]
    "'soon' is no value of retention.ms"
    """
    for name, value in settings:
        if value is None:
            return ErrorCode.INVALID_CONFIG, f"{name}: expected a value, got null"
        if name not in SETTINGS and name not in WITHOUT_EFFECT:
            return ErrorCode.INVALID_CONFIG, f"unknown topic setting {name!r}; expected one of {sorted(SETTINGS)}"
        if not makes_sense(name, value):
            return ErrorCode.INVALID_CONFIG, f"{value!r} is no value of {name}"
    return None


def why_too_many(partitions: int) -> Refusal | None:
    """Why a request cannot have so many new partitions: while they are placed and written, all others wait.

    >>> why_too_many(2_147_483_647)[1]
    '2147483647 new partitions in one request; expected at most 10000'
    """
    if partitions > NEW_PARTITIONS_MAX:
        reason = f"{partitions} new partitions in one request; expected at most {NEW_PARTITIONS_MAX}"
        return ErrorCode.POLICY_VIOLATION, reason
    return None


def why_not_grown(count: int, known: int) -> Refusal | None:
    """Why a topic of so many partitions cannot have `count`: partitions are added, never removed.

    >>> why_not_grown(3, known=4)[1]
    'the topic has 4 partitions, more than the 3 asked for; partitions cannot be removed'
    """
    if count < known:
        reason = f"the topic has {known} partitions, more than the {count} asked for; partitions cannot be removed"
        return ErrorCode.INVALID_PARTITIONS, reason
    if count == known:
        return ErrorCode.INVALID_PARTITIONS, f"the topic has {known} partitions already"
    return None


# Of the settings without effect those that have members.
LISTS_WITHOUT_EFFECT = frozenset({f"{who}.replication.throttled.replicas" for who in ("leader", "follower")})
# Settings that Kafka's topics have and that change nothing here: kept and shown, so that scripts for Kafka work.
WITHOUT_EFFECT = frozenset(
    {
        *("compression.type", "file.delete.delay.ms", "flush.messages", "flush.ms"),
        *LISTS_WITHOUT_EFFECT,
        *("max.compaction.lag.ms", "message.downconversion.enable", "message.format.version"),
        *("message.timestamp.difference.max.ms", "min.cleanable.dirty.ratio", "preallocate"),
        *("segment.index.bytes", "segment.jitter.ms"),
    }
)
