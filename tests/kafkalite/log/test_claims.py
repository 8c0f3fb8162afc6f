"""The claims about topics, partitions and offsets that a single log can show: T2, T3, T4 and T6."""

from __future__ import annotations

from pathlib import Path

import pytest

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.batch import TRANSACTIONAL
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.settings import DAY_MS, LogConfig
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

from .batches import batch, everything, keyed, numbered, values


def _topic(storage: MemoryStorage, partitions: int, config: LogConfig = LogConfig()) -> list[PartitionLog]:  # noqa: B008
    return [PartitionLog(storage, f"orders-{number}", config, now_ms=0) for number in range(partitions)]


def _append(log: PartitionLog, *values_: bytes, timestamp_ms: int = 0) -> int:
    base_offset = log.append_as_leader(batch(*values_, timestamp_ms=timestamp_ms), 0, timestamp_ms).base_offset
    log.high_watermark = log.log_end_offset
    return base_offset


def test_t2_a_topic_is_partitions_each_an_ordered_queue_of_its_own() -> None:
    storage = MemoryStorage()
    first, second = _topic(storage, 2)
    _append(first, b"a", b"b")
    _append(second, b"x")
    _append(first, b"c")

    assert [(0, b"a"), (1, b"b"), (2, b"c")] == values(everything(first))
    assert [(0, b"x")] == values(everything(second))
    assert ["orders-0", "orders-1"] == storage.folders()


def test_t3_records_get_the_next_offset_in_the_order_they_were_sent() -> None:
    (log,) = _topic(MemoryStorage(), 1)

    assert [0, 2, 3] == [_append(log, b"a", b"b"), _append(log, b"c"), _append(log, b"d", b"e")]
    assert [b"a", b"b", b"c", b"d", b"e"] == [record.value for record in everything(log)]


def test_t3_topic_partition_and_offset_name_one_record() -> None:
    topics = {
        (topic, number): PartitionLog(MemoryStorage(), f"{topic}-{number}", LogConfig(), 0)
        for topic in "ab"
        for number in (0, 1)
    }
    for (topic, number), log in topics.items():
        for at in range(10):
            _append(log, f"{topic}{number} at {at}".encode())

    assert b"b0 at 9" == everything(topics["b", 0], start=9)[0].value


def test_t3_today_offsets_have_gaps_from_markers_and_compaction() -> None:
    config = LogConfig(segment_bytes=150, compact=True, delete=False)
    (log,) = _topic(MemoryStorage(), 1, config)
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    log.append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), 0, 0, is_from_client=False)
    for value in (b"old", b"new", b"newest"):
        log.append_as_leader(keyed((b"name", value)), leader_epoch=0, now_ms=0)
    log.append_as_leader(keyed((b"active", b"segment")), leader_epoch=0, now_ms=0)
    log.high_watermark = log.log_end_offset
    with_markers = [record.offset for record in everything(log)]
    log.compact(now_ms=0)

    assert [0, 2, 3, 4, 5] == with_markers, "1 is the marker"
    assert [0, 4, 5] == [record.offset for record in everything(log)]
    assert (4, b"newest") == values(everything(log, start=2))[0], "who asks for a gap gets what comes next"


def test_t4_a_record_never_changes_and_reading_removes_nothing() -> None:
    (log,) = _topic(MemoryStorage(), 1, LogConfig(segment_bytes=150))
    _append(log, b"a")
    first = log.read(0, 1000)
    for _ in range(20):
        _append(log, b"more")
        assert first == log.read(0, 1)


def test_t4_records_are_kept_a_week_read_or_not() -> None:
    (log,) = _topic(MemoryStorage(), 1, LogConfig(segment_ms=DAY_MS))
    for day in range(12):
        _append(log, b"day %d" % day, timestamp_ms=day * DAY_MS)
    log.delete_expired(now_ms=11 * DAY_MS)

    assert log.config.retention_ms == 7 * DAY_MS
    assert {b"day %d" % day for day in range(4, 12)} <= {record.value for record in everything(log)}
    assert b"day 0" not in {record.value for record in everything(log)}
    with pytest.raises(OffsetOutOfRange):
        log.read(0, 1000)


def test_t4_today_retention_takes_whole_segments_and_so_keeps_longer_than_it_says() -> None:
    (log,) = _topic(MemoryStorage(), 1, LogConfig(retention_ms=100, segment_ms=1000))
    _append(log, b"old", timestamp_ms=0)
    _append(log, b"young", timestamp_ms=500)
    log.delete_expired(now_ms=550)

    assert [b"old", b"young"] == [record.value for record in everything(log)]


def test_t4_today_compaction_keeps_the_last_value_of_a_key() -> None:
    (log,) = _topic(MemoryStorage(), 1, LogConfig(segment_bytes=150, compact=True, delete=False))
    for at in range(12):
        log.append_as_leader(keyed((b"truck %d" % (at % 2), b"%d" % at)), leader_epoch=0, now_ms=0)
    log.high_watermark = log.log_end_offset
    table = {record.key: record.value for record in everything(log)}
    log.compact(now_ms=0)

    assert table == {record.key: record.value for record in everything(log)}
    assert len(everything(log)) < 6


def test_t6_a_partition_is_a_directory_and_each_segment_holds_files_open(tmp_path: Path) -> None:
    """The note's two files and today's third: .log, .index, .timeindex; beside them snapshots and the epochs."""
    storage = FileStorage(tmp_path)
    config = LogConfig(segment_bytes=200, index_interval_bytes=60)
    open_files = []
    for number in range(4):
        log = PartitionLog(storage, f"orders-{number}", config, now_ms=0)
        for at in range(3):
            log.append_as_leader(batch(b"value", timestamp_ms=at), leader_epoch=0, now_ms=0)
        open_files.append(storage.open_files)
    names = storage.names("orders-3")
    storage.close()

    assert [f"orders-{number}" for number in range(4)] == sorted(path.name for path in tmp_path.iterdir())
    assert [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "00000000000000000002.log",
        "00000000000000000002.snapshot",
        "leader-epoch-checkpoint",
    ] == names
    assert [open_files[0] * count for count in (1, 2, 3, 4)] == open_files
    assert open_files[0] >= 3
