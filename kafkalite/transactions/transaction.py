"""One transactional id as a value: who holds it, what its transaction has touched, and how each change makes a new one.

    producer id   which producer the records are of; the same for as long as epochs last
    epoch         counts the incarnations: whoever has an older one is a zombie, and is fenced

Which change is allowed when is in `states`; what a change does is here.
Source: Kafka's TransactionMetadata; KIP-98, KIP-360 for producers that ask for a new epoch themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kafkalite.transactions.states import State
from kafkalite.types import TopicPartition

NO_PRODUCER_ID = NO_EPOCH = -1
EPOCH_MAX = 32_767  # an int16 on the wire


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transactional id at one moment. Without a transaction under way it has no partitions and began never (-1)."""

    producer_id: int = NO_PRODUCER_ID
    epoch: int = NO_EPOCH
    timeout_ms: int = 0
    state: State = State.EMPTY
    partitions: frozenset[TopicPartition] = frozenset()
    start_ms: int = -1  # wall clock, as the next one
    update_ms: int = -1
    last_producer_id: int = NO_PRODUCER_ID  # who asked for the present id and epoch, if it had any; not in the log
    last_epoch: int = NO_EPOCH


def fenced(known_id: int, known_epoch: int, producer_id: int, epoch: int) -> str:
    """Why a producer may not speak for its transactional id; NONE if it may.

    >>> fenced(7, 2, 7, 2), fenced(7, 2, 7, 1), fenced(7, 2, 8, 2)
    ('NONE', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING')
    """
    if producer_id != known_id:
        return "INVALID_PRODUCER_ID_MAPPING"
    return "NONE" if epoch == known_epoch else "PRODUCER_FENCED"


def is_exhausted(epoch: int) -> bool:
    """Whether the epoch may not be handed out one higher: one more is needed to fence whoever has it."""
    return epoch >= EPOCH_MAX - 1


def initialized(
    known: Transaction, new_producer_id: int, expected: tuple[int, int], timeout_ms: int, now_ms: int
) -> Transaction | None:
    """The id for a producer that begins; None if it expected an id and epoch which another has moved on from.

    `expected` is (-1, -1) for one that begins from nothing. `new_producer_id` is what an id without any, or with all
    its epochs used up, gets.

    >>> first = initialized(Transaction(), 7, (-1, -1), 60_000, now_ms=0)
    >>> second = initialized(first, 8, (-1, -1), 60_000, now_ms=0)
    >>> (first.producer_id, first.epoch), (second.producer_id, second.epoch)
    ((7, 0), (7, 1))
    """
    expected_id, expected_epoch = expected
    is_expecting = expected_id != NO_PRODUCER_ID
    begun = replace(known, state=State.EMPTY, partitions=frozenset(), start_ms=-1, timeout_ms=timeout_ms)
    begun = replace(begun, update_ms=now_ms)
    if known.producer_id == NO_PRODUCER_ID:
        return replace(begun, producer_id=new_producer_id, epoch=0)
    # The answer to its last question may be lost: it has what was before, and is told the present once more.
    is_again = known.last_epoch != NO_EPOCH and expected == (known.last_producer_id, known.last_epoch)
    if is_expecting and is_again:
        return begun
    if is_expecting and expected != (known.producer_id, known.epoch):
        return None
    begun = replace(begun, last_producer_id=expected_id, last_epoch=expected_epoch)
    if is_exhausted(known.epoch):
        return replace(begun, producer_id=new_producer_id, epoch=0)
    return replace(begun, epoch=known.epoch + 1)


def with_partitions(known: Transaction, partitions: Iterable[TopicPartition], now_ms: int) -> Transaction:
    """The transaction writes to these, too; it begins with the first of them."""
    is_under_way = known.state is State.ONGOING
    return replace(
        known,
        state=State.ONGOING,
        partitions=known.partitions.union(partitions) if is_under_way else frozenset(partitions),
        start_ms=known.start_ms if is_under_way else now_ms,
        update_ms=now_ms,
    )


def decided(known: Transaction, state: State, now_ms: int, *, bumps_epoch: bool = False) -> Transaction:
    """Commit or abort is decided; an abort that fences takes the epoch away from whoever has it."""
    if bumps_epoch:
        # Never above EPOCH_MAX: the last epoch that is handed out is the one before.
        known = replace(known, epoch=known.epoch + 1, last_producer_id=NO_PRODUCER_ID, last_epoch=NO_EPOCH)
    return replace(known, state=state, update_ms=now_ms)


def completed(known: Transaction, state: State, now_ms: int) -> Transaction:
    """Every partition has its marker: nothing of the transaction is left to remember but how it ended."""
    return replace(known, state=state, partitions=frozenset(), update_ms=now_ms)
