"""A change of the tree, as it is agreed on, logged, sent from server to server and applied by each of them.

A change is a client's request with a number and a time: every server applies the same requests in the same order to the
same tree, so all come to the same outcome. ZooKeeper's leader works the outcome out first and logs that (its
transactions are idempotent), because its snapshots are taken while the tree changes; ours are not.

A zxid is the leader's epoch (upper 32 bits) and a count: numbers of a later leader are always greater. A session's id
is the zxid of the change that opened it, so no two sessions ever share one.

Source: ZooKeeper's TxnHeader, ZxidUtils, PrepRequestProcessor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafkalite.protocol.codec import codec
from kafkalite.protocol.schema import Int32, Int64
from kafkalite.protocol.zookeeper import CloseSessionRequest, EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import decode_request, encode_request

NOBODY = -1  # the origin of a change that no server's client waits for: a session expired
_FRAME_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Begin a session. What a ConnectRequest becomes among the changes."""

    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """A request of the session's, number `zxid` in the history. `origin` and `cxid` tell who waits for its outcome."""

    zxid: int
    time_ms: int  # the leader's wall clock: ctime and mtime must be the same on all servers
    session_id: int
    origin: int  # the server, by its place in the ensemble, whose client asked
    cxid: int  # that server's number for the request
    request: Any

    @property
    def is_expiry(self) -> bool:
        """Did the leader end the session, and not its client?"""
        return self.origin == NOBODY


@dataclass(frozen=True, slots=True)
class _Header:
    """What stands before the request; `opens_ms` is the time out of the session that is opened, if one is."""

    zxid: Int64 = 0
    time_ms: Int64 = 0
    session_id: Int64 = 0
    origin: Int32 = 0
    cxid: Int32 = 0
    opens_ms: Int32 = 0


_HEADER = codec(_Header, 0, flexible=False)


def epoch_of(zxid: int) -> int:
    """The epoch of the leader that proposed the change.

    >>> epoch_of(first_zxid(7))
    7
    """
    return zxid >> 32


def first_zxid(epoch: int) -> int:
    """Where an epoch begins: its first change is the next number."""
    return epoch << 32


def encode_change(change: Change) -> bytes:
    """The change as bytes: for the log, for other servers, and for the leader it is forwarded to.

    >>> change = Change(1, 1700000000000, 9, 0, 3, CloseSessionRequest())
    >>> decode_change(encode_change(change)) == change
    True
    """
    request = change.request
    opens_ms = request.timeout_ms if type(request) is OpenSession else 0
    out = bytearray()
    header = _Header(change.zxid, change.time_ms, change.session_id, change.origin, change.cxid, opens_ms)
    _HEADER.encode(header, out)
    if not opens_ms:
        out += memoryview(encode_request(request, 0))[_FRAME_LENGTH_BYTES:]
    return bytes(out)


def decode_change(data: bytes) -> Change:
    """The change in these bytes; ProtocolError if they are none."""
    header, at = _HEADER.decode_from(data, 0)
    request = OpenSession(header.opens_ms) if header.opens_ms else decode_request(memoryview(data)[at:]).message
    return Change(header.zxid, header.time_ms, header.session_id, header.origin, header.cxid, request)


def expiry(session_id: int) -> Change:
    """The change that ends a session of which nothing was heard; the leader numbers it."""
    return Change(0, 0, session_id, NOBODY, 0, CloseSessionRequest())


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change: error and answer for who asked, events for who watches, and the tree's digest."""

    change: Change
    error: ZooKeeperError
    answer: Any
    events: list[tuple[str, EventType]]  # path, what happened
    digest: int
