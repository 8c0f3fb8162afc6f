"""What a producer may send to a partition: exactly one record batch of the present format, in a codec its readers know.

Older formats went with the versions of Produce that carried them, and version 3 brought one batch at a time (KIP-98).
zstd came with version 7 (KIP-110): who speaks an older one cannot mean it.

Source: Kafka's ProduceRequest.validateRecords.
"""

from __future__ import annotations

import struct

from kafkalite.errors import ErrorCode
from kafkalite.log.batch import COMPRESSION_MASK, LENGTH_OVERHEAD, MAGIC
from kafkalite.storage import Buffer

_LOOK = struct.Struct(">8xi4xb4xh")  # length, magic, attributes
_LENGTH_MIN = 14  # of the oldest format: what says less is no batch of any
ZSTD = 4  # the newest codec
OWN_TOPICS = frozenset({"__consumer_offsets", "__transaction_state"})  # where brokers write, and no client


def refusal_of(data: Buffer | None, *, may_be_zstd: bool) -> tuple[ErrorCode, str | None]:
    """Why these records are refused unread, and in words; NONE if they look like one batch.

    >>> refusal_of(b"", may_be_zstd=True)
    (<ErrorCode.INVALID_RECORD: 87>, '0 bytes, which are no whole batch; expected exactly one')
    """
    size = len(data) if data is not None else 0
    if data is None or size < _LOOK.size:
        return ErrorCode.INVALID_RECORD, f"{size} bytes, which are no whole batch; expected exactly one"
    length, magic, attributes = _LOOK.unpack_from(data)
    left = size - length - LENGTH_OVERHEAD
    if length < _LENGTH_MIN:
        return ErrorCode.CORRUPT_MESSAGE, f"a batch of length {length}; the least there can be is {_LENGTH_MIN}"
    codec = attributes & COMPRESSION_MASK
    if left or magic != MAGIC or codec > ZSTD:
        said = f"magic {magic}, {left} bytes left, compression {codec}"
        return ErrorCode.INVALID_RECORD, f"{said}; expected magic {MAGIC}, nothing left, at most {ZSTD}"
    if codec == ZSTD and not may_be_zstd:
        return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "zstd in a version of Produce below 7"
    return ErrorCode.NONE, None
