"""The records of `__consumer_offsets` are Kafka's bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.groups.records import (
    GroupRecord,
    OffsetRecord,
    decode_record,
    group_key,
    group_value,
    offset_key,
    offset_value,
)
from kafkalite.types import CommittedOffset, GroupImage, MemberImage

numbers = st.integers(0, (1 << 31) - 1)
names = st.text("abcé-", max_size=5)
commits = st.builds(
    CommittedOffset, st.integers(0, 1 << 60), st.integers(-1, 1 << 30), names, st.integers(0, 1 << 50), st.just(-1)
)
members = st.builds(
    MemberImage, names, st.none() | names, names, names, numbers, numbers, st.binary(max_size=4), st.binary(max_size=4)
)
images = st.builds(
    GroupImage, names, numbers, st.none() | names, st.none() | names, st.lists(members, max_size=3).map(tuple)
)


def string(text: str | None) -> bytes:
    data = (text or "").encode()
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(data)) + data


def sized(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


@given(names, names, numbers, commits)
def test_an_offset_is_written_field_by_field_as_kafka_says(
    group: str, topic: str, partition: int, one: CommittedOffset
) -> None:
    """O1: the bookmark stands in `__consumer_offsets`, under group, topic and partition."""
    key = struct.pack(">h", 1) + string(group) + string(topic) + struct.pack(">i", partition)
    value = (
        struct.pack(">hqi", 3, one.offset, one.leader_epoch) + string(one.metadata) + struct.pack(">q", one.commit_ms)
    )

    assert (key, value) == (offset_key(group, (topic, partition)), offset_value(one))
    assert OffsetRecord(group, (topic, partition), one) == decode_record(key, value)
    assert OffsetRecord(group, (topic, partition), None) == decode_record(key, None)


@given(names, images, numbers)
def test_a_group_is_written_field_by_field_as_kafka_says(group: str, image: GroupImage, since_ms: int) -> None:
    """C7: the next coordinator knows the members, and what each was assigned."""
    value = struct.pack(">h", 3) + string(image.protocol_type) + struct.pack(">i", image.generation)
    value += string(image.protocol) + string(image.leader) + struct.pack(">qi", since_ms, len(image.members))
    for one in image.members:
        value += string(one.member) + string(one.instance) + string(one.client_id) + string(one.client_host)
        value += struct.pack(">ii", one.rebalance_timeout_ms, one.session_timeout_ms)
        value += sized(one.subscription) + sized(one.assignment)

    assert value == group_value(image, since_ms)
    assert GroupRecord(group, image, since_ms) == decode_record(group_key(group), value)
    assert GroupRecord(group, None) == decode_record(group_key(group), None)


def test_offsets_of_older_versions_are_read() -> None:
    key = b"\x00\x00" + offset_key("g", ("A", 0))[2:]
    first = struct.pack(">hq", 0, 7) + string("m") + struct.pack(">q", 5)
    second = struct.pack(">hq", 1, 7) + string("m") + struct.pack(">qq", 5, 9)

    assert OffsetRecord("g", ("A", 0), CommittedOffset(7, -1, "m", 5)) == decode_record(key, first)
    assert OffsetRecord("g", ("A", 0), CommittedOffset(7, -1, "m", 5, 9)) == decode_record(key, second)
    assert second == offset_value(CommittedOffset(7, 3, "m", 5, 9)), "an expiry of its own needs version 1"


def test_a_group_of_an_older_version_waits_for_a_rebalance_as_long_as_for_a_session() -> None:
    member = string("m1") + string("c") + string("h") + struct.pack(">i", 6000) + sized(b"") + sized(b"all")
    value = struct.pack(">h", 0) + string("consumer") + struct.pack(">i", 3) + string("range") + string("m1")
    value += struct.pack(">i", 1) + member

    image = GroupImage("consumer", 3, "range", "m1", (MemberImage("m1", None, "c", "h", 6000, 6000, b"", b"all"),))
    assert GroupRecord("g", image, -1) == decode_record(group_key("g"), value)


def test_a_record_of_a_kind_that_is_not_known_is_passed_over() -> None:
    assert decode_record(b"\x00\x03\x00\x01g", b"anything") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, None), (b"\x00", None), (b"\x00\x02\x00\x09", None), (group_key("g"), b"\x00\x04"), (group_key("g"), b"")],
)
def test_bytes_that_are_no_record_are_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(ProtocolError):
        decode_record(key, value)
