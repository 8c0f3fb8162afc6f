"""Where one message ends and the next begins: four bytes of length, then so many bytes.

The reader holds what has arrived and nothing more: a length of a gigabyte costs nothing until the gigabyte comes, and
a length above the limit is refused at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kafkalite.errors import ProtocolError

FRAME_BYTES_MAX = 100 * 1024 * 1024  # Kafka's socket.request.max.bytes

_LENGTH = struct.Struct(">i")
LENGTH_BYTES = _LENGTH.size


class FrameReader:
    """Cuts a stream of bytes into frames.

    `0 <= waiting_bytes < LENGTH_BYTES + the length of the frame that has begun`

    >>> reader = FrameReader()
    >>> list(reader.receive(bytes.fromhex("00 00 00 02 61")))
    []
    >>> [bytes(frame) for frame in reader.receive(bytes.fromhex("62 00 00 00 00"))]
    [b'ab', b'']
    """

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.waiting_bytes = 0
        self._chunks: list[bytes] = []
        self._needed = LENGTH_BYTES  # until then nothing can be decided

    def receive(self, data: bytes) -> Iterator[memoryview]:
        """Take in what arrived; give every frame that is complete now, without its length, as a view of what arrived.

        ProtocolError if a length is negative or above `bytes_max`: the connection is of no use any more.
        """
        self._chunks.append(data)
        self.waiting_bytes += len(data)
        if self.waiting_bytes < self._needed:
            return  # nothing is joined before it is complete: a frame in a thousand pieces is copied once
        stream = memoryview(data if len(self._chunks) == 1 else b"".join(self._chunks))
        at = 0
        while len(stream) - at >= LENGTH_BYTES:
            end = at + LENGTH_BYTES + self._length(stream, at)
            if end > len(stream):
                break
            yield stream[at + LENGTH_BYTES : end]
            at = end
        self._keep(stream[at:])

    def _length(self, stream: memoryview, at: int) -> int:
        (length,) = _LENGTH.unpack_from(stream, at)
        if not 0 <= length <= self.bytes_max:
            raise ProtocolError(
                f"a frame of {length} bytes was announced; expected 0 to {self.bytes_max}. "
                f"Is the other side speaking Kafka's protocol?"
            )
        return int(length)

    def _keep(self, rest: memoryview) -> None:
        self._chunks = [bytes(rest)] if rest else []
        self.waiting_bytes = len(rest)
        self._needed = LENGTH_BYTES
        if len(rest) >= LENGTH_BYTES:
            self._needed += self._length(rest, 0)


def begin_frame() -> bytearray:
    """An empty frame, to write a message to."""
    return bytearray(LENGTH_BYTES)


def end_frame(frame: bytearray) -> bytearray:
    """The same frame with its length written in front.

    >>> frame = begin_frame()
    >>> frame += b"ab"
    >>> end_frame(frame).hex(" ")
    '00 00 00 02 61 62'
    """
    _LENGTH.pack_into(frame, 0, len(frame) - LENGTH_BYTES)
    return frame
