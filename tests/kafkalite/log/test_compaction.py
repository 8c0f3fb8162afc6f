"""Compaction keeps the last value of each key, at its offset, and all that keeps the log understandable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.batch import TRANSACTIONAL, read_header, split
from kafkalite.log.compaction import Keyed, compact
from kafkalite.log.compression import records_of
from kafkalite.log.errors import InvalidRecord
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.settings import LogConfig
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

from .batches import Value, everything, gzipped, keyed, numbered, resealed

CONFIG = LogConfig(segment_bytes=250, compact=True, delete=False, delete_retention_ms=100)
Pairs = Sequence[tuple[bytes, Value]]

_pairs = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.binary(max_size=3)), min_size=1, max_size=4
)


def _log(storage: Any = None, config: LogConfig = CONFIG) -> PartitionLog:
    return PartitionLog(storage or MemoryStorage(), "o", config, now_ms=0)


def _append(log: PartitionLog, *pairs: tuple[bytes, Value]) -> None:
    log.append_as_leader(keyed(*pairs), leader_epoch=0, now_ms=0)
    log.high_watermark = log.log_end_offset


def _raw(log: PartitionLog) -> list[list[Keyed]]:
    return [
        [
            Keyed(record.offset, record.key, record.value, header.delete_horizon_ms if record.value is None else None)
            for position, header in segment.batches()
            for record in records_of(segment.bytes_at(position, header.size)) or ()
        ]
        for segment in log.segments
    ]


# The pure function --------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(segments=st.lists(_pairs, min_size=1, max_size=5), last_stable=st.integers(0, 20), now_ms=st.integers(0, 300))
def test_after_compaction_a_reader_of_it_all_ends_up_with_the_same_table(
    segments: list[Pairs], last_stable: int, now_ms: int
) -> None:
    offset, numbered_segments = 0, list[list[Keyed]]()
    for pairs in segments:
        numbered_segments.append([Keyed(offset + at, *pair) for at, pair in enumerate(pairs)])
        offset += len(pairs)

    once = compact(numbered_segments, now_ms, 100, last_stable)
    later = compact(once, now_ms + 101, 100, last_stable)

    def table(found: list[list[Keyed]]) -> dict[bytes | None, Value]:
        rows = {record.key: record.value for segment in found for record in segment}
        return {key: value for key, value in rows.items() if value is not None}

    assert table(numbered_segments) == table(once) == table(later)
    assert numbered_segments[-1] == once[-1], "the active segment is never touched"
    before = {record.offset: record for segment in numbered_segments for record in segment}
    for found in (once, later):
        kept = [record for segment in found for record in segment]
        assert all(before[record.offset][:3] == record[:3] for record in kept), "offsets and values are what they were"
        assert [record.offset for record in kept] == sorted(record.offset for record in kept)


def test_nothing_from_the_last_stable_offset_on_is_compacted_or_counts() -> None:
    segments = [[Keyed(0, b"a", b"1")], [Keyed(1, b"a", b"2")], [Keyed(2, b"b", b"3")]]

    assert [segments, [[], *segments[1:]]] == [compact(segments, 0, 0, last_stable) for last_stable in (1, 2)]


def test_a_tombstone_stays_for_its_delay_from_the_first_round_that_saw_it() -> None:
    segments = [[Keyed(0, b"a", b"1"), Keyed(1, b"a", None)], [Keyed(2, b"b", b"1")]]
    first = compact(segments, now_ms=1000, delete_retention_ms=100, last_stable=3)

    assert [Keyed(1, b"a", None, 1100)] == first[0]
    assert [first, first] == [compact(first, now_ms, 100, 3) for now_ms in (1050, 1100)]
    assert [] == compact(first, 1101, 100, 3)[0]


# The cleaner --------------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None, derandomize=True)
@given(rounds=st.lists(st.tuples(st.lists(_pairs, max_size=5), st.integers(0, 120)), min_size=1, max_size=5))
def test_the_cleaner_does_to_batches_what_compact_does_to_records(rounds: list[tuple[list[Pairs], int]]) -> None:
    """Round after round, with restarts between; segments may have been joined."""
    storage = MemoryStorage()
    log, now_ms = _log(storage), 0
    for batches, later_ms in rounds:
        now_ms += later_ms
        for pairs in batches:
            _append(log, *pairs)
        expected = compact(_raw(log), now_ms, CONFIG.delete_retention_ms, log.last_stable_offset)
        end = log.log_end_offset

        log.compact(now_ms)

        log.check()
        assert [record for segment in expected for record in segment] == [r for segment in _raw(log) for r in segment]
        assert end == log.log_end_offset
        assert all(segment.size <= CONFIG.segment_bytes for segment in log.segments)
        log = PartitionLog(storage, "o", CONFIG, now_ms, recovery_point=end, is_clean=False)
        log.high_watermark = log.log_end_offset
        log.check()
        assert end == log.log_end_offset


def test_small_segments_become_one_and_still_end_where_the_next_begins() -> None:
    log = _log()
    for at in range(40):
        _append(log, (b"k%d" % (at % 2), b"%d" % at))
    before = len(log.segments)

    assert log.compact(0) > 0
    assert len(log.segments) < before / 3
    log.check()
    assert 0 == log.compact(0)


def test_a_compacted_log_is_read_across_its_gaps_by_a_follower() -> None:
    log = _log()
    for at in range(20):
        _append(log, (b"k", b"%d" % at))
    log.compact(0)
    follower = _log()
    while follower.log_end_offset < log.log_end_offset:
        follower.append_as_follower(log.read(follower.log_end_offset, 1), now_ms=0)

    assert everything(log) == everything(follower)
    follower.check()


def test_a_producers_last_sequence_survives_the_compaction_of_all_its_records() -> None:
    storage = MemoryStorage()
    log = _log(storage)
    log.append_as_leader(numbered(7, 0, 0, 2), leader_epoch=0, now_ms=0)
    for _ in range(8):
        _append(log, (b"k", b"newer"))
    log.compact(0)
    for name in storage.names("o"):
        if name.endswith(".snapshot"):
            storage.delete(f"o/{name}")

    again = _log(storage)

    assert again.append_as_leader(numbered(7, 0, 0, 2), leader_epoch=0, now_ms=0).is_duplicate
    assert all(record.value == b"newer" for record in everything(again)[:-1])


def _transaction(log: PartitionLog, producer_id: int, sequence: int, *, is_commit: bool | None) -> None:
    one = numbered(producer_id, 0, sequence, 1, TRANSACTIONAL)
    log.append_as_leader(one, leader_epoch=0, now_ms=0)
    if is_commit is not None:
        marker = encode_marker(Marker(is_commit, 0), producer_id, 0, 0)
        log.append_as_leader(marker, leader_epoch=0, now_ms=0, is_from_client=False)
    log.high_watermark = log.log_end_offset


def _fill(log: PartitionLog) -> None:
    for at in range(6):
        _append(log, (b"fill", b"%d" % at))


def test_records_of_an_aborted_transaction_go_and_hide_nothing() -> None:
    log = _log()
    _append(log, (b"k", b"good"))
    _transaction(log, 7, 0, is_commit=False)
    _fill(log)
    log.compact(0)

    assert b"good" in [record.value for record in everything(log)]
    assert b"0" not in [record.value for record in everything(log) if record.key == b"k"]


def test_a_commit_marker_stays_while_records_of_its_transaction_do() -> None:
    """Without it a transaction that is over would look open, and the last stable offset would stop there for good."""
    storage = MemoryStorage()
    log = _log(storage)
    _transaction(log, 7, 0, is_commit=True)
    _fill(log)
    for now_ms in (0, 1000, 2000):
        log.compact(now_ms)
    for name in storage.names("o"):
        if name.endswith(".snapshot"):
            storage.delete(f"o/{name}")
    again = _log(storage)
    again.high_watermark = again.log_end_offset

    assert again.log_end_offset == again.last_stable_offset
    assert b"0" in [record.value for record in everything(again) if record.key == b"k"]


def test_a_marker_whose_transaction_is_gone_goes_after_its_delay() -> None:
    log = _log()
    _transaction(log, 7, 0, is_commit=False)
    _transaction(log, 7, 1, is_commit=True)
    _append(log, (b"k", b"newest"))
    _fill(log)

    def markers() -> list[int]:
        return [h.base_offset for segment in log.segments for _at, h in segment.batches() if h.is_control]

    found = [markers()]
    for now_ms in (0, 50, 500):
        log.compact(now_ms)
        found.append(markers())

    # The producer's last batch is kept (empty), and with it the marker of its transaction.
    assert [[1, 3], [1, 3], [1, 3], [3]] == found


def test_nothing_of_an_open_transaction_is_compacted() -> None:
    log = _log()
    _append(log, (b"k", b"old"))
    _transaction(log, 7, 0, is_commit=None)
    _fill(log)

    assert (0, 1) == (log.compact(0), log.last_stable_offset)


def test_a_gzipped_batch_is_thinned_and_one_in_an_unknown_codec_stays_whole() -> None:
    log = _log()
    packed = gzipped(keyed((b"a", b"old"), (b"b", b"only")))
    closed = resealed(read_header(keyed((b"a", b"x")))._replace(attributes=4), b"who knows")
    for one in (packed, closed):
        log.append_as_leader(one, leader_epoch=0, now_ms=0)
    _append(log, (b"a", b"new"))
    _fill(log)
    log.compact(0)

    assert [(1, b"only"), (3, b"new")] == [
        (r.offset, r.value) for r in everything_readable(log) if r.key in {b"a", b"b"}
    ]
    assert 4 in [header.compression for segment in log.segments for _at, header in segment.batches()]


def everything_readable(log: PartitionLog) -> list[Any]:
    return [r for s in log.segments for at, h in s.batches() for r in records_of(s.bytes_at(at, h.size)) or ()]


def test_young_segments_wait_for_their_compaction_lag() -> None:
    log = _log(config=LogConfig(segment_bytes=250, compact=True, min_compaction_lag_ms=1000))
    for at in range(10):
        _append(log, (b"k", b"%d" % at))

    assert [True, False] == [log.compact(now_ms) == 0 for now_ms in (999, 1000)]


@pytest.mark.parametrize("one", [keyed((None, b"v")), gzipped(keyed((b"k", b"v"), (None, b"v")))])
def test_a_compacted_log_takes_no_record_without_a_key(one: bytes) -> None:
    with pytest.raises(InvalidRecord, match="without a key"):
        _log().append_as_leader(one, leader_epoch=0, now_ms=0)


class _Crash(Exception):
    """The process ends between two operations on the storage."""


class _Crashing(MemoryStorage):
    """Ends the process before its n-th lasting operation."""

    left = 1 << 30
    is_within = False  # an operation of the memory is made of others, and is whole or not at all

    def _once(self, operation: Callable[[], None]) -> None:
        if self.is_within:
            operation()
            return
        self.left -= 1
        if self.left < 0:
            raise _Crash
        self.is_within = True
        operation()
        self.is_within = False

    def replace(self, path: str, data: Any) -> None:
        self._once(partial(super().replace, path, data))

    def rename(self, path: str, new_path: str) -> None:
        self._once(partial(super().rename, path, new_path))

    def truncate(self, path: str, size: int) -> None:
        self._once(partial(super().truncate, path, size))

    def write(self, path: str, data: Any) -> None:
        self._once(partial(super().write, path, data))

    def settle(self, path: str) -> None:
        self._once(partial(super().settle, path))

    def delete(self, *paths: str) -> None:
        for path in paths:
            if path in self._files:
                self._once(partial(super().delete, path))

    def discard(self, *paths: str) -> None:
        self.delete(*paths)


@pytest.mark.parametrize("what", ["compact", "delete_expired", "truncate_to"])
def test_a_crash_between_any_two_steps_on_the_disk_leaves_a_whole_log(what: str) -> None:
    """Compaction, retention and truncation, killed before each of their operations, then opened and finished."""
    config = LogConfig(segment_bytes=250, compact=True, retention_ms=10)
    crashes = 0
    while True:
        storage = _Crashing()
        log = _log(storage, config)
        for at in range(30):
            _append(log, (b"k%d" % (at % 3), b"%d" % at))
        before = {record.offset: record for record in everything(log)}
        table = {record.key: record.value for record in before.values()}
        storage.left = crashes
        try:
            _do(log, what)
        except _Crash:
            crashes += 1
            storage.left = 1 << 30
            log = PartitionLog(storage, "o", config, 0, recovery_point=0 if what == "truncate_to" else 30)
            log.high_watermark = log.log_end_offset
            log.check()
            found = everything(log)
            assert all(before[record.offset] == record for record in found)
            assert [r.offset for r in found] == sorted({r.offset for r in found})
            if what == "compact":
                assert table == {record.key: record.value for record in found}
                assert 30 == log.log_end_offset
            elif what == "delete_expired":
                assert list(range(log.log_start_offset, 30)) == [r.offset for r in found]
            else:
                assert list(range(log.log_end_offset)) == [r.offset for r in found]
            _do(log, what)
            log.check()
        else:
            break

    assert crashes > 5


def _do(log: PartitionLog, what: str) -> None:
    match what:
        case "compact":
            log.compact(0)
        case "delete_expired":
            log.delete_expired(1000)
        case _:
            log.truncate_to(4)


def test_compaction_works_on_files(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    log = _log(storage)
    for at in range(20):
        _append(log, (b"k%d" % (at % 2), b"%d" % at))
    log.compact(0)
    table = [(record.offset, record.value) for record in everything(log)]
    storage.close()
    again = _log(FileStorage(tmp_path))

    assert table == [(record.offset, record.value) for record in everything(again)]
    assert all(header.size for header, _one in split(again.read(0, 1000)))
