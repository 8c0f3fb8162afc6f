"""One replica's log as its facts tell it: batches by their base offset, no content but a checksum.

What retention removed at the front stays in the model; only `start` moves. Left out: compaction.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from kafkalite.sim.checkers.violation import Announced


class Batch(NamedTuple):
    """One batch; two replicas that hold equal ones hold the same records at the same offsets."""

    base_offset: int
    last_offset: int
    leader_epoch: int
    crc: int


class ReplicaLog:
    """Where the log starts and ends, and its batches.

    >>> log = ReplicaLog()
    >>> log.append(Batch(0, 1, 0, crc=7))
    >>> log.append(Batch(2, 4, 0, crc=8))
    >>> log.truncate(2)
    [Batch(base_offset=2, last_offset=4, leader_epoch=0, crc=8)]
    >>> log.end
    2
    """

    __slots__ = ("_bases", "_batches", "_had_end", "crashed", "end", "is_recovered", "last_fact", "start")

    def __init__(self, start: int = 0) -> None:
        self.start = self.end = start
        self.crashed: dict[int, Batch] = {}  # what it had, and did not find again on its disk
        self.is_recovered = False  # it was not closed in order, and made anew what it knew of epochs
        self.last_fact: Announced | None = None  # the one that changed it last
        self._had_end = start  # before it crashed, until it has come so far again
        self._bases: list[int] = []
        self._batches: dict[int, Batch] = {}

    def append(self, batch: Batch) -> None:
        """Put a batch behind the others."""
        base = batch.base_offset
        self._bases.append(base)
        self._batches[base] = batch
        self.end = batch.last_offset + 1
        if self.end >= self._had_end:
            self._had_end = 0
        if self.crashed and self.crashed.get(base) == batch:  # it has it again
            del self.crashed[base]

    def truncate(self, end: int) -> list[Batch]:
        """Forget what stands at `end` and above; return it, the last batch first."""
        forgotten: list[Batch] = []
        while self._bases and self._batches[self._bases[-1]].last_offset >= end:
            forgotten.append(self._batches.pop(self._bases.pop()))
        self.end = end
        return forgotten

    def reload(self, start: int, end: int, *, was_clean: bool = True) -> None:
        """The replica began again and found this much on its disk."""
        had_end = max(self._had_end, self.end)
        self._had_end = had_end if end < had_end else 0
        for batch in self.truncate(end):
            self.crashed[batch.base_offset] = batch
        self.start, self.is_recovered = start, not was_clean and end > start

    def at(self, base_offset: int) -> Batch | None:
        """The batch that begins there."""
        return self._batches.get(base_offset)

    def last(self) -> Batch | None:
        """The newest batch."""
        return self._batches[self._bases[-1]] if self._bases else None

    def between(self, start: int, end: int) -> list[Batch]:
        """The whole batches that begin at `start` or later and end before `end`."""
        found = []
        for base in self._bases[bisect_left(self._bases, start) :]:
            batch = self._batches[base]
            if batch.last_offset >= end:
                break
            found.append(batch)
        return found

    def containing(self, offset: int) -> Batch | None:
        """The batch that offset lies in."""
        index = bisect_left(self._bases, offset + 1) - 1
        batch = self._batches[self._bases[index]] if index >= 0 else None
        return batch if batch is not None and offset <= batch.last_offset else None

    def lost_to_disk(self, batch: Batch, *, by_offset: bool = False) -> bool:
        """Did this replica have the batch until it crashed? `by_offset`: it, or what may have taken its place."""
        return batch.last_offset < self._had_end if by_offset else self.crashed.get(batch.base_offset) == batch

    def missing(self, batches: list[Batch], start: int = 0, *, is_compacted: bool = False) -> Batch | None:
        """The first of these, from `start` and this log's own on, that it does not hold, or holds another one for."""
        start = max(start, self.start)
        for batch in batches:
            if batch.last_offset < start:
                continue
            if is_compacted:
                if batch.last_offset >= self.end:
                    return batch
            elif self._batches.get(batch.base_offset) != batch:
                return batch
        return None
