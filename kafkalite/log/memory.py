"""The log of chapter 1: one partition, in memory. Appending and reading are all there is; nothing is ever changed.

Left out: files, batches, timestamps, gaps in the offsets. They come with chapter 2.
"""

from __future__ import annotations

from kafkalite.errors import OffsetOutOfRange


class Log:
    """Values in the order they came, each at the next offset.

    Invariant: `start() <= end()`, and an offset, once given, names the same value for ever.

    >>> log = Log()
    >>> log.append(["a", "b", "c"])
    0
    >>> log.append(["d"])
    3
    >>> log.read(1, max_records=2)
    ['b', 'c']
    """

    def __init__(self, start: int = 0) -> None:
        """An empty log whose first value will get the offset `start`."""
        self._start = start
        self._values: list[str] = []

    def append(self, values: list[str]) -> int:
        """Put the values at the end, in order; return the base offset, that of the first.

        Appending no values changes nothing and returns the end.
        """
        base_offset = self.end()
        self._values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        """At most `max_records` values from `offset` on, oldest first; none at the end.

        Raises OffsetOutOfRange(offset, start, end) if the offset is below the start or
        above the end.
        """
        if not self.start() <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        first = offset - self._start
        return self._values[first : first + max_records]

    def start(self) -> int:
        """The offset of the oldest value still here."""
        return self._start

    def end(self) -> int:
        """The offset that the next value will get (Kafka: the log end offset, LEO)."""
        return self._start + len(self._values)

    def delete_before(self, offset: int) -> int:
        """Forget the values below `offset`; return the new start.

        No other value changes its offset. An offset at or below the start forgets nothing.
        Raises OffsetOutOfRange(offset, start, end) if the offset is above the end.
        (Kafka: DeleteRecords, which is how retention can be asked for by hand.)
        """
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        gone = max(0, offset - self._start)
        del self._values[:gone]
        self._start += gone
        return self._start
