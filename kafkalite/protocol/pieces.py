"""A frame that is sent in pieces: what a log has goes out from where it is, and is not copied once more.

A piece may even be unread: it is read when its turn has come. A response of sixteen partitions then needs the memory of
one, which stays in the processor's cache from the file to the socket.

Left out: letting the system send from the file, as Kafka does (FileRecords.writeTo, sendfile): in two short trials it
gained nothing over this.
"""

from __future__ import annotations

from typing import Protocol

from kafkalite.protocol.frames import LENGTH_BYTES, end_frame

Buffer = bytes | bytearray | memoryview


class Unread(Protocol):
    """At least `LARGE_BYTES` that are not in memory: `bytes()` gets them."""

    def __len__(self) -> int: ...
    def __bytes__(self) -> bytes: ...


LARGE_BYTES = 32 * 1024  # from here on another call of the system is cheaper than a copy


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
        self._large: list[tuple[int, Buffer | Unread]] = []  # what goes before which byte

    def put(self, data: Buffer | Unread) -> None:
        """Let `data` come next; it must not change until the frame is sent."""
        if len(data) < LARGE_BYTES:
            self += bytes(data)
        else:
            self._large.append((len(self), data))

    def pieces(self) -> list[Buffer | Unread]:
        """The whole frame, its length in front. Nothing can be added any more."""
        end_frame(self, sum(len(data) for _, data in self._large))
        if not self._large:
            return [self]
        pieces: list[Buffer | Unread] = []
        view, at = memoryview(self), 0
        for before, data in self._large:
            pieces += [view[at:before], data]
            at = before
        return [*pieces, view[at:]] if at < len(view) else pieces
