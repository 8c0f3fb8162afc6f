"""Record batch v2: what producers send, logs keep and consumers get, byte for byte the same.

    byte  0            8       12            16     17   21          23                 27              35
          base offset  length  leader epoch  magic  crc  attributes  last offset delta  base timestamp  max timestamp
    byte  43           51              53             57            61
          producer id  producer epoch  base sequence  record count  records (compressed as a whole, or not)

The CRC covers everything from byte 21 on. A log sets the base offset and the leader epoch, which stand before it, so
it never touches a record: it looks at the header, and passes the rest on. That is what makes a log fast.

attributes    bits 0-2 compression, 3 log append time, 4 transactional, 5 control, 6 base timestamp is delete horizon

Source: "Record Batch", kafka.apache.org/documentation/#recordbatch; KIP-98, KIP-534. Left out: magic 0 and 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kafkalite.log.crc import crc32c
from kafkalite.log.errors import CorruptBatch, InvalidRecord
from kafkalite.log.record import Record, decode_record, encode_record
from kafkalite.storage import Buffer

HEADER = struct.Struct(">qiibIhiqqqhii")
HEADER_SIZE = HEADER.size  # 61
LENGTH_OVERHEAD = 12  # what `length` does not count: the base offset and itself
CRC_FROM = 21
MAGIC = 2

COMPRESSION_MASK, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL, DELETE_HORIZON = 0x07, 0x08, 0x10, 0x20, 0x40
NO_PRODUCER_ID = NO_PRODUCER_EPOCH = NO_SEQUENCE = NO_TIMESTAMP = -1

_PREFIX = struct.Struct(">qii")
_LENGTH_AT = struct.Struct(">8xi")


class BatchHeader(NamedTuple):
    """The 61 bytes before the records, by Kafka's names."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def size(self) -> int:
        """The whole batch, in bytes."""
        return self.length + LENGTH_OVERHEAD

    @property
    def last_offset(self) -> int:
        """The offset of the last record it had when it was produced; compaction may have removed that one since."""
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        """Where the next batch may begin."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def compression(self) -> int:
        """0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
        return self.attributes & COMPRESSION_MASK

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & CONTROL)

    @property
    def delete_horizon_ms(self) -> int | None:
        """When compaction may drop the tombstones in here (KIP-534); None until it has seen them once."""
        return self.base_timestamp_ms if self.attributes & DELETE_HORIZON else None


def read_header(data: Buffer, position: int = 0) -> BatchHeader:
    """The header at `position`; nothing is checked but that it is there.

    Raises CorruptBatch if the data ends within it.
    """
    if len(data) - position < HEADER_SIZE:
        raise CorruptBatch(f"a batch header has {HEADER_SIZE} bytes; {len(data) - position} are left at {position}")
    return BatchHeader._make(HEADER.unpack_from(data, position))


def validate(data: Buffer, *, as_produced: bool = False) -> BatchHeader:
    """The header of `data`, which is exactly one whole batch with the right CRC.

    As produced, it must also have one record for each of its offsets: only compaction makes gaps.
    Raises CorruptBatch, saying what was expected, or InvalidRecord if the gaps alone are wrong.
    """
    header = read_header(data)
    if header.magic != MAGIC:
        raise CorruptBatch(f"magic is {header.magic}; only {MAGIC} is understood")
    if header.size != len(data):
        raise CorruptBatch(f"the batch says it has {header.size} bytes; {len(data)} came")
    offsets = header.last_offset_delta + 1
    if not 0 <= header.record_count <= offsets:
        raise CorruptBatch(f"{header.record_count} records for {offsets} offsets")
    found = crc32c(memoryview(data)[CRC_FROM:])
    if found != header.crc:
        raise CorruptBatch(f"the batch at offset {header.base_offset} says CRC {header.crc:#x}; it is {found:#x}")
    if as_produced and not 0 < header.record_count == offsets:
        raise InvalidRecord(f"{header.record_count} records for {offsets} offsets; expected one for each")
    return header


def patched(batch: Buffer, base_offset: int, leader_epoch: int) -> tuple[bytes, memoryview]:
    """The batch with another base offset and leader epoch, as two parts, so that nothing is copied."""
    (length,) = _LENGTH_AT.unpack_from(batch)
    return _PREFIX.pack(base_offset, length, leader_epoch), memoryview(batch)[_PREFIX.size :]


