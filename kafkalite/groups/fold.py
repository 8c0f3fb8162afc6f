"""A coordinator's state is a fold of its log: read every record from the first to the last, and you know what it knew.

That is how the next coordinator takes over (O2). A log of 100,000 commits is not read in one step: `load_some` reads a
chunk, and the broker serves others in between, answering COORDINATOR_LOAD_IN_PROGRESS for these groups meanwhile.
Compaction changes nothing: what it takes away is what a later record of the same key replaces.

Source: Kafka's GroupMetadataManager.doLoadGroupsAndOffsets.
"""

from __future__ import annotations

from kafkalite.groups.offsets import PendingOffsets
from kafkalite.groups.records import GroupRecord, OffsetRecord, decode_record
from kafkalite.log.batch import BatchHeader, split
from kafkalite.log.compression import records_of
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.markers import decode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.parts import OffsetsPart
from kafkalite.types import CommittedOffset, GroupImage, TopicPartition


class Fold:
    """What one partition of `__consumer_offsets` says up to `position`, the next offset to be read.

    `groups` are the groups as they were last written, with the time since when they were so (-1: unknown).
    """

    def __init__(self, offsets: OffsetsPart, position: int = 0) -> None:
        self.offsets, self.position = offsets, position
        self.pending = PendingOffsets()
        self.groups: dict[str, tuple[GroupImage, int]] = {}

    def load_some(self, log: PartitionLog, max_bytes: int) -> bool:
        """Read one chunk of the log; return whether its end is reached.

        Raises CorruptBatch, StorageError, and ProtocolError for a record that is none of ours.
        """
        self.position = max(self.position, log.log_start_offset)
        for header, batch in split(log.read(self.position, max_bytes)):
            self._take(header, batch)
            self.position = header.next_offset
        return self.position >= log.log_end_offset

    def _take(self, header: BatchHeader, batch: memoryview) -> None:
        if header.is_control:
            marker = decode_marker(batch)
            if marker is not None:
                self.end_transaction(header.producer_id, is_commit=marker.is_commit)
            return
        records = records_of(batch)
        if records is None:
            raise CorruptBatch(f"the batch at offset {header.base_offset}: no codec {header.compression}")
        for record in records:
            self.apply(record, header.producer_id if header.is_transactional else None)

    def apply(self, record: Record, producer_id: int | None = None) -> None:
        """One record more; `producer_id` if a transaction wrote it. Raises ProtocolError."""
        found = decode_record(record.key, record.value)
        if isinstance(found, GroupRecord):
            if found.image is None:
                self.groups.pop(found.group, None)
            else:
                self.groups[found.group] = found.image, found.since_ms
        elif found is not None:
            self._apply_offset(found, record.offset, producer_id)

    def _apply_offset(self, found: OffsetRecord, at: int, producer_id: int | None) -> None:
        if found.committed is not None and producer_id is not None:
            self.pending.write(producer_id, found.group, found.partition, at, found.committed)
            return
        self.pending.counts(found.group, found.partition, at)
        if found.committed is None:
            self.offsets.forget(found.group, found.partition)
        else:
            self.offsets.commit(found.group, found.partition, found.committed)

    def end_transaction(
        self, producer_id: int, *, is_commit: bool
    ) -> list[tuple[str, TopicPartition, CommittedOffset]]:
        """A marker: what the transaction wrote counts now, or never; return what counts."""
        found = self.pending.end(producer_id, is_commit=is_commit)
        for group, partition, committed in found:
            self.offsets.commit(group, partition, committed)
        return found
