"""Control batches: one record in which a transaction coordinator says how a transaction ended. Clients never see them.

    key    version (int16), type (int16: 0 abort, 1 commit)
    value  version (int16), coordinator epoch (int32)

They take an offset like any record, which is one reason why offsets have gaps for a consumer.

Source: Kafka's ControlRecordType and EndTransactionMarker; KIP-98.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from kafkalite.log.batch import CONTROL, TRANSACTIONAL, decode_batch, encode_batch
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.record import Record
from kafkalite.storage import Buffer

_KEY, _VALUE = struct.Struct(">hh"), struct.Struct(">hi")


class Marker(NamedTuple):
    """The end of a transaction."""

    is_commit: bool
    coordinator_epoch: int


def encode_marker(marker: Marker, producer_id: int, producer_epoch: int, timestamp_ms: int) -> bytes:
    """The control batch that ends the transaction which this producer has open.

    >>> decode_marker(encode_marker(Marker(True, 4), producer_id=7, producer_epoch=0, timestamp_ms=0))
    Marker(is_commit=True, coordinator_epoch=4)
    """
    record = Record(_KEY.pack(0, int(marker.is_commit)), _VALUE.pack(0, marker.coordinator_epoch), timestamp_ms)
    return encode_batch(
        [record], attributes=TRANSACTIONAL | CONTROL, producer_id=producer_id, producer_epoch=producer_epoch
    )


def decode_marker(batch: Buffer) -> Marker | None:
    """What a control batch says; None for one that compaction has emptied, or of a kind not known here."""
    record = next(decode_batch(batch), None)
    if record is None:
        return None
    if record.key is None or record.value is None or len(record.key) < _KEY.size or len(record.value) < _VALUE.size:
        raise CorruptBatch(f"the control record at offset {record.offset} is too short")
    kind = _KEY.unpack_from(record.key)[1]
    return Marker(kind == 1, _VALUE.unpack_from(record.value)[1]) if kind in {0, 1} else None
