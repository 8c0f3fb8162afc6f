"""What a log on disk promises a broker, one promise at a time."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.batch import read_header, split
from kafkalite.log.errors import BatchTooLarge, CorruptBatch, InvalidRecord, OffsetsNotInOrder
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.settings import LogConfig
from kafkalite.storage import DiskFull
from kafkalite.storage.memory import MemoryStorage

from .batches import at_offset, batch, everything, gzipped, keyed, numbered, offsets, resealed, values


def _log(storage: MemoryStorage | None = None, **settings: Any) -> PartitionLog:
    return PartitionLog(storage or MemoryStorage(), "orders-0", LogConfig(**settings), now_ms=0)


def _append(log: PartitionLog, *batches: bytes) -> None:
    for one in batches:
        log.append_as_leader(one, leader_epoch=0, now_ms=0)


def test_records_keep_their_bytes_and_only_offset_and_epoch_are_set() -> None:
    log = _log()
    packed = gzipped(batch(b"a" * 50, b"b"))
    log.append_as_leader(batch(b"first"), leader_epoch=3, now_ms=0)
    log.append_as_leader(memoryview(packed), leader_epoch=4, now_ms=0)
    kept = log.read(1, 1000)

    assert (packed[16:], 1, 4) == (kept[16:], read_header(kept).base_offset, read_header(kept).leader_epoch)


def test_a_refused_batch_changes_nothing() -> None:
    log = _log(max_message_bytes=200)
    _append(log, batch(b"good"))
    bad = bytearray(batch(b"flipped"))
    bad[-3] ^= 1
    stamped = resealed(read_header(batch(b"v"))._replace(attributes=8), batch(b"v")[61:])

    for refused, one in [
        (CorruptBatch, bytes(bad)),
        (CorruptBatch, batch(b"a") + batch(b"b")),
        (BatchTooLarge, batch(bytes(200))),
        (InvalidRecord, stamped),
    ]:
        with pytest.raises(refused):
            _append(log, one)
    assert [(0, b"good")] == values(everything(log))
    log.check()


def test_a_segment_is_closed_before_it_grows_too_large() -> None:
    log = _log(segment_bytes=200)
    _append(log, *[batch(b"value")] * 10)

    assert all(segment.size <= 200 for segment in log.segments)
    assert len(log.segments) > 3


def test_a_batch_larger_than_a_segment_has_one_of_its_own() -> None:
    log = _log(segment_bytes=100)
    _append(log, batch(b"v"), batch(bytes(500)), batch(b"w"))

    assert [0, 1, 2] == [segment.base_offset for segment in log.segments]


def test_a_segment_is_closed_when_it_spans_too_much_time() -> None:
    log = _log(segment_ms=100)
    for timestamp_ms in (0, 100, 101, 150, 201, 202):
        _append(log, batch(b"v", timestamp_ms=timestamp_ms))

    assert [0, 2, 5] == [segment.base_offset for segment in log.segments]


def test_a_segment_is_closed_before_its_offsets_need_more_than_four_bytes() -> None:
    """An index entry has four for the offset: a follower of a compacted log can be far behind a gap."""
    log = _log()
    log.append_as_follower(at_offset(batch(b"v"), 0), now_ms=0)
    log.append_as_follower(at_offset(batch(b"v"), 2**31 - 1), now_ms=0)
    log.append_as_follower(at_offset(batch(b"v"), 2**31), now_ms=0)

    assert [0, 2**31] == [segment.base_offset for segment in log.segments]
    assert [0, 2**31 - 1, 2**31] == [record.offset for record in everything(log)]


def test_nothing_is_read_at_or_above_the_watermark_that_is_given() -> None:
    log = _log()
    _append(log, batch(b"a", b"b"), batch(b"c"), batch(b"d"))

    read = [offsets(log.read(0, 1000, end_offset=end)) for end in range(6)]

    assert [[], [], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3]] == read


def test_an_oversized_batch_is_read_only_where_the_response_has_nothing_yet() -> None:
    log = _log()
    _append(log, batch(bytes(500)), batch(b"v"))

    assert [[0], [], [1]] == [
        offsets(log.read(0, 100)),
        offsets(log.read(0, 100, at_least_one=False)),
        offsets(log.read(1, 100, at_least_one=False)),
    ]


@pytest.mark.parametrize("offset", [-1, 2, 99])
def test_an_offset_outside_the_log_is_refused(offset: int) -> None:
    log = _log()
    _append(log, batch(b"v"))

    with pytest.raises(OffsetOutOfRange, match="from 0 to 1"):
        log.read(offset, 100)


def test_a_follower_refuses_what_it_has_and_keeps_what_came_before_it() -> None:
    log = _log()
    one, other = at_offset(batch(b"a"), 0), at_offset(batch(b"b"), 0)

    with pytest.raises(OffsetsNotInOrder, match="ends at 1"):
        log.append_as_follower(one + other, now_ms=0)
    assert [(0, b"a")] == values(everything(log))


def test_a_follower_refuses_a_batch_with_a_wrong_crc() -> None:
    bad = bytearray(at_offset(batch(b"a"), 0))
    bad[-2] ^= 1

    with pytest.raises(CorruptBatch, match="CRC"):
        _log().append_as_follower(bad, now_ms=0)


def test_a_follower_starts_over_where_its_leaders_log_begins() -> None:
    storage = MemoryStorage()
    log = _log(storage, segment_bytes=200)
    _append(log, *[numbered(7, 0, at) for at in range(5)])
    log.truncate_fully_and_start_at(1000)

    assert (1000, 1000, (), 0) == (log.log_start_offset, log.log_end_offset, log.leader_epochs, len(log.producers))
    log.append_as_follower(at_offset(batch(b"v"), 1003), now_ms=0)
    again = PartitionLog(storage, "orders-0", log.config, now_ms=0)
    assert (1000, 1004) == (again.log_start_offset, again.log_end_offset)


def test_a_log_that_starts_over_does_so_also_after_a_power_loss() -> None:
    for seed in range(40):
        storage = MemoryStorage()
        log = _log(storage, segment_bytes=200)
        _append(log, *[numbered(7, 0, at) for at in range(5)])
        log.truncate_fully_and_start_at(1000)
        storage.power_loss(Random(seed))

        again = PartitionLog(storage, "orders-0", log.config, now_ms=0)
        assert (1000, 1000) == (again.log_start_offset, again.log_end_offset)


def test_a_log_whose_records_below_its_start_were_lost_starts_there() -> None:
    """DeleteRecords had gone beyond what the power loss left."""
    storage = MemoryStorage()
    _append(_log(storage), batch(b"v"))

    log = PartitionLog(storage, "orders-0", LogConfig(), now_ms=0, log_start_offset=7)

    assert (7, 7) == (log.log_start_offset, log.log_end_offset)
    log.check()


def test_truncating_inside_a_batch_below_the_log_start_empties_the_log() -> None:
    log = _log()
    _append(log, batch(b"a", b"b", b"c", b"d"))
    log.high_watermark = 4
    log.delete_before(2)
    log.truncate_to(3)

    assert (2, 2, 2) == (log.log_start_offset, log.high_watermark, log.log_end_offset)
    log.check()


def test_log_append_time_stamps_what_is_appended() -> None:
    log = PartitionLog(MemoryStorage(), "o", LogConfig(log_append_time=True), now_ms=0)
    appended = log.append_as_leader(batch(b"v", timestamp_ms=5), leader_epoch=0, now_ms=777)

    assert (777, [777]) == (appended.log_append_time_ms, [record.timestamp_ms for record in everything(log)])


def test_a_time_finds_a_record_within_a_batch_and_looks_past_times_that_fall() -> None:
    log = _log(segment_bytes=200, index_interval_bytes=60)
    for timestamp_ms in (10, 30, 20, 25, 40):
        _append(log, batch(b"v", timestamp_ms=timestamp_ms))
    _append(log, gzipped(keyed((b"k", b"v"), (b"k", b"w"), timestamp_ms=50)))
    log.append_as_leader(resealed(read_header(batch(b"v", timestamp_ms=60))._replace(attributes=3), b"lz4"), 0, 0)

    found = [log.offset_for_timestamp(timestamp_ms) for timestamp_ms in (0, 11, 26, 31, 41, 51, 61)]

    assert [(0, 10), (1, 30), (1, 30), (4, 40), (5, 50), (7, 60), None] == found


def test_a_full_disk_refuses_the_append_and_the_log_goes_on_when_there_is_room() -> None:
    """At every possible shortage: of the batch, of its index entry, of the new segment's files."""
    for short_of in range(1, 400, 3):
        storage = MemoryStorage()
        log = _log(storage, segment_bytes=250, index_interval_bytes=60)
        _append(log, *[numbered(7, 0, at) for at in range(3)])
        storage.capacity_bytes = storage.used_bytes + short_of
        count = 3
        while _has_room(log, numbered(7, 0, count)):
            count += 1
        assert list(range(count)) == [record.offset for record in everything(log)]
        log.check()
        storage.capacity_bytes = None
        _append(log, numbered(7, 0, count), numbered(7, 0, count + 1))
        log.check()
        stands = [header.base_offset for segment in log.segments for _at, header in segment.batches()]
        assert list(range(count + 2)) == stands, "what was refused is not in the file either"
        expected = everything(log)
        again = PartitionLog(storage, "orders-0", log.config, now_ms=0)
        assert expected == everything(again)
        assert log.segments[-1].max_timestamp_ms == again.segments[-1].max_timestamp_ms


def _has_room(log: PartitionLog, one: bytes) -> bool:
    try:
        _append(log, one)
    except DiskFull:
        return False
    return True


def test_a_log_is_forked_with_its_storage() -> None:
    """What a simulator's snapshot does: one copy of everything that hangs together."""
    node = {"storage": (storage := MemoryStorage()), "log": _log(storage)}
    log = node["log"]
    assert isinstance(log, PartitionLog)
    _append(log, numbered(7, 0, 0))
    twin = copy.deepcopy(node)
    fork = twin["log"]
    assert isinstance(fork, PartitionLog)
    _append(fork, numbered(7, 0, 1), numbered(7, 0, 2))
    _append(log, numbered(7, 0, 1))

    assert ([0, 1], [0, 1, 2]) == ([r.offset for r in everything(log)], [r.offset for r in everything(fork)])
    assert twin["storage"] is fork._storage
    assert [1, 2] == [len(list(split(one.read(1, 1000)))) for one in (log, fork)]
