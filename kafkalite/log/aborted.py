"""Which transactions were aborted: a file beside each segment, for readers that want only what was committed.

    .txnindex    version (int16, 0)  producer id (int64)  first offset (int64)  last offset (int64: the marker's)
                 last stable offset (int64): when the marker stood there, nothing below it was open

An entry stands beside the segment that has the marker, in the order of the markers. A reader is given the entries that
concern what it is given: it skips the producer's records from the first offset on until it meets the marker.

    offset   0    1    2    3    4    5
             a1   b1   a2   A    b2   C        a aborts at 3, b commits at 5: a reader of 0 to 5 is told (a, 0)

Source: Kafka's TransactionIndex, AbortedTxn, LocalLog.collectAbortedTransactions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from copy import copy, deepcopy
from typing import Any, NamedTuple

from kafkalite.storage import Storage

VERSION = 0
_ENTRY = struct.Struct(">hqqqq")


class Aborted(NamedTuple):
    """An aborted transaction."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class AbortedIndex:
    """The entries of one segment. `len()` counts them; most segments have none, and no file."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage, self._path = storage, path
        self._count = storage.size(path) // _ENTRY.size

    def __deepcopy__(self, memo: dict[int, Any]) -> AbortedIndex:
        twin = copy(self)
        twin._storage = deepcopy(self._storage, memo)  # noqa: SLF001 - its own copy
        return twin

    def __len__(self) -> int:
        return self._count

    def entries(self) -> list[Aborted]:
        """All of them, in the order of their markers."""
        if not self._count:
            return []
        data = self._storage.read(self._path, 0, self._count * _ENTRY.size)
        return [Aborted(*entry[1:]) for entry in _ENTRY.iter_unpack(data)]

    def append(self, one: Aborted) -> None:
        """Add an entry. Raises StorageError; then it is not there."""
        self._storage.append(self._path, _ENTRY.pack(VERSION, *one))
        self._count += 1

    def truncate(self, offset: int) -> None:
        """Keep the entries of markers below that offset, up to the first that makes no sense: after a crash."""
        if not self._storage.size(self._path):
            return
        count, last = 0, -1
        for one in self.entries():
            if not (one.first_offset < one.last_offset < offset and last < one.last_offset):
                break
            count, last = count + 1, one.last_offset
        self._storage.truncate(self._path, count * _ENTRY.size)
        self._count = count


def aborted_between(indexes: Iterable[AbortedIndex], start: int, end: int) -> list[Aborted]:
    """The aborted transactions that have records in `[start, end)`; `indexes` from the segment that has `start` on.

    Once an entry says that up to `end` nothing was open, no later one can concern it.
    """
    found: list[Aborted] = []
    for index in indexes:
        for one in index.entries():
            if one.last_offset >= start and one.first_offset < end:
                found.append(one)
            if one.last_stable_offset >= end:
                return found
    return found
