"""What the facts say of transactions: who writes for which transactional id, what belongs together, how it ended.

A record belongs to the transaction that its producer had begun last when the program handed it over; where it stands is
known once it is acknowledged. How a transaction ended in a partition is what its marker says: the first one of that
producer behind the record. The ledger only keeps books; `transactions` judges.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kafkalite.facts import (
    MarkerWritten,
    ProducerIdentified,
    RecordsAcknowledged,
    RecordSent,
    RecordsPolled,
    TransactionBegun,
    TransactionEnded,
    TransactionFenced,
    TransactionTurned,
)
from kafkalite.sim.checkers.history import Record
from kafkalite.sim.checkers.violation import Announced
from kafkalite.types import NodeName, TopicPartition


@dataclass(slots=True)
class Transaction:
    """One transaction of one producer. `offsets` are those of its acknowledged records."""

    producer: NodeName
    transactional_id: str
    producer_id: int
    epoch: int
    begun: Announced
    offsets: list[tuple[TopicPartition, int]] = field(default_factory=list)
    ended: Announced | None = None  # what its program was told

    @property
    def is_committed(self) -> bool:
        """Was its program told so?"""
        return self.ended is not None and self.ended.fact.is_commit

    def __str__(self) -> str:
        return f"transaction {self.begun.fact.transaction} of {self.producer} (producer {self.producer_id})"


class Ledger:
    """All transactions of a run. `on_<fact>` methods take facts in."""

    def __init__(self, readers: frozenset[NodeName] = frozenset()) -> None:
        """`readers` are the consumers that read with read_committed."""
        self.reads: dict[TopicPartition, dict[int, Announced]] = {}  # what they were handed, and where
        self._readers = readers
        self.transactions: list[Transaction] = []
        self.newest: dict[str, Announced] = {}  # transactional id -> the last ProducerIdentified
        self.decided: dict[int, tuple[bool, Announced]] = {}  # producer id -> is it to be committed, and who says so
        self.markers: dict[tuple[TopicPartition, int], list[Announced]] = {}  # of a producer in a partition
        self._identities: dict[NodeName, ProducerIdentified] = {}
        self._current: dict[NodeName, Transaction] = {}
        self._of_record: dict[Record, Transaction] = {}
        self._at: dict[tuple[TopicPartition, int], Transaction] = {}

    def of(self, place: TopicPartition, offset: int, record: Record | None) -> Transaction | None:
        """The transaction to which the record at this offset belongs, if it is known to belong to any."""
        found = self._at.get((place, offset))
        return found if found is not None or record is None else self._of_record.get(record)

    def marker_behind(self, place: TopicPartition, offset: int, producer_id: int) -> Announced | None:
        """The marker that ends what this producer wrote at this offset."""
        markers = self.markers.get((place, producer_id), ())
        return min((at for at in markers if at.fact.offset > offset), key=_offset_of, default=None)

    def on_producer_identified(self, at: Announced) -> None:
        fact: ProducerIdentified = at.fact
        self._identities[at.node] = fact
        self._current.pop(at.node, None)
        known = self.newest.get(fact.transactional_id)
        if known is None or (fact.producer_id, fact.epoch) > (known.fact.producer_id, known.fact.epoch):
            self.newest[fact.transactional_id] = at

    def on_transaction_begun(self, at: Announced) -> None:
        fact: TransactionBegun = at.fact
        identity = self._identities[at.node]
        begun = Transaction(at.node, fact.transactional_id, identity.producer_id, identity.epoch, at)
        self._current[at.node] = begun
        self.transactions.append(begun)

    def on_record_sent(self, at: Announced) -> None:
        fact: RecordSent = at.fact
        current = self._current.get(at.node)
        if current is not None:
            self._of_record[at.node, fact.record] = current

    def on_records_acknowledged(self, at: Announced) -> None:
        fact: RecordsAcknowledged = at.fact
        place = (fact.topic, fact.partition)
        for index, record in enumerate(fact.records):
            transaction = self._of_record.get((at.node, record))
            if transaction is not None and fact.base_offset >= 0:
                transaction.offsets.append((place, fact.base_offset + index))
                self._at[place, fact.base_offset + index] = transaction

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        if at.node in self._readers:
            reads = self.reads.setdefault((fact.topic, fact.partition), {})
            for offset in fact.offsets:
                reads.setdefault(offset, at)

    def on_transaction_ended(self, at: Announced) -> None:
        fact: TransactionEnded = at.fact
        current = self._current.get(at.node)
        if current is not None and current.begun.fact.transaction == fact.transaction:
            current.ended = at

    def on_transaction_turned(self, at: Announced) -> None:
        fact: TransactionTurned = at.fact
        if fact.state.startswith("Prepare"):
            self.decided[fact.producer_id] = fact.state == "PrepareCommit", at
        else:  # that one is over, or the next one is open
            self.decided.pop(fact.producer_id, None)

    def on_transaction_fenced(self, at: Announced) -> None:
        fact: TransactionFenced = at.fact
        self.decided[fact.producer_id] = False, at

    def on_marker_written(self, at: Announced) -> None:
        fact: MarkerWritten = at.fact
        self.markers.setdefault(((fact.topic, fact.partition), fact.producer_id), []).append(at)
        # A coordinator that dies with its decision in the log does not get to say so; the next one goes by it.
        self.decided.setdefault(fact.producer_id, (fact.is_commit, at))


def _offset_of(at: Announced) -> int:
    offset: int = at.fact.offset
    return offset
