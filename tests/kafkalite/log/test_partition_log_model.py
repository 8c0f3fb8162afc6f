"""A log on disk does what a plain list of batches would do, whatever is asked of it and however it stops."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.epochs import EpochEnd
from kafkalite.log.partition_log import FlushMark, PartitionLog
from kafkalite.log.recovery import recover
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Mark, Storage
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

from .batches import at_offset, batch, everything, values

# Small, so that a few batches meet every seam: a batch is 70 to 100 bytes.
CONFIG = LogConfig(segment_bytes=300, index_interval_bytes=100, retention_ms=1000, retention_bytes=700)
FOLDER = "orders-0"

_records = st.lists(st.binary(max_size=12), min_size=1, max_size=4)


class Stood(NamedTuple):
    """A batch in the model."""

    base_offset: int
    records: tuple[bytes, ...]
    epoch: int
    timestamp_ms: int

    @property
    def end_offset(self) -> int:
        return self.base_offset + len(self.records)


class LogAgainstAList(RuleBasedStateMachine):
    """The model: the batches there are, where the log begins, and up to where it was synced."""

    storage: Storage

    def __init__(self) -> None:
        super().__init__()
        self.storage = self.make_storage()
        self.batches: list[Stood] = []
        self.start, self.end = 0, 0
        self.now_ms, self.epoch = 0, 0
        self.synced = 0
        self.mark: tuple[Mark, FlushMark] | None = None
        self.log = self.open()

    def make_storage(self) -> Storage:
        raise NotImplementedError

    def open(self, *, is_clean: bool = False) -> PartitionLog:
        log = PartitionLog(
            self.storage,
            FOLDER,
            CONFIG,
            self.now_ms,
            is_clean=is_clean,
            recovery_point=self.synced,
            log_start_offset=self.start,
        )
        log.high_watermark = log.log_end_offset
        return log

    # Writing --------------------------------------------------------------------------------------------------------

    @rule(
        batches=st.lists(_records, min_size=1, max_size=5),
        later_ms=st.integers(0, 400),
        new_epoch=st.booleans(),
    )
    def a_leader_appends(self, batches: list[list[bytes]], later_ms: int, new_epoch: bool) -> None:
        self.now_ms += later_ms
        self.epoch += new_epoch
        for records in batches:
            expected = self.end

            appended = self.log.append_as_leader(
                batch(*records, timestamp_ms=self.now_ms), leader_epoch=self.epoch, now_ms=self.now_ms
            )

            assert (expected, expected + len(records) - 1) == (appended.base_offset, appended.last_offset)
            self._stood(expected, records)

    @rule(records=_records, gap=st.integers(0, 3))
    def a_follower_appends_behind_a_gap(self, records: list[bytes], gap: int) -> None:
        base_offset = self.end + gap
        one = at_offset(batch(*records, timestamp_ms=self.now_ms), base_offset, self.epoch)

        self.log.append_as_follower(one + one[:30], self.now_ms)  # a Fetch response may end in the middle of a batch

        self._stood(base_offset, records)

    def _stood(self, base_offset: int, records: list[bytes]) -> None:
        self.batches.append(Stood(base_offset, tuple(records), self.epoch, self.now_ms))
        self.end = base_offset + len(records)
        self.log.high_watermark = self.end

    @rule()
    def rolls(self) -> None:
        self.log.roll(self.now_ms)

    # Reading --------------------------------------------------------------------------------------------------------

    @rule(at=st.integers(-2, 30), max_bytes=st.integers(0, 400), below=st.integers(0, 30), first=st.booleans())
    def reads_whole_batches(self, at: int, max_bytes: int, below: int, first: bool) -> None:
        offset, end_offset = self.start + at, self.start + below
        if not self.start <= offset <= self.end:
            with pytest.raises(OffsetOutOfRange):
                self.log.read(offset, max_bytes)
            return
        data = self.log.read(offset, max_bytes, end_offset=end_offset, at_least_one=first)
        readable = [
            at_offset(batch(*one.records, timestamp_ms=one.timestamp_ms), one.base_offset, one.epoch)
            for one in self.batches
            if one.end_offset > offset and one.end_offset <= end_offset
        ]
        assert b"".join(readable).startswith(data)
        assert len(data) <= max_bytes or data == readable[0]
        if readable and (first or len(readable[0]) <= max_bytes):
            assert data, "there was something to read, and room for it"

    @rule(timestamp_ms=st.integers(0, 6000))
    def finds_the_first_offset_of_a_time(self, timestamp_ms: int) -> None:
        expected = next(
            (max(one.base_offset, self.start) for one in self._left() if one.timestamp_ms >= timestamp_ms), None
        )

        found = self.log.offset_for_timestamp(timestamp_ms)

        assert expected == (found and found.offset)

    @rule(epoch=st.integers(0, 8))
    def knows_where_an_epoch_ended(self, epoch: int) -> None:
        left = self._left()
        known = sorted({one.epoch for one in left})
        expected = EpochEnd(-1, -1)
        if known and epoch <= known[-1]:
            found = max((one for one in known if one <= epoch), default=epoch)
            following = [one.base_offset for one in left if one.epoch > epoch]
            expected = EpochEnd(found, max(self.start, following[0]) if following else self.end)

        assert expected == self.log.end_offset_for_epoch(epoch)

    # Forgetting -----------------------------------------------------------------------------------------------------

    @rule(at=st.integers(0, 30))
    def deletes_records(self, at: int) -> None:
        offset = self.start + at
        if offset > self.end:
            with pytest.raises(OffsetOutOfRange):
                self.log.delete_before(offset)
        else:
            self.start = self.log.delete_before(offset)
            assert offset == self.start

    @rule(later_ms=st.integers(0, 700))
    def lets_go_what_is_old_or_too_much(self, later_ms: int) -> None:
        self.now_ms += later_ms
        self.log.delete_expired(self.now_ms)

        assert self.log.log_start_offset >= self.start
        gone = [one for one in self.batches if self.start < one.end_offset <= self.log.log_start_offset]
        kept_bytes = self.log.size_bytes
        assert kept_bytes < CONFIG.retention_bytes + CONFIG.segment_bytes  # type: ignore[operator]
        if gone and kept_bytes >= CONFIG.retention_bytes:  # type: ignore[operator]  # then age was the reason
            assert all(one.timestamp_ms <= self.now_ms for one in gone)
        self.start = self.log.log_start_offset

    @rule(back=st.integers(0, 12))
    def truncates(self, back: int) -> None:
        offset = max(self.start, self.end - back)
        self.batches = [one for one in self.batches if one.end_offset <= offset]
        last_end = self.batches[-1].end_offset if self.batches else 0

        self.log.truncate_to(offset)

        self.end = self.log.log_end_offset
        assert max(last_end, self.start) <= self.end <= offset, "no record stood between"
        self.synced = min(self.synced, self.log.recovery_point)
        self.log.high_watermark = self.end

    # The disk, and how the log stops --------------------------------------------------------------------------------

    @rule()
    def asks_for_a_flush(self) -> None:
        self.mark = (self.storage.mark(), self.log.unflushed())

    @rule()
    @precondition(lambda self: self.mark is not None)
    def is_flushed(self) -> None:
        assert self.mark is not None
        self.storage.sync(self.mark[0])
        self.log.flushed(self.mark[1])
        self.synced = self.log.recovery_point
        self.mark = None

    @rule()
    def stops_in_order_and_restarts(self) -> None:
        self.log.close()
        self.storage.sync()
        self.synced = self.log.log_end_offset
        self.mark = None
        self.log = self.open(is_clean=True)

    @rule()
    def is_killed_and_restarts(self) -> None:
        """The process is lost and the page cache is not: nothing is missing."""
        self.mark = None
        self.log = self.open()

    def _left(self) -> list[Stood]:
        return [one for one in self.batches if one.end_offset > self.start]

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        self.log.check()
        assert (self.start, self.end) == (self.log.log_start_offset, self.log.log_end_offset)
        expected = [
            (offset, value)
            for one in self._left()
            for offset, value in enumerate(one.records, one.base_offset)
            if offset >= self.start
        ]
        assert expected == values(everything(self.log, max_bytes=250))

    @invariant()
    def has_an_index_that_recovery_would_build(self) -> None:
        for segment in self.log.segments:
            data = segment.bytes_at(0, segment.size)
            assert (segment.size, list(segment.index)) == recover(data, CONFIG.index_interval_bytes)


class MemoryLogAgainstAList(LogAgainstAList):
    """In memory a copy can be kept, and the power can fail."""

    def make_storage(self) -> MemoryStorage:
        return MemoryStorage()

    snapshot: tuple[PartitionLog, list[tuple[int, bytes | None]]] | None = None

    @rule()
    def is_snapshotted(self) -> None:
        self.snapshot = (copy.deepcopy(self.log), values(everything(self.log)))

    @invariant()
    def a_snapshot_does_not_change(self) -> None:
        if self.snapshot:
            kept, expected = self.snapshot
            assert expected == values(everything(kept))

    @rule()
    @precondition(lambda self: self.snapshot is not None)
    def goes_its_own_way_in_a_copy(self) -> None:
        fork = copy.deepcopy(self.log)
        fork.append_as_leader(batch(b"elsewhere"), leader_epoch=self.epoch, now_ms=self.now_ms)
        fork.truncate_to(self.start)

    @rule(seed=st.integers(0, 1 << 20))
    def loses_power_and_restarts(self, seed: int) -> None:
        """What was synced is there; of the rest, whole batches up to some point."""
        assert isinstance(self.storage, MemoryStorage)
        self.mark = None
        self.storage.power_loss(Random(seed))

        self.log = self.open()

        assert self.log.log_end_offset >= self.synced
        self.batches = [one for one in self.batches if one.end_offset <= self.log.log_end_offset]
        left = self._left()
        if left:
            assert left[-1].end_offset <= self.log.log_end_offset
        self.end, self.start = self.log.log_end_offset, self.log.log_start_offset


class FileLogAgainstAList(LogAgainstAList):
    """On files, which are let go at the end."""

    def make_storage(self) -> FileStorage:
        self._folder = tempfile.TemporaryDirectory()
        return FileStorage(Path(self._folder.name))

    @rule()
    def is_killed_with_its_storage(self) -> None:
        assert isinstance(self.storage, FileStorage)
        self.storage.close()
        self.storage = FileStorage(Path(self._folder.name))
        self.mark = None
        self.log = self.open()

    def teardown(self) -> None:
        assert isinstance(self.storage, FileStorage)
        self.storage.close()
        self._folder.cleanup()


TestMemoryLogAgainstAList = MemoryLogAgainstAList.TestCase
TestMemoryLogAgainstAList.settings = settings(max_examples=120, stateful_step_count=30, deadline=None, derandomize=True)
TestFileLogAgainstAList = FileLogAgainstAList.TestCase
TestFileLogAgainstAList.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, derandomize=True)
