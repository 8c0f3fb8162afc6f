"""Every API by its key, whole requests and responses, and the first one, ApiVersions, which is not like the others."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

import pytest

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol.api_versions import ApiVersion, ApiVersionsRequest, ApiVersionsResponse
from kafkalite.protocol.fetch import FetchRequest, FetchResponse
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.metadata import DescribeClusterRequest, MetadataRequest, MetadataResponse
from kafkalite.protocol.registry import (
    ENTRIES,
    Entry,
    api_versions_response,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
    entry_of,
)
from kafkalite.protocol.schema import Array, Kind, fields_of
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnResponse,
    AddPartitionsToTxnPartitionResult,
    AddPartitionsToTxnResponse,
    AddPartitionsToTxnTopicResult,
    EndTxnResponse,
    InitProducerIdResponse,
)
from tests.kafkalite.protocol.values import EVERY_MESSAGE, message_id

# What clients were seen to need: key -> versions served.
SERVED = {
    0: (3, 9),
    1: (4, 11),
    2: (1, 6),
    3: (0, 9),
    4: (4, 4),
    5: (3, 3),
    6: (6, 6),
    7: (0, 3),
    8: (0, 8),
    9: (0, 8),
    10: (0, 4),
    11: (0, 9),
    12: (0, 4),
    13: (0, 5),
    14: (0, 5),
    15: (0, 5),
    16: (0, 4),
    18: (0, 3),
    19: (0, 7),
    20: (0, 6),
    21: (0, 2),
    22: (0, 4),
    23: (2, 3),
    24: (0, 3),
    25: (0, 3),
    26: (0, 3),
    27: (0, 1),
    28: (0, 3),
    32: (0, 4),
    33: (0, 2),
    37: (0, 3),
    42: (0, 2),
    43: (0, 2),
    44: (0, 1),
    45: (0, 0),
    46: (0, 0),
    47: (0, 0),
    60: (0, 0),
}


ADDED = AddPartitionsToTxnResponse(
    0,
    (AddPartitionsToTxnTopicResult("A", (AddPartitionsToTxnPartitionResult(0, ErrorCode.PRODUCER_FENCED),)),),
)


def round_trip(message: Any, answer: Any, version: int) -> tuple[Any, Any]:
    request = decode_request(encode_request(message, version=version, correlation_id=7, client_id="c")[4:])
    assert RequestHeader(entry_of(type(message)).api.key, version, 7, "c") == request.header
    return request.message, decode_response(encode_response(answer, request.header)[4:], request.header)


def test_these_apis_are_served_in_these_versions() -> None:
    assert SERVED == {key: entry.api.versions for key, entry in ENTRIES.items()}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.api.name)
def test_a_request_and_its_response_find_their_way_in_every_version(entry: Entry) -> None:
    first, last = entry.api.versions
    for version in range(max(first, entry.api.client_id_since), last + 1):
        assert (entry.request(), entry.response()) == round_trip(entry.request(), entry.response(), version)


def parts(message: type) -> set[type]:
    """The message and every structure inside it."""
    inside = {field.shape.item if isinstance(field.shape, Array) else field.shape for field in fields_of(message)}
    return {message}.union(*(parts(part) for part in inside if not isinstance(part, Kind)))


@pytest.mark.parametrize(("message", "version"), EVERY_MESSAGE, ids=message_id)
def test_a_message_is_a_frozen_value_that_can_be_hashed(message: type, version: int) -> None:
    for part in parts(message):
        assert is_dataclass(part)
        assert hash(part()) == hash(part())
        assert not hasattr(part(), "__dict__")
    assert version >= 0


# Headers -------------------------------------------------------------------------------------------------------------


def test_headers_grow_with_flexible_versions() -> None:
    """The client id keeps its two-byte length in a flexible header; tagged fields follow it."""
    old = encode_request(MetadataRequest(), version=8, correlation_id=7, client_id="c")
    new = encode_request(MetadataRequest(), version=9, correlation_id=7, client_id="c")

    assert "00 03 00 08 00 00 00 07 00 01 63" == old[4:15].hex(" ")
    assert "00 03 00 09 00 00 00 07 00 01 63 00" == new[4:16].hex(" ")
    assert "00 00 00 07" == encode_response(MetadataResponse(), RequestHeader(3, 8, 7))[4:8].hex(" ")
    assert "00 00 00 07 00" == encode_response(MetadataResponse(), RequestHeader(3, 9, 7))[4:9].hex(" ")


def test_a_client_without_a_name_is_welcome() -> None:
    frame = encode_request(FetchRequest(), version=11, correlation_id=1, client_id=None)

    assert decode_request(frame[4:]).header.client_id is None


def test_bytes_after_a_request_are_overlooked() -> None:
    """As by Kafka: librdkafka counts null topics in four bytes, where version 9 has one."""
    frame = bytes.fromhex("00 03 00 09 00 00 00 07 00 01 63 00 00 00 00 00 01 00 00 00")
    request = decode_request(frame)

    assert MetadataRequest(None, allow_auto_topic_creation=False) == request.message


def test_a_response_to_another_request_is_an_error() -> None:
    frame = encode_response(FetchResponse(), RequestHeader(1, 11, 7))

    with pytest.raises(ProtocolError, match="a response to request 7; expected one to 8"):
        decode_response(frame[4:], RequestHeader(1, 11, 8))


# What is not served --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "version", "said"),
    [
        (0, 2, "Produce v2 is not served; expected 3 to 9"),
        (1, 12, "Fetch v12 is not served; expected 4 to 11"),
        (3, -1, "Metadata v-1 is not served; expected 0 to 9"),
        (36, 0, r"API key 36 \(v0\) is not served"),
        (-1, 0, r"API key -1 \(v0\) is not served"),
    ],
)
def test_a_request_that_is_not_served_is_an_error(key: int, version: int, said: str) -> None:
    frame = key.to_bytes(2, "big", signed=True) + version.to_bytes(2, "big", signed=True) + bytes(12)

    with pytest.raises(ProtocolError, match=said):
        decode_request(frame)


def test_a_request_of_three_bytes_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="a request of 3 bytes; expected an API key and a version"):
        decode_request(bytes(3))


def test_a_request_cannot_be_written_in_a_version_that_is_not_served() -> None:
    with pytest.raises(ProtocolError, match="DescribeCluster v1 is not served; expected 0 to 0"):
        encode_request(DescribeClusterRequest(), version=1, correlation_id=1, client_id=None)


# ApiVersions ---------------------------------------------------------------------------------------------------------


def test_produce_alone_claims_versions_that_it_refuses() -> None:
    """Librdkafka would otherwise turn compression off without a word (KAFKA-18659)."""
    advertised = {one.api_key: (one.min_version, one.max_version) for one in api_versions_response(3).api_keys}

    assert {0: ((3, 9), (0, 9))} == {
        key: (SERVED[key], advertised[key]) for key in SERVED if SERVED[key] != advertised[key]
    }


def test_an_unknown_version_of_api_versions_is_answered_in_version_0() -> None:
    """A client asks in its own newest version before it can know ours (KIP-511)."""
    frame = bytes.fromhex("00 12 00 63 00 00 00 07 00 01 63 00 de ad be ef")  # version 99, with a body nobody knows
    request = decode_request(frame)
    answer = encode_response(api_versions_response(request.header.request_api_version), request.header)

    assert ApiVersionsRequest() == request.message
    assert "00 00 00 10  00 00 00 07  00 23  00 00 00 01  00 12 00 00 00 03".replace("  ", " ") == answer.hex(" ")
    refusal = ApiVersionsResponse(ErrorCode.UNSUPPORTED_VERSION, (ApiVersion(18, 0, 3),))
    assert refusal == decode_response(answer[4:], RequestHeader(18, 0, 7))


def test_the_header_before_api_versions_is_never_flexible() -> None:
    answer = encode_response(ApiVersionsResponse(), RequestHeader(18, 3, 7))

    assert "00 00 00 0c 00 00 00 07 00 00 01 00 00 00 00 00" == answer.hex(" ")


@pytest.mark.parametrize(
    ("key", "since", "response"),
    [
        (22, 4, InitProducerIdResponse(error_code=ErrorCode.PRODUCER_FENCED)),
        (24, 2, ADDED),
        (25, 2, AddOffsetsToTxnResponse(0, ErrorCode.PRODUCER_FENCED)),
        (26, 2, EndTxnResponse(0, ErrorCode.PRODUCER_FENCED)),
    ],
    ids=["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn"],
)
def test_a_client_of_an_old_version_is_told_of_its_epoch_and_not_that_it_is_fenced(
    key: int, since: int, response: Any
) -> None:
    """KIP-588."""
    for version, expected in [(since - 1, ErrorCode.INVALID_PRODUCER_EPOCH), (since, ErrorCode.PRODUCER_FENCED)]:
        header = RequestHeader(key, version, 7)

        told = decode_response(encode_response(response, header)[4:], header)

        assert expected.name in repr(told)
        assert "NONE" not in repr(told), "and nothing else is changed"
