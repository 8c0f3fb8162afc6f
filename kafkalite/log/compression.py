"""Looking into compressed batches, for the few who must: compaction, times, and keys on a compacted topic.

Batches pass through a log compressed as they came. Only gzip is in Python's standard library; a driver that has
snappy, lz4 or zstd gives them to `use`. A batch whose codec is missing stays closed: `records_of` says None, and the
caller does the careful thing (compaction keeps it whole).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from kafkalite.log.batch import HEADER_SIZE, decode_batch, read_header
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.record import Record
from kafkalite.storage import Buffer

GZIP = 1


def _gunzip(data: bytes) -> bytes:
    return zlib.decompress(data, wbits=31)


_decompress: dict[int, Callable[[bytes], bytes]] = {GZIP: _gunzip}


def use(compression: int, decompress: Callable[[bytes], bytes]) -> None:
    """From now on open batches of this compression (2 snappy, 3 lz4, 4 zstd) with `decompress`."""
    _decompress[compression] = decompress


def records_of(batch: Buffer) -> list[Record] | None:
    """The records of one batch; None if they are compressed by a codec that is not there.

    Raises CorruptBatch if they cannot be read.
    """
    header = read_header(batch)
    if header.compression == 0:
        return list(decode_batch(batch))
    decompress = _decompress.get(header.compression)
    if decompress is None:
        return None
    try:
        body = decompress(bytes(memoryview(batch)[HEADER_SIZE : header.size]))
    except Exception as error:
        raise CorruptBatch(f"the batch at offset {header.base_offset} does not decompress: {error}") from error
    return list(decode_batch(batch, body))
