"""A lookup in a sparse index is what a linear search finds, and the index of a segment leads to every batch."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.batch import split
from kafkalite.log.index import lookup, offset_index, time_index
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.reading import fitting, read, segment_for
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage

from .batches import at_offset, batch

_entries = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9999)), max_size=12).map(sorted)


@settings(deadline=None, derandomize=True)
@given(index=_entries, wanted=st.integers(-2, 62))
def test_a_lookup_is_a_linear_search(index: list[tuple[int, int]], wanted: int) -> None:
    expected = None
    for entry in index:
        if entry[0] <= wanted:
            expected = entry

    assert expected == lookup(index, wanted)


@settings(deadline=None, derandomize=True)
@given(index=_entries, wanted=st.integers(-2, 62), base=st.integers(0, 1 << 40))
def test_a_lookup_in_a_file_is_a_lookup_in_a_list(index: list[tuple[int, int]], wanted: int, base: int) -> None:
    storage = MemoryStorage()
    offsets, times = offset_index(storage, "o/i", base), time_index(storage, "o/t", base)
    for first, second in index:
        offsets.append((base + first, second))
        times.append((first, base + second))

    found, found_time = lookup(offsets, base + wanted), lookup(times, wanted)
    expected = lookup(index, wanted)

    assert expected == (found and (found[0] - base, found[1]))
    assert expected == (found_time and (found_time[0], found_time[1] - base))
    assert [8 * len(index), 12 * len(index)] == [storage.size("o/i"), storage.size("o/t")]
    assert list(offsets) == list(offset_index(storage, "o/i", base))
    assert list(offsets)[1:3] == list(offsets[1:3])


def test_an_index_file_has_no_entry_beyond_its_end() -> None:
    index = offset_index(MemoryStorage(), "o/i", 0)
    index.append((4, 100))
    twin = copy.deepcopy(index)
    index.rewrite([(5, 1), (6, 2)])

    assert ((4, 100), (6, 2), (5, 1)) == (twin[-1], index[-1], index[0])
    with pytest.raises(IndexError):
        index[2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    gaps=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=25),
    interval=st.sampled_from([1, 100, 300, 4096]),
    data=st.data(),
)
def test_every_offset_leads_to_its_batch_or_the_next(
    gaps: list[tuple[int, int]], interval: int, data: st.DataObject
) -> None:
    """Through the index, from a log just opened, which remembers nothing; against a search over all batches."""
    storage, end = MemoryStorage(), 0
    config = LogConfig(segment_bytes=600, index_interval_bytes=interval)
    log = PartitionLog(storage, "o", config, now_ms=0)
    rows: list[bytes] = []
    for gap, count in gaps:
        rows.append(at_offset(batch(*[b"v"] * count), end + gap))
        end += gap + count
        log.append_as_follower(rows[-1], now_ms=0)
    log.close()
    again = PartitionLog(storage, "o", config, now_ms=0, is_clean=True)
    plain = [(segment.base_offset, segment.bytes_at(0, segment.size)) for segment in again.segments]
    offset = data.draw(st.integers(0, end))
    max_bytes = data.draw(st.sampled_from([0, 80, 200, 1000]))

    assert read(plain, offset, max_bytes) == again.read(offset, max_bytes) == log.read(offset, max_bytes)
    headers = [header for row in rows for header, _one in split(row)]
    expected = next((header.base_offset for header in headers if header.last_offset >= offset), None)
    found = next((header.base_offset for header, _one in split(again.read(offset, 1))), None)
    assert expected == found


def test_a_read_is_at_least_one_batch_however_large() -> None:
    """KIP-74: otherwise a consumer could never pass it."""
    large, small = at_offset(batch(bytes(5000)), 0), at_offset(batch(b"v"), 1)

    assert [large, large, large + small] == [read([(0, large + small)], 0, size) for size in (0, 5050, 6000)]


def test_a_read_stays_within_a_segment_and_steps_over_an_empty_one() -> None:
    one, other = at_offset(batch(b"a"), 0), at_offset(batch(b"b"), 9)
    segments = [(0, one), (1, b""), (5, other)]

    assert [one, other, other, b""] == [read(segments, offset, 9999) for offset in (0, 1, 9, 10)]


@settings(deadline=None, derandomize=True)
@given(
    bases=st.lists(st.integers(1, 50), max_size=8, unique=True).map(lambda found: sorted([0, *found])),
    wanted=st.integers(0, 60),
)
def test_a_segment_is_the_last_that_does_not_begin_above(bases: list[int], wanted: int) -> None:
    assert max(at for at, base in enumerate(bases) if base <= wanted) == segment_for(bases, wanted)


def test_only_whole_batches_fit() -> None:
    one, other = batch(b"a"), batch(b"bcd")
    for cut in range(len(one + other) + 1):
        expected = len(one + other) if cut == len(one + other) else len(one) if cut >= len(one) else 0
        assert expected == fitting((one + other)[:cut])
