"""The messages of the smallest broker: one topic of one partition.

They are Kafka's Produce (key 0), Fetch (key 1), ListOffsets (key 2) and DeleteRecords (key 21), with Kafka's field
names where a field is here. Left out: topics, partitions, versions, record batches.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class ProduceRequest:
    """Append these values."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProduceResponse:
    """The offset of the first value; -1 with an error."""

    base_offset: int
    error: ErrorCode = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """At most `max_records` values from `fetch_offset` on."""

    fetch_offset: int
    max_records: int


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The values, oldest first."""

    values: tuple[str, ...]
    error: ErrorCode = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class ListOffsetsRequest:
    """Where does the log begin and end?"""


@dataclass(frozen=True, slots=True)
class ListOffsetsResponse:
    """The earliest offset that can be read, and the latest: the next to be written."""

    earliest: int
    latest: int
    error: ErrorCode = ErrorCode.NONE


@dataclass(frozen=True, slots=True)
class DeleteRecordsRequest:
    """Forget everything below `offset`."""

    offset: int


@dataclass(frozen=True, slots=True)
class DeleteRecordsResponse:
    """Where the log begins now; -1 with an error."""

    low_watermark: int
    error: ErrorCode = ErrorCode.NONE
