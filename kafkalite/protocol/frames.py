"""Where one message ends and the next begins: four bytes of length, then so many bytes.

What arrives is put into a buffer once and, if it is large, read where it lies: such a frame is a view. The reader holds
what has arrived and nothing more: a length of a gigabyte costs nothing until the gigabyte comes, a length above the
limit is refused at once, and who has nothing under way holds no buffer.

Source: Kafka's NetworkReceive.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kafkalite.errors import ProtocolError
from kafkalite.protocol.buffers import BufferPool, is_viewed

FRAME_BYTES_MAX = 100 * 1024 * 1024  # Kafka's socket.request.max.bytes

_LENGTH = struct.Struct(">i")
LENGTH_BYTES = _LENGTH.size
_SMALL = 16  # what is so many times smaller than its buffer is kept without it


class FrameReader:
    """Cuts a stream of bytes into frames.

    Whoever has bytes puts them into `room()`, says `filled(count)`, and takes the `frames()` that are complete.

    >>> reader = FrameReader(BufferPool())
    >>> def receive(data: bytes) -> list[bytes]:
    ...     reader.room()[: len(data)] = data
    ...     reader.filled(len(data))
    ...     return [bytes(frame) for frame in reader.frames()]
    >>> receive(bytes.fromhex("00 00 00 02 61"))
    []
    >>> receive(bytes.fromhex("62 00 00 00 00"))
    [b'ab', b'']
    """

    def __init__(self, pool: BufferPool, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self._pool = pool
        self._buffer: bytearray | None = None
        self._start = self._end = 0  # what has arrived and was not given as a frame, in the buffer
        self._rest = b""  # the same, without a buffer
        self._room: memoryview | None = None

    @property
    def waiting_bytes(self) -> int:
        """What has arrived of a frame that is not complete; below its length and LENGTH_BYTES."""
        return self._end - self._start + len(self._rest)

    @property
    def missing_bytes(self) -> int:
        """What has not arrived of a frame that has begun; 0 if its length is not known yet."""
        return 0 if self.waiting_bytes < LENGTH_BYTES else self._needed_bytes() - self.waiting_bytes

    def room(self) -> memoryview:
        """Where the next bytes go; it is never empty, and is valid until `filled`."""
        self._make_room()
        assert self._buffer is not None
        self._room = memoryview(self._buffer)[self._end :]
        return self._room

    def filled(self, count: int) -> None:
        """So many bytes were put there."""
        assert self._room is not None, "there was no room() since"
        self._room.release()
        self._room = None
        self._end += count

    def frames(self) -> Iterator[memoryview]:
        """Every frame that is complete now, without its length; a large one is a view of what arrived.

        ProtocolError if a length is negative or above `bytes_max`: the connection is of no use any more.
        """
        while self._buffer is not None and self._end - self._start >= LENGTH_BYTES:
            begin = self._start + LENGTH_BYTES
            end = begin + self._length(self._buffer, self._start)
            if end > self._end:
                return
            self._start = end
            frame = memoryview(self._buffer)[begin:end]
            yield memoryview(bytes(frame)) if len(frame) * _SMALL <= len(self._buffer) else frame

    def rest(self) -> None:
        """Nothing is expected at once: hold no more than what has arrived and what is looked at."""
        buffer, waiting_bytes = self._buffer, self.waiting_bytes
        if buffer is not None and waiting_bytes * _SMALL <= len(buffer) and not is_viewed(buffer):
            self._rest = bytes(buffer[self._start : self._end])
            self._buffer, self._start, self._end = None, 0, 0
            self._pool.give(buffer)

    def close(self) -> None:
        """Nothing more will come: hold nothing, whatever is under way."""
        if self._room is not None:  # there is room for the end of a stream, too, and nothing fills it
            self._room.release()
            self._room = None
        buffer, self._buffer = self._buffer, None
        self._start, self._end, self._rest = 0, 0, b""
        if buffer is not None:
            self._pool.give(buffer)

    def _make_room(self) -> None:
        """Have a buffer that a whole frame fits in behind what has arrived, or at least a good part of it."""
        buffer, waiting_bytes = self._buffer, self.waiting_bytes
        # A frame that is larger than any batch gets room as it comes: at most as much again as is there.
        size = min(self._needed_bytes(), max(2 * waiting_bytes, self._pool.buffer_bytes))
        if buffer is not None and self._start + size <= len(buffer):
            return
        arrived = self._rest if buffer is None else buffer[self._start : self._end]
        if buffer is None or size > len(buffer) or is_viewed(buffer):
            if buffer is not None:
                self._pool.give(buffer)
            buffer = self._buffer = self._pool.take(size)
        buffer[:waiting_bytes] = arrived
        self._start, self._end, self._rest = 0, waiting_bytes, b""

    def _needed_bytes(self) -> int:
        """What the next frame needs, its length included; the least there is while that has not come."""
        if self.waiting_bytes < LENGTH_BYTES:
            return LENGTH_BYTES
        stream, at = (self._rest, 0) if self._buffer is None else (self._buffer, self._start)
        return LENGTH_BYTES + self._length(stream, at)

    def _length(self, stream: bytes | bytearray, at: int) -> int:
        (length,) = _LENGTH.unpack_from(stream, at)
        if not 0 <= length <= self.bytes_max:
            raise ProtocolError(
                f"a frame of {length} bytes was announced; expected 0 to {self.bytes_max}. "
                f"Is the other side speaking Kafka's protocol?"
            )
        return int(length)


def begin_frame() -> bytearray:
    """An empty frame, to write a message to."""
    return bytearray(LENGTH_BYTES)


def end_frame(frame: bytearray, more_bytes: int = 0) -> bytearray:
    """The same frame with its length written in front; `more_bytes` belong to it, too, and are sent from elsewhere.

    >>> frame = begin_frame()
    >>> frame += b"ab"
    >>> end_frame(frame).hex(" ")
    '00 00 00 02 61 62'
    """
    _LENGTH.pack_into(frame, 0, len(frame) - LENGTH_BYTES + more_bytes)
    return frame
