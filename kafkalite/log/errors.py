"""Why a log refuses what it is given. Each is an answer to a client; a broker turns it into its error code.

    KafkaliteError
    ├── CorruptBatch           bytes that are no record batch         CORRUPT_MESSAGE
    └── BatchRefused           a batch, and not for this log
        ├── BatchTooLarge      above max.message.bytes                MESSAGE_TOO_LARGE
        ├── InvalidRecord      no key on a compacted topic            INVALID_RECORD
        ├── OutOfOrderSequence a batch before it is missing           OUT_OF_ORDER_SEQUENCE_NUMBER
        ├── ProducerFenced     a newer one has taken the producer id  INVALID_PRODUCER_EPOCH
        ├── CoordinatorFenced  a newer one has written markers        TRANSACTION_COORDINATOR_FENCED
        ├── InvalidTransaction not transactional, and it has one open INVALID_TXN_STATE
        └── OffsetsNotInOrder  a follower was given what it has       (its own leader's mistake)

A refused batch changed nothing. An offset that is not there is `kafkalite.errors.OffsetOutOfRange`; a disk that fails
is `kafkalite.storage.StorageError`.
"""

from __future__ import annotations

from kafkalite.errors import KafkaliteError
from kafkalite.storage import StorageError

__all__ = [
    "BatchRefused",
    "BatchTooLarge",
    "CoordinatorFenced",
    "CorruptBatch",
    "InvalidRecord",
    "InvalidTransaction",
    "OffsetsNotInOrder",
    "OutOfOrderSequence",
    "ProducerFenced",
    "StorageError",  # for those who know the log and not what it rests on
]


class CorruptBatch(KafkaliteError, ValueError):
    """Bytes that should be a record batch are none."""


class BatchRefused(KafkaliteError):
    """A whole batch that this log does not take."""


class BatchTooLarge(BatchRefused):
    """The batch is larger than this log allows."""


class InvalidRecord(BatchRefused):
    """A record lacks what this log needs: compaction keeps the last value of a key, so there must be one.

    `records` are the places in the batch of those at fault, where it is not the batch as a whole.
    """

    def __init__(self, text: str, records: tuple[int, ...] = ()) -> None:
        super().__init__(text)
        self.records = records


class OutOfOrderSequence(BatchRefused):
    """The producer's batch before this one has not arrived."""


class ProducerFenced(BatchRefused):
    """The producer's epoch is older than one that was seen: it is a zombie."""


class CoordinatorFenced(BatchRefused):
    """A transaction's marker comes from a coordinator that is none any more."""


class InvalidTransaction(BatchRefused):
    """The producer has a transaction open here, and this batch is in none."""


class OffsetsNotInOrder(BatchRefused):
    """A follower's batch begins below the end of its log."""
