"""A batch on its way: what a producer must remember of it until it is acknowledged or given up.

Source: ProducerBatch.
"""

from __future__ import annotations

from typing import NamedTuple

from kafkalite.log.batch import NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, encode_batch
from kafkalite.log.record import Record
from kafkalite.types import TopicPartition

RECORD_OVERHEAD_MAX = 21  # bytes around a key and a value, at most (Kafka's MAX_RECORD_OVERHEAD)
SEQUENCE_END = 1 << 31  # sequences wrap to 0 here


class Pending(NamedTuple):
    """A record that has a partition and waits for its batch to go."""

    record: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    created_ms: float
    size_bytes: int


def size_of(key: bytes | None, value: bytes | None) -> int:
    """What a record takes in a batch, at most, in bytes."""
    return RECORD_OVERHEAD_MAX + len(key or b"") + len(value or b"")


class Batch:
    """Records of one partition. `attempts` counts how often it was sent; `payload` is what is sent."""

    __slots__ = (
        "attempts",
        "attributes",
        "base_sequence",
        "created_ms",
        "data",
        "is_done",
        "is_in_flight",
        "is_renumbered",
        "may_be_appended",
        "partition",
        "payload",
        "producer",
        "records",
        "retry_at_ms",
        "size_bytes",
    )

    def __init__(self, partition: TopicPartition, pending: list[Pending], attributes: int = 0) -> None:
        self.partition, self.attributes = partition, attributes
        self.records = tuple(one.record for one in pending)
        self.data = [Record(one.key, one.value, one.timestamp_ms, offset=offset) for offset, one in enumerate(pending)]
        self.size_bytes = sum(one.size_bytes for one in pending)
        self.created_ms = pending[0].created_ms
        self.attempts = 0
        self.retry_at_ms = 0.0
        self.is_in_flight = self.is_done = False
        self.may_be_appended = False  # some attempt ended without an answer that says it was not
        self.producer = (NO_PRODUCER_ID, NO_PRODUCER_EPOCH)
        self.base_sequence = NO_SEQUENCE
        self.is_renumbered = False  # since it was last sent
        self.payload = b""

    @property
    def last_sequence(self) -> int:
        """The number of its last record."""
        return (self.base_sequence + len(self.records) - 1) % SEQUENCE_END

    def number(self, producer: tuple[int, int], base_sequence: int) -> None:
        """Number the records for this producer id and epoch; the batch must be encoded anew."""
        self.producer, self.base_sequence, self.payload = producer, base_sequence, b""

    def encoded(self) -> bytes:
        """Its bytes, which are made once, as long as its numbers stay."""
        if not self.payload:
            producer_id, epoch = self.producer
            self.payload = encode_batch(
                self.data,
                attributes=self.attributes,
                producer_id=producer_id,
                producer_epoch=epoch,
                base_sequence=self.base_sequence,
            )
        return self.payload
