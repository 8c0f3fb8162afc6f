"""A segment: one file of batches, with its two indexes. A log is a row of them, and only the last one grows.

    00000000000000000000.log        batches
    00000000000000000000.index      sparse: offset -> position
    00000000000000000000.timeindex  sparse: time -> offset

The name is the base offset: no record below it is in here. (Beside these may stand `.txnindex`, the transactions that
were aborted in here, see `aborted`; and `.snapshot`, the producers' state at the base offset.)

Source: Kafka's LogSegment, LogFileUtils.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from copy import copy, deepcopy
from operator import itemgetter
from typing import Any

from kafkalite.log.aborted import Aborted, AbortedIndex
from kafkalite.log.batch import HEADER_SIZE, NO_TIMESTAMP, BatchHeader, read_header
from kafkalite.log.index import lookup, offset_index, time_index
from kafkalite.log.recovery import Placed, whole_batches
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Buffer, Slice, Storage, StorageError

LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT, SWAP = ".log", ".index", ".timeindex", ".txnindex", ".snapshot", ".swap"
RELATIVE_OFFSET_END = 1 << 31  # an index entry has four bytes for it
HINTS_MAX = 32  # batches whose place is remembered: more than stay in flight between a leader and its readers


def file_name(offset: int, suffix: str) -> str:
    """Kafka's name: twenty digits, so that names sort as offsets do.

    >>> file_name(368769, ".log")
    '00000000000000368769.log'
    """
    return f"{offset:020d}{suffix}"


class Segment:
    """The batches from `base_offset` up to `end_offset`. Invariant: `size` is the end of a whole batch.

    Opening one looks only behind the last index entry. After an unclean stop whoever opens it must recover it.
    """

    def __init__(self, storage: Storage, folder: str, base_offset: int, index_interval_bytes: int) -> None:
        self.base_offset = base_offset
        self._storage = storage
        self._path = f"{folder}/{file_name(base_offset, LOG)}"
        self._index_interval_bytes = index_interval_bytes
        self.size = storage.size(self._path)
        self.index = offset_index(storage, f"{folder}/{file_name(base_offset, INDEX)}", base_offset)
        self.time_index = time_index(storage, f"{folder}/{file_name(base_offset, TIME_INDEX)}", base_offset)
        self.aborted = AbortedIndex(storage, f"{folder}/{file_name(base_offset, TXN_INDEX)}")
        self.max_timestamp_ms, self._max_timestamp_offset = self.time_index.last or (NO_TIMESTAMP, base_offset)
        self.first_timestamp_ms = next((header.max_timestamp_ms for _, header in self.batches()), None)
        self.modified_ms = 0  # when the log last wrote here; stands for the largest time where batches have none
        self.end_offset = self._find_end()
        self._hints: dict[int, int] = {}  # base offset of a batch -> its position, the latest ones

    def __deepcopy__(self, memo: dict[int, Any]) -> Segment:
        twin = copy(self)
        twin._storage = deepcopy(self._storage, memo)  # noqa: SLF001 - its own copy
        twin.index, twin.time_index = deepcopy(self.index, memo), deepcopy(self.time_index, memo)
        twin.aborted = deepcopy(self.aborted, memo)
        twin._hints = self._hints.copy()  # noqa: SLF001 - its own copy
        return twin

    # Writing --------------------------------------------------------------------------------------------------------

    def append(self, header: BatchHeader, *parts: Buffer, aborted: Aborted | None = None) -> int:
        """Put one batch at the end, given in parts; `header` says what it is by now. Return its position.

        `aborted` is the transaction that it ends, if it is the marker of an aborted one.

        Raises StorageError (a full disk); then the batch is not there.
        """
        position = self._storage.append(self._path, *parts)
        known = self.max_timestamp_ms, self._max_timestamp_offset, self.first_timestamp_ms
        try:
            self.note(header, position)
            if aborted is not None:
                self.aborted.append(aborted)
        except StorageError:  # the batch found room, its index entry did not
            self._storage.truncate(self._path, position)
            self.max_timestamp_ms, self._max_timestamp_offset, self.first_timestamp_ms = known
            raise
        self.size = position + header.size
        return position

    def note(self, header: BatchHeader, position: int) -> None:
        """Learn of a batch that stands at `position`: its time, and an index entry if one is due."""
        if self.first_timestamp_ms is None:
            self.first_timestamp_ms = header.max_timestamp_ms
        if header.max_timestamp_ms > self.max_timestamp_ms:
            self.max_timestamp_ms, self._max_timestamp_offset = header.max_timestamp_ms, header.base_offset
        last = self.index.last
        if position - (last[1] if last else 0) > self._index_interval_bytes:
            self.index.append((header.base_offset, position))
            self._index_time()
        self.end_offset = header.next_offset
        self._hint(header.base_offset, position)

    def seal(self) -> None:
        """Nothing will be appended any more: let the time index know the largest time, so that nobody scans for it."""
        self._index_time()

    def _index_time(self) -> None:
        last = self.time_index.last
        if self.max_timestamp_ms > (last[0] if last else NO_TIMESTAMP):
            self.time_index.append((self.max_timestamp_ms, self._max_timestamp_offset))

    def cut(self, position: int) -> None:
        """Forget what stands at `position` and behind, of which the indexes know nothing."""
        self._storage.truncate(self._path, position)
        self.size = position

    def truncate(self, position: int) -> None:
        """Forget the batches from `position` on, also in the indexes and in the largest time."""
        self.cut(position)
        self.reindex()
        self.aborted.truncate(self.end_offset)

    def reindex(self) -> None:
        """Make both indexes anew from the batches, trusting nothing else."""
        batches = self.batches()
        self.forget_indexes()
        for position, header in batches:
            self.note(header, position)
        self.seal()

    def forget_indexes(self) -> None:
        """Have empty indexes, to be filled by `note`."""
        self.index.rewrite(())
        self.time_index.rewrite(())
        self.max_timestamp_ms, self._max_timestamp_offset = NO_TIMESTAMP, self.base_offset
        self.first_timestamp_ms = None
        self.end_offset = self.base_offset
        self._hints.clear()

    def unsynced(self) -> None:
        """Its batches may have been written by a process that was killed: the next sync is to cover them."""
        self._storage.unsynced(self._path)

    def is_full(self, header: BatchHeader, config: LogConfig, now_ms: int) -> bool:
        """Whether the next batch begins a new segment."""
        if not self.size:
            return False
        if self.size + header.size > config.segment_bytes:
            return True
        if header.last_offset - self.base_offset >= RELATIVE_OFFSET_END:
            return True
        first_ms = self.first_timestamp_ms
        if first_ms is None or first_ms < 0 or header.max_timestamp_ms < 0:
            return now_ms - self.modified_ms > config.segment_ms
        return header.max_timestamp_ms - first_ms > config.segment_ms

    # Reading --------------------------------------------------------------------------------------------------------

    def slice(self, offset: int, end_offset: int, max_bytes: int, *, at_least_one: bool) -> bytes | Slice | None:
        """Whole batches from the one with `offset` on, all below `end_offset`; None if none of them is here."""
        start = self.position_of(offset)
        stop = self.position_of(end_offset)
        if start >= stop:
            return None
        if stop - start > max_bytes:
            stop = self._whole_until(start, start + max_bytes)
            if stop == start and at_least_one:
                stop = start + read_header(self.bytes_at(start, HEADER_SIZE)).size
        return self._storage.slice(self._path, start, stop - start)

    def _whole_until(self, start: int, limit: int) -> int:
        """Where the last batch ends that is whole at `limit`; `start`, where a batch begins, if none is."""
        known = bisect_right(self.index, limit, key=itemgetter(1))
        position = max(start, self.index[known - 1][1] if known else 0)
        return next((at for at, header in self.batches(position) if at + header.size > limit), self.size)

    def bytes_at(self, position: int, length: int) -> bytes:
        """Bytes of the file, as they are."""
        return self._storage.read(self._path, position, length)

    def batches(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """Positions and headers of the batches from `position` on; it ends where no header can stand."""
        while position + HEADER_SIZE <= self.size:
            header = read_header(self.bytes_at(position, HEADER_SIZE))
            if header.size < HEADER_SIZE:
                return
            yield position, header
            position += header.size

    def whole_batches(self) -> Iterator[Placed]:
        """The batches up to the first that is not whole; for after a crash."""
        return whole_batches(self.bytes_at, self.size)

    def position_of(self, offset: int) -> int:
        """Where the first batch begins that ends at `offset` or above; the size if there is none."""
        if offset >= self.end_offset:
            return self.size
        hint = self._hints.get(offset)
        if hint is not None:
            return hint
        entry = lookup(self.index, offset)
        for position, header in self.batches(entry[1] if entry else 0):
            if header.last_offset >= offset:
                self._hint(header.base_offset, position)
                return position
        return self.size

    def _find_end(self) -> int:
        end_offset = self.base_offset
        entry = self.index.last
        if entry is None or 0 <= entry[1] < self.size:  # else the index lies: an unclean stop, and recovery follows
            for _position, header in self.batches(entry[1] if entry else 0):
                end_offset = header.next_offset
        return end_offset

    def _hint(self, offset: int, position: int) -> None:
        hints = self._hints
        hints[offset] = position
        if len(hints) > HINTS_MAX:
            del hints[next(iter(hints))]
