"""Every API in one table, and whole requests and responses as frames.

    frame = encode_request(FetchRequest(...), version=11, correlation_id=7, client_id="b2")
    request = decode_request(frame[4:])                 on the broker: header, message
    frame = encode_response(FetchResponse(...), request.header)
    response = decode_response(frame[4:], request.header)          back at the client

A request for an API or a version that is not served raises ProtocolError, and the connection is closed, as in Kafka.
ApiVersions alone is answered in every version: see its card.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol import (
    api_versions,
    configs,
    fetch,
    group_admin,
    group_membership,
    group_offsets,
    inter_broker,
    metadata,
    offsets,
    produce,
    reassignment,
    topics,
    transactions,
)
from kafkalite.protocol.api import Api
from kafkalite.protocol.api_versions import API_VERSIONS, ApiVersion, ApiVersionsRequest, ApiVersionsResponse
from kafkalite.protocol.codec import Codec, codec
from kafkalite.protocol.frames import begin_frame, end_frame
from kafkalite.protocol.headers import RequestHeader, ResponseHeader
from kafkalite.protocol.pieces import PiecewiseFrame, Unread
from kafkalite.protocol.primitives import Data

_FAMILIES: tuple[ModuleType, ...] = (
    *(produce, fetch, offsets, metadata, group_membership, group_offsets, group_admin),
    *(api_versions, topics, reassignment, configs, transactions, inter_broker),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An API and its two messages."""

    api: Api
    request: type
    response: type

    def request_codec(self, version: int) -> Codec[Any]:
        """What reads and writes the request in one version; ProtocolError if that is not served."""
        return self._codec(self.request, version)

    def response_codec(self, version: int) -> Codec[Any]:
        """What reads and writes the response in one version; ProtocolError if that is not served."""
        return self._codec(self.response, version)

    def _codec(self, message: type, version: int) -> Codec[Any]:
        if not self.api.serves(version):
            first, last = self.api.versions
            raise ProtocolError(f"{self.api.name} v{version} is not served; expected {first} to {last}")
        return codec(message, version, flexible=self.api.is_flexible(version))


def _entries() -> dict[int, Entry]:
    found = [
        Entry(value, getattr(family, f"{value.name}Request"), getattr(family, f"{value.name}Response"))
        for family in _FAMILIES
        for value in vars(family).values()
        if isinstance(value, Api)
    ]
    return {entry.api.key: entry for entry in sorted(found, key=lambda entry: entry.api.key)}


ENTRIES: dict[int, Entry] = _entries()  # by key, ascending
_BY_MESSAGE = {message: entry for entry in ENTRIES.values() for message in (entry.request, entry.response)}


def entry_of(message: type) -> Entry:
    """The entry of a request or response class.

    >>> from kafkalite.protocol.fetch import FetchResponse
    >>> entry_of(FetchResponse).api.key
    1
    """
    return _BY_MESSAGE[message]


def message_codec(message: type, version: int | None = None) -> Codec[Any]:
    """What reads and writes this class alone, without header or frame; in its newest version unless told."""
    entry = entry_of(message)
    version = entry.api.versions[1] if version is None else version
    return entry.request_codec(version) if message is entry.request else entry.response_codec(version)


