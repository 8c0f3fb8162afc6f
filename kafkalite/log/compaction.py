"""Compaction: of each key the last value is kept. A topic then is a table: read it whole and you have the present.

    offset   0    1    2    3    4    5    6     (active)
    key      a    b    a    c    b    a    c
    value    1    2    3    4    -    5    6     -: null, a tombstone

    after               2              4    5    6            a=3 went for a=5 only if 5 is closed, too: here 0 .. 4 are
                        a=3       c=4  b=-                    closed, so a=3 and c=4 are the last among them

- Offsets stay what they were; there are gaps now.
- A tombstone stays for a while after it was first compacted, so that who reads slowly still learns of the deletion.
- Only closed segments are touched, and nothing at or above the last stable offset: whether that counts is not decided.

Source: Kafka's LogCleaner and Cleaner; KIP-534 for the delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Keyed(NamedTuple):
    """What compaction looks at."""

    offset: int
    key: bytes | None
    value: bytes | None
    delete_horizon_ms: int | None = None  # of a tombstone that was compacted before: when it may go


def latest_offsets(records: Iterable[tuple[int, bytes | None]]) -> dict[bytes, int]:
    """For each key, the offset of its last record; from pairs of an offset and a key, rising.

    >>> latest_offsets([(0, b"a"), (1, b"b"), (2, b"a")])
    {b'a': 2, b'b': 1}
    """
    return {key: offset for offset, key in records if key is not None}


def is_kept(record: Keyed, latest: Mapping[bytes, int], now_ms: int) -> bool:
    """Does the record survive? Only the last of its key does, and a tombstone only until its horizon has passed."""
    if record.key is None or latest.get(record.key, record.offset) > record.offset:
        return False
    return record.value is not None or record.delete_horizon_ms is None or now_ms <= record.delete_horizon_ms


def compact(
    segments: Sequence[Sequence[Keyed]], now_ms: int, delete_retention_ms: int, last_stable: int
) -> list[list[Keyed]]:
    """The segments after one round. The last one is active and stays; so does all from the last stable offset on.

    A tombstone that stays for the first time gets its horizon, `now_ms + delete_retention_ms`.

    >>> segments = [[Keyed(0, b"a", b"1"), Keyed(1, b"b", b"2")], [Keyed(2, b"a", b"3")], [Keyed(3, b"b", b"4")]]
    >>> [[record.offset for record in segment] for segment in compact(segments, 0, 0, last_stable=4)]
    [[1], [2], [3]]
    """
    closed = next(
        (at for at, segment in enumerate(segments[:-1]) if any(record.offset >= last_stable for record in segment)),
        max(0, len(segments) - 1),
    )
    latest = latest_offsets((record.offset, record.key) for segment in segments[:closed] for record in segment)
    compacted = [
        [_with_horizon(record, now_ms + delete_retention_ms) for record in segment if is_kept(record, latest, now_ms)]
        for segment in segments[:closed]
    ]
    return compacted + [list(segment) for segment in segments[closed:]]


def _with_horizon(record: Keyed, horizon_ms: int) -> Keyed:
    is_new = record.value is None and record.delete_horizon_ms is None
    return record._replace(delete_horizon_ms=horizon_ms) if is_new else record
