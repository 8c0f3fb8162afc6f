"""Each check of transactions has a history that shows what it is for, and neighbours in which nothing is wrong."""

from __future__ import annotations

import pytest

from kafkalite import facts
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim.checkers import Expectations, value_of
from kafkalite.transactions.records import TRANSACTIONS_TOPIC
from kafkalite.types import TopicPartition

from .histories import Told, names, wait

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


# What disks lose ------------------------------------------------------------------------------------------------------


def apart(place: TopicPartition) -> list[Told]:
    """Ten offsets are committed, in the sense of replication; five of them in a batch of their own."""
    return [
        ("b1", facts.BecameLeader(*place, 0, 0, (1,), (1,))),
        *more(place),
        ("b1", facts.BatchAppended(*place, 5, 9, 0, 5, True)),
        ("b1", facts.HighWatermarkAdvanced(*place, 5, 10, 0, True)),
    ]


def more(place: TopicPartition, base: int = 0, epoch: int = 0) -> list[Told]:
    """A batch of five offsets, and the watermark behind it."""
    return [
        ("b1", facts.BatchAppended(*place, base, base + 4, epoch, 100 * epoch + base, True)),
        ("b1", facts.HighWatermarkAdvanced(*place, base, base + 5, epoch, True)),
    ]


def lost(place: TopicPartition, end: int = 5) -> list[Told]:
    """The power failed: nothing is left from `end` on."""
    return [
        ("b1", facts.LogLoaded(*place, 0, end, False)),
        ("b1", facts.BecameLeader(*place, 1, end, (1,), (1,))),
    ]


STATE, MADE = (TRANSACTIONS_TOPIC, 0), ("made", 0)
REMEMBERED = [("b9", facts.TopicCreated(TRANSACTIONS_TOPIC, ((1,),))), *apart(STATE)]
FORGOTTEN = lost(STATE)
OPEN_APART = [*REMEMBERED, *apart(ORDERS), *apart(PAYMENTS), *OPEN[6:], *UNCOMMITTED]
HALF = [*OPEN_APART, turned("PrepareCommit"), marker(6), polled(3, 1), ended()]  # nothing is said in PAYMENTS
WHOLE = [*OPEN_APART, turned("PrepareCommit"), marker(6), marker(6, PAYMENTS), polled(3, 1), ended()]


def test_a_marker_that_was_lost_takes_with_it_that_its_transaction_must_be_seen() -> None:
    assert ["unread-committed"] == names(WHOLE, READ_ALL)
    assert [] == names([*WHOLE, *lost(PAYMENTS)], READ_ALL)
    assert ["unread-committed"] == names([*WHOLE, *lost(ORDERS)], READ_ALL), "of another partition"
    assert ["unread-committed"] == names(HALF + lost(PAYMENTS), READ_ALL), "there was none"


def test_a_marker_that_was_written_again_settles_it() -> None:
    again = [*WHOLE, *lost(PAYMENTS), *more(PAYMENTS, 5, 1)]

    assert ["unread-committed"] == names([*again, marker(7, PAYMENTS)], READ_ALL)
    assert [] == names([*again, marker(7, PAYMENTS), polled(4, 2, PAYMENTS)], READ_ALL)


def test_a_marker_that_was_lost_decides_nothing_any_more() -> None:
    again = [*WHOLE, *lost(PAYMENTS), *more(PAYMENTS, 5, 1)]

    assert [] == names([*WHOLE, *lost(PAYMENTS), polled(4, 2, PAYMENTS)], READ), "fetched before"
    assert ["undecided-read"] == names([*OPEN_APART, *lost(PAYMENTS), polled(4, 2, PAYMENTS)], READ), "there was none"
    assert ["undecided-read"] == names([*WHOLE, *lost(PAYMENTS), wait(16_000), polled(4, 2, PAYMENTS)], READ)
    assert ["undecided-read"] == names([*again, wait(16_000), polled(4, 2, PAYMENTS)], READ)
    assert ["torn-transaction", "aborted-read"] == names(
        [*again, marker(7, PAYMENTS, is_commit=False), polled(4, 2, PAYMENTS)], READ
    )


def test_a_marker_that_nobody_had_copied_when_its_leader_died_decides_nothing() -> None:
    place = ("orders", 1)
    abort = [("b1", facts.BatchAppended(*place, 10, 14, 0, 10, True)), marker(12, place, is_commit=False)]
    gone = [("b1", facts.LogTruncated(*place, 15, 10, "epoch")), ("b1", facts.BecameLeader(*place, 1, 10, (1,), (1,)))]
    again = [turned("Ongoing"), begun(transaction=2), *written(1, 11, place), turned("PrepareCommit")]
    told = [*apart(place), identified(), *abort, *gone, *more(place, 10, 1), *again]
    promise = Expectations(disks_keep_everything=True, read_committed=frozenset({"c1"}))

    assert [] == names([*told, *more(place, 15, 1), marker(16, place), polled(11, 1, place)], promise)
    assert ["undecided-read"] == names([*told, polled(11, 1, place)], promise)