def through_the_wire(message: Any, version: int | None = None) -> Any:
    """The message that arrives where this one is sent: written and read again, in its newest version unless told.

    >>> from kafkalite.protocol.fetch import FetchRequest
    >>> through_the_wire(FetchRequest(rack_id="r1", session_id=9), version=4).rack_id  # which has no racks
    ''
    """
    one = message_codec(type(message), version)
    out = bytearray()
    one.encode(message, out)
    return one.decode(bytes(out))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived."""

    header: RequestHeader
    message: Any


def encode_request(message: Any, *, version: int, correlation_id: int, client_id: str | None) -> bytearray:
    """The request as a frame, its length included."""
    entry = entry_of(type(message))
    body = entry.request_codec(version)
    frame = begin_frame()
    header = RequestHeader(entry.api.key, version, correlation_id, client_id)
    _request_header(entry.api.request_header(version)).encode(header, frame)
    body.encode(message, frame)
    return end_frame(frame)


def decode_request(frame: Data) -> Request:
    """The request in a frame (without its length); records are slices of it, so a memoryview saves copying them.

    Bytes after it are overlooked, as by Kafka: librdkafka, up to 2.16 at least, writes three too many when it asks for
    the metadata of all topics (librdkafka#5049).

    >>> decode_request(bytes.fromhex("00 12 00 00 00 00 00 07 ff ff"))  # doctest: +NORMALIZE_WHITESPACE
    Request(header=RequestHeader(request_api_key=18, request_api_version=0, correlation_id=7, client_id=None),
            message=ApiVersionsRequest(client_software_name='', client_software_version=''))
    """
    key, version = _key_and_version(frame)
    entry = ENTRIES.get(key)
    if entry is None:
        raise ProtocolError(f"API key {key} (v{version}) is not served")
    if not entry.api.serves(version) and entry.api is not API_VERSIONS:
        entry.request_codec(version)  # which says so
    header, at = _request_header(entry.api.request_header(version)).decode_from(frame, 0)
    if not entry.api.serves(version):
        return Request(header, ApiVersionsRequest())  # whoever made that version knows what stands in it
    message, _ = entry.request_codec(version).decode_from(frame, at)
    return Request(header, message)


def _key_and_version(frame: Data) -> tuple[int, int]:
    if len(frame) < 4:
        raise ProtocolError(f"a request of {len(frame)} bytes; expected an API key and a version, 2 bytes each")
    return int.from_bytes(frame[:2], "big", signed=True), int.from_bytes(frame[2:4], "big", signed=True)


def encode_response(message: Any, header: RequestHeader) -> bytearray:
    """The response to a request with that header, as a frame, its length included."""
    frame = begin_frame()
    _encode_response(message, header, frame)
    return end_frame(frame)


def response_pieces(message: Any, header: RequestHeader) -> list[Data | Unread]:
    """The same frame in pieces that go out one behind the other; large records are not copied."""
    frame = PiecewiseFrame()
    _encode_response(message, header, frame)
    return frame.pieces()


def _encode_response(message: Any, header: RequestHeader, frame: bytearray) -> None:
    entry = ENTRIES[header.request_api_key]
    version = header.request_api_version
    if entry.api is API_VERSIONS and not entry.api.serves(version):
        version = 0
    if version < entry.api.fenced_since:
        message = transactions.without_fenced(message)
    _response_header(entry.api.response_header(version)).encode(ResponseHeader(header.correlation_id), frame)
    entry.response_codec(version).encode(message, frame)


def decode_response(frame: Data, header: RequestHeader) -> Any:
    """The message in a frame (without its length) that answers a request with that header.

    ProtocolError if it answers another request: responses come in the order of their requests, so the stream is lost.
    """
    entry = ENTRIES[header.request_api_key]
    version = header.request_api_version
    found, at = _response_header(entry.api.response_header(version)).decode_from(frame, 0)
    if found.correlation_id != header.correlation_id:
        raise ProtocolError(f"a response to request {found.correlation_id}; expected one to {header.correlation_id}")
    return entry.response_codec(version).decode(frame, at)


def _request_header(version: int) -> Codec[RequestHeader]:
    return codec(RequestHeader, version, flexible=version >= 2)


def _response_header(version: int) -> Codec[ResponseHeader]:
    return codec(ResponseHeader, version, flexible=version >= 1)


def api_versions_response(version: int) -> ApiVersionsResponse:
    """What a broker answers to ApiVersions of this version.

    >>> api_versions_response(99)  # doctest: +NORMALIZE_WHITESPACE
    ApiVersionsResponse(error_code=<ErrorCode.UNSUPPORTED_VERSION: 35>,
                        api_keys=(ApiVersion(api_key=18, min_version=0, max_version=3),), throttle_time_ms=0,
                        supported_features=(), finalized_features_epoch=-1, finalized_features=(),
                        zk_migration_ready=False)
    """
    if not API_VERSIONS.serves(version):
        return ApiVersionsResponse(ErrorCode.UNSUPPORTED_VERSION, (_advertised(API_VERSIONS),))
    return ApiVersionsResponse(api_keys=tuple(_advertised(entry.api) for entry in ENTRIES.values()))


def _advertised(api: Api) -> ApiVersion:
    first, last = api.versions
    return ApiVersion(api.key, first if api.advertised_since is None else api.advertised_since, last)
