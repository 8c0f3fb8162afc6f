"""What a member tells the assignors, and what the leader makes of what all have told it.

    range, roundrobin     topics                                                    eager
    sticky                topics, and in bytes of its own what it held, since when  eager
    cooperative-sticky    topics, what it holds, since when                         cooperative: revoke, then assign

A consumer is cooperative if all the strategies it offers are: otherwise one of the others might be chosen, which takes
for granted that everybody has given up everything.

Source: ConsumerPartitionAssignor and its implementations.
"""

from __future__ import annotations

from collections.abc import Iterable

from kafkalite.errors import ProtocolError
from kafkalite.parts import Parts
from kafkalite.protocol.consumer_protocol import (
    ConsumerProtocolSubscription,
    by_topic,
    decode_sticky_user_data,
    decode_subscription,
    encode_sticky_user_data,
    encode_subscription,
    flat,
)
from kafkalite.types import Subscription, TopicPartition

RANGE, ROUND_ROBIN, STICKY, COOPERATIVE = "range", "roundrobin", "sticky", "cooperative-sticky"


def is_cooperative(strategies: Iterable[str]) -> bool:
    """Whether partitions are given up only when they are to move.

    >>> is_cooperative(["cooperative-sticky"]), is_cooperative(["range", "cooperative-sticky"])
    (True, False)
    """
    return all(strategy == COOPERATIVE for strategy in strategies)


def told(strategy: str, topics: Iterable[str], owned: Iterable[TopicPartition], generation: int) -> bytes:
    """What a member that held these partitions in that generation tells the assignor."""
    wanted = tuple(sorted(topics))
    if strategy == STICKY:
        return encode_subscription(ConsumerProtocolSubscription(wanted, encode_sticky_user_data(owned, generation)))
    held = by_topic(owned) if strategy == COOPERATIVE else ()
    return encode_subscription(ConsumerProtocolSubscription(wanted, None, held, generation))


def heard(strategy: str, member: str, instance: str | None, metadata: bytes) -> Subscription:
    """What the leader understands of it; a member that cannot be understood wants nothing, or held nothing."""
    try:
        found = decode_subscription(metadata)
    except ProtocolError:
        return Subscription(member, (), instance)
    owned, generation = flat(found.owned_partitions), found.generation_id
    if strategy == STICKY:
        try:
            owned, generation = decode_sticky_user_data(found.user_data)
        except ProtocolError:
            owned, generation = [], -1
    return Subscription(member, found.topics, instance, tuple(owned), generation)


def assign(
    strategy: str, parts: Parts, members: list[Subscription], partitions: dict[str, int]
) -> dict[str, list[TopicPartition]]:
    """Who is to read what. Raises what the part raises."""
    if strategy == RANGE:
        return parts.range_assign(members, partitions)
    if strategy == ROUND_ROBIN:
        return parts.round_robin_assign(members, partitions)
    target = parts.sticky_assign(members, partitions)
    if strategy == STICKY:
        return target
    return parts.reconcile({one.member: list(one.owned) for one in members}, target)
