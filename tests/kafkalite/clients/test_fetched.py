"""What a consumer is handed of the bytes it fetched: nothing twice, no markers, nothing aborted."""

from __future__ import annotations

import pytest

from kafkalite.clients.fetched import read_fetched
from kafkalite.log.batch import CONTROL, TRANSACTIONAL, encode_batch, patched
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.record import Record


def _batch(base: int, count: int, producer: int = -1, *, transactional: bool = False, epoch: int = 4) -> bytes:
    records = [Record(None, b"%d" % (base + number), 0, offset=base + number) for number in range(count)]
    attributes = TRANSACTIONAL if transactional else 0
    return encode_batch(records, base_offset=base, leader_epoch=epoch, producer_id=producer, attributes=attributes)


def _marker(offset: int, producer: int, *, is_commit: bool) -> bytes:
    return b"".join(patched(encode_marker(Marker(is_commit, 0), producer, 0, 0), offset, 4))


def _offsets(data: bytes, position: int = 0, aborted: list[tuple[int, int]] | None = None) -> list[int]:
    return [record.offset for record in read_fetched(data, position, aborted).records]


def test_records_below_the_position_are_passed_over() -> None:
    """C1. The first batch may begin below."""
    data = _batch(5, 3) + _batch(8, 2)

    assert [7, 8, 9] == _offsets(data, 7)
    assert 10 == read_fetched(data, 7).next_offset


def test_gaps_and_a_batch_that_was_cut_off_do_no_harm() -> None:
    """T3, M3: offsets are not positions in a list."""
    data = _batch(5, 1) + _batch(8, 2) + _batch(20, 5)[:-3]

    assert [5, 8, 9] == _offsets(data, 5)
    assert 10 == read_fetched(data, 5).next_offset


def test_markers_are_passed_over_and_moved_past() -> None:
    data = _batch(0, 1) + _marker(1, 7, is_commit=True)

    assert [0] == _offsets(data)
    assert 2 == read_fetched(data, 0).next_offset
    assert ([], 2) == read_fetched(_marker(1, 7, is_commit=True), 1)[:2]


def test_read_committed_passes_over_aborted_records_and_only_those() -> None:
    data = (
        _batch(0, 2, 7, transactional=True)
        + _batch(2, 1, 8, transactional=True)
        + _batch(3, 1)
        + _marker(4, 7, is_commit=False)
        + _batch(5, 1, 7, transactional=True)
        + _marker(6, 7, is_commit=True)
        + _marker(7, 8, is_commit=True)
    )

    assert [2, 3, 5] == _offsets(data, aborted=[(7, 0)])
    assert [0, 1, 2, 3, 5] == _offsets(data)


def test_a_transaction_that_aborts_later_does_not_hide_an_earlier_one() -> None:
    data = _batch(0, 1, 7, transactional=True) + _marker(1, 7, is_commit=True) + _batch(2, 1, 7, transactional=True)

    assert [0] == _offsets(data, aborted=[(7, 2)])


def test_reading_on_within_an_aborted_transaction_still_passes_over_it() -> None:
    data = _batch(5, 1, 7, transactional=True) + _marker(6, 7, is_commit=False) + _batch(7, 1, 7, transactional=True)

    assert [7] == _offsets(data, 5, aborted=[(7, 0)])


def test_a_wrong_crc_is_an_error_unless_nobody_looks() -> None:
    data = bytearray(_batch(0, 1))
    data[-2] ^= 1

    with pytest.raises(CorruptBatch):
        read_fetched(data, 0)
    assert 1 == len(read_fetched(data, 0, check_crcs=False).records)


def test_nothing_is_nothing() -> None:
    assert ([], 3, -1) == read_fetched(b"", 3)


def test_a_control_batch_that_compaction_has_emptied_is_passed_over() -> None:
    emptied = encode_batch([], base_offset=0, leader_epoch=4, attributes=TRANSACTIONAL | CONTROL, producer_id=7)
    data = emptied + _batch(1, 1, 7, transactional=True)

    assert [1] == _offsets(data)
    assert [] == _offsets(data, aborted=[(7, 0)])


def test_a_compression_that_is_not_there_is_an_error_and_no_empty_answer() -> None:
    snappy = 2
    data = encode_batch([Record(None, b"v")], attributes=snappy)

    with pytest.raises(CorruptBatch, match="no codec 2"):
        read_fetched(data, 0)
