"""What no good transactional producer asks: of what was never begun, with an impossible timeout, too early.

The prober's own producer has no transactional id and writes markers of two coordinators, the older one last. Of those
who do write in transactions it asks only what changes nothing.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.protocol import group_offsets, inter_broker, transactions
from kafkalite.transactions.records import TRANSACTIONS_TOPIC
from kafkalite.types import TopicPartition

NEVER_BEGUN = "never-begun"  # a transactional id that nobody has
PRODUCER_ID = 10**9 + 7  # the prober's own
TIMEOUT_MAX_MS = 2**31 - 1
NEWER, OLDER = 9, 3  # epochs of coordinators


class Asked(NamedTuple):
    """A request for the coordinator of a key, whose state is in that topic; or for the leader of a partition."""

    request: Any
    state_topic: str = ""
    key: str = ""
    partition: TopicPartition | None = None


def _marker(partition: TopicPartition, coordinator_epoch: int) -> Asked:
    topics = (inter_broker.WritableTxnMarkerTopic(partition[0], (partition[1],)),)
    marker = inter_broker.WritableTxnMarker(PRODUCER_ID, 0, False, topics, coordinator_epoch)
    return Asked(inter_broker.WriteTxnMarkersRequest((marker,)), partition=partition)


def _add(*partitions: TopicPartition) -> Asked:
    topics = tuple(transactions.AddPartitionsToTxnTopic(topic, (index,)) for topic, index in partitions)
    request = transactions.AddPartitionsToTxnRequest(NEVER_BEGUN, PRODUCER_ID, 0, topics)
    return Asked(request, TRANSACTIONS_TOPIC, NEVER_BEGUN)


def _stable_offsets(group: str, partitions: tuple[TopicPartition, ...]) -> Asked:
    """How far is the group, once nobody is about to say otherwise?"""
    topics = tuple(group_offsets.OffsetFetchRequestTopics(topic, (index,)) for topic, index in partitions)
    asked = group_offsets.OffsetFetchRequestGroup(group, topics)
    return Asked(group_offsets.OffsetFetchRequest(groups=(asked,), require_stable=True), OFFSETS_TOPIC, group)


def draw_transaction_probe(
    rng: Random, partition: TopicPartition, group: str, partitions: tuple[TopicPartition, ...]
) -> Asked:
    """A request that is odd in one way; `group` commits its offsets in transactions, in these partitions."""
    end = transactions.EndTxnRequest(NEVER_BEGUN, PRODUCER_ID, 0, True)
    return rng.choice(
        (
            Asked(transactions.InitProducerIdRequest(NEVER_BEGUN, TIMEOUT_MAX_MS)),
            Asked(end, TRANSACTIONS_TOPIC, NEVER_BEGUN),
            _add(partition),
            _add(partition, ("nowhere", 0)),
            _marker(partition, NEWER),
            _marker(partition, OLDER),
            *(2 * [_stable_offsets(group, partitions)]),
        )
    )
