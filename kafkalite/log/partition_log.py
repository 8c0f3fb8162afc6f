"""The log of one partition on disk: what a broker appends to, reads from, truncates and lets grow old.

    log start offset <= high watermark <= log end offset
          │ retention, DeleteRecords   │ what all in-sync replicas have     │ the next offset to be written

    segments   [0 ........ 100) [100 ........ 200) [200 ....        the last one is active

This class decides; what it decides with are the small modules beside it: `batch`, `segment`, `index`, `reading`,
`retention`, `cleaner`, `epochs`, `producer_state`, `loading`. It looks at one header a batch and never at a record,
except where compaction needs keys. It has no clock: times are arguments.

Nothing here waits for the disk. Who needs to be sure takes `unflushed()`, says `Flush` to its driver, and hands the
mark to `flushed` when told; the recovery point then stands there.
"""

from __future__ import annotations

from bisect import bisect_right
from copy import copy, deepcopy
from operator import attrgetter
from typing import Any, NamedTuple

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log import epochs as leader_epochs
from kafkalite.log.aborted import Aborted, aborted_between
from kafkalite.log.admission import Appended, admit
from kafkalite.log.batch import NO_TIMESTAMP, BatchHeader, patched, read_header, split, validate, with_log_append_time
from kafkalite.log.cleaner import Cleaner
from kafkalite.log.epochs import EpochEnd, Epochs
from kafkalite.log.errors import OffsetsNotInOrder
from kafkalite.log.loading import load, load_producers, remove_oldest, remove_segment, remove_snapshots, snapshot_path
from kafkalite.log.markers import Marker, decode_marker
from kafkalite.log.producer_snapshot import encode_snapshot
from kafkalite.log.retention import SegmentInfo, expired
from kafkalite.log.segment import LOG, Segment, file_name
from kafkalite.log.settings import LogConfig
from kafkalite.log.stable import last_stable_offset
from kafkalite.log.timestamps import FoundOffset, offset_for_timestamp
from kafkalite.storage import Buffer, Slice, Storage

_base_offset = attrgetter("base_offset")


class FlushMark(NamedTuple):
    """How far the log had come when a flush was asked for."""

    end_offset: int
    truncations: int


