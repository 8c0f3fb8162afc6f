"""What servers of one ensemble say to each other, as frames of JSON; the first one says who is speaking.

    {"hello": "127.0.0.1:2181#quorum"}          the name under which the other end knows this connection
    {"Proposal": {"change": "AAAA..."}}         the class of kafkalite.coordination.messages, and its fields

Either end may speak first, so two connections serve each pair and channel, one each way; they live and die together.
The protocol is our own, as Apache's servers do not join our ensembles; JSON, so that it can be read in a capture.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from kafkalite.coordination import messages
from kafkalite.errors import ProtocolError
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.stream import Stream
from kafkalite.protocol.frames import begin_frame, end_frame
from kafkalite.types import NodeName, node_of

log = logging.getLogger("kafkalite")

_MESSAGES = {name: kind for name, kind in vars(messages).items() if isinstance(kind, type) and is_dataclass(kind)}


def encode_message(message: Any) -> bytearray:
    """A message between servers as a frame.

    >>> bytes(encode_message(messages.Ack(zxid=7))[4:])
    b'{"Ack": {"zxid": 7}}'
    """
    content = {field.name: _plain(getattr(message, field.name)) for field in fields(message)}
    return _frame({type(message).__name__: content})


def decode_message(frame: bytes | bytearray | memoryview) -> Any:
    """The message in a frame without its length. Raises ProtocolError.

    >>> decode_message(b'{"Ack": {"zxid": 7}}')
    Ack(zxid=7)
    """
    try:
        ((name, content),) = json.loads(bytes(frame)).items()
        kind = _MESSAGES[name]
        hints = get_type_hints(kind)
        return kind(**{field: _of_type(hints[field], value) for field, value in content.items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProtocolError(f"no message between servers of an ensemble: {bytes(frame[:60])!r} ({error})") from error


def _frame(content: Any) -> bytearray:
    frame = begin_frame()
    frame += json.dumps(content).encode()
    return end_frame(frame)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _of_type(kind: Any, value: Any) -> Any:
    """The value that `_plain` made this from."""
    if kind is bytes:
        return base64.b64decode(value, validate=True)
    if get_origin(kind) is tuple:
        item, *_ = get_args(kind)
        return tuple(_of_type(item, one) for one in value)
    if isinstance(kind, type) and issubclass(kind, tuple):  # a NamedTuple: its fields in order
        return kind(*(_of_type(hint, one) for hint, one in zip(get_type_hints(kind).values(), value, strict=True)))
    if type(value) is not kind:
        raise TypeError(f"expected {kind}, got {value!r:.40}")
    return value


class EnsemblePeer(Peer):
    """Another server on one channel: what we say goes out on our connection, what it says comes in on its own."""

    def __init__(self, driver: NodeDriver, name: NodeName, own_name: NodeName) -> None:
        """`own_name` is how the other end is to know us: our address and the channel."""
        self._driver, self.name = driver, name
        self.stream = Stream(driver.buffers, self._read_nothing, self.hung_up)
        self.stream.write(_frame({"hello": own_name}))
        self._listening: Stream | None = None

    def _read_nothing(self, frame: memoryview) -> None:
        self.stream.abort()  # the other end speaks on a connection of its own

    def heard(self, stream: Stream) -> None:
        """The other end has opened its own connection."""
        if self._listening is not None:
            self._listening.close()
        self._listening = stream

    def receive(self, frame: memoryview) -> None:
        """A message of the other end."""
        try:
            message = decode_message(frame)
        except ProtocolError as error:
            log.info("%s: %s", self.name, error)
            self.hung_up()
            return
        self._driver.received(self.name, message)

    def send(self, message: Any, role: str) -> None:
        """Say something."""
        self.stream.write(encode_message(message))

    def hung_up(self) -> None:
        """One of the two connections is gone, so the other goes, too."""
        self._driver.lost(self.name, self)
        self.close()

    def close(self) -> None:
        """Close both connections."""
        self.stream.close()
        if self._listening is not None:
            self._listening.close()


class EnsembleListener:
    """A connection that another server opened to speak to us; it says first who it is."""

    def __init__(self, driver: NodeDriver, servers: Sequence[NodeName]) -> None:
        """`servers` are those of the ensemble; nobody else is listened to."""
        self._driver, self._servers = driver, servers
        self.stream = Stream(driver.buffers, self._read, self._lost)
        self._peer: EnsemblePeer | None = None

    def _read(self, frame: memoryview) -> None:
        if self._peer is not None:
            self._peer.receive(frame)
            return
        try:
            name = json.loads(bytes(frame))["hello"]
            is_known = node_of(name) in self._servers
        except (ValueError, TypeError, KeyError, AttributeError):
            is_known = False
        if not is_known:
            log.info("a connection from somebody who is no server of this ensemble: %.60s", bytes(frame))
            self.stream.abort()
            return
        peer = self._driver.peer(name)  # ours goes there, if it does not yet
        assert isinstance(peer, EnsemblePeer)
        self._peer = peer
        peer.heard(self.stream)

    def _lost(self) -> None:
        if self._peer is not None:
            self._peer.hung_up()
