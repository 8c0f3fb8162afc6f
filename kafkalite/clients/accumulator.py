"""What waits in a producer: records gather into batches until a batch is full or has lingered long enough.

A batch is worth waiting for: one header, one request, one append for many records. What it costs is `linger_ms`.

    append      the partition's last batch takes the record, if it still fits; otherwise a new one begins behind it
    ready       partitions whose first batch is full, lingered, or flushed
    take        that first batch, which goes on its way

A batch that could go and does not (its leader is unknown, its connection busy) takes more records meanwhile: under load
batches grow by themselves. Records are numbers here and sizes are told: what they hold is the producer's business.

Source: RecordAccumulator, without the memory pool.
"""

from __future__ import annotations

from collections import deque

from kafkalite.types import TopicPartition


class _Batch:
    """Records of one partition that will travel together."""

    __slots__ = ("is_closed", "records", "since_ms", "size_bytes")

    def __init__(self, record: int, size_bytes: int, since_ms: float) -> None:
        self.records, self.size_bytes, self.since_ms = [record], size_bytes, since_ms
        self.is_closed = False  # full, or flushed: due whatever the time


class Accumulator:
    """The batches of every partition, oldest first.

    >>> waiting = Accumulator(batch_bytes=100, linger_ms=5)
    >>> for record in range(3):
    ...     waiting.append(("orders", 0), record, size_bytes=40, now_ms=10 + record)
    False
    False
    True
    >>> waiting.ready(now_ms=12), waiting.take(("orders", 0))
    ([('orders', 0)], [0, 1])
    >>> waiting.ready(now_ms=12), waiting.next_ready_ms(now_ms=12), waiting.ready(now_ms=17)
    ([], 17, [('orders', 0)])
    """

    def __init__(self, batch_bytes: int, linger_ms: float) -> None:
        self._batch_bytes, self._linger_ms = batch_bytes, linger_ms
        self._batches: dict[TopicPartition, deque[_Batch]] = {}

    def append(self, partition: TopicPartition, record: int, size_bytes: int, now_ms: float) -> bool:
        """Put a record into its partition's last batch, or into a new one if it does not fit there.

        Returns whether a batch of the partition is full now. A record larger than a batch gets one of its own.
        """
        batches = self._batches.get(partition)
        if batches is None:
            batches = self._batches[partition] = deque()
        last = batches[-1] if batches else None
        if last is None or last.is_closed or last.size_bytes + size_bytes > self._batch_bytes:
            if last is not None:
                last.is_closed = True
            last = _Batch(record, size_bytes, now_ms)
            batches.append(last)
        else:
            last.records.append(record)
            last.size_bytes += size_bytes
        if last.size_bytes >= self._batch_bytes:
            last.is_closed = True
        return batches[0].is_closed

    def ready(self, now_ms: float) -> list[TopicPartition]:
        """The partitions whose first batch is due, the one that waits longest first."""
        due = [
            (batches[0].since_ms, partition)
            for partition, batches in self._batches.items()
            if batches[0].is_closed or batches[0].since_ms + self._linger_ms <= now_ms
        ]
        return [partition for _, partition in sorted(due)]

    def take(self, partition: TopicPartition) -> list[int]:
        """Take out the partition's first batch, due or not; [] if there is none."""
        batches = self._batches.get(partition)
        if batches is None:
            return []
        batch = batches.popleft()
        if not batches:
            del self._batches[partition]
        return batch.records

    def next_ready_ms(self, now_ms: float) -> float | None:
        """When the next batch will have lingered that has not yet; None if there is none."""
        dues_ms = (batches[0].since_ms + self._linger_ms for batches in self._batches.values())
        return min((due_ms for due_ms in dues_ms if due_ms > now_ms), default=None)

    def flush(self) -> None:
        """Let everything that is here be due now."""
        for batches in self._batches.values():
            batches[-1].is_closed = True