class PartitionLog:
    """The batches of one partition, in a folder of their own.

    Invariant: `log_start_offset <= high_watermark <= log_end_offset`, and the segments lie without a hole between.

    >>> from kafkalite.log.batch import encode_batch
    >>> from kafkalite.log.record import Record
    >>> from kafkalite.storage.memory import MemoryStorage
    >>> log = PartitionLog(MemoryStorage(), "orders-0", LogConfig(), now_ms=0)
    >>> [log.append_as_leader(encode_batch([Record(None, b"v")]), leader_epoch=0, now_ms=0).base_offset for _ in "ab"]
    [0, 1]
    >>> [header.base_offset for header, _batch in split(log.read(1, max_bytes=1000))]
    [1]
    """

    def __init__(
        self,
        storage: Storage,
        folder: str,
        config: LogConfig,
        now_ms: int,
        *,
        is_clean: bool = False,
        recovery_point: int = 0,
        log_start_offset: int = 0,
    ) -> None:
        """Open what is in the folder; the last three say how the broker stopped and what its checkpoints hold."""
        self.folder, self.config = folder, config
        self._storage = storage
        loaded = load(
            storage,
            folder,
            config,
            is_clean=is_clean,
            recovery_point=recovery_point,
            log_start_offset=log_start_offset,
        )
        self.segments, self.leader_epochs, self.producers = loaded
        for segment in self.segments:
            segment.modified_ms = now_ms
        self.log_end_offset = self._active.end_offset
        self.log_start_offset = max(log_start_offset, self.segments[0].base_offset)
        self.recovery_point = self.log_end_offset if is_clean else min(recovery_point, self.log_end_offset)
        self.high_watermark = self.log_start_offset  # whoever replicates knows better, and sets it
        self._truncations = 0
        self._cleaner = Cleaner(storage, folder, config)
        if self.log_start_offset > self.log_end_offset:  # what DeleteRecords left was lost with the power
            self.truncate_fully_and_start_at(self.log_start_offset)

    def __deepcopy__(self, memo: dict[int, Any]) -> PartitionLog:
        twin = copy(self)  # settings and epochs are values; what changes is copied
        memo[id(self)] = twin
        twin._storage, twin._cleaner = deepcopy(self._storage, memo), deepcopy(self._cleaner, memo)  # noqa: SLF001 - its own copy
        twin.segments, twin.producers = deepcopy(self.segments, memo), deepcopy(self.producers, memo)
        return twin

    def configure(self, config: LogConfig) -> None:
        """Go on with other settings."""
        if config != self.config:
            self.config = config
            self._cleaner = Cleaner(self._storage, self.folder, config)

    @property
    def _active(self) -> Segment:
        return self.segments[-1]

    @property
    def size_bytes(self) -> int:
        """Of all segments, without indexes."""
        return sum(segment.size for segment in self.segments)

    @property
    def last_stable_offset(self) -> int:
        """The first offset of a transaction still open, or the high watermark: `read_committed` sees what is below."""
        found = last_stable_offset(self.undecided, self.high_watermark)
        return max(found, self.log_start_offset)  # DeleteRecords may have gone further

    @property
    def undecided(self) -> list[tuple[int, int | None]]:
        """The transactions that are open, or whose marker may yet be lost: first offset, and the marker's or None."""
        return self.producers.transactions(self.high_watermark)

    # Appending ------------------------------------------------------------------------------------------------------

    def append_as_leader(
        self, batch: Buffer, leader_epoch: int, now_ms: int, *, is_from_client: bool = True
    ) -> Appended:
        """Give one batch the next offsets and put it at the end; a duplicate is answered with the offsets it has.

        Raises CorruptBatch, BatchRefused (see `kafkalite.log.errors`) or StorageError; then nothing was appended.
        """
        header = validate(batch, as_produced=True)
        known = admit(batch, header, self.producers, self.config, is_from_client=is_from_client)
        if known is not None:
            return known
        if self.config.log_append_time:
            batch = with_log_append_time(batch, now_ms)
            header = read_header(batch)
        base_offset = self.log_end_offset
        header = header._replace(base_offset=base_offset, leader_epoch=leader_epoch)
        self._append(header, patched(batch, base_offset, leader_epoch), now_ms)
        timestamp_ms = header.max_timestamp_ms if self.config.log_append_time else NO_TIMESTAMP
        return Appended(base_offset, header.last_offset, timestamp_ms, is_duplicate=False)

    def append_as_follower(self, batches: Buffer, now_ms: int) -> int:
        """Put the leader's batches at the end as they are; return the new log end offset. A cut-off last one is left.

        Offsets may jump (the leader's log is compacted) but never go back: raises OffsetsNotInOrder.
        Raises CorruptBatch or StorageError; batches before the bad one stay appended.
        """
        for header, batch in split(batches):
            self.append_copy(header, batch, now_ms)
        return self.log_end_offset

    def append_copy(self, header: BatchHeader, batch: Buffer, now_ms: int) -> None:
        """Put one of the leader's batches, whose header was read already, at the end as it is; errors as above."""
        validate(batch)
        if header.base_offset < self.log_end_offset:
            raise OffsetsNotInOrder(
                f"{self.folder}: a batch begins at {header.base_offset}, and the log already ends at "
                f"{self.log_end_offset}; fetch from there, or truncate first"
            )
        self._append(header, (batch,), now_ms)

    def _append(self, header: BatchHeader, parts: tuple[Buffer, ...], now_ms: int) -> None:
        marker: Marker | None = decode_marker(b"".join(parts)) if header.is_control else None
        if self._active.is_full(header, self.config, now_ms):
            self.roll(now_ms)
        if header.leader_epoch >= 0:
            self.begin_epoch(header.leader_epoch, header.base_offset)
        active = self._active
        active.append(header, *parts, aborted=self.producers.aborted_by(header, marker))
        active.modified_ms = now_ms
        self.log_end_offset = header.next_offset
        if header.producer_id >= 0:
            self.producers.appended(header, marker)

    def begin_epoch(self, leader_epoch: int, start_offset: int | None = None) -> None:
        """Remember that this epoch writes from `start_offset` (the end) on; a new leader says so at once."""
        if self.leader_epochs and self.leader_epochs[-1].epoch == leader_epoch:
            return
        start_offset = self.log_end_offset if start_offset is None else start_offset
        self._set_epochs(leader_epochs.assigned(self.leader_epochs, leader_epoch, start_offset))

    def _set_epochs(self, epochs: Epochs) -> None:
        if epochs != self.leader_epochs:
            self._storage.replace(f"{self.folder}/{leader_epochs.FILE}", leader_epochs.encode_epochs(epochs))
            self.leader_epochs = epochs

    def end_offset_for_epoch(self, leader_epoch: int) -> EpochEnd:
        """What OffsetForLeaderEpoch answers."""
        return leader_epochs.end_offset_for(self.leader_epochs, leader_epoch, self.log_end_offset)

    # Segments -------------------------------------------------------------------------------------------------------

    def roll(self, now_ms: int) -> None:
        """Close the active segment and begin a new one at the log end offset."""
        if not self._active.size:
            return
        self._active.seal()
        self._write_snapshot()
        self._begin_segment(self.log_end_offset, now_ms)

    def _begin_segment(self, base_offset: int, now_ms: int) -> None:
        self._storage.append(f"{self.folder}/{file_name(base_offset, LOG)}")  # the name says where an empty log ends
        segment = Segment(self._storage, self.folder, base_offset, self.config.index_interval_bytes)
        segment.modified_ms = now_ms
        self.segments.append(segment)

    def _write_snapshot(self) -> None:
        self._storage.write(snapshot_path(self.folder, self.log_end_offset), encode_snapshot(self.producers))

    # Reading --------------------------------------------------------------------------------------------------------

    def read(self, offset: int, max_bytes: int, *, end_offset: int | None = None, at_least_one: bool = True) -> bytes:
        """Whole batches from the one that has `offset` on, below `end_offset` (a watermark; the log end if not given).

        At most `max_bytes`, and at least one batch, or a reader could never pass a large one (KIP-74); unless
        `at_least_one` is false, for a partition that is not the first of its response. One read stays in one segment.
        Raises OffsetOutOfRange(offset, start, end) below the log start or above the log end.
        """
        return bytes(self.slice(offset, max_bytes, end_offset=end_offset, at_least_one=at_least_one))

    def slice(
        self, offset: int, max_bytes: int, *, end_offset: int | None = None, at_least_one: bool = True
    ) -> bytes | Slice:
        """The same, for whoever has it sent within this step: what is large is read from the disk only then."""
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise OffsetOutOfRange(offset, self.log_start_offset, self.log_end_offset)
        end = self.log_end_offset if end_offset is None else min(end_offset, self.log_end_offset)
        if offset >= end:
            return b""
        for segment in self.segments[self._segment_for(offset) :]:
            found = segment.slice(offset, end, max_bytes, at_least_one=at_least_one)
            if found is not None:
                return found
        return b""

    def bytes_between(self, offset: int, end_offset: int) -> int:
        """How much there is to read from the batch that has `offset` up to `end_offset`."""
        found = 0
        for segment in self.segments[self._segment_for(offset) :]:
            found += max(0, segment.position_of(end_offset) - segment.position_of(offset))
        return found

    def aborted_in(self, offset: int, data: bytes | Slice) -> list[Aborted]:
        """The aborted transactions in what was read from `offset` on: a read_committed reader skips their records."""
        indexes = [segment.aborted for segment in self.segments[self._segment_for(offset) :]]
        if not any(indexes):
            return []
        end = max((header.next_offset for header, _batch in split(bytes(data))), default=offset)
        return aborted_between(indexes, offset, end)

    def _segment_for(self, offset: int) -> int:
        if offset >= self._active.base_offset:  # nearly every read is near the end
            return len(self.segments) - 1
        return bisect_right(self.segments, offset, key=_base_offset) - 1

    def offset_for_timestamp(self, timestamp_ms: int) -> FoundOffset | None:
        """The first record not older than that, from the log start on; None if all are older."""
        return offset_for_timestamp(self.segments, timestamp_ms, self.log_start_offset)

    # Forgetting -----------------------------------------------------------------------------------------------------

    def delete_before(self, offset: int) -> int:
        """Move the log start offset up to `offset` (DeleteRecords); return it. The space comes back with retention.

        The caller writes its checkpoint of log start offsets. Raises OffsetOutOfRange above the high watermark.
        """
        if offset > self.high_watermark:
            raise OffsetOutOfRange(offset, self.log_start_offset, self.high_watermark)
        if offset > self.log_start_offset:
            self._start_at(offset)
        return self.log_start_offset

    def delete_expired(self, now_ms: int) -> int:
        """Forget the segments that retention lets go; return how many."""
        config = self.config
        count = expired(
            self.segment_infos(),
            now_ms,
            config.retention_ms if config.delete else None,
            config.retention_bytes if config.delete else None,
            self.high_watermark,
            self.log_start_offset,
        )
        if count == len(self.segments):
            self.roll(now_ms)
        if count:
            bases = [segment.base_offset for segment in self.segments[: count + 1]]
            is_synced = bases[-1] <= self.recovery_point
            remove_oldest(self._storage, self.folder, bases[:-1], bases[-1], is_synced=is_synced)
            del self.segments[:count]
            self._start_at(max(self.log_start_offset, bases[-1]))
        self.producers.expire(now_ms, config.producer_id_expiration_ms)
        return count

    def _start_at(self, offset: int) -> None:
        self.log_start_offset = offset
        # The file of epochs may go on knowing more: whoever opens it knows where the log begins.
        self.leader_epochs = leader_epochs.truncated_from_start(self.leader_epochs, offset)

    def segment_infos(self) -> list[SegmentInfo]:
        """What retention looks at."""
        return [
            SegmentInfo(
                segment.base_offset,
                segment.end_offset,
                segment.size,
                segment.max_timestamp_ms if segment.max_timestamp_ms >= 0 else segment.modified_ms,
            )
            for segment in self.segments
        ]

    def compact(self, now_ms: int) -> int:
        """Keep the last value of each key in what is closed and decided; return how many bytes that gave back."""
        before_bytes = self.size_bytes
        if self.config.compact:
            self.segments = self._cleaner.clean(self.segments, self.producers, now_ms, self.last_stable_offset)
        return before_bytes - self.size_bytes

    def truncate_to(self, offset: int) -> None:
        """Forget what stands at `offset` and above. Inside a batch, the whole batch goes: the end is then lower.

        The recovery point and the high watermark come down with it. The caller writes its checkpoint of recovery
        points before it goes on, or after a crash the log would be trusted further than it reaches.
        """
        if offset >= self.log_end_offset:
            return
        if offset < self.segments[0].base_offset:
            self.truncate_fully_and_start_at(offset)
            return
        while len(self.segments) > 1 and self._active.base_offset >= offset:  # the last first: never a hole
            remove_segment(self._storage, self.folder, self.segments.pop().base_offset)
        self._active.truncate(self._active.position_of(offset))
        if self._active.end_offset < self.log_start_offset:  # the log began inside the batch that went
            self.truncate_fully_and_start_at(self.log_start_offset)
        else:
            self._end_at(self._active.end_offset)

    def truncate_fully_and_start_at(self, offset: int) -> None:
        """Forget everything; the next record gets `offset`. For a follower whose log its leader's has left behind."""
        for segment in reversed(self.segments):
            remove_segment(self._storage, self.folder, segment.base_offset)
        now_ms = self._active.modified_ms
        self.segments.clear()
        self._begin_segment(offset, now_ms)
        self._storage.settle(snapshot_path(self.folder, offset))
        remove_snapshots(self._storage, self.folder, above=-1)
        self._set_epochs(())
        self.log_start_offset = offset
        self._end_at(offset)

    def _end_at(self, offset: int) -> None:
        self.log_end_offset = offset
        self.recovery_point = min(self.recovery_point, offset)
        self.high_watermark = max(self.log_start_offset, min(self.high_watermark, offset))
        self._truncations += 1
        self._cleaner = Cleaner(self._storage, self.folder, self.config)
        self._set_epochs(leader_epochs.truncated_from_end(self.leader_epochs, offset))
        remove_snapshots(self._storage, self.folder, above=offset)
        self.producers = load_producers(self._storage, self.folder, self.segments)

    # The disk -------------------------------------------------------------------------------------------------------

    def unflushed(self) -> FlushMark:
        """Where the log ends, to be handed to `flushed` once the storage has synced what was written up to now."""
        return FlushMark(self.log_end_offset, self._truncations)

    def flushed(self, mark: FlushMark) -> None:
        """What was there at the mark is on the disk. A mark from before a truncation says nothing any more."""
        if mark.truncations == self._truncations:
            self.recovery_point = max(self.recovery_point, mark.end_offset)

    def close(self) -> None:
        """Write what a clean start takes as it is; the caller then syncs the storage and says it stopped in order."""
        self._active.seal()
        self._write_snapshot()

    def check(self) -> None:
        """Assert the invariants."""
        assert self.log_start_offset <= self.high_watermark <= self.log_end_offset, (
            f"{self.folder}: {self.log_start_offset} <= {self.high_watermark} <= {self.log_end_offset} does not hold"
        )
        assert self.recovery_point <= self.log_end_offset
        assert self.log_end_offset == self._active.end_offset
        assert self.segments[0].base_offset <= self.log_start_offset
        for one, following in zip(self.segments, self.segments[1:], strict=False):
            assert one.end_offset == following.base_offset, f"{self.folder}: a hole before {following.base_offset}"
