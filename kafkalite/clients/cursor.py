"""A reader's place in a log. The log does not know it: that is why many readers can share one log.

In Kafka this is the consumer's *position* (org.apache.kafka.clients.consumer.internals.SubscriptionState).
Left out: storing it (chapter 9) and reset policies other than `earliest`.
"""

from __future__ import annotations


class Cursor:
    """The next offset one reader wants.

    >>> cursor = Cursor()
    >>> cursor.poll(start=0, end=5, max_records=3)
    (0, 3)
    >>> cursor.lag(end=5)
    2
    """

    def __init__(self, position: int = 0) -> None:
        """A cursor whose first read begins at `position`."""
        self._position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        """The range `(first, past)` to read next; then stand at `past`.

        The log goes from `start` to `end`. At most `max_records` offsets, none at or above
        `end`; `first == past` when nothing is new. A position below `start` or above `end`
        is not in the log: go on from `start`, as `auto.offset.reset=earliest` does.
        """
        first = self._position if start <= self._position <= end else start
        self._position = min(end, first + max_records)
        return first, self._position

    def seek(self, offset: int) -> None:
        """Read from `offset` next: earlier to replay, later to skip."""
        self._position = offset

    def lag(self, end: int) -> int:
        """How many offsets lie between this reader and the end; never less than 0."""
        return max(0, end - self._position)
