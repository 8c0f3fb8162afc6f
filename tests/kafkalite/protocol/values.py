"""Messages drawn from their own schemas: every field that a version has gets any value it may have there."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from hypothesis import strategies as st

from kafkalite.errors import ErrorCode
from kafkalite.protocol.registry import ENTRIES
from kafkalite.protocol.schema import NO_UUID, Array, Field, Kind, fields_of

# Milliseconds that every library can keep as a time of day (some read these fields as dates), or "none".
MOMENT_NAMES = ("timestamp", "time_ms")
MOMENT_MS_MAX = 4_102_444_800_000  # the year 2100

KINDS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.INT8: st.integers(-0x80, 0x7F),
    Kind.INT16: st.integers(-0x8000, 0x7FFF),
    Kind.INT32: st.integers(-0x8000_0000, 0x7FFF_FFFF),
    Kind.INT64: st.integers(-0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF),
    Kind.ERROR_CODE: st.sampled_from(ErrorCode),
    Kind.UUID: st.just(NO_UUID) | st.binary(min_size=16, max_size=16).map(lambda raw: uuid.UUID(bytes=raw)),
    Kind.STRING: st.text(max_size=8) | st.sampled_from(["x" * 127, "é" * 64, "x" * 300]),  # around a varint's bytes
    Kind.JUTE_STRING: st.text(max_size=8),
    Kind.BYTES: st.binary(max_size=8) | st.just(bytes(130)),
    Kind.RECORDS: st.binary(max_size=8) | st.just(bytes(20_000)),
}

# Every request and response class with every version served.
EVERY_MESSAGE = [
    (message, version)
    for entry in ENTRIES.values()
    for message in (entry.request, entry.response)
    for version in range(entry.api.versions[0], entry.api.versions[1] + 1)
]


def message_id(value: object) -> str:
    return value.__name__ if isinstance(value, type) else f"v{value}"


@cache
def messages(message: type, version: int) -> st.SearchStrategy[Any]:
    """Any message of this class in this version; fields that the version lacks have their defaults."""
    present = [field for field in fields_of(message) if version in field.versions]
    return st.builds(message, **{field.name: _values(field, version) for field in present})


def _values(field: Field, version: int) -> st.SearchStrategy[Any]:
    null = field.null_since is not None and version >= field.null_since
    drawn = _shaped(field, version)
    return st.none() | drawn if null else drawn


def _shaped(field: Field, version: int) -> st.SearchStrategy[Any]:
    if isinstance(field.shape, Array):
        item = field.shape.item
        one = KINDS[item] if isinstance(item, Kind) else messages(item, version)
        return st.lists(one, max_size=3).map(tuple)
    if field.shape is Kind.INT64 and field.name.endswith(MOMENT_NAMES):
        return st.just(-1) | st.integers(0, MOMENT_MS_MAX)
    return KINDS[field.shape] if isinstance(field.shape, Kind) else messages(field.shape, version)
