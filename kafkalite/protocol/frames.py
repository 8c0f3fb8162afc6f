"""Where one message ends and the next begins: four bytes of length, then so many bytes.

What arrives is put into a buffer once and, if it is large, read where it lies: such a frame is a view. Buffers go
round: a megabyte of new memory for every request costs more than what is done with it. Nobody says when a frame is no
longer looked at; Python knows who holds a view, and a buffer that is viewed is not used again.

What is sent is not copied, either, if it is large: a frame goes out in pieces.

The reader holds what has arrived and nothing more: a length of a gigabyte costs nothing until the gigabyte comes, a
length above the limit is refused at once, and who has nothing under way holds no buffer.

Source: Kafka's NetworkReceive and MemoryPool.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kafkalite.errors import ProtocolError

Buffer = bytes | bytearray | memoryview

FRAME_BYTES_MAX = 100 * 1024 * 1024  # Kafka's socket.request.max.bytes
LARGE_BYTES = 32 * 1024  # from here on another call of the system is cheaper than a copy
BUFFER_BYTES = 1088 * 1024  # a request of the megabyte that a batch may have, and some

_LENGTH = struct.Struct(">i")
LENGTH_BYTES = _LENGTH.size
_POOL_BYTES_MAX = 16 * 1024 * 1024
_SMALL = 16  # what is so many times smaller than its buffer is kept without it


class BufferPool:
    """Buffers that are not in use, for the connections of one thread."""

    def __init__(self, buffer_bytes: int = BUFFER_BYTES) -> None:
        """`buffer_bytes` is what a buffer has at least; a larger one is made for a frame that needs it."""
        self.buffer_bytes = buffer_bytes
        self._free: list[bytearray] = []
        self._free_bytes = 0

    def take(self, size: int) -> bytearray:
        """A buffer of at least `size` bytes, with anything in it."""
        for place, buffer in enumerate(self._free):
            if len(buffer) >= size:
                self._free_bytes -= len(buffer)
                return self._free.pop(place)
        return bytearray(max(size, self.buffer_bytes))

    def give(self, buffer: bytearray) -> None:
        """Take a buffer back, unless somebody still looks at what is in it."""
        if not is_viewed(buffer) and self._free_bytes + len(buffer) <= _POOL_BYTES_MAX:
            self._free.append(buffer)
            self._free_bytes += len(buffer)


def is_viewed(buffer: bytearray) -> bool:
    """Whether there are views of a buffer.

    >>> buffer = bytearray(2)
    >>> view = memoryview(buffer)[1:]
    >>> is_viewed(buffer), view.release(), is_viewed(buffer)
    (True, None, False)
    """
    last = buffer[-1]
    try:
        buffer.pop()  # what is viewed cannot become shorter
    except BufferError:
        return True
    buffer.append(last)
    return False


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


class PiecewiseFrame(bytearray):
    """A frame under way. What is large is not copied into it: it goes out from where it is, between what is.

    >>> frame, records = PiecewiseFrame(), bytes(LARGE_BYTES)
    >>> frame.put(b"ab")
    >>> frame.put(records)
    >>> frame.put(b"c")
    >>> [len(piece) for piece in frame.pieces()], frame.pieces()[1] is records
    ([6, 32768, 1], True)
    """

    def __init__(self) -> None:
        super().__init__(LENGTH_BYTES)
        self._large: list[tuple[int, Buffer]] = []  # what goes before which byte

    def put(self, data: Buffer) -> None:
        """Let `data` come next; it must not change until the frame is sent."""
        if len(data) < LARGE_BYTES:
            self += data
        else:
            self._large.append((len(self), data))

    def pieces(self) -> list[Buffer]:
        """The whole frame, its length in front. Nothing can be added any more."""
        _LENGTH.pack_into(self, 0, len(self) - LENGTH_BYTES + sum(len(data) for _, data in self._large))
        if not self._large:
            return [self]
        pieces: list[Buffer] = []
        view, at = memoryview(self), 0
        for before, data in self._large:
            pieces += [view[at:before], data]
            at = before
        return [*pieces, view[at:]] if at < len(view) else pieces


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
