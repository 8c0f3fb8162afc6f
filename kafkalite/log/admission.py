"""Which batches a leader takes, decided from the header alone wherever that is possible.

Source: Kafka's UnifiedLog.analyzeAndValidateRecords, LogValidator, ProducerAppendInfo.
"""

from __future__ import annotations

from typing import NamedTuple

from kafkalite.log.batch import CONTROL, DELETE_HORIZON, LOG_APPEND_TIME, BatchHeader
from kafkalite.log.compression import records_of
from kafkalite.log.errors import (
    BatchTooLarge,
    CoordinatorFenced,
    InvalidRecord,
    InvalidTransaction,
    OutOfOrderSequence,
    ProducerFenced,
)
from kafkalite.log.markers import decode_marker
from kafkalite.log.producer_state import Producer, Producers, Verdict, check, last_sequence_of
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Buffer

_NOT_FOR_CLIENTS = CONTROL | LOG_APPEND_TIME | DELETE_HORIZON


class Appended(NamedTuple):
    """Where a batch stands. A duplicate's offsets are those it got the first time.

    A duplicate is acknowledged only once the high watermark has passed its `last_offset`: answering at once would
    acknowledge what the in-sync replicas may not have.
    """

    base_offset: int
    last_offset: int
    log_append_time_ms: int
    is_duplicate: bool


def admit(
    batch: Buffer, header: BatchHeader, producers: Producers, config: LogConfig, *, is_from_client: bool
) -> Appended | None:
    """None if the batch is to be appended; where it stands if it is a duplicate. Raises BatchRefused if neither."""
    if header.size > config.max_message_bytes:
        raise BatchTooLarge(f"a batch of {header.size} bytes; max.message.bytes is {config.max_message_bytes}")
    if is_from_client and header.attributes & _NOT_FOR_CLIENTS:
        raise InvalidRecord(f"a client's batch has attributes {header.attributes:#04x}, which only brokers set")
    if config.compact and not header.is_control:
        _require_keys(batch)
    if header.producer_id < 0:
        return None
    known = producers.get(header.producer_id)
    if is_from_client:
        return _numbered(header, known)
    if known is not None:
        _fence(batch, header, known)
    return None


def _numbered(header: BatchHeader, known: Producer | None) -> Appended | None:
    """As `admit`, for what a producer sent: its sequence must go on where the last batch ended."""
    if header.base_sequence < 0:
        raise InvalidRecord(f"a batch of producer {header.producer_id} without a sequence")
    last_sequence = last_sequence_of(header)
    verdict = check(known, header.producer_epoch, header.base_sequence, last_sequence)
    if verdict is Verdict.FENCED:
        raise ProducerFenced(_said(header, known))
    if verdict is Verdict.OUT_OF_ORDER:
        raise OutOfOrderSequence(_said(header, known))
    if verdict is Verdict.DUPLICATE and known is not None:
        one = next(
            b for b in known.batches if (b.base_sequence, b.last_sequence) == (header.base_sequence, last_sequence)
        )
        return Appended(one.base_offset, one.last_offset, one.timestamp_ms, is_duplicate=True)
    if known is not None and known.txn_first_offset is not None and not header.is_transactional:
        raise InvalidTransaction(f"producer {header.producer_id} has a transaction open; expected a batch in it")
    return None


def _fence(batch: Buffer, header: BatchHeader, known: Producer) -> None:
    """A coordinator's batch has no sequence; what it writes must not be of an older producer or coordinator."""
    if header.producer_epoch < known.epoch:
        raise ProducerFenced(_said(header, known))
    marker = decode_marker(batch) if header.is_control else None
    if marker is not None and marker.coordinator_epoch < known.coordinator_epoch:
        raise CoordinatorFenced(
            f"a marker of coordinator epoch {marker.coordinator_epoch} for producer {header.producer_id}; "
            f"the last one came from epoch {known.coordinator_epoch}"
        )


def _require_keys(batch: Buffer) -> None:
    found = tuple(place for place, record in enumerate(records_of(batch) or ()) if record.key is None)
    if found:
        raise InvalidRecord(
            "a record without a key; the topic is compacted and keeps the last value of each key", found
        )


def _said(header: BatchHeader, known: Producer | None) -> str:
    last = known.batches[-1].last_sequence if known and known.batches else None
    return (
        f"producer {header.producer_id} sent sequence {header.base_sequence} in epoch {header.producer_epoch}; "
        f"known are epoch {known.epoch if known else None} and last sequence {last}"
    )
