"""What a transactional producer's requests look like, and which of many errors in an answer counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kafkalite.clients.idempotence import Identity
from kafkalite.errors import ErrorCode
from kafkalite.protocol.transactions import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from kafkalite.types import TopicPartition

Offsets = dict[TopicPartition, tuple[int, int]]  # the next offset to read, and the epoch of the record before it


class GroupMetadata(NamedTuple):
    """In whose name offsets are committed; without member and generation, in nobody's."""

    group: str
    generation: int = -1
    member: str = ""
    instance: str | None = None


def add_partitions(
    transactional_id: str, identity: Identity, partitions: Iterable[TopicPartition]
) -> AddPartitionsToTxnRequest:
    """I am about to write to these."""
    topics: dict[str, list[int]] = {}
    for topic, index in partitions:
        topics.setdefault(topic, []).append(index)
    asked = tuple(AddPartitionsToTxnTopic(topic, tuple(indexes)) for topic, indexes in topics.items())
    return AddPartitionsToTxnRequest(transactional_id, *identity, asked)


def commit_offsets(
    transactional_id: str, identity: Identity, group: GroupMetadata, offsets: Offsets
) -> TxnOffsetCommitRequest:
    """Commit these when the transaction commits."""
    rows: dict[str, list[TxnOffsetCommitRequestPartition]] = {}
    for (topic, index), (offset, epoch) in offsets.items():
        rows.setdefault(topic, []).append(TxnOffsetCommitRequestPartition(index, offset, epoch))
    topics = tuple(TxnOffsetCommitRequestTopic(topic, tuple(ones)) for topic, ones in rows.items())
    name, generation, member, instance = group
    return TxnOffsetCommitRequest(transactional_id, name, *identity, generation, member, instance, topics)


def worst(codes: Iterable[int]) -> ErrorCode:
    """The error that says most: one that stands for itself before those that follow from another.

    >>> worst([ErrorCode.NONE, ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.INVALID_TXN_STATE]).name
    'INVALID_TXN_STATE'
    """
    errors = [ErrorCode.of(code) for code in codes if code != ErrorCode.NONE]
    own = [error for error in errors if error != ErrorCode.OPERATION_NOT_ATTEMPTED]
    return (own or errors or [ErrorCode.NONE])[0]
