"""Kafka's protocol at both ends of a connection: frames become messages, requests meet their responses.

    server   one request in the works; the next is read when it is answered (acks=0 is answered by nobody)
    client   requests are pipelined in the newest version that we know; responses come in their order

A frame that cannot be read costs its connection and nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.stream import Stream
from kafkalite.node import REPLY, REQUEST
from kafkalite.protocol.api_versions import API_VERSIONS, ApiVersionsRequest
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.protocol.refusals import refusal
from kafkalite.protocol.registry import (
    Request,
    api_versions_response,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
    entry_of,
    response_pieces,
)
from kafkalite.storage import StorageError
from kafkalite.types import NodeName

log = logging.getLogger("kafkalite")


class KafkaServerPeer(Peer):
    """Somebody who came to us and speaks Kafka's protocol."""

    def __init__(self, driver: NodeDriver) -> None:
        self._driver = driver
        self.name: NodeName = ""
        self.stream = Stream(driver.buffers, self._read, self._lost, self._made)
        self._request: Request | None = None  # in the works

    def _made(self) -> None:
        self.name = self.stream.peer_name()
        self._driver.joined(self.name, self)

    def _read(self, frame: memoryview) -> None:
        try:
            request = decode_request(frame)
        except ProtocolError as error:
            log.info("%s: %s", self.name, error)
            self.stream.abort()
            return
        message = request.message
        if type(message) is ApiVersionsRequest and not API_VERSIONS.serves(request.header.request_api_version):
            refusal = api_versions_response(request.header.request_api_version)  # in words of version 0 (KIP-511)
            self.stream.write(encode_response(refusal, request.header))
            return
        if type(message) is not ProduceRequest or message.acks != 0:
            self._request = request
            self.stream.hold()
        self._driver.received(self.name, message, request.header.request_api_version, request.header.client_id)

    def _lost(self) -> None:
        self._driver.lost(self.name, self)

    def send(self, message: Any, role: str) -> None:
        """Answer the request in the works."""
        assert role == REPLY, f"a broker sends {type(message).__name__} to {self.name} unasked"
        request, self._request = self._request, None
        assert request is not None, f"{type(message).__name__} answers nothing that {self.name} has asked"
        try:
            self.stream.write(*response_pieces(message, request.header))
        except StorageError as error:  # the response has begun and cannot end
            log.warning("%s: %s", self.name, error)
            self.stream.abort()
            return
        self._driver.loop.call_soon(self.stream.next_frame)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def fail(self) -> None:
        """The request in the works could not be handled: say so where its response has a word for it, and close."""
        request, self._request = self._request, None
        if request is not None:
            version = request.header.request_api_version
            response = refusal(request.message, version, ErrorCode.UNKNOWN_SERVER_ERROR)
            if response is not None:
                self.stream.write(encode_response(response, request.header))
        self.stream.close()


class KafkaClientPeer(Peer):
    """A broker that we went to."""

    def __init__(self, driver: NodeDriver, name: NodeName) -> None:
        self._driver, self.name = driver, name
        self.stream = Stream(driver.buffers, self._read, self._lost)
        self._asked: deque[RequestHeader] = deque()
        self._count = 0

    def send(self, message: Any, role: str) -> None:
        """Send a request, in the newest version there is."""
        entry = entry_of(type(message))
        version = entry.api.versions[1]
        self._count += 1
        frame = encode_request(message, version=version, correlation_id=self._count, client_id=self._driver.node.name)
        if role == REQUEST:
            self._asked.append(RequestHeader(entry.api.key, version, self._count, self._driver.node.name))
        self.stream.write(frame)

    def _read(self, frame: memoryview) -> None:
        try:
            message = decode_response(frame, self._asked.popleft())
        except (ProtocolError, IndexError) as error:
            log.info("%s: %s", self.name, error)
            self.stream.abort()
            return
        self._driver.received(self.name, message)

    def _lost(self) -> None:
        self._driver.lost(self.name, self)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()
