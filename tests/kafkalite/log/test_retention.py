"""Retention takes whole segments from the front, and never what is not committed."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.retention import SegmentInfo, expired
from kafkalite.log.settings import DAY_MS, LogConfig
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

from .batches import batch, everything, numbered


def _segments(sizes: list[tuple[int, int, int]]) -> list[SegmentInfo]:
    found, base = [], 0
    for offsets, size, timestamp_ms in sizes:
        found.append(SegmentInfo(base, base + offsets, size, timestamp_ms))
        base += offsets
    return found


@settings(deadline=None, derandomize=True)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 100), st.integers(0, 100)), min_size=1, max_size=8),
    now_ms=st.integers(0, 200),
    retention_ms=st.none() | st.integers(0, 120),
    retention_bytes=st.none() | st.integers(0, 400),
    high_watermark=st.integers(0, 40),
    log_start_offset=st.integers(0, 40),
)
def test_what_expires_is_what_a_slow_reading_of_the_rules_says(
    sizes: list[tuple[int, int, int]],
    now_ms: int,
    retention_ms: int | None,
    retention_bytes: int | None,
    high_watermark: int,
    log_start_offset: int,
) -> None:
    segments = _segments(sizes)
    left = list(segments)
    while left:
        oldest, rest_bytes = left[0], sum(one.size_bytes for one in left[1:])
        reasons = [
            retention_ms is not None and oldest.max_timestamp_ms < now_ms - retention_ms,
            retention_bytes is not None and rest_bytes >= retention_bytes,
            oldest.end_offset <= log_start_offset,
        ]
        if not any(reasons) or oldest.end_offset > high_watermark:
            break
        left.pop(0)

    count = expired(segments, now_ms, retention_ms, retention_bytes, high_watermark, log_start_offset)

    assert left == segments[count:]


def test_an_old_segment_behind_a_young_one_stays() -> None:
    """Otherwise the log would have a hole."""
    segments = _segments([(5, 10, 1), (5, 10, 90), (5, 10, 2), (5, 10, 95)])

    assert 1 == expired(segments, 100, 50, None, high_watermark=20)


def test_an_empty_active_segment_never_expires() -> None:
    assert 1 == expired([SegmentInfo(0, 5, 9, 0), SegmentInfo(5, 5, 0, 0)], 10**9, 1, 0, high_watermark=5)


def _old_log(storage: MemoryStorage, **settings: Any) -> PartitionLog:
    log = PartitionLog(storage, "o", LogConfig(segment_bytes=200, **settings), now_ms=0)
    for at in range(10):
        log.append_as_leader(batch(b"v%d" % at, timestamp_ms=at), leader_epoch=0, now_ms=at)
    return log


def test_when_all_has_expired_the_active_segment_is_rolled_first_and_the_end_is_kept() -> None:
    storage = MemoryStorage()
    log = _old_log(storage, retention_ms=1000)
    log.high_watermark = 10

    count = log.delete_expired(now_ms=5000)

    assert count > 1
    assert (10, 10, 0, 1) == (log.log_start_offset, log.log_end_offset, log.size_bytes, len(log.segments))
    log.check()
    storage.power_loss(Random(1))
    again = PartitionLog(storage, "o", log.config, now_ms=5000)
    assert (10, 10) == (again.log_start_offset, again.log_end_offset)


@pytest.mark.parametrize("is_synced", [True, False])
def test_after_a_power_loss_a_log_ends_where_it_did_and_knows_its_producers(*, is_synced: bool) -> None:
    """Of the deleted segments a name and a snapshot are left; whole segments may be back, torn ones may not."""
    starts = set()
    for seed in range(60):
        storage = MemoryStorage()
        log = PartitionLog(storage, "o", LogConfig(segment_bytes=200, retention_bytes=0), now_ms=0)
        for sequence in range(10):
            log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)
        log.high_watermark = 10
        if is_synced:
            storage.sync()
            log.flushed(log.unflushed())
        log.delete_expired(now_ms=0)
        storage.power_loss(Random(seed))

        again = PartitionLog(storage, "o", log.config, now_ms=0, recovery_point=0)

        again.check()
        starts.add(again.log_start_offset)
        assert 10 == again.log_end_offset == again.log_start_offset + len(everything(again))
        assert again.append_as_leader(numbered(7, 0, 9), leader_epoch=0, now_ms=0).is_duplicate

    assert ({10} == starts) is not is_synced


def test_rolling_and_writing_on_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path)
    log = PartitionLog(storage, "o", LogConfig(segment_bytes=200), now_ms=0)
    log.append_as_leader(numbered(7, 0, 0), leader_epoch=0, now_ms=0)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", None)
        for sequence in range(1, 10):
            log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)

    assert len(log.segments) > 3
    storage.close()


def test_nothing_above_the_high_watermark_is_deleted() -> None:
    log = _old_log(MemoryStorage(), retention_ms=1000)
    log.high_watermark = 5
    log.delete_expired(now_ms=10**6)

    assert 5 in [record.offset for record in everything(log)]
    assert 0 < log.log_start_offset <= 5


def test_too_much_goes_from_the_oldest_and_not_below_the_setting() -> None:
    log = _old_log(MemoryStorage(), retention_bytes=400)
    log.high_watermark = 10
    log.delete_expired(now_ms=0)

    assert 400 <= log.size_bytes < 400 + 200
    assert log.log_start_offset == log.segments[0].base_offset > 0


def test_deleted_records_are_gone_at_once_and_their_segments_with_the_next_round() -> None:
    log = _old_log(MemoryStorage())
    log.high_watermark = 10
    before = log.size_bytes
    log.delete_before(7)

    assert list(range(7, 10)) == [record.offset for record in everything(log)]
    assert before == log.size_bytes
    log.delete_expired(now_ms=0)
    assert before > log.size_bytes
    assert list(range(7, 10)) == [record.offset for record in everything(log)]


def test_a_compacted_only_log_keeps_old_segments() -> None:
    log = PartitionLog(MemoryStorage(), "o", LogConfig(segment_bytes=100, delete=False, compact=True), now_ms=0)
    for _ in range(3):
        log.append_as_leader(batch(b"v", key=b"k"), leader_epoch=0, now_ms=0)
    log.high_watermark = 3

    assert 0 == log.delete_expired(now_ms=100 * DAY_MS)


def test_batches_without_a_time_age_from_when_they_were_written() -> None:
    log = PartitionLog(MemoryStorage(), "o", LogConfig(retention_ms=1000), now_ms=0)
    log.append_as_leader(batch(b"v", timestamp_ms=-1), leader_epoch=0, now_ms=10_000)
    log.high_watermark = 1

    assert [0, 1] == [log.delete_expired(now_ms=now_ms) for now_ms in (11_000, 11_001)]
