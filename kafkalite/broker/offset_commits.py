"""What a commit has in common with one in a transaction: each partition has its say, and each is told.

Source: Kafka's KafkaApis.handleOffsetCommitRequest, handleTxnOffsetCommitRequest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kafkalite.broker.metadata import MetadataCache
from kafkalite.errors import ErrorCode
from kafkalite.types import CommittedOffset, TopicPartition

Offsets = dict[TopicPartition, CommittedOffset]
Refused = dict[TopicPartition, ErrorCode]
T = TypeVar("T")


def sort_out(
    topics: Iterable[Any], metadata: MetadataCache, metadata_bytes_max: int, committed: Callable[[Any], CommittedOffset]
) -> tuple[Offsets, Refused]:
    """Of the partitions that a request names: what is to be written, and why the others are not."""
    offsets: Offsets = {}
    refused: Refused = {}
    for topic in topics:
        for one in topic.partitions:
            partition = (topic.name, one.partition_index)
            if not metadata.is_known(*partition):
                refused[partition] = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            elif len(one.committed_metadata or "") > metadata_bytes_max:
                refused[partition] = ErrorCode.OFFSET_METADATA_TOO_LARGE
            else:
                offsets[partition] = committed(one)
    return offsets, refused


def answers(
    topics: Iterable[Any],
    error: ErrorCode,
    refused: Refused,
    topic_answer: Callable[[str, tuple[Any, ...]], T],
    partition_answer: Callable[[int, ErrorCode], Any],
) -> tuple[T, ...]:
    """An answer for each: the error of all, or its own."""
    return tuple(
        topic_answer(
            topic.name,
            tuple(
                partition_answer(
                    one.partition_index, error or refused.get((topic.name, one.partition_index), ErrorCode.NONE)
                )
                for one in topic.partitions
            ),
        )
        for topic in topics
    )
