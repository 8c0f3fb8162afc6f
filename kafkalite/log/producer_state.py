"""What a log knows of the producers that write to it: so that a retried batch is kept once, and a zombie not at all.

A producer numbers its records from 0 (the sequence, which wraps at 2^31). For each producer id the log remembers the
epoch and the last five batches, because a producer has at most five in flight:

    remembered   [0..2] [3..3] [4..9]
    comes        [10..12]   follows 9                   accept
    comes        [3..3]     is among them               duplicate: acknowledge its old offset again
    comes        [14..14]   10 to 13 are missing        out of order
    comes        [0..0], epoch + 1                      accept: the producer began anew
    comes        [10..12], epoch - 1                    fenced

It follows from the log, so a new leader knows it too, and a crash loses nothing. An open transaction is known by the
offset of its first batch; the least of them bounds what `read_committed` may see.

Source: Kafka's ProducerStateEntry, ProducerAppendInfo; KIP-98, KIP-360. Left out: KIP-890's verification.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from kafkalite.log.aborted import Aborted
from kafkalite.log.batch import NO_PRODUCER_ID, BatchHeader
from kafkalite.log.markers import Marker

BATCHES_MAX = 5  # max.in.flight.requests.per.connection of an idempotent producer
SEQUENCE_END = 1 << 31


class Verdict(Enum):
    """What to do with a producer's batch."""

    ACCEPT = "accept"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out of order"
    FENCED = "fenced"


class Batch(NamedTuple):
    """A batch that was appended."""

    last_sequence: int
    last_offset: int
    offset_delta: int  # last offset minus base offset; sequences and offsets run together
    timestamp_ms: int

    @property
    def base_sequence(self) -> int:
        return (self.last_sequence - self.offset_delta) % SEQUENCE_END

    @property
    def base_offset(self) -> int:
        return self.last_offset - self.offset_delta


class Producer(NamedTuple):
    """What is known of one producer id. `batches` are of `epoch`, oldest first, at most five."""

    epoch: int
    batches: tuple[Batch, ...] = ()
    coordinator_epoch: int = -1
    txn_first_offset: int | None = None  # of the transaction it has open
    timestamp_ms: int = -1


def check(producer: Producer | None, epoch: int, base_sequence: int, last_sequence: int) -> Verdict:
    """What to do with a batch of this epoch and these sequences.

    Of a producer that is not known, anything is accepted: its records may have expired (KIP-360).

    >>> known = Producer(epoch=0, batches=(Batch(2, 12, 2, 0), Batch(3, 13, 0, 0)))
    >>> [check(known, 0, *sequences).value for sequences in [(4, 9), (0, 2), (5, 5)]]
    ['accept', 'duplicate', 'out of order']
    >>> check(known, 1, 0, 0), check(known, -1, 4, 4)
    (<Verdict.ACCEPT: 'accept'>, <Verdict.FENCED: 'fenced'>)
    """
    if producer is None:
        return Verdict.ACCEPT
    if epoch < producer.epoch:
        return Verdict.FENCED
    if epoch > producer.epoch:
        return Verdict.ACCEPT if base_sequence == 0 else Verdict.OUT_OF_ORDER
    if any((base_sequence, last_sequence) == (known.base_sequence, known.last_sequence) for known in producer.batches):
        return Verdict.DUPLICATE
    if not producer.batches:  # only the marker of a transaction has been seen of this epoch
        return Verdict.ACCEPT
    expected = (producer.batches[-1].last_sequence + 1) % SEQUENCE_END
    return Verdict.ACCEPT if base_sequence == expected else Verdict.OUT_OF_ORDER


def last_sequence_of(header: BatchHeader) -> int:
    """The sequence of the batch's last record."""
    return (header.base_sequence + header.last_offset_delta) % SEQUENCE_END