def test_what_a_coordinator_forgot_it_need_not_keep_to() -> None:
    abort = marker(7, PAYMENTS, is_commit=False)

    assert ["torn-transaction", "unread-committed"] == names([*HALF, abort], READ_ALL)
    assert [] == names([*HALF, *FORGOTTEN, abort], READ_ALL)


def test_what_a_coordinator_says_since_it_forgot_it_keeps_to() -> None:
    later = [begun(transaction=2), *written(3, 7), polled(7, 3, node="c2"), turned("PrepareCommit"), marker(8)]
    told = [*WHOLE, polled(4, 2, PAYMENTS), *FORGOTTEN, *later, ended(transaction=2)]

    assert [] == names([*told, polled(7, 3)], READ_ALL)
    assert ["unread-committed"] == names(told, READ_ALL)
    assert ["torn-transaction"] == names([*told, polled(7, 3), marker(9, PAYMENTS, is_commit=False)], READ_ALL)


def test_an_epoch_that_was_forgotten_may_be_given_again_and_one_that_is_given_since_may_not() -> None:
    given = [*REMEMBERED, turned("Empty"), identified("p1")]
    since = [*given, *FORGOTTEN, turned("Empty", 1), identified("p2", 1)]

    assert ["epoch-reused"] == names([*given, identified("p2")])
    assert [] == names([*given, *FORGOTTEN, identified("p2")])
    assert ["epoch-reused"] == names([*since, identified("p3", 1)])
    late = [*REMEMBERED, turned("Empty"), *FORGOTTEN, identified("p1"), turned("Empty"), identified("p2")]
    assert [] == names(late), "p1 heard late what it had been told before"


def test_what_is_taken_for_a_record_of_an_epoch_that_was_forgotten_may_be_missing() -> None:
    """It begins with the same sequence: the leader acknowledges what it has."""
    first = [*REMEMBERED, *leads(), turned("Empty"), identified("p1"), begun("p1"), *written(1, 3)]
    second = [turned("Empty"), identified("p2"), begun("p2"), *written(2, 3, node="p2"), polled(3, 1, node="c2")]

    assert [] == names([*first, *FORGOTTEN, *second], READ_ALL)
    assert ["epoch-reused", "inconsistent-offsets", "lost-write"] == names([*first, *second], READ_ALL)
    assert ["unseen"] == names([*first, *FORGOTTEN, *second[:-1]], READ_ALL), "p1 was first"


def test_who_was_fenced_by_what_is_forgotten_may_commit() -> None:
    fenced = [*REMEMBERED, *OPEN, turned("Empty", 1), identified("p2", 1)]

    assert ["zombie-commit"] == names([*fenced, turned("PrepareCommit")])
    assert [] == names([*fenced, *FORGOTTEN, turned("PrepareCommit")])
    since = [*fenced, *FORGOTTEN, turned("Empty", 2), identified("p3", 2)]
    assert ["zombie-commit"] == names([*since, turned("PrepareCommit", 1)])


def made(*offsets: int, told: list[Told] | None = None, has_marker: bool = True) -> list[str]:
    """What is wrong when what a program makes of a record, once for each offset, is read where it stands."""
    promise = Expectations(read_committed=frozenset({"c1"}), exactly_once={"orders": "made"})
    history = [
        *(*REMEMBERED, *leads(), *apart(MADE), *apart((OFFSETS_TOPIC, 0))),
        ("p1", facts.RecordSent(1, *ORDERS, None, b"v")),
        ("c1", facts.RecordsPolled(*ORDERS, (0,), (b"v",), 1)),
        *(identified("maker"), begun("maker")),
    ]
    for offset in offsets:
        history += [
            ("maker", facts.RecordSent(offset, *MADE, None, b"v")),
            ("maker", facts.RecordsAcknowledged(*MADE, (offset,), offset)),
        ]
    history += [turned("PrepareCommit"), *([marker(6, MADE)] if has_marker else []), ended("maker"), *(told or [])]
    return names(history, promise)


def read(offset: int) -> list[Told]:
    return [("c1", facts.RecordsPolled(*MADE, (offset,), (b"v",), offset + 1))]


def test_what_was_made_once_and_lost_is_no_fault_of_the_program() -> None:
    assert ["not-exactly-once"] == made(8)
    assert [] == made(8, told=lost(MADE))
    assert [] == made(3, told=lost(MADE)), "its marker was lost"
    assert ["not-exactly-once"] == made(3, told=[*more(MADE, 10), *lost(MADE, 10)]), (
        "neither it nor its marker was lost"
    )
    assert ["not-exactly-once"] == made(told=lost(MADE)), "it never made it"
    assert ["not-exactly-once"] == made(3, has_marker=False)
    assert [] == made(3, told=FORGOTTEN, has_marker=False)
    assert ["not-exactly-once"] == made(3, told=FORGOTTEN), "it was committed before"


def test_what_was_made_twice_is_no_fault_of_a_program_whose_bookmarks_were_lost() -> None:
    twice = [*read(2), *read(3)]

    assert ["not-exactly-once"] == made(2, 3, told=twice)
    assert [] == made(2, 3, told=[*twice, *lost((OFFSETS_TOPIC, 0))])
    assert ["not-exactly-once"] == made(2, told=lost((OFFSETS_TOPIC, 0))), "which make nobody miss what is there"
