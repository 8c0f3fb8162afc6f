"""What may be forgotten because of its age or because there is too much: whole segments, from the oldest on.

    segment     0         100        200        300 (active)      high watermark 310, end 340
    newest at   day 1     day 3      day 2      day 9

    retention 7 days, today is day 9.5: segment 0 goes. 100 stays, and so does 200 behind it, though older than a week
    tomorrow: only a row from the front is ever taken, or the log would have a hole.

Records live longer than the setting says, never shorter: a segment goes when its *newest* record is too old.
The log start offset may have been moved by hand (DeleteRecords); what lies wholly below it goes too.

Source: Kafka's UnifiedLog.deleteOldSegments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class SegmentInfo(NamedTuple):
    """What retention looks at. The last of a log is the active one."""

    base_offset: int
    end_offset: int  # where the next segment begins; of the active one, the log end offset
    size_bytes: int
    max_timestamp_ms: int


def expired(
    segments: Sequence[SegmentInfo],
    now_ms: int,
    retention_ms: int | None,
    retention_bytes: int | None,
    high_watermark: int,
    log_start_offset: int = 0,
) -> int:
    """How many segments, counted from the oldest, are to be forgotten.

    Nothing that is not below the high watermark goes: it is not committed, a follower may still come for it.
    If all of them go, the log first rolls a new active segment, so that it keeps its end offset.

    >>> old, new = SegmentInfo(0, 100, 5000, 1_000), SegmentInfo(100, 140, 800, 9_000)
    >>> expired([old, new], now_ms=9_500, retention_ms=7_000, retention_bytes=None, high_watermark=140)
    1
    """
    total_bytes = sum(segment.size_bytes for segment in segments)
    for count, segment in enumerate(segments):
        is_old = retention_ms is not None and now_ms - segment.max_timestamp_ms > retention_ms
        # Enough is kept without it; so a log stays above the setting by less than a segment.
        is_too_much = retention_bytes is not None and total_bytes - segment.size_bytes >= retention_bytes
        is_below_start = segment.end_offset <= log_start_offset
        is_empty = segment.base_offset == segment.end_offset
        if is_empty or segment.end_offset > high_watermark or not (is_old or is_too_much or is_below_start):
            return count
        total_bytes -= segment.size_bytes
    return len(segments)
