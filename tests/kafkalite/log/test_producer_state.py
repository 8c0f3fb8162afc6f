"""A retried batch is known, a zombie is fenced, a missing batch is missed; after a restart and at a new leader, too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.batch import TRANSACTIONAL
from kafkalite.log.errors import InvalidRecord, OutOfOrderSequence, ProducerFenced
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.producer_snapshot import CorruptSnapshot, decode_snapshot, encode_snapshot
from kafkalite.log.producer_state import SEQUENCE_END, Batch, Producer, Producers, Verdict, check
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage

from .batches import everything, numbered

FIVE = tuple(Batch(last_sequence=at, last_offset=100 + at, offset_delta=0, timestamp_ms=0) for at in range(5, 10))


def _log(storage: MemoryStorage | None = None, **settings: Any) -> PartitionLog:
    return PartitionLog(storage or MemoryStorage(), "o", LogConfig(**settings), now_ms=0)


@pytest.mark.parametrize(
    ("epoch", "base_sequence", "last_sequence", "expected"),
    [
        (2, 10, 14, Verdict.ACCEPT),
        (2, 5, 5, Verdict.DUPLICATE),
        (2, 9, 9, Verdict.DUPLICATE),
        (2, 4, 4, Verdict.OUT_OF_ORDER),  # older than the five that are remembered
        (2, 8, 9, Verdict.OUT_OF_ORDER),  # overlaps, and is not what was sent
        (2, 11, 11, Verdict.OUT_OF_ORDER),
        (3, 0, 4, Verdict.ACCEPT),
        (3, 10, 10, Verdict.OUT_OF_ORDER),  # a new epoch begins at 0
        (1, 10, 10, Verdict.FENCED),
        (1, 9, 9, Verdict.FENCED),
    ],
)
def test_what_becomes_of_a_batch(epoch: int, base_sequence: int, last_sequence: int, expected: Verdict) -> None:
    assert expected is check(Producer(epoch=2, batches=FIVE), epoch, base_sequence, last_sequence)


def test_of_an_unknown_producer_any_batch_is_accepted() -> None:
    assert [Verdict.ACCEPT] * 2 == [check(None, 3, base, base) for base in (0, 17)]


def test_sequences_wrap_and_zero_is_next_after_the_last() -> None:
    log = _log()
    top = SEQUENCE_END - 1
    log.append_as_leader(numbered(7, 0, top - 1), leader_epoch=0, now_ms=0)
    log.append_as_leader(numbered(7, 0, top, 3), leader_epoch=0, now_ms=0)  # top, 0, 1

    assert 4 == log.append_as_leader(numbered(7, 0, 2), leader_epoch=0, now_ms=0).base_offset
    again = log.append_as_leader(numbered(7, 0, top, 3), leader_epoch=0, now_ms=0)
    assert (1, 3, True) == (again.base_offset, again.last_offset, again.is_duplicate)
    with pytest.raises(OutOfOrderSequence, match="last sequence 2"):
        log.append_as_leader(numbered(7, 0, 4), leader_epoch=0, now_ms=0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    arrivals=st.lists(st.integers(0, 9), max_size=40), restart=st.sampled_from(["none", "clean", "killed", "follower"])
)
def test_every_batch_stands_once_and_in_order_however_often_it_is_sent(arrivals: list[int], restart: str) -> None:
    """Half of the batches reach one log, the other half the one that comes after it."""
    storage = MemoryStorage()
    log = _log(storage, segment_bytes=200)
    log.append_as_leader(numbered(7, 0, 0), leader_epoch=0, now_ms=0)
    end = 1  # sequences and offsets run together here
    for count, sequence in enumerate(arrivals):
        if count == len(arrivals) // 2:
            log = _after(log, storage, restart)
        if sequence == end or end - 5 <= sequence < end:
            appended = log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)
            assert (sequence, sequence < end) == (appended.base_offset, appended.is_duplicate)
            end = max(end, sequence + 1)
        else:
            with pytest.raises(OutOfOrderSequence):
                log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)

    assert list(range(end)) == [record.offset for record in everything(log)]


def _after(log: PartitionLog, storage: MemoryStorage, how: str) -> PartitionLog:
    if how == "none":
        return log
    if how == "follower":
        follower = _log(None, segment_bytes=300)
        while follower.log_end_offset < log.log_end_offset:
            follower.append_as_follower(log.read(follower.log_end_offset, 150), now_ms=0)
        return follower
    if how == "clean":
        log.close()
    return PartitionLog(storage, "o", log.config, now_ms=0, is_clean=how == "clean")


def test_a_zombie_is_fenced_and_changes_nothing() -> None:
    log = _log()
    log.append_as_leader(numbered(7, 0, 0), leader_epoch=0, now_ms=0)
    log.append_as_leader(numbered(7, 1, 0), leader_epoch=0, now_ms=0)

    with pytest.raises(ProducerFenced, match="known are epoch 1"):
        log.append_as_leader(numbered(7, 0, 1), leader_epoch=0, now_ms=0)
    with pytest.raises(ProducerFenced):
        log.append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), 0, 0, is_from_client=False)
    assert 2 == log.log_end_offset


def test_after_a_truncation_the_state_is_that_of_what_is_left() -> None:
    log = _log(segment_bytes=200)
    for sequence in range(8):
        log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)
    log.truncate_to(3)

    assert log.append_as_leader(numbered(7, 0, 2), leader_epoch=1, now_ms=0).is_duplicate
    with pytest.raises(OutOfOrderSequence):
        log.append_as_leader(numbered(7, 0, 7), leader_epoch=1, now_ms=0)
    assert 3 == log.append_as_leader(numbered(7, 0, 3), leader_epoch=1, now_ms=0).base_offset


def test_a_snapshot_holds_the_last_five_batches_and_kafkas_reader_the_last_one() -> None:
    producers = Producers()
    producers.put(7, Producer(2, FIVE, coordinator_epoch=4, txn_first_offset=103, timestamp_ms=0))
    producers.put(9, Producer(epoch=1, timestamp_ms=55))
    data = encode_snapshot(producers)

    assert list(producers) == list(decode_snapshot(data))
    assert 2 + 4 + 4 + 6 * 46 == len(data)
    assert (9, 4) == tuple(int.from_bytes(data[10 + 4 * 46 + at : 10 + 4 * 46 + at + 4], "big") for at in (10, 34))


def test_a_snapshot_with_any_flipped_byte_is_refused_and_the_log_is_read_instead() -> None:
    storage = MemoryStorage()
    log = _log(storage, segment_bytes=200)
    for sequence in range(6):
        log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)
    log.close()
    path = next(f"o/{name}" for name in reversed(storage.names("o")) if name.endswith(".snapshot"))
    good = storage.read(path, 0, 9999)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(CorruptSnapshot):
            decode_snapshot(bad)
    storage.replace(path, good[:-1])
    again = PartitionLog(storage, "o", log.config, now_ms=0, is_clean=True)

    assert list(log.producers) == list(again.producers)


def test_producers_that_fell_silent_are_forgotten_unless_a_transaction_is_open() -> None:
    log = _log(producer_id_expiration_ms=100)
    log.append_as_leader(numbered(7, 0, 0), leader_epoch=0, now_ms=0)
    log.append_as_leader(numbered(8, 0, 0, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    log.delete_expired(now_ms=99)
    known = [producer_id for producer_id, _producer in log.producers]
    log.delete_expired(now_ms=100)

    assert ([7, 8], [8]) == (known, [producer_id for producer_id, _producer in log.producers])


# Transactions -------------------------------------------------------------------------------------------------------


def test_the_last_stable_offset_waits_for_every_open_transaction_and_for_its_marker_to_be_committed() -> None:
    log = _log()
    stable = []

    def append(batch: bytes) -> None:
        log.append_as_leader(batch, leader_epoch=0, now_ms=0, is_from_client=False)
        log.high_watermark = log.log_end_offset
        stable.append(log.last_stable_offset)

    append(numbered(1, 0, 0))
    append(numbered(7, 0, 0, 1, TRANSACTIONAL))
    append(numbered(8, 0, 0, 1, TRANSACTIONAL))
    append(numbered(7, 0, 1, 1, TRANSACTIONAL))
    append(encode_marker(Marker(True, 0), 7, 0, 0))
    append(encode_marker(Marker(False, 0), 8, 0, 0))
    log.append_as_leader(numbered(7, 0, 2, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    log.append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), 0, 0, is_from_client=False)

    assert [1, 1, 1, 1, 2, 6] == stable
    assert (6, 6) == (log.high_watermark, log.last_stable_offset)
    log.high_watermark = 7  # the record is committed, its marker is not
    assert 6 == log.last_stable_offset
    log.high_watermark = 8
    assert 8 == log.last_stable_offset


def test_an_open_transaction_is_known_after_a_crash_and_ends_by_its_marker() -> None:
    storage = MemoryStorage()
    log = _log(storage, segment_bytes=200)
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    for sequence in range(5):
        log.append_as_leader(numbered(1, 0, sequence), leader_epoch=0, now_ms=0)
    again = PartitionLog(storage, "o", log.config, now_ms=0)
    again.high_watermark = again.log_end_offset

    assert 0 == again.last_stable_offset
    again.append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), 0, 0, is_from_client=False)
    again.high_watermark = again.log_end_offset
    assert 7 == again.last_stable_offset


def test_after_a_marker_of_a_newer_epoch_the_producer_begins_anew() -> None:
    """The coordinator fences a producer by a marker with the next epoch."""
    log = _log()
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    log.append_as_leader(encode_marker(Marker(False, 0), 7, 1, 0), 0, 0, is_from_client=False)

    with pytest.raises(ProducerFenced):
        log.append_as_leader(numbered(7, 0, 1, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)
    log.append_as_leader(numbered(7, 1, 0, 1, TRANSACTIONAL), leader_epoch=0, now_ms=0)


def test_only_a_coordinator_writes_markers() -> None:
    with pytest.raises(InvalidRecord, match="only brokers"):
        _log().append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), leader_epoch=0, now_ms=0)
