"""ZooKeeper's requests, replies and events as frames: a header, then a record; and `multi`, which is a list of them.

    frame = encode_request(GetDataRequest("/controller", watch=True), xid=3)
    request = decode_request(frame[4:])                                  on the server: xid, message
    frame = encode_reply(GetDataResponse(b"..."), xid=3, zxid=17)
    reply = decode_reply(frame[4:], request.message)                     back at the client

The first frame in each direction is a ConnectRequest or a ConnectResponse without a header. A reply that is no answer
has one of two reserved numbers: -1 is a watch's event, -2 answers a ping. Kafka's framing serves here too, with
ZooKeeper's own limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from kafkalite.errors import ProtocolError
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.codec import Codec, codec
from kafkalite.protocol.frames import begin_frame, end_frame
from kafkalite.protocol.primitives import Data
from kafkalite.protocol.schema import Bool, Int32, Int64
from kafkalite.protocol.zookeeper import ZooKeeperError

M = TypeVar("M")

FRAME_BYTES_MAX = 0xFFFFF  # ZooKeeper's jute.maxbuffer
EVENT_XID = -1
PING_XID = -2
SET_WATCHES_XID = -8
NO_ZXID = -1

# operation -> request, reply
OPERATIONS: dict[int, tuple[type, type]] = {
    1: (zk.CreateRequest, zk.CreateResponse),
    2: (zk.DeleteRequest, zk.DeleteResponse),
    3: (zk.ExistsRequest, zk.ExistsResponse),
    4: (zk.GetDataRequest, zk.GetDataResponse),
    5: (zk.SetDataRequest, zk.SetDataResponse),
    8: (zk.GetChildrenRequest, zk.GetChildrenResponse),
    9: (zk.SyncRequest, zk.SyncResponse),
    11: (zk.PingRequest, zk.PingResponse),
    12: (zk.GetChildren2Request, zk.GetChildren2Response),
    13: (zk.CheckVersionRequest, zk.CheckVersionResponse),
    15: (zk.Create2Request, zk.Create2Response),
    101: (zk.SetWatches, zk.SetWatchesResponse),
    -11: (zk.CloseSessionRequest, zk.CloseSessionResponse),
}
MULTI = 14
IN_MULTI = (1, 2, 5, 13, 15)  # what a multi may consist of
_OPERATION_OF = {request: operation for operation, (request, _) in OPERATIONS.items()}
_OPERATION_OF_REPLY = {reply: operation for operation, (_, reply) in OPERATIONS.items()}
_FAILED = -1  # the operation of a multi's result that is an error


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """The client's number for the request, and what it asks."""

    xid: Int32 = 0
    type: Int32 = 0


@dataclass(frozen=True, slots=True)
class ReplyHeader:
    """The number of the request, the last change that the server has seen, and what went wrong."""

    xid: Int32 = 0
    zxid: Int64 = 0
    err: Int32 = 0


@dataclass(frozen=True, slots=True)
class MultiHeader:
    """Stands before each part of a multi; the last one has no part behind it."""

    type: Int32 = _FAILED
    done: Bool = False
    err: Int32 = -1


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """In a multi that failed: its error; OK before it (undone), RUNTIME_INCONSISTENCY after it (not tried)."""

    err: Int32 = 0


@dataclass(frozen=True, slots=True)
class MultiRequest:
    """Do all of these, or none."""

    operations: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class MultiResponse:
    """What each of them came to; where one failed, each is an ErrorResponse."""

    results: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived."""

    xid: int
    message: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it arrived; `message` is None where `error` is not OK."""

    xid: int
    zxid: int
    error: ZooKeeperError
    message: Any


def encode_connect(message: zk.ConnectRequest | zk.ConnectResponse) -> bytearray:
    """The first frame of a connection, in either direction."""
    frame = begin_frame()
    _jute(type(message)).encode(message, frame)
    return end_frame(frame)


def decode_connect(frame: Data, kind: type[M]) -> M:
    """A ConnectRequest or ConnectResponse; its last byte may be missing, as before ZooKeeper 3.4."""
    found, end = codec(kind, 0, flexible=False).decode_from(frame, 0)
    return found if end == len(frame) else _jute(kind).decode(frame)


