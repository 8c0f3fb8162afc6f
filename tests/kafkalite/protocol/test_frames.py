"""Frames come out whole however the bytes came in, and cost only what came in."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.protocol.buffers import BUFFER_BYTES, BufferPool, is_viewed
from kafkalite.protocol.frames import FRAME_BYTES_MAX, FrameReader, begin_frame, end_frame


def framed(payload: bytes) -> bytes:
    return bytes(end_frame(begin_frame() + payload))


def received(reader: FrameReader, data: bytes) -> Iterator[memoryview]:
    """What comes out when the data come in, as much at once as there is room for."""
    while data:
        room = reader.room()
        assert len(room)
        count = min(len(room), len(data))
        room[:count] = data[:count]
        reader.filled(count)
        yield from reader.frames()
        data = data[count:]
        reader.rest()


@given(
    payloads=st.lists(st.binary(max_size=90), max_size=8),
    cuts=st.lists(st.integers(0, 500)),
    buffer_bytes=st.sampled_from([4, 33, 64, 1000]),
    kept=st.integers(1, 3),
)
def test_the_same_frames_come_out_wherever_the_stream_is_cut_and_stay_as_long_as_they_are_kept(
    payloads: list[bytes], cuts: list[int], buffer_bytes: int, kept: int
) -> None:
    stream = b"".join(map(framed, payloads))
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    reader = FrameReader(BufferPool(buffer_bytes))
    latest: list[memoryview] = []
    count = 0

    for start, end in zip([0, *ends], ends, strict=False):
        for frame in received(reader, stream[start:end]):
            count += 1
            latest = [*latest, frame][-kept:]
            assert payloads[max(0, count - kept) : count] == latest

    assert len(payloads) == count
    assert 0 == reader.waiting_bytes
    assert payloads[max(0, count - kept) : count] == latest


def test_a_buffer_that_nobody_looks_at_is_used_again() -> None:
    pool, large = BufferPool(), framed(bytes(BUFFER_BYTES // 2))
    first, second, third = FrameReader(pool), FrameReader(pool), FrameReader(pool)

    [seen] = received(first, large)
    [other] = received(second, large)
    assert seen.obj is not other.obj
    used = seen.obj
    del seen
    first.rest()
    [again] = received(third, large)

    assert used is again.obj


def test_a_connection_without_anything_under_way_holds_no_buffer() -> None:
    pool = BufferPool()
    readers = [FrameReader(pool) for _ in range(100)]

    for reader in readers:
        assert [b"small"] == list(received(reader, framed(b"small") + b"\0\0"))

    buffer = pool.take(1)
    assert not is_viewed(buffer)
    assert pool.take(1) is not buffer
    assert [2] * len(readers) == [reader.waiting_bytes for reader in readers]


def test_a_frame_that_has_not_all_come_is_waited_for() -> None:
    reader = FrameReader(BufferPool())
    stream = framed(b"abc")

    assert [] == [frame for byte in stream[:-1] for frame in received(reader, bytes([byte]))]
    assert len(stream) - 1 == reader.waiting_bytes
    assert [b"abc"] == list(received(reader, stream[-1:]))


def test_a_reader_that_is_closed_holds_nothing() -> None:
    """Neither what was half there nor the room for what did not come."""
    pool = BufferPool()
    reader = FrameReader(pool)
    reader.room()[:3] = b"abc"
    reader.filled(3)
    lent = reader.room().obj

    reader.close()

    assert 0 == reader.waiting_bytes
    assert lent is pool.take(1)


@pytest.mark.parametrize("length", ["7f ff ff ff", "06 40 00 01", "ff ff ff ff", "80 00 00 00"])
def test_a_length_that_no_frame_has_is_refused_at_once(length: str) -> None:
    with pytest.raises(ProtocolError, match=r"a frame of -?\d+ bytes was announced; expected 0 to 104857600"):
        list(received(FrameReader(BufferPool()), bytes.fromhex(length)))


def test_a_bad_length_behind_a_good_frame_is_refused_after_that_frame() -> None:
    stream = received(FrameReader(BufferPool()), framed(b"good") + b"GET / HTTP/1.1")

    assert b"good" == bytes(next(stream))
    with pytest.raises(ProtocolError, match="speaking Kafka's protocol"):
        next(stream)


def test_a_limit_of_ones_own_is_kept() -> None:
    assert [b"12345678"] == list(received(FrameReader(BufferPool(), 8), framed(b"12345678")))
    with pytest.raises(ProtocolError, match="expected 0 to 8"):
        list(received(FrameReader(BufferPool(), 8), framed(b"123456789")))


def test_an_announced_length_costs_nothing_until_its_bytes_come() -> None:
    tracemalloc.start()
    try:
        pool = BufferPool()
        readers = [FrameReader(pool) for _ in range(20)]
        assert [] == [
            frame for reader in readers for frame in received(reader, FRAME_BYTES_MAX.to_bytes(4, "big") + b"x")
        ]
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held_bytes < BUFFER_BYTES + 100_000  # one buffer, which goes round
