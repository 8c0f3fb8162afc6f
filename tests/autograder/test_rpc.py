"""The pipe: requests and replies in pairs, and for everything else that may come along it a ProtocolError."""

from __future__ import annotations

import json
import os
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.rpc import FRAME_BYTES_MAX, Channel, Gone, Late, ProtocolError, decode_frame

REPLY = {"id": 1, "value": [1, {"tuple": ["a"]}]}


def framed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


@contextmanager
def channel(*, answers: bytes, closed: bool = True) -> Iterator[Channel]:
    """A channel to a worker that has already said all that it will say."""
    requests_read, requests = os.pipe()
    replies, replies_write = os.pipe()
    os.write(replies_write, answers)
    if closed:
        os.close(replies_write)
    try:
        yield Channel(requests, replies)
    finally:
        for fd in (requests_read, requests, replies, *(() if closed else (replies_write,))):
            os.close(fd)


def ask(answers: bytes, *, closed: bool = True) -> dict[str, Any]:
    with channel(answers=answers, closed=closed) as worker:
        return worker.ask({"do": "open"}, within_s=0.05)


def test_a_reply_comes_back_without_its_id() -> None:
    assert {"value": REPLY["value"]} == ask(framed(json.dumps(REPLY).encode()))


def test_a_request_has_an_id_and_four_bytes_of_length() -> None:
    requests_read, requests = os.pipe()
    replies, replies_write = os.pipe()
    os.write(replies_write, framed(b'{"id":1}') + framed(b'{"id":2}'))
    worker = Channel(requests, replies)
    worker.ask({"do": "a"}, within_s=1)
    sent = os.read(requests_read, 100)
    for fd in (requests_read, requests, replies, replies_write):
        os.close(fd)

    assert framed(b'{"id":1,"do":"a"}') == sent


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"[1]", "a list, not an object"),
        (b"nothing", "not JSON"),
        (b"", "not JSON"),
        (b'{"id": NaN}', "NaN is no number"),
        (b'{"id": 1, "id": 1}', "a key stands twice"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b'{"id": 1, "value": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"id": 1, "value": ' + b"9" * 3_000_000 + b"}", "not JSON"),
        (b'{"id": 1, "value": [' + b"[]," * 1_000_000 + b"1]}", "more than 400,000 items"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_what_is_no_reply_is_a_protocol_error(frame: bytes, said: str) -> None:
    """I21: depth, digits, bad text; and the memory it takes to find out is bounded."""
    with pytest.raises(ProtocolError, match=said):
        decode_frame(frame)


@pytest.mark.parametrize("reply", [b'{"id": 2}', b'{"id": true}', b'{"id": 1.0}', b"{}"])
def test_a_reply_to_another_request_is_a_protocol_error(reply: bytes) -> None:
    with pytest.raises(ProtocolError, match="not to request 1"):
        ask(framed(reply))


def test_a_length_of_four_gigabytes_is_refused_unread() -> None:
    """I21: nothing is set aside for it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ProtocolError, match=f"where {FRAME_BYTES_MAX:,} are allowed"):
        ask(b"\xff\xff\xff\xff")

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # KiB


def test_a_reply_nobody_asked_for_is_a_protocol_error_at_the_next_request() -> None:
    """I20: whoever answers ahead is found out before the answer is used."""
    with channel(answers=framed(b'{"id": 1}') + framed(b'{"id": 2}')) as worker:
        worker.ask({"do": "a"}, within_s=1)
        with pytest.raises(ProtocolError, match="more than one reply"):
            worker.ask({"do": "b"}, within_s=1)


def test_silence_is_late_and_a_closed_pipe_is_gone() -> None:
    with pytest.raises(Late):
        ask(b"", closed=False)
    with pytest.raises(Late):
        ask(framed(b'{"id": 1}')[:-1], closed=False)
    with pytest.raises(Gone):
        ask(b"")
    with pytest.raises(Gone):
        ask(framed(b'{"id": 1}')[:-1])


def test_a_worker_that_does_not_read_does_not_make_us_wait() -> None:
    with channel(answers=b"", closed=False) as worker, pytest.raises(Late):
        worker.ask({"do": "run", "source": "x" * 1_000_000}, within_s=0.05)


def test_a_worker_that_has_stopped_reading_for_good_is_gone() -> None:
    requests_read, requests = os.pipe()
    replies, replies_write = os.pipe()
    os.close(requests_read)
    with pytest.raises(Gone):
        Channel(requests, replies).ask({"do": "a"}, within_s=1)
    for fd in (requests, replies, replies_write):
        os.close(fd)


@given(
    st.binary(max_size=200) | st.binary(max_size=200).map(framed) | st.text(max_size=100).map(str.encode).map(framed)
)
def test_arbitrary_bytes_are_never_anything_but_refused(data: bytes) -> None:
    with pytest.raises((ProtocolError, Gone)):
        ask(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_every_json_value_comes_through_as_it_is(value: Any) -> None:
    (found,) = ask(framed(json.dumps({"id": 1, "value": value}).encode())).values()

    assert repr(value) == repr(found)
