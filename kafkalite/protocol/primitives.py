"""Values without parts, as bytes: numbers of fixed size, strings, bytes, counts, and what stands before them.

Every function that reads takes the data, a place in it and a list: it appends what it read and returns the place
after it. Every function that writes takes a value and a bytearray. Before anything is taken from the data, its length
is compared with what is left, so that a hostile length costs nothing.

A flexible version (KIP-482) writes lengths as unsigned varints plus one, with 0 for null; older ones as an int16 (of
strings) or an int32 (of everything else), with -1 for null.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from kafkalite.errors import ProtocolError
from kafkalite.protocol.pieces import PiecewiseFrame
from kafkalite.protocol.schema import Kind

Data = bytes | bytearray | memoryview
Read = Callable[[Data, int, list[Any]], int]
Write = Callable[[Any, bytearray], None]
ReadLength = Callable[[Data, int], tuple[int, int]]  # the length, -1 for null, and the place after it
WriteLength = Callable[[int, bytearray], None]  # -1 for null

FORMATS = {Kind.BOOL: "?", Kind.INT8: "b", Kind.INT16: "h", Kind.INT32: "i", Kind.INT64: "q"}
NUMBERS = frozenset(FORMATS)
FORMATS |= {Kind.ERROR_CODE: "h", Kind.UUID: "16s"}  # of one size too, but their values are not plain numbers

# What reading hostile bytes, or writing values of a wrong type, can raise below us.
FAULTS = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError)

_INT16 = struct.Struct(">h")
_INT32 = struct.Struct(">i")
_VARINT_BYTES_MAX = 5  # 32 bits, seven a byte


def missing(what: str, wanted: int, data: Data, at: int) -> ProtocolError:
    """The error for data that ends too early."""
    return ProtocolError(f"{what} of {wanted} bytes begins at byte {at}, but only {len(data) - at} are left")


def placed(fault: Exception, place: str) -> ProtocolError:
    """The same fault, known to have happened inside `place`."""
    if isinstance(fault, ProtocolError):
        return fault.inside(place)
    if isinstance(fault, IndexError) or str(fault).startswith("unpack_from"):
        return ProtocolError("the data ends in the middle of it", place)
    return ProtocolError(str(fault), place)


def read_uvarint(data: Data, at: int) -> tuple[int, int]:
    r"""An unsigned varint: seven bits a byte, the lowest first; the top bit says that more follow.

    >>> read_uvarint(b"\xac\x02", 0)  # 0x2c + 2 * 128
    (300, 2)
    """
    value = shift = 0
    for end in range(at, at + _VARINT_BYTES_MAX):
        byte = data[end]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > 0xFFFF_FFFF:
                break
            return value, end + 1
        shift += 7
    raise ProtocolError(f"the varint at byte {at} does not end within 32 bits")


def write_uvarint(value: int, out: bytearray) -> None:
    """The shortest bytes that `read_uvarint` reads as `value`."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _read_compact_length(data: Data, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 0x80:  # nearly always
        return first - 1, at + 1
    length, at = read_uvarint(data, at)
    return length - 1, at


def _write_compact_length(length: int, out: bytearray) -> None:
    write_uvarint(length + 1, out)


def _read_int16_length(data: Data, at: int) -> tuple[int, int]:
    return _INT16.unpack_from(data, at)[0], at + 2


def _write_int16_length(length: int, out: bytearray) -> None:
    out += _INT16.pack(length)


def _read_int32_length(data: Data, at: int) -> tuple[int, int]:
    return _INT32.unpack_from(data, at)[0], at + 4


def _write_int32_length(length: int, out: bytearray) -> None:
    out += _INT32.pack(length)


def lengths(kind: Kind | None, *, flexible: bool) -> tuple[ReadLength, WriteLength, int]:
    """How a length is read and written before a value of this kind (None: an array), and its fewest bytes."""
    if flexible:
        return _read_compact_length, _write_compact_length, 1
    if kind is Kind.STRING:
        return _read_int16_length, _write_int16_length, 2
    return _read_int32_length, _write_int32_length, 4


_TEXT = (Kind.STRING, Kind.JUTE_STRING)
_CONVERT: dict[Kind, Callable[[Data], Any]] = dict.fromkeys(_TEXT, lambda value: str(value, "utf-8"))
_CONVERT[Kind.BYTES] = bytes


def sized_reader(kind: Kind, *, flexible: bool, null: bool) -> Read:
    """Reads a string, bytes or records.

    Bytes are copied out. Records are a slice of the data, as they are the bulk of it: views of a memoryview, which
    copies nothing, and a copy of bytes.
    """
    read_length = lengths(kind, flexible=flexible)[0]
    convert = _CONVERT.get(kind)
    name = kind.name.lower()

    def read(data: Data, at: int, into: list[Any]) -> int:
        length, at = read_length(data, at)
        if length < 0:
            if not null or length != -1:
                raise ProtocolError(f"{name} of length {length} at byte {at}, where null is not allowed")
            into.append(None)
            return at
        end = at + length
        if end > len(data):
            raise missing(name, length, data, at)
        value = data[at:end]
        into.append(value if convert is None else convert(value))
        return end

    return read


def sized_writer(kind: Kind, *, flexible: bool, null: bool) -> Write:
    """Writes a string, bytes or records; records go to a piece of their own where there are pieces."""
    write_length = lengths(kind, flexible=flexible)[1]
    is_text = kind in _TEXT
    is_records = kind is Kind.RECORDS

    def write(value: Any, out: bytearray) -> None:
        if value is None:
            if not null:
                raise ProtocolError("None, where null is not allowed")
            write_length(-1, out)
            return
        if is_text:
            value = value.encode()
        write_length(len(value), out)
        if is_records and type(out) is PiecewiseFrame:
            out.put(value)
        else:
            out += value

    return write
