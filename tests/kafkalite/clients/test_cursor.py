"""A cursor goes over a log once, wherever it begins, and readers do not disturb each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafkalite.clients.cursor import Cursor


@given(position=st.integers(0, 20), ends=st.lists(st.integers(0, 9), max_size=9), max_records=st.integers(1, 4))
def test_polls_cover_every_offset_once_and_in_order(position: int, ends: list[int], max_records: int) -> None:
    cursor, end, seen = Cursor(position), position, list[int]()
    for more in [*ends, *[0] * 100]:
        end += more
        seen += range(*cursor.poll(0, end, max_records))

    assert list(range(position, end)) == seen
    assert 0 == cursor.lag(end)


def test_a_reader_that_retention_has_passed_goes_on_from_the_start() -> None:
    assert (7, 9) == Cursor(2).poll(start=7, end=9, max_records=5)


def test_a_reader_beyond_the_end_goes_on_from_the_start() -> None:
    """Kafka resets whatever is out of range, on either side."""
    assert (7, 9) == Cursor(50).poll(start=7, end=9, max_records=5)


def test_seeking_back_replays_and_seeking_ahead_skips() -> None:
    cursor = Cursor()
    cursor.poll(0, 6, 6)
    cursor.seek(2)
    replayed = cursor.poll(0, 6, 2)
    cursor.seek(5)

    assert (2, 4) == replayed
    assert (5, 6) == cursor.poll(0, 6, 2)


def test_lag_is_never_negative() -> None:
    assert 0 == Cursor(9).lag(end=5)
