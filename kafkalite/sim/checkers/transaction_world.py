"""What the facts say of transactions: who writes for which transactional id, what belongs together, how it ended.

A record belongs to the transaction that its producer had begun last when the program handed it over; where it stands is
known once it is acknowledged. How a transaction ended in a partition is what its marker says: the first one of that
producer behind the record.

A disk can lose what was committed, and with it a marker, or what a coordinator had decided or whom it had fenced. Kafka
brings neither back: the transaction stays open, or shares the fate of the next one of its producer, or is aborted. And
an epoch that is given again begins again with sequence 0, which leaders take for the retry of what they have. So the
ledger knows what stands no more, and what was said before a coordinator forgot. It only keeps books; `transactions`
judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kafkalite.facts import (
    MarkerWritten,
    ProducerIdentified,
    RecordsAcknowledged,
    RecordSent,
    RecordsPolled,
    TopicCreated,
    TransactionBegun,
    TransactionEnded,
    TransactionFenced,
    TransactionTurned,
)
from kafkalite.groups.placement import partition_of_group
from kafkalite.sim.checkers.history import Record
from kafkalite.sim.checkers.replica_log import Batch
from kafkalite.sim.checkers.violation import Announced
from kafkalite.sim.checkers.world import World, broker_of
from kafkalite.transactions.records import TRANSACTIONS_TOPIC
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
    def identity(self) -> ProducerIdentified:
        """In whose name it is written."""
        return ProducerIdentified(self.transactional_id, self.producer_id, self.epoch)

    @property
    def is_committed(self) -> bool:
        """Was its program told so?"""
        return self.ended is not None and self.ended.fact.is_commit

    def __str__(self) -> str:
        return f"transaction {self.begun.fact.transaction} of {self.producer} (producer {self.producer_id})"


class Marker(NamedTuple):
    """A marker as it was written, and the batch it was in."""

    at: Announced
    batch: Batch | None


class Ledger:
    """All transactions of a run. `on_<fact>` methods take facts in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reads: dict[TopicPartition, dict[int, Announced]] = {}  # what read_committed was handed, and where
        self._state_partitions = 1
        self.transactions: list[Transaction] = []
        self.newest: dict[str, Announced] = {}  # transactional id -> the last ProducerIdentified
        self.decided: dict[int, tuple[bool, Announced]] = {}  # producer id -> is it to be committed, and who says so
        self._markers: dict[tuple[TopicPartition, int], list[Marker]] = {}  # of a producer in a partition
        self._granted: dict[ProducerIdentified, float] = {}  # when a coordinator first said so
        self._given_again: set[ProducerIdentified] = set()  # since it forgot
        self.mistakable: set[Record] = set()  # acknowledged, perhaps for others: of an epoch that was given again
        self._ids: dict[int, str] = {}  # producer id -> transactional id
        self._identities: dict[NodeName, ProducerIdentified] = {}
        self._current: dict[NodeName, Transaction] = {}
        self._of_record: dict[Record, Transaction] = {}
        self._at: dict[tuple[TopicPartition, int], Transaction] = {}
        self._place_of: dict[Record, tuple[TopicPartition, int]] = {}

    def of(self, place: TopicPartition, offset: int, record: Record | None) -> Transaction | None:
        """The transaction to which the record at this offset belongs, if it is known to belong to any."""
        found = self._at.get((place, offset))
        return found if found is not None or record is None else self._of_record.get(record)

    def marker_behind(self, place: TopicPartition, offset: int, producer_id: int) -> Announced | None:
        """The marker that ends what this producer wrote at this offset, if it stands there still."""
        standing = (one.at for one in self._behind(place, offset, producer_id) if self._stands(place, one))
        return min(standing, key=_offset_of, default=None)

    def lost_marker(self, place: TopicPartition, offset: int, producer_id: int) -> Announced | None:
        """The marker that ended what this producer wrote at this offset until a disk lost it."""
        first = next(self._behind(place, offset, producer_id), None)
        return first.at if first is not None and self._is_lost(place, first) else None

    def _behind(self, place: TopicPartition, offset: int, producer_id: int) -> Iterator[Marker]:
        return (one for one in self._markers.get((place, producer_id), ()) if _offset_of(one.at) > offset)

    def _stands(self, place: TopicPartition, marker: Marker) -> bool:
        """Is it what is committed there, or may it yet be? A leader can die before anybody has copied it."""
        view, offset = self.world.partition(*place), _offset_of(marker.at)
        there = view.committed.containing(offset)
        return offset < view.forgiven_from if there is None else there == marker.batch

    def _is_lost(self, place: TopicPartition, marker: Marker) -> bool:
        is_forgiven = _offset_of(marker.at) >= self.world.partition(*place).forgiven_from
        return is_forgiven and not self._stands(place, marker)

    # What disks have lost -------------------------------------------------------------------------------------------

    def forgot_ms(self, transactional_id: str) -> float:
        """When coordinators forgot something of those ids last, because disks lost what was committed; -inf: never."""
        partition = partition_of_group(transactional_id, self._state_partitions)
        return self.world.partition(TRANSACTIONS_TOPIC, partition).lost_ms

    def is_forgotten(self, identity: Announced) -> bool:
        """Had a coordinator said who that is before it forgot?"""
        fact: ProducerIdentified = identity.fact
        return self._granted.get(fact, identity.now_ms) <= self.forgot_ms(fact.transactional_id)

    def decision(self, producer_id: int) -> tuple[bool, Announced] | None:
        """Whether the producer's transaction is to be committed and who says so; None if nobody who remembers it."""
        found, name = self.decided.get(producer_id), self._ids.get(producer_id)
        return None if found is None or (name and found[1].now_ms <= self.forgot_ms(name)) else found

    def is_undone(self, transaction: Transaction, place: TopicPartition, offset: int) -> bool:
        """Is what it wrote there not committed for sure, because its marker was lost, or what was decided?"""
        ended = self.marker_behind(place, offset, transaction.producer_id)
        if ended is not None and ended.fact.is_commit:
            return False
        is_lost = self.lost_marker(place, offset, transaction.producer_id) is not None
        return is_lost or transaction.begun.now_ms <= self.forgot_ms(transaction.transactional_id)

    def is_doubtful(self, record: Record) -> bool:
        """May it be there, or not be there, because a disk lost it, or how its transaction ended?"""
        transaction, (place, offset) = self._of_record.get(record), self._place_of.get(record, (("", 0), -1))
        if transaction is None or offset < 0:
            return record in self.mistakable
        return offset >= self.world.partition(*place).forgiven_from or self.is_undone(transaction, place, offset)

    # Facts ----------------------------------------------------------------------------------------------------------

    def on_topic_created(self, at: Announced) -> None:
        fact: TopicCreated = at.fact
        if fact.topic == TRANSACTIONS_TOPIC:
            self._state_partitions = len(fact.assignment)

    def on_producer_identified(self, at: Announced) -> None:
        fact: ProducerIdentified = at.fact
        self._identities[at.node] = fact
        self._current.pop(at.node, None)
        self._ids[fact.producer_id] = fact.transactional_id
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
            if transaction is not None and transaction.identity in self._given_again:
                self.mistakable.add((at.node, record))
            elif transaction is not None and fact.base_offset >= 0:
                transaction.offsets.append((place, fact.base_offset + index))
                self._at[place, fact.base_offset + index] = transaction
                self._place_of[at.node, record] = place, fact.base_offset + index

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        if at.node in self.world.expectations.read_committed:
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
        self._ids[fact.producer_id] = fact.transactional_id
        identity = ProducerIdentified(fact.transactional_id, fact.producer_id, fact.epoch)
        granted_ms = self._granted.setdefault(identity, at.now_ms)
        if fact.state == "Empty" and granted_ms <= self.forgot_ms(fact.transactional_id):
            self._given_again.add(identity)
        if fact.state.startswith("Prepare"):
            self.decided[fact.producer_id] = fact.state == "PrepareCommit", at
        else:  # that one is over, or the next one is open
            self.decided.pop(fact.producer_id, None)

    def on_transaction_fenced(self, at: Announced) -> None:
        fact: TransactionFenced = at.fact
        self.decided[fact.producer_id] = False, at

    def on_marker_written(self, at: Announced) -> None:
        fact: MarkerWritten = at.fact
        place = (fact.topic, fact.partition)
        batch = self.world.partition(*place).log(broker_of(at.node)).containing(fact.offset)
        self._markers.setdefault((place, fact.producer_id), []).append(Marker(at, batch))
        # A coordinator that dies with its decision in the log does not get to say so; the next one goes by it.
        if self.decision(fact.producer_id) is None:
            self.decided[fact.producer_id] = fact.is_commit, at


def _offset_of(at: Announced) -> int:
    offset: int = at.fact.offset
    return offset
