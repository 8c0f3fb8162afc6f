"""Sparse indexes: from an offset to a place in the file, and from a time to an offset.

Only one batch in about 4 KB of log has an entry. A lookup finds the greatest entry that is not above what is wanted;
from there the file itself is walked. So an index may be too thin, never wrong, and can always be made again.

    .index       relative offset (int32), position (int32)      every so often the base offset of a batch
    .timeindex   timestamp (int64), relative offset (int32)     the largest timestamp so far, and its batch

Source: Kafka's OffsetIndex and TimeIndex. Left out: mmap; entries are read from the file, one for each halving.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from operator import itemgetter
from typing import Any, overload

from kafkalite.storage import Storage

Entry = tuple[int, int]

_first = itemgetter(0)


def lookup(index: Sequence[Entry], wanted: int) -> Entry | None:
    """The greatest entry not above `wanted`; None if all are above it.

    >>> index = [(40, 4100), (83, 8300), (120, 12400)]
    >>> lookup(index, 100), lookup(index, 120), lookup(index, 39)
    ((83, 8300), (120, 12400), None)
    """
    found = bisect_right(index, wanted, key=_first)
    return index[found - 1] if found else None


class IndexFile(Sequence[Entry]):
    """The entries of one index file, read where they are needed: opening a log reads none, copying a node copies none.

    Both parts of an entry never decrease. Offsets are kept relative to the segment's base.
    """

    def __init__(self, storage: Storage, path: str, format_: str, base: tuple[int, int]) -> None:
        """`base` is what is subtracted from each of the two parts on the disk."""
        self._storage, self._path, self._format, self._base = storage, path, struct.Struct(format_), base
        self._count = storage.size(path) // self._format.size
        self.last: Entry | None = self[self._count - 1] if self._count else None

    def __deepcopy__(self, memo: dict[int, Any]) -> IndexFile:
        twin = copy(self)  # everything here is a value, but for the storage
        twin._storage = deepcopy(self._storage, memo)  # noqa: SLF001 - its own copy
        return twin

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(self._count))]
        place = at if at >= 0 else at + self._count
        if not 0 <= place < self._count:
            raise IndexError(at)
        size = self._format.size
        first, second = self._format.unpack(self._storage.read(self._path, place * size, size))
        return first + self._base[0], second + self._base[1]

    def append(self, entry: Entry) -> None:
        self._storage.append(self._path, self._format.pack(entry[0] - self._base[0], entry[1] - self._base[1]))
        self._count += 1
        self.last = entry

    def keep(self, count: int) -> None:
        """Forget all entries but the first `count`."""
        self._storage.truncate(self._path, count * self._format.size)
        self._count = count
        self.last = self[count - 1] if count else None

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Have exactly these entries."""
        packed = (self._format.pack(first - self._base[0], second - self._base[1]) for first, second in entries)
        self._storage.replace(self._path, b"".join(packed))
        self._count = self._storage.size(self._path) // self._format.size
        self.last = self[self._count - 1] if self._count else None


def offset_index(storage: Storage, path: str, base_offset: int) -> IndexFile:
    """A segment's `.index`: pairs of a batch's base offset and its position."""
    return IndexFile(storage, path, ">ii", (base_offset, 0))


def time_index(storage: Storage, path: str, base_offset: int) -> IndexFile:
    """A segment's `.timeindex`: pairs of the largest timestamp so far and the base offset of the batch that has it."""
    return IndexFile(storage, path, ">qi", (0, base_offset))
