"""A frame that is sent in pieces: what a log has read goes out from where it is, and is not copied once more.

Left out: what Kafka does on top, to let the system send from the file (FileRecords.writeTo, sendfile).
"""

from __future__ import annotations

from kafkalite.protocol.frames import LENGTH_BYTES, end_frame

Buffer = bytes | bytearray | memoryview

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
        self._large: list[tuple[int, Buffer]] = []  # what goes before which byte

    def put(self, data: Buffer) -> None:
        """Let `data` come next; it must not change until the frame is sent."""
        if len(data) < LARGE_BYTES:
            self += data
        else:
            self._large.append((len(self), data))

    def pieces(self) -> list[Buffer]:
        """The whole frame, its length in front. Nothing can be added any more."""
        end_frame(self, sum(len(data) for _, data in self._large))
        if not self._large:
            return [self]
        pieces: list[Buffer] = []
        view, at = memoryview(self), 0
        for before, data in self._large:
            pieces += [view[at:before], data]
            at = before
        return [*pieces, view[at:]] if at < len(view) else pieces
