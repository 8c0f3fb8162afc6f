"""From a time to an offset: what ListOffsets asks, and how a consumer begins "at noon".

The time index says where to begin, batch headers say which batch has a record new enough, and only that one is looked
into. Times in a log need not rise; the answer is the first offset whose record is not older, in the order of offsets.

Source: Kafka's LogSegment.findOffsetByTimestamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kafkalite.log.compression import records_of
from kafkalite.log.index import lookup
from kafkalite.log.segment import Segment


class FoundOffset(NamedTuple):
    """A record's offset and its time."""

    offset: int
    timestamp_ms: int


def offset_for_timestamp(segments: Sequence[Segment], timestamp_ms: int, start_offset: int) -> FoundOffset | None:
    """The first record at or above `start_offset` whose time is `timestamp_ms` or later; None if there is none."""
    for segment in segments:
        if segment.max_timestamp_ms >= timestamp_ms and segment.end_offset > start_offset:
            found = _in_segment(segment, timestamp_ms, start_offset)
            if found is not None:
                return found
    return None


def _in_segment(segment: Segment, timestamp_ms: int, start_offset: int) -> FoundOffset | None:
    entry = lookup(segment.time_index, timestamp_ms)
    start = segment.position_of(max(start_offset, entry[1] if entry else segment.base_offset))
    for position, header in segment.batches(start):
        if header.max_timestamp_ms < timestamp_ms:
            continue
        records = records_of(segment.bytes_at(position, header.size))
        if records is None:  # compressed by a codec that is not here: the batch is as near as one can tell
            return FoundOffset(max(start_offset, header.base_offset), header.max_timestamp_ms)
        for record in records:
            if record.offset >= start_offset and record.timestamp_ms >= timestamp_ms:
                return FoundOffset(record.offset, record.timestamp_ms)
    return None
