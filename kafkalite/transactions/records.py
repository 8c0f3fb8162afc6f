"""What stands in `__transaction_state`, byte for byte as Kafka writes it: one record for each change of an id.

    key     TransactionLogKey v0     transactional id
    value   TransactionLogValue v0   producer, timeout, state, partitions, times        null instead: forget it

A version stands before each, as an int16. The topic is compacted: of each key the last value counts.

Source: Kafka's TransactionLogKey.json, TransactionLogValue.json, TransactionLog. Left out: version 1 of the value
(flexible, written from Kafka 4.0 on).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafkalite.errors import ProtocolError
from kafkalite.protocol.codec import codec
from kafkalite.protocol.schema import Int8, Int16, Int32, Int64, String
from kafkalite.transactions.states import State
from kafkalite.transactions.transaction import Transaction
from kafkalite.types import TopicPartition

TRANSACTIONS_TOPIC = "__transaction_state"

_VERSION = struct.Struct(">h")
_STATES = tuple(State)  # a state's number in the log is its place among them


@dataclass(frozen=True, slots=True)
class TransactionLogKey:
    """Which id."""

    transactional_id: String = ""


@dataclass(frozen=True, slots=True)
class PartitionsSchema:
    """Partitions of one topic."""

    topic: String = ""
    partition_ids: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionLogValue:
    """The id at one moment."""

    producer_id: Int64 = 0
    producer_epoch: Int16 = 0
    transaction_timeout_ms: Int32 = 0
    transaction_status: Int8 = 0
    transaction_partitions: tuple[PartitionsSchema, ...] | None = ()  # null while it is Empty
    transaction_last_update_timestamp_ms: Int64 = 0
    transaction_start_timestamp_ms: Int64 = 0


class TransactionRecord(NamedTuple):
    """A record, read; None: the id is forgotten."""

    transactional_id: str
    transaction: Transaction | None


def transaction_key(transactional_id: str) -> bytes:
    r"""The key under which a transactional id stands.

    >>> transaction_key("t")
    b'\x00\x00\x00\x01t'
    """
    return _encode(TransactionLogKey(transactional_id))


def transaction_value(one: Transaction) -> bytes:
    """The id at one moment."""
    value = TransactionLogValue(
        one.producer_id,
        one.epoch,
        one.timeout_ms,
        _STATES.index(one.state),
        None if one.state is State.EMPTY else by_topic(one.partitions),
        one.update_ms,
        one.start_ms,
    )
    return _encode(value)


def decode_record(key: bytes | None, value: bytes | None) -> TransactionRecord | None:
    """What a record says; None for a kind of key that is not known here. Raises ProtocolError."""
    if _version(key or b"", "key") != 0:
        return None
    transactional_id = _decode(TransactionLogKey, key).transactional_id
    return TransactionRecord(transactional_id, None if value is None else _transaction(value))


def by_topic(partitions: frozenset[TopicPartition]) -> tuple[PartitionsSchema, ...]:
    """The partitions as messages have them: a list for each topic, sorted."""
    topics: dict[str, list[int]] = {}
    for topic, index in sorted(partitions):
        topics.setdefault(topic, []).append(index)
    return tuple(PartitionsSchema(topic, tuple(indexes)) for topic, indexes in topics.items())


def _transaction(value: bytes) -> Transaction:
    version = _version(value, "value")
    if version != 0:
        raise ProtocolError(f"version {version}; expected 0", f"{TRANSACTIONS_TOPIC} value: ")
    one = _decode(TransactionLogValue, value)
    if not 0 <= one.transaction_status < len(_STATES):
        raise ProtocolError(f"status {one.transaction_status}; expected 0 to 6", f"{TRANSACTIONS_TOPIC} value: ")
    return Transaction(
        one.producer_id,
        one.producer_epoch,
        one.transaction_timeout_ms,
        _STATES[one.transaction_status],
        frozenset((topic.topic, index) for topic in one.transaction_partitions or () for index in topic.partition_ids),
        one.transaction_start_timestamp_ms,
        one.transaction_last_update_timestamp_ms,
    )


def _version(data: bytes, what: str) -> int:
    if len(data) < _VERSION.size:
        raise ProtocolError(f"a version of two bytes stands first; {len(data)} came", f"{TRANSACTIONS_TOPIC} {what}: ")
    version: int = _VERSION.unpack_from(data)[0]
    return version


def _encode(message: Any) -> bytes:
    out = bytearray(_VERSION.pack(0))
    codec(type(message), 0, flexible=False).encode(message, out)
    return bytes(out)


def _decode(message: Any, data: bytes | None) -> Any:
    return codec(message, 0, flexible=False).decode(data or b"", _VERSION.size)
