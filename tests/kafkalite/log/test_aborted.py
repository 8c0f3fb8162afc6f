"""The file beside a segment that says which transactions were aborted there."""

from __future__ import annotations

import pytest

from kafkalite.log.aborted import Aborted, AbortedIndex, aborted_between
from kafkalite.storage.memory import MemoryStorage

PATH = "orders-0/00000000000000000000.txnindex"
ENTRIES = [Aborted(7, 0, 3, 1), Aborted(8, 1, 9, 10), Aborted(7, 12, 20, 15)]


def index_of(*entries: Aborted) -> AbortedIndex:
    index = AbortedIndex(MemoryStorage(), PATH)
    for one in entries:
        index.append(one)
    return index


def test_an_entry_is_kafkas_34_bytes() -> None:
    storage = MemoryStorage()

    AbortedIndex(storage, PATH).append(Aborted(producer_id=7, first_offset=1, last_offset=3, last_stable_offset=2))

    expected = "0000 0000000000000007 0000000000000001 0000000000000003 0000000000000002"
    assert bytes.fromhex(expected) == storage.read(PATH, 0, 100)


def test_a_segment_without_aborted_transactions_has_no_file() -> None:
    storage = MemoryStorage()
    index = AbortedIndex(storage, PATH)

    index.truncate(0)

    assert ([], [], 0) == (index.entries(), storage.names("orders-0"), len(index))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, [0]),
        (0, 2, [0, 1]),
        (3, 12, [0, 1]),
        (4, 12, [1]),
        (10, 12, []),
        (10, 13, [2]),
        (20, 21, [2]),
        (21, 30, []),
    ],
)
def test_a_reader_is_told_of_the_transactions_that_have_records_in_what_it_reads(
    start: int, end: int, expected: list[int]
) -> None:
    assert [ENTRIES[at] for at in expected] == aborted_between([index_of(*ENTRIES)], start, end)


def test_nothing_is_read_behind_the_entry_that_says_nothing_was_open() -> None:
    class Unread(AbortedIndex):
        def entries(self) -> list[Aborted]:
            raise AssertionError("it cannot concern this reader")

    index, unread = index_of(*ENTRIES[:2]), Unread(MemoryStorage(), PATH)

    assert ENTRIES[:2] == aborted_between([index, unread], 0, 10)


@pytest.mark.parametrize(
    "tail",
    [b"", b"\0" * 34, b"\0" * 5, b"\xff" * 34, bytes.fromhex("0000" + "0000000000000007" * 4), b"\x01" * 40],
    ids=["nothing", "zeros", "a torn entry", "ones", "an entry that begins where it ends", "more"],
)
def test_what_a_crash_left_behind_the_last_entry_is_cut_away(tail: bytes) -> None:
    storage = MemoryStorage()
    index = AbortedIndex(storage, PATH)
    index.append(ENTRIES[0])
    index.append(ENTRIES[1])
    storage.append(PATH, tail)
    again = AbortedIndex(storage, PATH)

    again.truncate(100)

    assert ENTRIES[:2] == again.entries() == AbortedIndex(storage, PATH).entries()


def test_truncating_forgets_the_transactions_whose_markers_go() -> None:
    index = index_of(*ENTRIES)

    index.truncate(20)

    assert (ENTRIES[:2], 2) == (index.entries(), len(index))
