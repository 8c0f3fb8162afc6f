"""From the bytes of a Fetch response to what a consumer is handed.

    fetched from 7      [5 6 7]   [8 9]     [10 commit]   [12 13]    next is 14: 11 is a gap
    is handed            . . 7     8 9       .             12 13

The first batch may begin below the position, compaction leaves gaps, and control batches are nobody's records. With
`read_committed` the response also lists transactions that were aborted: records of such a producer are passed over from
the transaction's first offset to its marker.

Source: CompletedFetch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kafkalite.log.batch import split, validate
from kafkalite.log.compression import records_of
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.markers import decode_marker
from kafkalite.log.record import Record


class Fetched(NamedTuple):
    """What a fetch brought: the records, where to go on, and the leader epoch of the last batch (-1: none came)."""

    records: list[Record]
    next_offset: int
    leader_epoch: int


def read_fetched(
    data: bytes | bytearray | memoryview,
    position: int,
    aborted: Sequence[tuple[int, int]] | None = None,
    *,
    check_crcs: bool = True,
) -> Fetched:
    """The records from `position` on. `aborted` are (producer id, first offset); None with read_uncommitted.

    Raises CorruptBatch if a CRC is wrong or a batch cannot be read; a compression that is not there is one, too.
    """
    records: list[Record] = []
    leader_epoch = -1
    ahead = sorted((first_offset, producer_id) for producer_id, first_offset in aborted or ())
    aborting: set[int] = set()  # producers whose records are passed over, here
    for header, batch in split(data):
        if check_crcs:
            validate(batch)
        while ahead and ahead[0][0] <= header.last_offset:
            aborting.add(ahead.pop(0)[1])
        if header.is_control:
            marker = decode_marker(batch)
            if marker is not None and not marker.is_commit:
                aborting.discard(header.producer_id)
        elif not (header.is_transactional and header.producer_id in aborting):
            found = records_of(batch)
            if found is None:
                raise CorruptBatch(f"the batch at offset {header.base_offset}: no codec {header.compression}")
            records += found if header.base_offset >= position else [one for one in found if one.offset >= position]
        leader_epoch = header.leader_epoch
        position = max(position, header.next_offset)
    return Fetched(records, position, leader_epoch)
