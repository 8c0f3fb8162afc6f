"""The producers' state as a file, so that a restart reads the log from there and not from its beginning.

    version (int16, 1)  crc (uint32, CRC32C of all that follows)  count (int32)
    entries: producer id (int64)  epoch (int16)  last sequence (int32)  last offset (int64)  offset delta (int32)
             timestamp (int64)  coordinator epoch (int32)  first offset of the open transaction (int64, or -1)

Kafka writes each producer's last batch only. Here there is one entry for each remembered batch, oldest first, so that
a batch retried across a restart is still known as a duplicate; who keeps a producer's last entry reads it as Kafka's.
The file is named for the offset up to which it holds: `00000000000000000042.snapshot`.

Source: Kafka's ProducerStateManager, "ProducerSnapshot" version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kafkalite.log.batch import NO_SEQUENCE
from kafkalite.log.crc import crc32c
from kafkalite.log.producer_state import Batch, Producer, Producers
from kafkalite.storage import Buffer, StorageError

VERSION = 1
_HEAD, _COUNT, _ENTRY = struct.Struct(">hI"), struct.Struct(">i"), struct.Struct(">qhiqiqiq")
_NO_BATCH = Batch(last_sequence=NO_SEQUENCE, last_offset=-1, offset_delta=0, timestamp_ms=-1)


class CorruptSnapshot(StorageError):
    """A snapshot file is not whole; the state is built from the log instead."""


def encode_snapshot(producers: Producers) -> bytes:
    """The file's bytes."""
    entries = [entry for producer_id, producer in producers for entry in _entries(producer_id, producer)]
    body = _COUNT.pack(len(entries)) + b"".join(_ENTRY.pack(*entry) for entry in entries)
    return _HEAD.pack(VERSION, crc32c(body)) + body


def _entries(producer_id: int, producer: Producer) -> Iterator[tuple[int, ...]]:
    first = -1 if producer.txn_first_offset is None else producer.txn_first_offset
    batches = producer.batches or (_NO_BATCH,)
    for batch in batches:
        timestamp_ms = producer.timestamp_ms if batch is batches[-1] else batch.timestamp_ms
        yield (
            *(producer_id, producer.epoch, batch.last_sequence, batch.last_offset, batch.offset_delta),
            *(timestamp_ms, producer.coordinator_epoch, first),
        )


def decode_snapshot(data: Buffer) -> Producers:
    """The producers in a file's bytes. Raises CorruptSnapshot."""
    body = memoryview(data)[_HEAD.size :]
    if len(body) < _COUNT.size or _HEAD.unpack_from(data) != (VERSION, crc32c(body)):
        raise CorruptSnapshot(f"expected a snapshot of version {VERSION} with its CRC; {len(data)} bytes came")
    producers = Producers()
    for entry in _ENTRY.iter_unpack(body[_COUNT.size :]):
        producer_id, epoch, last_sequence, last_offset, offset_delta, timestamp_ms, coordinator_epoch, first = entry
        known = producers.get(producer_id)
        batches = known.batches if known else ()
        if last_sequence != NO_SEQUENCE:
            batches = (*batches, Batch(last_sequence, last_offset, offset_delta, timestamp_ms))
        txn_first_offset = None if first < 0 else first
        producers.put(producer_id, Producer(epoch, batches, coordinator_epoch, txn_first_offset, timestamp_ms))
    return producers
