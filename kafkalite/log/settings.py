"""How one log behaves: Kafka's topic settings, under their names, with units. Defaults are Kafka's."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class LogConfig:
    """Settings of one partition's log; None means without limit."""

    segment_bytes: int = 1 << 30  # a segment is closed before it grows above this
    segment_ms: int = 7 * DAY_MS  # ... or once it spans this much time
    index_interval_bytes: int = 4096  # one index entry for so much log: sparse, so that it stays small
    max_message_bytes: int = 1_048_588  # the largest batch a producer may append
    retention_ms: int | None = 7 * DAY_MS
    retention_bytes: int | None = None
    delete: bool = True  # cleanup.policy has "delete"
    compact: bool = False  # cleanup.policy has "compact"
    delete_retention_ms: int = DAY_MS  # how long a tombstone can be seen after it was first compacted
    min_compaction_lag_ms: int = 0
    producer_id_expiration_ms: int = DAY_MS
    log_append_time: bool = False  # message.timestamp.type
