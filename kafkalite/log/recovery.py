"""After a crash: how much of a file is whole. The log is the truth, everything beside it is made again from it.

A batch is whole if its length fits, its CRC is right, and it goes on where the one before ended: offsets and epochs
never go backwards. Zeros, a torn batch and the remains of an older life all fail one of these. The first that is not
whole ends the log: what lies behind it may be whole, and without what is missing it has no place.

    | batch 0 | batch 1 | batch 2 | bat            cut inside a batch: valid up to the end of batch 2
    | batch 0 | batch 1 | 0000000000000000         the size got to the disk, the data did not

An index is never trusted after an unclean stop; it is built on the way.

Source: Kafka's LogSegment.recover and LogLoader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kafkalite.log.batch import HEADER_SIZE, BatchHeader, read_header, validate
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.index import Entry
from kafkalite.storage import Buffer

Read = Callable[[int, int], Buffer]  # position, length -> at most so many bytes


class Placed(NamedTuple):
    """A batch of a segment, and where it stands."""

    position: int
    header: BatchHeader
    batch: Buffer


def recover(data: Buffer, index_interval_bytes: int = 4096) -> tuple[int, list[Entry]]:
    """How many bytes of a segment are whole batches, and the offset index of those.

    An entry is (base offset, position), one for the first batch that begins more than `index_interval_bytes` behind
    the last entry, or behind the beginning.
    """
    view = memoryview(data)
    valid_length, index = 0, list[Entry]()
    indexed_up_to = 0
    for position, header, _batch in whole_batches(lambda at, length: view[at : at + length], len(view)):
        if position - indexed_up_to > index_interval_bytes:
            index.append((header.base_offset, position))
            indexed_up_to = position
        valid_length = position + header.size
    return valid_length, index


def whole_batches(read: Read, size: int) -> Iterator[Placed]:
    """The batches of a file from its beginning up to the first that is not whole."""
    position, next_offset, leader_epoch = 0, 0, -1
    while position + HEADER_SIZE <= size:
        header = read_header(read(position, HEADER_SIZE))
        if not HEADER_SIZE <= header.size <= size - position:
            return
        if header.base_offset < next_offset or header.leader_epoch < leader_epoch:
            return
        batch = read(position, header.size)
        try:
            validate(batch)
        except CorruptBatch:
            return
        yield Placed(position, header, batch)
        position, next_offset, leader_epoch = position + header.size, header.next_offset, header.leader_epoch
