"""Batches for tests, and what a reader makes of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from kafkalite.log.batch import HEADER_SIZE, BatchHeader, encode_batch, read_header, rebuilt, split
from kafkalite.log.compression import records_of
from kafkalite.log.crc import crc32c_by_table
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record

Value = bytes | None


def batch(*values: Value, key: Value = None, timestamp_ms: int = 0) -> bytes:
    """One batch as a producer makes it: its records begin at offset 0."""
    return encode_batch([Record(key, value, timestamp_ms, (), at) for at, value in enumerate(values)])


def keyed(*pairs: tuple[bytes | None, Value], timestamp_ms: int = 0, **fields: int) -> bytes:
    """One batch of keys and values."""
    return encode_batch([Record(key, value, timestamp_ms, (), at) for at, (key, value) in enumerate(pairs)], **fields)


def numbered(producer_id: int, epoch: int, base_sequence: int, count: int = 1, attributes: int = 0) -> bytes:
    """One batch of an idempotent producer."""
    records = [Record(b"k", b"%d" % (base_sequence + at), 0, (), at) for at in range(count)]
    return encode_batch(
        records,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=base_sequence,
        attributes=attributes,
    )


def at_offset(one: bytes, base_offset: int, leader_epoch: int = 0) -> bytes:
    """The batch as a leader would have written it."""
    records = [Record(r.key, r.value, r.timestamp_ms, r.headers, r.offset + base_offset) for r in records_of(one) or ()]
    return rebuilt(read_header(one)._replace(base_offset=base_offset, leader_epoch=leader_epoch), records)


def gzipped(one: bytes) -> bytes:
    """The batch as a producer that compresses sends it."""
    header = read_header(one)
    packer = zlib.compressobj(wbits=31)
    body = packer.compress(one[HEADER_SIZE:]) + packer.flush()
    return resealed(header._replace(attributes=header.attributes | 1), body)


def resealed(header: BatchHeader, body: bytes) -> bytes:
    """A batch of this header and any body, with the length and the CRC they need."""
    empty = rebuilt(header._replace(record_count=0), [])
    sized = bytearray(empty[:HEADER_SIZE] + body)
    sized[8:12] = (len(sized) - 12).to_bytes(4, "big")
    sized[57:61] = header.record_count.to_bytes(4, "big", signed=True)
    sized[17:21] = crc32c_by_table(sized[21:]).to_bytes(4, "big")
    return bytes(sized)


def offsets(data: bytes) -> list[int]:
    """The offsets of the records in a row of batches."""
    return [record.offset for _header, one in split(data) for record in records_of(one) or ()]


def everything(log: PartitionLog, start: int | None = None, max_bytes: int = 1 << 20) -> list[Record]:
    """What a consumer reads from `start` (the log start) to the log end."""
    position = log.log_start_offset if start is None else start
    found: list[Record] = []
    while data := log.read(position, max_bytes):
        for header, one in split(data):
            if not header.is_control:
                found += [record for record in records_of(one) or () if record.offset >= position]
            position = max(position, header.next_offset)
    return found


def values(records: Sequence[Record]) -> list[tuple[int, Value]]:
    return [(record.offset, record.value) for record in records]
