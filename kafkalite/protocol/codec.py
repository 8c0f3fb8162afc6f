"""The engine: a message class and a version become a function that reads its bytes and one that writes them.

    codec(FetchRequest, 11, flexible=False).encode(message, out)
    codec(FetchRequest, 11, flexible=False).decode(data)            FetchRequest(...)

The schema is looked at once per class and version; what remains are closures over `struct` formats and names. Numbers
that stand side by side are read and written together:

    Int32 leader_id, Int32 leader_epoch, Int32[] isr      ->  unpack ">ii", then an array

Whatever is wrong with the data raises ProtocolError with the path of the field, and nothing else. A count is compared
with the bytes that are left before anything is made of it, so a frame cannot make its reader hold more than a fixed
multiple of its own size.

Left out: tagged fields of newer versions are skipped, not kept for writing them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from kafkalite.errors import ProtocolError
from kafkalite.protocol.primitives import FAULTS, Data, Read, Write, placed
from kafkalite.protocol.reading import record_reader
from kafkalite.protocol.writing import record_writer

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Codec(Generic[M]):
    """Reads and writes one message in one version."""

    message: type[M]
    version: int
    read: Read
    write: Write

    def decode(self, data: Data, at: int = 0) -> M:
        """The message that these bytes are, all of them from `at` on.

        Bytes and strings are copied out of the data; records are slices of it. ProtocolError says what is wrong where.
        """
        found, end = self.decode_from(data, at)
        if end != len(data):
            raise ProtocolError(f"{len(data) - end} bytes are left over after the message", self._title())
        return found

    def decode_from(self, data: Data, at: int) -> tuple[M, int]:
        """The message that begins at this byte, and the place after it."""
        into: list[M] = []
        try:
            end = self.read(data, at, into)
        except FAULTS as fault:
            raise placed(fault, self._title()) from None
        return into[0], end

    def encode(self, message: M, out: bytearray) -> None:
        """Append the message's bytes; records are copied once, here.

        ProtocolError names the field whose value cannot be written; what was appended before it stays.
        """
        try:
            self.write(message, out)
        except FAULTS as fault:
            raise placed(fault, self._title()) from None

    def _title(self) -> str:
        return f"{self.message.__name__} v{self.version}: "


def codec(message: type[M], version: int, *, flexible: bool) -> Codec[M]:
    """The codec of one class in one version, compiled on first use.

    >>> from kafkalite.protocol.group_membership import HeartbeatRequest
    >>> out = bytearray()
    >>> codec(HeartbeatRequest, 0, flexible=False).encode(HeartbeatRequest("g", 7, "m"), out)
    >>> out.hex(" ")
    '00 01 67 00 00 00 07 00 01 6d'
    >>> codec(HeartbeatRequest, 0, flexible=False).decode(out)
    HeartbeatRequest(group_id='g', generation_id=7, member_id='m', group_instance_id=None)
    """
    kind: type = message  # mypy takes a type[M] for unhashable
    return _compiled(kind, version, flexible)


@cache
def _compiled(message: type, version: int, flexible: bool) -> Codec[Any]:
    reader, writer = record_reader(message, version, flexible), record_writer(message, version, flexible)
    return Codec(message, version, reader, writer)
