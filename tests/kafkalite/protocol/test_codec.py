"""The engine by itself: what it skips, what it refuses, in which words, and what it does not copy."""

from __future__ import annotations

import copy
import pickle
import uuid
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol.api_versions import ApiVersion, ApiVersionsResponse
from kafkalite.protocol.codec import codec
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.protocol.group_membership import HeartbeatRequest, HeartbeatResponse, JoinGroupRequest
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.primitives import read_uvarint, write_uvarint
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.registry import message_codec
from kafkalite.protocol.schema import Int32, fields_of
from kafkalite.protocol.topics import DeleteTopicsRequest, DeleteTopicState

PRODUCE = ProduceRequest(None, -1, 1_000, (TopicProduceData("orders", (PartitionProduceData(0, b"batch"),)),))
FETCH = FetchRequest(topics=(FetchTopic("orders", (FetchPartition(0), FetchPartition(1, fetch_offset=7))),))


def written(message: Any, version: int | None = None) -> bytes:
    out = bytearray()
    message_codec(type(message), version).encode(message, out)
    return bytes(out)


def refused(message: type, version: int, data: bytes) -> str:
    with pytest.raises(ProtocolError) as caught:
        message_codec(message, version).decode(data)
    return str(caught.value)


# Values --------------------------------------------------------------------------------------------------------------


def test_a_message_made_by_decoding_is_like_one_made_by_hand() -> None:
    found = message_codec(FetchRequest).decode(written(FETCH))

    assert FETCH == found
    assert hash(FETCH) == hash(found)
    assert repr(FETCH) == repr(found)
    assert FETCH == copy.deepcopy(found) == pickle.loads(pickle.dumps(found))
    with pytest.raises(AttributeError):
        found.min_bytes = 1


def test_a_field_that_the_version_lacks_is_not_written_and_read_as_its_default() -> None:
    message = HeartbeatRequest("g", 7, "m", group_instance_id="static")

    assert written(HeartbeatRequest("g", 7, "m"), 2) == written(message, 2)
    assert HeartbeatRequest("g", 7, "m") == message_codec(HeartbeatRequest, 2).decode(written(message, 2))


def test_error_codes_are_read_as_such_and_an_unknown_one_as_an_unknown_error() -> None:
    codes = [message_codec(HeartbeatResponse, 0).decode(bytes.fromhex(raw)).error_code for raw in ("001b", "7fff")]

    assert ErrorCode.REBALANCE_IN_PROGRESS is codes[0]
    assert ErrorCode.UNKNOWN_SERVER_ERROR is codes[1]


def test_a_uuid_crosses() -> None:
    message = DeleteTopicsRequest((DeleteTopicState(None, uuid.UUID(int=0x1234)),))

    assert message == message_codec(DeleteTopicsRequest, 6).decode(written(message, 6))


def test_records_are_views_of_a_view_and_are_not_copied() -> None:
    frame = bytearray(written(PRODUCE))
    records = message_codec(ProduceRequest).decode(memoryview(frame)).topic_data[0].partition_data[0].records

    frame[frame.index(b"batch")] = ord("B")

    assert isinstance(records, memoryview)
    assert b"Batch" == bytes(records)


def test_everything_but_records_is_copied_out_of_a_view() -> None:
    message = JoinGroupRequest(group_id="g", member_id="m")
    frame = bytearray(written(message))
    found = message_codec(JoinGroupRequest).decode(memoryview(frame))

    frame[:] = bytes(len(frame))

    assert message == found


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_records_are_written_from_any_buffer(kind: Any) -> None:
    same = ProduceRequest(None, -1, 1_000, (TopicProduceData("orders", (PartitionProduceData(0, kind(b"batch")),)),))

    assert written(PRODUCE) == written(same)


# Tagged fields -------------------------------------------------------------------------------------------------------


def test_tagged_fields_are_written_only_where_they_differ_from_their_default() -> None:
    plain, told = ApiVersionsResponse(), ApiVersionsResponse(finalized_features_epoch=5)

    assert "00 00 01 00 00 00 00 00" == written(plain).hex(" ")
    assert "00 00 01 00 00 00 00 01 01 08 00 00 00 00 00 00 00 05" == written(told).hex(" ")


