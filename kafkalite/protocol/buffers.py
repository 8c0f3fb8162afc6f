"""Memory for what arrives. It goes round: a new megabyte for every request costs more than what is done with it.

Nobody says when a request is no longer looked at. Python knows who holds a view of a buffer, and one that is viewed is
not used again.

Source: Kafka's MemoryPool, which is told.
"""

from __future__ import annotations

BUFFER_BYTES = 1088 * 1024  # a request of the megabyte that a batch may have, and some
_POOL_BYTES_MAX = 16 * 1024 * 1024


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