def with_log_append_time(batch: Buffer, now_ms: int) -> bytes:
    """The batch whose records all count as written at `now_ms`. Attributes lie within the CRC, so it is made anew."""
    header = read_header(batch)
    changed = header._replace(attributes=header.attributes | LOG_APPEND_TIME, max_timestamp_ms=now_ms)
    return _sealed(changed, memoryview(batch)[HEADER_SIZE:])


def encode_batch(
    records: Sequence[Record],
    *,
    base_offset: int = 0,
    leader_epoch: int = -1,
    attributes: int = 0,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = NO_PRODUCER_EPOCH,
    base_sequence: int = NO_SEQUENCE,
) -> bytes:
    """One uncompressed batch of the records, at their offsets as deltas to the base offset.

    >>> records = [Record(b"k", b"v", timestamp_ms=5, offset=0), Record(None, b"w", timestamp_ms=7, offset=1)]
    >>> batch = encode_batch(records)
    >>> read_header(batch).record_count, list(decode_batch(batch)) == records
    (2, True)
    """
    base_timestamp_ms = records[0].timestamp_ms if records else NO_TIMESTAMP
    header = BatchHeader(
        base_offset=base_offset,
        length=0,
        leader_epoch=leader_epoch,
        magic=MAGIC,
        crc=0,
        attributes=attributes,
        last_offset_delta=records[-1].offset - base_offset if records else 0,
        base_timestamp_ms=base_timestamp_ms,
        max_timestamp_ms=max((record.timestamp_ms for record in records), default=NO_TIMESTAMP),
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
        record_count=len(records),
    )
    return rebuilt(header, records)


def rebuilt(header: BatchHeader, records: Sequence[Record]) -> bytes:
    """A batch with this header's fields and these records; what follows from the records (length, CRC) is computed.

    The header keeps its last offset delta, also when the last record is gone: offsets are never given twice.
    """
    body = b"".join(encode_record(record, header.base_offset, header.base_timestamp_ms) for record in records)
    return _sealed(header._replace(record_count=len(records)), body)


def decode_batch(batch: Buffer, records: Buffer | None = None) -> Iterator[Record]:
    """The records of one batch, with their offsets and times; `records` are its uncompressed bytes, if it needs that.

    Raises CorruptBatch if the bytes are not the records that the header counts.
    """
    header = read_header(batch)
    data = records if records is not None else memoryview(batch)[HEADER_SIZE : header.size]
    position = 0
    for _ in range(header.record_count):
        try:
            record, position = decode_record(data, position, header.base_offset, header.base_timestamp_ms)
        except (ValueError, UnicodeDecodeError) as error:
            raise CorruptBatch(f"the batch at offset {header.base_offset}: {error}") from error
        if header.attributes & LOG_APPEND_TIME:
            record = Record(record.key, record.value, header.max_timestamp_ms, record.headers, record.offset)
        yield record
    if position != len(data):
        raise CorruptBatch(f"the batch at offset {header.base_offset} has {len(data) - position} bytes too many")


def split(data: Buffer) -> Iterator[tuple[BatchHeader, memoryview]]:
    """The whole batches that lie one behind the other in `data`; a last one that is cut off is passed over.

    That is what a Fetch response holds. Raises CorruptBatch if a length is impossible.
    """
    view, position = memoryview(data), 0
    while len(view) - position >= HEADER_SIZE:
        header = read_header(view, position)
        if header.size < HEADER_SIZE:
            raise CorruptBatch(f"a batch of {header.size} bytes at byte {position}; it cannot be below {HEADER_SIZE}")
        if header.size > len(view) - position:
            return
        yield header, view[position : position + header.size]
        position += header.size


def _sealed(header: BatchHeader, body: Buffer) -> bytes:
    packed = bytearray(HEADER.pack(*header._replace(length=HEADER_SIZE - LENGTH_OVERHEAD + len(body), crc=0)))
    packed += body
    struct.pack_into(">I", packed, 17, crc32c(memoryview(packed)[CRC_FROM:]))
    return bytes(packed)
