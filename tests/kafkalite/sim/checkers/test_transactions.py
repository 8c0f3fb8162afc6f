"""Each check of transactions has a history that shows what it is for, and neighbours in which nothing is wrong."""

from __future__ import annotations

import pytest

from kafkalite import facts
from kafkalite.sim.checkers import Expectations, value_of

from .histories import Told, names

ORDERS, PAYMENTS = ("orders", 0), ("payments", 0)
READ = Expectations(read_committed=frozenset({"c1"}))
READ_ALL = Expectations(read_committed=frozenset({"c1"}), reads_everything=True)


def leads(place: tuple[str, int] = ORDERS, watermark: int = 10) -> list[Told]:
    """A partition of which the first ten offsets are committed, in the sense of replication."""
    return [
        ("b1", facts.BecameLeader(*place, 0, 0, (1,), (1,))),
        ("b1", facts.BatchAppended(*place, 0, watermark - 1, 0, 0, True)),
        ("b1", facts.HighWatermarkAdvanced(*place, 0, watermark, 0, True)),
    ]


def identified(node: str = "p1", epoch: int = 0, producer_id: int = 7) -> Told:
    return node, facts.ProducerIdentified("t1", producer_id, epoch)


def begun(node: str = "p1", transaction: int = 1) -> Told:
    return node, facts.TransactionBegun("t1", transaction)


def written(record: int, offset: int, place: tuple[str, int] = ORDERS, node: str = "p1") -> list[Told]:
    """A record was sent and acknowledged."""
    return [
        (node, facts.RecordSent(record, *place, None, value_of(node, record))),
        (node, facts.RecordsAcknowledged(*place, (record,), offset)),
    ]


def turned(state: str, epoch: int = 0) -> Told:
    return "b1", facts.TransactionTurned("t1", 7, epoch, state, ())


def marker(offset: int, place: tuple[str, int] = ORDERS, *, is_commit: bool = True) -> Told:
    return "b1", facts.MarkerWritten(*place, offset, 7, 0, is_commit, 0)


def ended(node: str = "p1", transaction: int = 1, *, is_commit: bool = True) -> Told:
    return node, facts.TransactionEnded("t1", transaction, is_commit)


def polled(offset: int, record: int, place: tuple[str, int] = ORDERS, node: str = "c1") -> Told:
    return node, facts.RecordsPolled(*place, (offset,), (value_of("p1", record),), offset + 1)


UNCOMMITTED = [polled(3, 1, node="c2"), polled(4, 2, PAYMENTS, node="c2")]  # whoever reads what is not decided
OPEN = [*leads(), *leads(PAYMENTS), identified(), begun(), *written(1, 3), *written(2, 4, PAYMENTS)]
COMMITTED = [*OPEN, turned("PrepareCommit"), marker(5), marker(5, PAYMENTS), ended()]
ABORTED = [
    *OPEN,
    turned("PrepareAbort"),
    marker(5, is_commit=False),
    marker(5, PAYMENTS, is_commit=False),
    ended(is_commit=False),
]


def test_what_is_right_raises_no_alarm() -> None:
    assert [] == names([*COMMITTED, *UNCOMMITTED, polled(3, 1), polled(4, 2, PAYMENTS)], READ_ALL)
    assert [] == names([*ABORTED, *UNCOMMITTED], READ_ALL)


def test_one_partition_may_show_a_transaction_before_the_other() -> None:
    early = [*OPEN, turned("PrepareCommit"), marker(5), polled(3, 1), marker(5, PAYMENTS), ended()]

    assert [] == names([*early, polled(4, 2, PAYMENTS)], READ_ALL)


def test_read_committed_must_not_be_handed_what_is_not_decided() -> None:
    assert ["undecided-read"] == names([*OPEN, polled(3, 1)], READ)
    assert ["undecided-read"] == names([*OPEN, turned("PrepareCommit"), polled(3, 1)], READ)
    assert ["undecided-read"] == names([*OPEN, turned("PrepareCommit"), marker(12), polled(3, 1)], READ), (
        "a marker that not all in sync have may be lost"
    )
    assert [] == names([*OPEN, polled(3, 1, node="c2")], READ), "c2 reads uncommitted"


def test_a_record_that_was_never_acknowledged_is_known_by_its_value() -> None:
    sent = [*leads(), identified(), begun(), ("p1", facts.RecordSent(1, *ORDERS, None, value_of("p1", 1)))]

    assert ["undecided-read"] == names([*sent, polled(3, 1)], READ)
    assert ["aborted-read"] == names([*sent, marker(5, is_commit=False), polled(3, 1)], READ)


def test_read_committed_must_not_be_handed_what_was_aborted() -> None:
    assert ["aborted-read"] == names([*ABORTED, polled(3, 1)], READ)
    assert [] == names([*ABORTED, polled(3, 1, node="c2")], READ)


def test_a_later_transaction_has_a_marker_of_its_own() -> None:
    later = [begun(transaction=2), *written(3, 6), turned("PrepareCommit"), marker(8), ended(transaction=2)]

    assert [] == names([*ABORTED, *later, polled(6, 3)], READ)
    assert ["undecided-read"] == names([*COMMITTED, *later[:3], polled(6, 3)], READ)


def test_every_marker_says_what_was_decided() -> None:
    assert ["torn-transaction"] == names(
        [*OPEN, turned("PrepareCommit"), marker(5), marker(5, PAYMENTS, is_commit=False)]
    )


def test_what_was_committed_must_be_seen_in_every_partition() -> None:
    assert ["unread-committed"] == names([*COMMITTED, *UNCOMMITTED, polled(3, 1)], READ_ALL)
    assert [] == names([*COMMITTED, polled(3, 1)], READ), "nobody said that everything is read"


def test_an_epoch_belongs_to_one_producer() -> None:
    assert ["epoch-reused"] == names([identified("p1"), identified("p2")])
    assert [] == names([identified("p1"), identified("p2", 1), identified("p1", 2)])
    assert [] == names([identified("p1", 9), identified("p1", 0, producer_id=8)]), "a new producer id begins at 0"


def test_nothing_is_committed_for_a_producer_that_was_fenced() -> None:
    fenced = [*OPEN, identified("p2", 1)]

    assert ["zombie-commit"] == names([*fenced, turned("PrepareCommit")])
    assert [] == names([*fenced, turned("PrepareCommit", 1)])
    assert [] == names([*fenced, turned("PrepareAbort")])


@pytest.mark.parametrize(("copies", "found"), [(0, ["not-exactly-once"]), (1, []), (2, ["not-exactly-once"])])
def test_what_a_program_makes_of_a_record_is_there_once(copies: int, found: list[str]) -> None:
    promise = Expectations(read_committed=frozenset({"c1"}), exactly_once={"orders": "made"})
    place = ("made", 0)
    source = [
        *leads(),
        ("p1", facts.RecordSent(1, *ORDERS, None, b"v")),
        ("c1", facts.RecordsPolled(*ORDERS, (0,), (b"v",), 1)),
    ]
    made: list[Told] = [("pipeline", facts.RecordSent(record, *place, None, b"v")) for record in range(copies)]
    made += [("c1", facts.RecordsPolled(*place, (offset,), (b"v",), offset + 1)) for offset in range(copies)]

    assert found == names([*source, *leads(place), *made], promise)