def encode_request(message: Any, xid: int) -> bytearray:
    """A request as a frame.

    >>> encode_request(zk.DeleteRequest("/a", 3), xid=7).hex(" ")
    '00 00 00 12 00 00 00 07 00 00 00 02 00 00 00 02 2f 61 00 00 00 03'
    """
    frame = begin_frame()
    if isinstance(message, MultiRequest):
        _jute(RequestHeader).encode(RequestHeader(xid, MULTI), frame)
        _write_parts([(_OPERATION_OF[type(part)], -1, part) for part in message.operations], frame)
    else:
        _jute(RequestHeader).encode(RequestHeader(xid, _OPERATION_OF[type(message)]), frame)
        _jute(type(message)).encode(message, frame)
    return end_frame(frame)


def decode_request(frame: Data) -> Request:
    """The request in a frame without its length; ProtocolError if its operation is not served."""
    header, at = _jute(RequestHeader).decode_from(frame, 0)
    if header.type == MULTI:
        return Request(header.xid, MultiRequest(_read_parts(frame, at, 0)))
    if header.type not in OPERATIONS:
        raise ProtocolError(f"ZooKeeper's operation {header.type} is not served; expected {MULTI} or {[*OPERATIONS]}")
    return Request(header.xid, _jute(OPERATIONS[header.type][0]).decode(frame, at))


def encode_reply(message: Any, *, xid: int, zxid: int, error: ZooKeeperError = ZooKeeperError.OK) -> bytearray:
    """A reply as a frame; the message is left out where there is an error."""
    frame = begin_frame()
    _jute(ReplyHeader).encode(ReplyHeader(xid, zxid, error), frame)
    if isinstance(message, MultiResponse):
        _write_parts([_result(part) for part in message.results], frame)
    elif error is ZooKeeperError.OK:
        _jute(type(message)).encode(message, frame)
    return end_frame(frame)


def encode_event(event: zk.WatcherEvent) -> bytearray:
    """A watch's event as a frame: a reply to nothing."""
    return encode_reply(event, xid=EVENT_XID, zxid=NO_ZXID)


def decode_reply(frame: Data, request: Any) -> Reply:
    """The reply in a frame without its length: an event, or the answer to this request (None: an event is expected)."""
    header, at = _jute(ReplyHeader).decode_from(frame, 0)
    error = _error(header.err)
    if header.xid == EVENT_XID:
        message: Any = _jute(zk.WatcherEvent).decode(frame, at)
    elif isinstance(request, MultiRequest) and at < len(frame):
        message = MultiResponse(_read_parts(frame, at, 1))
    elif error is not ZooKeeperError.OK:
        message = None
    elif type(request) in _OPERATION_OF:
        message = _jute(OPERATIONS[_OPERATION_OF[type(request)]][1]).decode(frame, at)
    else:
        raise ProtocolError(f"a reply with number {header.xid} to no request; expected an event, number {EVENT_XID}")
    return Reply(header.xid, header.zxid, error, message)


def _error(code: int) -> ZooKeeperError:
    known = {error.value: error for error in ZooKeeperError}
    return known.get(code, ZooKeeperError.SYSTEM_ERROR)


def _jute(record: type[M]) -> Codec[M]:
    return codec(record, 1, flexible=False)


def _result(part: Any) -> tuple[int, int, Any]:
    if isinstance(part, ErrorResponse):
        return _FAILED, part.err, part
    return _OPERATION_OF_REPLY[type(part)], 0, part


def _write_parts(parts: list[tuple[int, int, Any]], frame: bytearray) -> None:
    for operation, error, part in parts:
        _jute(MultiHeader).encode(MultiHeader(operation, False, error), frame)
        _jute(type(part)).encode(part, frame)
    _jute(MultiHeader).encode(MultiHeader(_FAILED, True, -1), frame)


def _read_parts(frame: Data, at: int, half: int) -> tuple[Any, ...]:
    """The parts of a multi: requests are half 0 of an operation, results half 1."""
    parts: list[Any] = []
    while True:
        header, at = _jute(MultiHeader).decode_from(frame, at)
        if header.done:
            break
        if header.type in IN_MULTI:
            kind: type = OPERATIONS[header.type][half]
        elif half and header.type == _FAILED:
            kind = ErrorResponse
        else:
            raise ProtocolError(f"operation {header.type} inside a multi; expected one of {IN_MULTI}")
        codec_of_part: Codec[Any] = _jute(kind)
        part, at = codec_of_part.decode_from(frame, at)
        parts.append(part)
    if at != len(frame):
        raise ProtocolError(f"{len(frame) - at} bytes are left over after the multi")
    return tuple(parts)
