"""Every message through its bytes: what a simulated cluster sends is what a real connection could carry.

    Simulator(nodes, seed, wire=through_the_codec)

A message comes out as its receiver would read it: a field that its newest version does not have is lost, a value
that has no bytes is an error here and not only on a real network.

Some messages have no bytes of Kafka's or ZooKeeper's, and go through as they are: what the servers of an ensemble say
to each other, what programs ask of the world outside, what a prober makes up. Left out: answers in older versions.
"""

from __future__ import annotations

from typing import Any

from kafkalite.clients.pipeline import ApplyRequest, ApplyResponse
from kafkalite.errors import ProtocolError
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol import zookeeper_frames as frames
from kafkalite.protocol.registry import ENTRIES, through_the_wire
from kafkalite.sim.network import InVersion

LENGTH_BYTES = 4  # before every frame
WITHOUT_BYTES = ("kafkalite.coordination.", "kafkalite.sim.")  # modules whose messages have none begin with these
OUTSIDE = frozenset({ApplyRequest, ApplyResponse})  # how a text message is sent, or a gate opened, is not Kafka's

_KAFKA = frozenset(kind for entry in ENTRIES.values() for kind in (entry.request, entry.response))
_CONNECT = frozenset({zk.ConnectRequest, zk.ConnectResponse})
_REQUEST_OF = {reply: request for request, reply in frames.OPERATIONS.values()} | {
    frames.MultiResponse: frames.MultiRequest
}
_REQUESTS = frozenset(_REQUEST_OF.values())


def through_the_codec(message: Any) -> Any:
    """The message that arrives where this one is sent. ProtocolError if it cannot be written.

    >>> through_the_codec(zk.GetDataRequest("/controller", watch=True))
    GetDataRequest(path='/controller', watch=True)
    """
    kind = type(message)
    if kind in _KAFKA:
        return through_the_wire(message)
    return _in_version(message) if kind is InVersion else _of_zookeeper(message, kind)


def _in_version(request: InVersion) -> InVersion:
    return InVersion(request.version, through_the_wire(request.message, request.version))


def _of_zookeeper(message: Any, kind: type) -> Any:
    if kind is frames.Reply:
        return _reply(message)
    if kind in _REQUESTS:
        return frames.decode_request(_body(frames.encode_request(message, xid=0))).message
    if kind is zk.WatcherEvent:
        return frames.decode_reply(_body(frames.encode_event(message)), None).message
    if kind in _CONNECT:
        return frames.decode_connect(_body(frames.encode_connect(message)), kind)
    if kind in OUTSIDE or kind.__module__.startswith(WITHOUT_BYTES):
        return message
    raise ProtocolError(f"expected a message of Kafka's or ZooKeeper's; {kind.__name__} is none")


def _reply(reply: frames.Reply) -> frames.Reply:
    """A reply is read by whoever knows what it answers."""
    frame = frames.encode_reply(reply.message, xid=reply.xid, zxid=reply.zxid, error=reply.error)
    # An error has no message, whatever it answers.
    request = zk.PingRequest() if reply.message is None else _REQUEST_OF[type(reply.message)]()
    return frames.decode_reply(_body(frame), request)


def _body(frame: bytearray) -> bytes:
    return bytes(frame[LENGTH_BYTES:])
