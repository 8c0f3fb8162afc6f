"""Once and in order, though batches are sent again: the producer's half of idempotence.

The producer gets an id, and numbers the records of each partition from 0. The leader takes a batch only if its first
number follows the last one it has, knows the last five batches of each producer, and so can tell what it has from what
it lacks. That allows five in flight:

    sent        A B C          A is lost with its connection
    answered        . .        B, C: out of order, since A is missing
    sent again  A, and when A is answered B, and then C: the oldest unanswered alone, until nothing waits

What may not be sent again leaves a hole (it expired, or was refused for good). Then nobody knows what comes next, so
the producer begins anew: the epoch goes up by one, everything unanswered of that partition is renumbered from 0.

Of the same program started again nothing is known: it has another id. And what the program itself sends twice is two
records.

Source: TransactionManager, TxnPartitionEntry, Sender.canRetry; KIP-98, KIP-360.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from kafkalite.clients.batch import SEQUENCE_END, Batch
from kafkalite.errors import ErrorCode

EPOCH_MAX = 32_767
IN_FLIGHT_MAX = 5  # as many batches as a leader remembers of a producer
_DONE = (ErrorCode.NONE, ErrorCode.DUPLICATE_SEQUENCE_NUMBER)  # a duplicate so old that its offset is forgotten


class Identity(NamedTuple):
    """Who a producer is to the leaders of partitions."""

    producer_id: int
    epoch: int

    def bumped(self) -> Identity | None:
        """The same producer, beginning anew; None if its epochs are used up, and it needs another id."""
        return Identity(self.producer_id, self.epoch + 1) if self.epoch < EPOCH_MAX else None


class Verdict(Enum):
    """What becomes of a batch that was answered, or whose connection broke."""

    DONE = "done"
    RETRY = "retry"
    RENUMBER = "renumber"  # begin anew, and retry
    FAIL = "fail"


class Standing(NamedTuple):
    """Where a batch stands among those of its partition when it is answered."""

    is_numbered: bool  # the producer is idempotent
    is_oldest: bool  # none before it is outstanding
    is_next: bool  # the last one that was acknowledged is the one before it
    is_renumbered: bool  # it has another number by now than the one that was answered
    has_hole: bool  # one before it was given up
    may_retry: bool  # not out of attempts


_NUMBERS = (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode.UNKNOWN_PRODUCER_ID)


def judge(error: ErrorCode, standing: Standing) -> Verdict:
    """What becomes of a batch with this answer.

    Only the oldest may make all begin anew: one before it may be in the log, and would be there twice.

    >>> second = Standing(True, is_oldest=False, is_next=False, is_renumbered=False, has_hole=False, may_retry=True)
    >>> judge(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, second)  # the one before it is to be sent again, too
    <Verdict.RETRY: 'retry'>
    >>> first = second._replace(is_oldest=True, is_next=True)
    >>> judge(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, first)  # the leader lacks what it had acknowledged
    <Verdict.RENUMBER: 'renumber'>
    """
    if error in _DONE:
        return Verdict.DONE
    if not standing.may_retry:
        return Verdict.FAIL
    if standing.is_numbered and error in _NUMBERS:
        is_lacking = standing.is_oldest and (standing.is_next or standing.has_hole)
        return Verdict.RENUMBER if is_lacking and not standing.is_renumbered else Verdict.RETRY
    return Verdict.RETRY if error.retriable else Verdict.FAIL


class Lane:
    """The batches of one partition that were sent and are not done, and their numbers.

    `outstanding` is in the order of the first sending. A batch in it is in flight, or waits to be sent again.
    """

    def __init__(self) -> None:
        self.outstanding: list[Batch] = []
        self.identity: Identity | None = None
        self.next_sequence = 0
        self.last_acknowledged = SEQUENCE_END - 1  # before 0
        self.has_hole = False
        self.is_known = False  # the leader has taken something of this identity, so it minds the numbers

    @property
    def first_waiting(self) -> Batch | None:
        """The batch that is to be sent again before anything new is sent."""
        return next((batch for batch in self.outstanding if not batch.is_in_flight), None)

    def number(self, batch: Batch, identity: Identity) -> None:
        """Give a batch its numbers."""
        self.follow(identity)
        assert self.identity is not None
        batch.number(self.identity, self.next_sequence)
        self.next_sequence = (self.next_sequence + len(batch.records)) % SEQUENCE_END

    def follow(self, identity: Identity) -> None:
        """A producer that began anew elsewhere begins here once all is quiet."""
        if self.identity != identity and not self.outstanding:
            self.begin_anew(identity)

    def begin_anew(self, identity: Identity) -> None:
        """From now on the next batch is 0: those outstanding are renumbered, in their order."""
        self.identity, self.next_sequence, self.last_acknowledged = identity, 0, SEQUENCE_END - 1
        self.has_hole = self.is_known = False
        for batch in self.outstanding:
            self.number(batch, identity)
            batch.is_renumbered = True

    def acknowledged(self, batch: Batch) -> None:
        """A batch is done; a later one that is done says that those before it are in the log, too."""
        self.is_known = True
        ahead = (batch.last_sequence - self.last_acknowledged) % SEQUENCE_END
        if ahead < SEQUENCE_END // 2:
            self.last_acknowledged = batch.last_sequence

    def is_next(self, sequence: int) -> bool:
        """Were all before this number acknowledged?"""
        return sequence == (self.last_acknowledged + 1) % SEQUENCE_END

    def standing(self, batch: Batch, *, may_retry: bool) -> Standing:
        """Where the batch stands."""
        is_numbered = self.identity is not None
        is_next = is_numbered and self.is_next(batch.base_sequence)
        is_oldest = batch is self.outstanding[0]
        return Standing(is_numbered, is_oldest, is_next, batch.is_renumbered, self.has_hole, may_retry)
