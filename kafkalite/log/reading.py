"""Reading across segments and gaps: where an offset is, and how much of a file to hand out.

    segments     0          100         200                 each holds the offsets from its base to the next one's
    batches      [0..60] [61..99]   [100..140] [190..199]   141 to 189 are gone: compaction, or a marker

    read from 70    begins with [61..99], the batch that has it: the reader skips 61 to 69
    read from 150   begins with [190..199], the next one there is

What is handed out is whole batches as they stand in the file, at least one even if it is larger than was asked for,
or a reader could never pass it (KIP-74). One read stays within one segment; the reader asks again.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence

from kafkalite.log.batch import HEADER_SIZE, LENGTH_OVERHEAD, split
from kafkalite.storage import Buffer

_LENGTH = struct.Struct(">8xi")


def segment_for(base_offsets: Sequence[int], offset: int) -> int:
    """Which segment may hold `offset`: the last that does not begin above it.

    >>> [segment_for([0, 100, 200], offset) for offset in (0, 99, 100, 250)]
    [0, 0, 1, 2]
    """
    return bisect_right(base_offsets, offset) - 1


def fitting(data: Buffer) -> int:
    """How many bytes of `data` are whole batches; the last batch may be cut off."""
    position, size = 0, len(data)
    while size - position >= HEADER_SIZE:
        end = position + LENGTH_OVERHEAD + _LENGTH.unpack_from(data, position)[0]
        if not position < end <= size:
            break
        position = end
    return position


def read(segments: Sequence[tuple[int, Buffer]], offset: int, max_bytes: int) -> bytes:
    """Whole batches from the one that has `offset` on, or the next there is; b"" if there is none.

    `segments` are pairs of a base offset and the file's bytes, in order. At most `max_bytes`, and at least one batch.
    """
    first = segment_for([base_offset for base_offset, _data in segments], offset)
    for _base_offset, data in segments[max(0, first) :]:
        start = sum(header.size for header, _batch in split(data) if header.last_offset < offset)
        rest = memoryview(data)[start:]
        one = next((header.size for header, _batch in split(rest)), 0)
        if one:
            return bytes(rest[: fitting(rest[:max_bytes]) or one])
    return b""
