"""Frames come out whole however the bytes came in, and cost only what came in."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.protocol.frames import FRAME_BYTES_MAX, FrameReader, begin_frame, end_frame


def framed(payload: bytes) -> bytes:
    return bytes(end_frame(begin_frame() + payload))


@given(payloads=st.lists(st.binary(max_size=40), max_size=6), cuts=st.lists(st.integers(0, 300)))
def test_the_same_frames_come_out_wherever_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, payloads))
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    reader = FrameReader()

    found = [frame for start, end in zip([0, *ends], ends, strict=False) for frame in reader.receive(stream[start:end])]

    assert payloads == found
    assert 0 == reader.waiting_bytes


def test_a_frame_that_has_not_all_come_is_waited_for() -> None:
    reader = FrameReader()
    stream = framed(b"abc")

    assert [] == [frame for byte in stream[:-1] for frame in reader.receive(bytes([byte]))]
    assert len(stream) - 1 == reader.waiting_bytes
    assert [b"abc"] == list(reader.receive(stream[-1:]))


@pytest.mark.parametrize("length", ["7f ff ff ff", "06 40 00 01", "ff ff ff ff", "80 00 00 00"])
def test_a_length_that_no_frame_has_is_refused_at_once(length: str) -> None:
    with pytest.raises(ProtocolError, match=r"a frame of -?\d+ bytes was announced; expected 0 to 104857600"):
        list(FrameReader().receive(bytes.fromhex(length)))


def test_a_bad_length_behind_a_good_frame_is_refused_after_that_frame() -> None:
    stream = FrameReader().receive(framed(b"good") + b"GET / HTTP/1.1")

    assert b"good" == bytes(next(stream))
    with pytest.raises(ProtocolError, match="speaking Kafka's protocol"):
        next(stream)


def test_a_limit_of_ones_own_is_kept() -> None:
    assert [b"12345678"] == list(FrameReader(bytes_max=8).receive(framed(b"12345678")))
    with pytest.raises(ProtocolError, match="expected 0 to 8"):
        list(FrameReader(bytes_max=8).receive(framed(b"123456789")))


def test_an_announced_length_costs_nothing_until_its_bytes_come() -> None:
    tracemalloc.start()
    try:
        readers = [FrameReader() for _ in range(20)]
        assert [] == [
            frame for reader in readers for frame in reader.receive(FRAME_BYTES_MAX.to_bytes(4, "big") + b"x")
        ]
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held_bytes < 100_000
