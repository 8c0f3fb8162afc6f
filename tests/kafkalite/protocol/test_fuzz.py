"""Whatever the bytes: a message or a ProtocolError, and never more memory than a fixed multiple of them."""

from __future__ import annotations

import contextlib
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.protocol.codec import Codec
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.primitives import write_uvarint
from kafkalite.protocol.registry import ENTRIES, decode_request, decode_response, message_codec
from kafkalite.protocol.transactions import AddPartitionsToTxnRequest
from tests.kafkalite.protocol.values import EVERY_MESSAGE, message_id, messages

few = settings(
    max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
HOSTILE = [bytes([byte]) for byte in (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)] + [
    b"\xff\xff\xff\xff\x0f",
    b"\x7f\xff\xff\xff",
]


def decoded(codec: Codec[Any], data: bytes) -> Any:
    """The message, or None where the bytes are none: anything but a ProtocolError goes through and fails the test."""
    try:
        return codec.decode(data)
    except ProtocolError:
        return None


def again(codec: Codec[Any], message: Any) -> Any:
    out = bytearray()
    codec.encode(message, out)
    return codec.decode(bytes(out))


@pytest.mark.parametrize(("message", "version"), EVERY_MESSAGE, ids=message_id)
@few
@given(data=st.data())
def test_a_message_cut_short_or_changed_anywhere_is_another_message_or_an_error(
    message: type, version: int, data: st.DataObject
) -> None:
    codec = message_codec(message, version)
    out = bytearray()
    codec.encode(data.draw(messages(message, version)), out)
    whole = bytes(out[:400])  # of the longest, the part where lengths and counts are
    chance = random.Random(data.draw(st.integers(0, 1_000)))

    for end in range(len(out[:400]) if len(out) <= 400 else 0):
        assert decoded(codec, whole[:end]) is None, "a message's beginning is not a message"
    for at in chance.sample(range(len(whole)), min(len(whole), 25)):
        change = chance.choice(HOSTILE)
        changed = whole[:at] + change + whole[at + len(change) :]
        found = decoded(codec, changed)
        assert found is None or found == again(codec, found)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.binary(max_size=60), key=st.sampled_from([*ENTRIES, -1, 99]), version=st.integers(-2, 12))
@example(data=b"", key=18, version=99)
def test_arbitrary_bytes_are_a_request_or_an_error(data: bytes, key: int, version: int) -> None:
    frame = key.to_bytes(2, "big", signed=True) + version.to_bytes(2, "big", signed=True) + data
    for cut in (frame, data):
        with contextlib.suppress(ProtocolError):
            assert decode_request(cut).header.request_api_key in ENTRIES


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.binary(max_size=60), entry=st.sampled_from(list(ENTRIES.values())))
def test_arbitrary_bytes_are_a_response_or_an_error(data: bytes, entry: Any) -> None:
    for version in entry.api.versions:
        with contextlib.suppress(ProtocolError):
            assert entry.response is type(decode_response(data, RequestHeader(entry.api.key, version, 0)))


def test_a_frame_of_the_smallest_items_is_held_in_a_fixed_multiple_of_its_size() -> None:
    """The most objects for the fewest bytes: structures of three bytes, each with two empty values."""
    codec = message_codec(AddPartitionsToTxnRequest, 3)
    count = 100_000
    out = bytearray.fromhex("01" + "00" * 10)  # an empty transactional id, producer id and epoch
    write_uvarint(count + 1, out)
    frame = bytes(out) + bytes.fromhex("01 01 00") * count + b"\0"
    tracemalloc.start()
    try:
        found = codec.decode(frame)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == len(found.v3_and_below_topics)
    assert peak_bytes < 40 * len(frame)


@pytest.mark.parametrize(("message", "version"), EVERY_MESSAGE, ids=message_id)
def test_a_small_frame_that_claims_much_costs_little(message: type, version: int) -> None:
    """Every byte pattern that reads as a huge count or length, at every place of a short frame."""
    codec = message_codec(message, version)
    frames = [bytes(at) + claim + bytes(24) for at in range(24) for claim in HOSTILE[4:]]
    frames += [b"\xff" * 64, b"\x7f" * 64, b"\xfe\xff\xff\xff\x07" * 12]
    tracemalloc.start()
    try:
        for frame in frames:
            decoded(codec, frame)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 400_000, "a frame of 64 bytes; what is compiled on first use counts too"