def after_batch(producer: Producer | None, header: BatchHeader) -> Producer:
    """The producer once this batch, at its offsets in the log, has been appended."""
    known = producer if producer and producer.epoch == header.producer_epoch else None
    batches = known.batches if known else ()
    if header.base_sequence >= 0:  # a coordinator's has none: it is nobody's retry
        last_sequence = last_sequence_of(header)
        batch = Batch(last_sequence, header.last_offset, header.last_offset_delta, header.max_timestamp_ms)
        batches = (*batches, batch)[-BATCHES_MAX:]
    txn_first_offset = producer.txn_first_offset if producer else None
    if header.is_transactional and txn_first_offset is None:
        txn_first_offset = header.base_offset
    return Producer(
        epoch=header.producer_epoch,
        batches=batches,
        coordinator_epoch=producer.coordinator_epoch if producer else -1,
        txn_first_offset=txn_first_offset,
        timestamp_ms=header.max_timestamp_ms,
    )


def after_marker(producer: Producer | None, header: BatchHeader, marker: Marker) -> Producer:
    """The producer once its transaction was ended. A marker has no sequence, and may carry a newer epoch."""
    is_same = producer is not None and producer.epoch == header.producer_epoch
    return Producer(
        epoch=header.producer_epoch,
        batches=producer.batches if producer and is_same else (),
        coordinator_epoch=max(marker.coordinator_epoch, producer.coordinator_epoch if producer else -1),
        txn_first_offset=None,
        timestamp_ms=header.max_timestamp_ms,
    )


class Producers:
    """All producers of one log. Changes only by what is in the log."""

    def __init__(self) -> None:
        self._known: dict[int, Producer] = {}
        self._open: dict[int, int] = {}  # producer id -> first offset of its open transaction
        self._ended: list[tuple[int, int]] = []  # first and marker offset of transactions not below the watermark yet

    def __deepcopy__(self, memo: dict[int, Any]) -> Producers:
        twin = memo[id(self)] = Producers()
        twin._known, twin._open, twin._ended = self._known.copy(), self._open.copy(), self._ended.copy()
        return twin

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[tuple[int, Producer]]:
        return iter(sorted(self._known.items()))

    def get(self, producer_id: int) -> Producer | None:
        return self._known.get(producer_id)

    def put(self, producer_id: int, producer: Producer) -> None:
        """Know this of the producer; for what a snapshot file says."""
        self._known[producer_id] = producer
        if producer.txn_first_offset is not None:
            self._open[producer_id] = producer.txn_first_offset

    def appended(self, header: BatchHeader, marker: Marker | None = None) -> None:
        """A batch stands in the log, at the offsets its header has; a control batch says `marker`."""
        producer_id = header.producer_id
        if producer_id == NO_PRODUCER_ID:
            return
        known = self._known.get(producer_id)
        if not header.is_control:
            self.put(producer_id, after_batch(known, header))
        elif marker is not None:
            self._known[producer_id] = after_marker(known, header, marker)
            first = self._open.pop(producer_id, None)
            if first is not None:
                self._ended.append((first, header.last_offset))

    def aborted_by(self, header: BatchHeader, marker: Marker | None) -> Aborted | None:
        """The transaction that this marker, about to be appended, aborts; None if it commits, or ends nothing."""
        first = self._open.get(header.producer_id)
        if marker is None or marker.is_commit or first is None:
            return None
        others = [one for producer_id, one in self._open.items() if producer_id != header.producer_id]
        return Aborted(header.producer_id, first, header.last_offset, min([*others, header.next_offset]))

    def transactions(self, high_watermark: int) -> list[tuple[int, int | None]]:
        """First offset and marker's offset (None: open) of all transactions not decided below the high watermark."""
        if not self._open and not self._ended:
            return []
        self._ended = [(first, marker) for first, marker in self._ended if marker >= high_watermark]
        return [*((first, None) for first in self._open.values()), *self._ended]

    def expire(self, now_ms: int, expiration_ms: int) -> None:
        """Forget who wrote nothing for that long, unless a transaction is open."""
        for producer_id, producer in list(self._known.items()):
            if producer.txn_first_offset is None and now_ms - producer.timestamp_ms >= expiration_ms:
                del self._known[producer_id]
