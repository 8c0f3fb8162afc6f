"""The pipe to a worker nobody trusts: requests go out, replies come back, and nothing the worker sends can do more.

A frame is four bytes of length, most significant first, then one JSON object in UTF-8. Each request has an id and
gets one reply, which repeats it. Whatever is not that is a ProtocolError: too long, too deep, not JSON, NaN, a key
twice, another id, bytes nobody asked for. Bounded are the bytes of a frame, the containers in it, the digits of a
number (Python's own limit) and the time from request to reply.

Left out: what the requests mean (`autograder.remote`), and the end of the worker (`autograder.box`).
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import time
from typing import Any, NoReturn

FRAME_BYTES_MAX = 4 << 20
CONTAINERS_MAX = 400_000  # and commas: a value of 100,000 items needs fewer, 4 MB of `[],` would take 100 MB of memory
CHUNK_BYTES = 1 << 16
_HEADER = struct.Struct(">I")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


class ProtocolError(Exception):
    """The worker sent something that is no reply to what it was asked."""


class Late(Exception):
    """The reply did not come in time."""


class Gone(Exception):
    """The worker has closed its end."""


class Channel:
    """One worker, asked one thing at a time.

    `requests` and `replies` are descriptors of pipes; they stay the caller's to close.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self._requests, self._replies = requests, replies
        os.set_blocking(requests, False)  # a worker that does not read must not keep us waiting
        os.set_blocking(replies, False)
        self._id = 0
        self._buffer = bytearray()
        self._may_read = select.poll()
        self._may_read.register(replies, select.POLLIN)
        self._may_write = select.poll()
        self._may_write.register(requests, select.POLLOUT)

    def ask(self, request: dict[str, Any], within_s: float) -> dict[str, Any]:
        """The reply to a request, without its id. Raises ProtocolError, Late or Gone; ask no more after that."""
        deadline_s = time.monotonic() + within_s
        if self._buffer:
            raise ProtocolError("more than one reply to a request")
        self._id += 1
        self._send(_frame({"id": self._id, **request}), deadline_s)
        reply = decode_frame(self._receive(deadline_s))
        if type(reply.get("id")) is not int or reply.pop("id") != self._id:
            raise ProtocolError(f"a reply that is not to request {self._id}")
        return reply

    def _send(self, data: bytes, deadline_s: float) -> None:
        while data:
            try:
                data = data[os.write(self._requests, data) :]
            except BlockingIOError:
                self._wait(self._may_write, deadline_s)
            except OSError:
                raise Gone from None

    def _receive(self, deadline_s: float) -> bytes:
        self._fill(_HEADER.size, deadline_s)
        (size,) = _HEADER.unpack_from(self._buffer)
        if size > FRAME_BYTES_MAX:
            raise ProtocolError(f"a reply of {size:,} bytes, where {FRAME_BYTES_MAX:,} are allowed")
        end = _HEADER.size + size
        self._fill(end, deadline_s)
        frame = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        return frame

    def _fill(self, size: int, deadline_s: float) -> None:
        while len(self._buffer) < size:
            self._wait(self._may_read, deadline_s)
            try:
                chunk = os.read(self._replies, CHUNK_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                raise Gone from None
            if not chunk:
                raise Gone
            self._buffer += chunk

    def _wait(self, poller: select.poll, deadline_s: float) -> None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not poller.poll(left_s * 1000):
            raise Late


_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode


def _frame(request: dict[str, Any]) -> bytes:
    data = _to_json(request).encode()
    return _HEADER.pack(len(data)) + data


def decode_frame(frame: bytes) -> dict[str, Any]:
    """The JSON object in a frame. Raises ProtocolError for anything else, however it was made.

    >>> decode_frame(b'{"id":1,"value":[2]}')
    {'id': 1, 'value': [2]}
    """
    if _containers(frame) > CONTAINERS_MAX and _containers(_TEXT.sub(b"", frame)) > CONTAINERS_MAX:
        raise ProtocolError(f"a reply of more than {CONTAINERS_MAX:,} items")
    try:
        reply = _decoder.decode(frame.decode("utf-8"))
    except UnicodeDecodeError:
        raise ProtocolError("a reply that is not UTF-8") from None
    except RecursionError:
        raise ProtocolError("a reply that is nested too deeply") from None
    except ValueError as error:
        raise ProtocolError(f"a reply that is not JSON: {str(error)[:80]}") from None
    if type(reply) is not dict:
        raise ProtocolError(f"a reply that is a {type(reply).__name__}, not an object")
    return reply


def _containers(frame: bytes) -> int:
    return frame.count(b"[") + frame.count(b"{") + frame.count(b",")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_each_key_once, parse_constant=_no_such_number)
