"""One record inside a batch. Offset and time are deltas to the batch's, so that a batch can move without a rewrite.

    length  attributes  timestamp delta  offset delta  key length  key  value length  value  header count  headers
    varint  int8 (0)    varint           varint        varint           varint               varint

A length of -1 says null, which is not the same as empty: a null value is a tombstone.

Source: "Record", kafka.apache.org/documentation/#record.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.log.varint import decode_varint, encode_varint
from kafkalite.storage import Buffer

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What a producer sends; offset and time are those of its partition once it is in a log."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0
    headers: Headers = ()
    offset: int = 0


def encode_record(record: Record, base_offset: int = 0, base_timestamp_ms: int = 0) -> bytes:
    """The record's bytes, length first.

    >>> encode_record(Record(key=None, value=b"v", timestamp_ms=7), base_timestamp_ms=5).hex(" ")
    '0e 00 04 00 01 02 76 00'
    """
    body = bytearray(b"\0")  # attributes: none are defined
    body += encode_varint(record.timestamp_ms - base_timestamp_ms)
    body += encode_varint(record.offset - base_offset)
    for field in (record.key, record.value):
        body += _encode_bytes(field)
    body += encode_varint(len(record.headers))
    for name, value in record.headers:
        body += _encode_bytes(name.encode()) + _encode_bytes(value)
    return encode_varint(len(body)) + body


def decode_record(
    data: Buffer, position: int = 0, base_offset: int = 0, base_timestamp_ms: int = 0
) -> tuple[Record, int]:
    """The record that begins at `position`, and the position behind it.

    Raises ValueError if the bytes are no record: a length beyond the end, or one that does not fit the fields.
    """
    length, start = decode_varint(data, position)
    end = start + length
    if length < 1 or end > len(data):
        raise ValueError(f"a record of {length} bytes at byte {position} does not fit in {len(data)} bytes")
    timestamp_delta_ms, at = decode_varint(data, start + 1)
    offset_delta, at = decode_varint(data, at)
    key, at = _decode_bytes(data, at, end)
    value, at = _decode_bytes(data, at, end)
    headers, at = _decode_headers(data, at, end)
    if at != end:
        raise ValueError(f"a record at byte {position} says it ends at {end}, and its fields end at {at}")
    return Record(key, value, base_timestamp_ms + timestamp_delta_ms, headers, base_offset + offset_delta), end


def _decode_headers(data: Buffer, at: int, end: int) -> tuple[Headers, int]:
    count, at = decode_varint(data, at)
    if not 0 <= count <= end - at:  # each takes two bytes or more; a wild count must not make us loop
        raise ValueError(f"{count} headers do not fit in {end - at} bytes")
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, at = _decode_bytes(data, at, end)
        if name is None:
            raise ValueError("a header has no name")
        value, at = _decode_bytes(data, at, end)
        headers.append((name.decode(), value))
    return tuple(headers), at


def _encode_bytes(data: bytes | None) -> bytes:
    return encode_varint(-1) if data is None else encode_varint(len(data)) + data


def _decode_bytes(data: Buffer, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(data, at)
    if length == -1:
        return None, at
    if not 0 <= length <= end - at:
        raise ValueError(f"a field of {length} bytes does not fit in {end - at} bytes")
    return bytes(data[at : at + length]), at + length
