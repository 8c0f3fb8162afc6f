"""What transactions keep to, as far as a reader can tell: all or nothing, nothing early, and one producer at a time.

    undecided-read      read_committed was handed a record whose transaction has no marker there that all in sync have
    aborted-read        read_committed was handed a record of a transaction that was aborted
    torn-transaction    a marker says other than the coordinator has decided, or than the marker before it
    epoch-reused        two producers write for a transactional id in the same epoch, or a later one in a lower
    zombie-commit       a coordinator commits for a producer that was fenced

    unread-committed    committed, and read_committed never got to see it (found when the run has ended)
    not-exactly-once    what a program made of a record is there twice, or not at all (found when the run has ended)

Markers reach partitions one after another, so for a moment a reader may see a committed transaction in one partition
and not yet in another. In the end it must be visible everywhere or nowhere.

Where disks lost what was committed, a marker or a coordinator's memory may be gone, and what they had settled is open
again (`transaction_world`). Nobody is blamed for that, but for everything that was settled since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kafkalite.facts import MarkerWritten, ProducerIdentified, RecordsPolled, TransactionTurned
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim.checkers.history import History, Record
from kafkalite.sim.checkers.transaction_world import Ledger, Transaction
from kafkalite.sim.checkers.violation import Announced, Invariant, Report, Violation, place_of
from kafkalite.sim.checkers.world import World

STALE_MS = 15_000.0  # a consumer that stood still hands over so late what it had fetched


class TransactionCheck(Invariant):
    """A check of one fact against the ledger as it was before it."""

    def __init__(self, world: World, report: Report, ledger: Ledger, history: History) -> None:
        super().__init__(world, report)
        self.ledger, self.history = ledger, history


class CommittedReads(TransactionCheck):
    """With `read_committed`, a transaction's record is handed over behind a marker that says commit, and only there."""

    name = "undecided-read"

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        if at.node not in self.world.expectations.read_committed:
            return
        place = (fact.topic, fact.partition)
        view = self.world.partition(*place)
        for offset, value in zip(fact.offsets, fact.values, strict=True):
            transaction = self.ledger.of(place, offset, self.history.record_of(value))
            if transaction is None or offset >= view.forgiven_from:
                continue
            marker = self.ledger.marker_behind(place, offset, transaction.producer_id)
            if marker is None and at.now_ms - view.lost_ms <= STALE_MS:  # it may have been fetched before
                marker = self.ledger.lost_marker(place, offset, transaction.producer_id)
            if marker is None or marker.fact.offset >= view.high_watermark:
                self._found("undecided-read", f"offset {offset}, of {transaction}, which has no marker there", at)
            elif not marker.fact.is_commit:
                self._found("aborted-read", f"offset {offset}, of {transaction}, which was aborted", at, marker)

    def _found(self, name: str, what: str, at: Announced, *earlier: Announced) -> None:
        sentence = f"{at.node} was handed {what}"
        self._report(Violation(name, sentence, at.now_ms, (*earlier, at), place_of(at.fact)))


class TornTransaction(TransactionCheck):
    """Every marker of a transaction says the same: what the coordinator has decided."""

    name = "torn-transaction"

    def on_marker_written(self, at: Announced) -> None:
        fact: MarkerWritten = at.fact
        is_commit, decision = self.ledger.decision(fact.producer_id) or (fact.is_commit, None)
        if fact.is_commit != is_commit:
            said = "commit" if fact.is_commit else "abort"
            self.violated(f"the marker of producer {fact.producer_id} says {said}", at, decision)


class EpochReused(TransactionCheck):
    """Whoever gets a transactional id gets a higher epoch of it, or a new producer id."""

    name = "epoch-reused"

    def on_producer_identified(self, at: Announced) -> None:
        fact: ProducerIdentified = at.fact
        known = self.ledger.newest.get(fact.transactional_id)
        if known is not None and known.fact == fact and not self.ledger.is_forgotten(known):
            self.violated(
                f"{at.node} and {known.node} both write for {fact.transactional_id} in {fact.epoch}", at, known
            )


class ZombieCommit(TransactionCheck):
    """Once a producer has taken over a transactional id, nothing is committed for the one before."""

    name = "zombie-commit"

    def on_transaction_turned(self, at: Announced) -> None:
        fact: TransactionTurned = at.fact
        newest = self.ledger.newest.get(fact.transactional_id)
        if newest is None or fact.state != "PrepareCommit" or self.ledger.is_forgotten(newest):
            return
        if (fact.producer_id, fact.epoch) < (newest.fact.producer_id, newest.fact.epoch):
            self.violated(f"{at.node} commits for epoch {fact.epoch} of {fact.transactional_id}", at, newest)


INVARIANTS = (CommittedReads, TornTransaction, EpochReused, ZombieCommit)
NAMES = ("aborted-read", "unread-committed", "not-exactly-once")


def found(ledger: Ledger, history: History, world: World) -> Iterator[Violation]:
    """What the whole history shows at its end."""
    if world.expectations.reads_everything and world.expectations.read_committed:
        for transaction in ledger.transactions:
            if transaction.is_committed:
                yield from _unread(transaction, ledger, world)
    for source, target in world.expectations.exactly_once.items():
        yield from _not_once(source, target, ledger, history, world)


def _unread(transaction: Transaction, ledger: Ledger, world: World) -> Iterator[Violation]:
    """Committed records that no read_committed consumer was handed."""
    for place, offset in transaction.offsets:
        view = world.partition(*place)
        is_promised = not view.is_compacted and view.start <= offset < view.forgiven_from
        is_promised = is_promised and not ledger.is_undone(transaction, place, offset)
        if place[0] not in world.deleted and is_promised and offset not in ledger.reads.get(place, ()):
            at = transaction.ended or transaction.begun
            sentence = f"offset {offset}, of {transaction}, was committed and not handed to anybody"
            yield Violation("unread-committed", sentence, at.now_ms, (at,), "-".join(map(str, place)))


def _not_once(source: str, target: str, ledger: Ledger, history: History, world: World) -> Iterator[Violation]:
    """Values of the source that are not in the target exactly once, as `read_committed` sees both."""
    made = Counter(value for value, _ in _values(target, ledger, history, world))
    records: dict[bytes | None, list[Record]] = {}
    for record, sent in history.sent.items():
        if sent.fact.topic == target:
            records.setdefault(sent.fact.value, []).append(record)
    for value, at in _values(source, ledger, history, world):
        is_again = made[value] > 1 and world.has_lost(OFFSETS_TOPIC)  # a program began where it had been before
        if made[value] != 1 and not is_again and not any(map(ledger.is_doubtful, records.get(value, ()))):
            sentence = f"{value!r} of {source} is in {target} {made[value]} times"
            yield Violation("not-exactly-once", sentence, at.now_ms, (at,), target)


def _values(topic: str, ledger: Ledger, history: History, world: World) -> Iterator[tuple[bytes | None, Announced]]:
    for place, reads in sorted(ledger.reads.items()):
        for offset, at in sorted(reads.items()) if place[0] == topic else ():
            if offset < world.partition(*place).forgiven_from:
                yield history.partition(*place).value_at(offset), at
