"""ZooKeeper's protocol at both ends of a connection. The first frame each way opens a session; events come unasked.

The nodes speak `Reply`s without numbers: numbers are what tells answers apart on a wire, where a connection here keeps
their order. A multi that failed has no error in its header on the wire, and in a `Reply` has that of the operation
which was refused.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import Any

from kafkalite.errors import ProtocolError
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.stream import Stream
from kafkalite.protocol.zookeeper import (
    ConnectRequest,
    ConnectResponse,
    PingRequest,
    SetWatches,
    WatcherEvent,
    ZooKeeperError,
)
from kafkalite.protocol.zookeeper_frames import (
    EVENT_XID,
    FRAME_BYTES_MAX,
    PING_XID,
    SET_WATCHES_XID,
    ErrorResponse,
    MultiResponse,
    Reply,
    decode_connect,
    decode_reply,
    decode_request,
    encode_connect,
    encode_event,
    encode_reply,
    encode_request,
)
from kafkalite.types import NodeName

log = logging.getLogger("kafkalite")

_NOT_TRIED = (ZooKeeperError.OK, ZooKeeperError.RUNTIME_INCONSISTENCY)


class ZooKeeperServerPeer(Peer):
    """A client of the coordination service that came to us: kazoo, a broker, anyone."""

    def __init__(self, driver: NodeDriver) -> None:
        self._driver = driver
        self.name: NodeName = ""
        self.stream = Stream(driver.buffers, self._read, self._lost, self._made, FRAME_BYTES_MAX)
        self._has_session = False
        self._xid = 0  # of the request in the works

    def _made(self) -> None:
        self.name = self.stream.peer_name()
        self._driver.joined(self.name, self)

    def _read(self, frame: memoryview) -> None:
        try:
            if self._has_session:
                request = decode_request(frame)
                self._xid, message = request.xid, request.message
            else:
                self._has_session, message = True, decode_connect(frame, ConnectRequest)
        except ProtocolError as error:
            log.info("%s: %s", self.name, error)
            self.stream.abort()
            return
        self.stream.hold()
        self._driver.received(self.name, message)

    def _lost(self) -> None:
        self._driver.lost(self.name, self)

    def send(self, message: Any, role: str) -> None:
        """Answer, or tell of an event."""
        if isinstance(message, WatcherEvent):
            self.stream.write(encode_event(message))
            return
        if isinstance(message, ConnectResponse):
            self.stream.write(encode_connect(message))
        else:
            error = ZooKeeperError.OK if isinstance(message.message, MultiResponse) else message.error
            self.stream.write(encode_reply(message.message, xid=self._xid, zxid=message.zxid, error=error))
        self._driver.loop.call_soon(self.stream.next_frame)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()


class ZooKeeperClientPeer(Peer):
    """A server of the coordination service that we went to: ours, or Apache's."""

    def __init__(self, driver: NodeDriver, name: NodeName) -> None:
        self._driver, self.name = driver, name
        self.stream = Stream(driver.buffers, self._read, self._lost, None, FRAME_BYTES_MAX)
        self._asked: deque[Any] = deque()
        self._count = 0

    def send(self, message: Any, role: str) -> None:
        """Send a request under the next number; those that keep a connection alive have numbers of their own."""
        self._asked.append(message)
        if isinstance(message, ConnectRequest):
            self.stream.write(encode_connect(message))
            return
        self._count += 1
        xid = {PingRequest: PING_XID, SetWatches: SET_WATCHES_XID}.get(type(message), self._count)
        self.stream.write(encode_request(message, xid))

    def _read(self, frame: memoryview) -> None:
        try:
            message = self._decoded(frame)
        except (ProtocolError, IndexError) as error:
            log.info("%s: %s", self.name, error)
            self.stream.abort()
            return
        self._driver.received(self.name, message)

    def _decoded(self, frame: memoryview) -> Any:
        if self._asked and isinstance(self._asked[0], ConnectRequest):
            self._asked.popleft()
            return decode_connect(frame, ConnectResponse)
        reply = decode_reply(frame, self._asked[0] if self._asked else None)
        if reply.xid == EVENT_XID:
            return reply.message
        self._asked.popleft()
        return replace(reply, xid=0, error=_error_of(reply))

    def _lost(self) -> None:
        self._driver.lost(self.name, self)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()


def _error_of(reply: Reply) -> ZooKeeperError:
    if reply.error is ZooKeeperError.OK and isinstance(reply.message, MultiResponse):
        for result in reply.message.results:
            if isinstance(result, ErrorResponse) and result.err not in _NOT_TRIED:
                return ZooKeeperError(result.err)
    return reply.error