def test_unknown_tagged_fields_are_skipped_at_every_level() -> None:
    raw = "00 00 02 00 12 00 00 00 03 01 63 02 aa bb 00 00 00 00 01 07 01 cc"
    #     error | 1 | key 18 | 0..3  | tag 99: 2 bytes | throttle | tag 7: 1 byte

    found = message_codec(ApiVersionsResponse, 3).decode(bytes.fromhex(raw))

    assert ApiVersionsResponse(api_keys=(ApiVersion(18, 0, 3),)) == found


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("02 07 00 07 00", "tag 7 after tag 7; tags must ascend"),
        ("02 07 00 01 00", "tag 1 after tag 7; tags must ascend"),
        ("01 07 05 00", "tag 7 has 5 bytes from byte 10 on, but only 1 are left"),
        ("01 01 02 00 05", "ApiVersionsResponse v3: tagged fields: the data ends in the middle of it"),
        ("01 03 02 01 00", "tag 3 says 2 bytes from byte 10 on, but its value has another size"),
        ("05", "the data ends in the middle of it"),
    ],
)
def test_tagged_fields_that_cannot_be_are_refused(tags: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        message_codec(ApiVersionsResponse, 3).decode(bytes.fromhex("00 00 01 00 00 00 00" + tags))


# What is refused, in which words -------------------------------------------------------------------------------------


def test_the_error_names_the_message_the_version_and_the_field() -> None:
    data = written(FETCH)

    assert "FetchRequest v11: forgotten_topics_data: the data ends in the middle of it" == refused(
        FetchRequest, 11, data[:-6]
    )
    longer = data.replace(b"\x00\x06orders", b"\x00\x63orders")
    assert f"FetchRequest v11: topics[0].topic: string of 99 bytes begins at byte {data.index(b'orders')}, " in refused(
        FetchRequest, 11, longer
    )


def test_bytes_left_over_are_an_error() -> None:
    assert "HeartbeatResponse v0: 3 bytes are left over after the message" == refused(HeartbeatResponse, 0, bytes(5))


@pytest.mark.parametrize(
    ("message", "version", "raw", "said"),
    [
        (HeartbeatRequest, 0, "00 05 67", "group_id: string of 5 bytes begins at byte 2, but only 1 are left"),
        (HeartbeatRequest, 0, "ff ff", "group_id: string of length -1 at byte 2, where null is not allowed"),
        (HeartbeatRequest, 0, "00 01 ff", "group_id: 'utf-8' codec can't decode byte 0xff in position 0"),
        (HeartbeatRequest, 4, "80 80 80 80 80 01", "group_id: the varint at byte 0 does not end within 32 bits"),
        (HeartbeatRequest, 4, "ff ff ff ff 7f", "group_id: the varint at byte 0 does not end within 32 bits"),
        (HeartbeatRequest, 4, "", "group_id: the data ends in the middle of it"),
        (MetadataRequest, 0, "ff ff ff ff", "topics: an array of -1 items at byte 4, where null is not allowed"),
        (MetadataRequest, 1, "ff ff ff fe", "topics: an array of -2 items at byte 4, where null is not allowed"),
        (
            MetadataRequest,
            1,
            "7f ff ff ff 00 00",
            "topics: an array of 2147483647 items, 2 bytes each or more, begins at byte 4, but only 2 are left",
        ),
        (MetadataRequest, 0, "00 00 00 01 00 02 61", "topics[0].name: string of 2 bytes begins at byte 6, but only 1"),
    ],
)
def test_a_length_that_cannot_be_is_refused(message: type, version: int, raw: str, said: str) -> None:
    assert refused(message, version, bytes.fromhex(raw)).startswith(f"{message.__name__} v{version}: {said}")


@pytest.mark.parametrize(
    ("message", "version", "said"),
    [
        (HeartbeatRequest("g", 2**31, "m"), 0, "HeartbeatRequest v0: generation_id: "),
        (HeartbeatRequest("g", 7, None), 0, "HeartbeatRequest v0: member_id: None, where null is not allowed"),  # type: ignore[arg-type]
        (HeartbeatRequest("x" * 40_000, 7, "m"), 0, "HeartbeatRequest v0: group_id: "),
        (HeartbeatRequest("\ud800", 7, "m"), 4, "HeartbeatRequest v4: group_id: 'utf-8' codec can't encode"),
        (MetadataRequest(None), 0, "MetadataRequest v0: topics: None, where null is not allowed"),
        (
            MetadataRequest((MetadataRequestTopic("a"), MetadataRequestTopic(3))),  # type: ignore[arg-type]
            0,
            "MetadataRequest v0: topics[1].name: 'int' object has no attribute 'encode'",
        ),
    ],
)
def test_a_value_that_cannot_be_written_is_named(message: Any, version: int, said: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        message_codec(type(message), version).encode(message, bytearray())

    assert str(caught.value).startswith(said)


# The notation --------------------------------------------------------------------------------------------------------


class NoMessage:
    """Has fields that the notation does not know."""

    count: Annotated[Int32, "a note of nobody's"] = 0


def test_what_is_no_message_is_refused_when_it_is_compiled() -> None:
    with pytest.raises(TypeError, match="must be called with a dataclass"):
        fields_of(NoMessage)


def test_a_codec_is_compiled_once() -> None:
    assert codec(HeartbeatRequest, 0, flexible=False) is codec(HeartbeatRequest, 0, flexible=False)


@given(value=st.integers(0, 0xFFFF_FFFF))
def test_a_varint_takes_seven_bits_a_byte(value: int) -> None:
    out = bytearray()
    write_uvarint(value, out)

    assert (value, len(out)) == read_uvarint(out, 0)
    assert len(out) == max(1, -(-value.bit_length() // 7))
