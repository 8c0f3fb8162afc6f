"""Subscriptions and assignments are the bytes that Kafka's own clients exchange."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.protocol.consumer_protocol import (
    ConsumerProtocolSubscription,
    by_topic,
    decode_assignment,
    decode_sticky_user_data,
    decode_subscription,
    encode_assignment,
    encode_sticky_user_data,
    encode_subscription,
)
from tests.kafkalite.groups.by_kafka_python import MESSAGES

names = st.text("abcé-._", min_size=1, max_size=8)
partitions = st.lists(st.tuples(names, st.integers(0, 9)), unique=True, max_size=6)
subscriptions = st.builds(
    ConsumerProtocolSubscription,
    topics=st.lists(names, max_size=3).map(tuple),
    user_data=st.none() | st.binary(max_size=5),
    owned_partitions=partitions.map(by_topic),
    generation_id=st.integers(-1, 1 << 30),
    rack_id=st.none() | names,
)


@given(subscriptions)
def test_a_subscription_comes_back_as_it_was(subscription: ConsumerProtocolSubscription) -> None:
    assert subscription == decode_subscription(encode_subscription(subscription))


@given(subscriptions, st.integers(0, 3))
def test_a_subscription_is_read_alike_by_another_client(
    subscription: ConsumerProtocolSubscription, version: int
) -> None:
    """C7: what is agreed in the group crosses as bytes that every client understands."""
    read = MESSAGES.ConsumerProtocolSubscription.decode(encode_subscription(subscription, version))

    assert (list(subscription.topics), subscription.user_data) == (list(read.topics), read.user_data)
    if version >= 1:
        owned = [(one.topic, tuple(one.partitions)) for one in read.owned_partitions]
        assert [(one.topic, one.partitions) for one in subscription.owned_partitions] == owned
    if version >= 2:
        assert subscription.generation_id == read.generation_id
    assert encode_subscription(subscription, version) == read.encode(version=version)


@given(partitions, st.integers(0, 3))
def test_an_assignment_is_read_alike_by_another_client(owned: list[tuple[str, int]], version: int) -> None:
    """C7."""
    data = encode_assignment(owned, version)

    read = MESSAGES.ConsumerProtocolAssignment.decode(data)

    assert sorted(owned) == sorted((one.topic, index) for one in read.assigned_partitions for index in one.partitions)
    assert sorted(owned) == decode_assignment(data)
    assert data == read.encode(version=version)


def test_a_newer_version_is_read_as_the_newest_known() -> None:
    newer = b"\x00\x09" + encode_subscription(ConsumerProtocolSubscription(("A",), rack_id="r"))[2:] + b"more"

    assert ConsumerProtocolSubscription(("A",), rack_id="r") == decode_subscription(newer)


def test_no_bytes_are_no_partitions() -> None:
    assert [] == decode_assignment(b"")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xff\x00\x00", b"\x00\x00\x00\x00\x00\x09"])
def test_what_is_no_subscription_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="ConsumerProtocolSubscription"):
        decode_subscription(data)


@given(partitions, st.integers(-1, 1 << 30))
def test_what_a_member_held_comes_back_as_it_was(owned: list[tuple[str, int]], generation: int) -> None:
    """C7."""
    assert (sorted(owned), generation) == decode_sticky_user_data(encode_sticky_user_data(owned, generation))
    assert ([], -1) == decode_sticky_user_data(None)


def test_what_a_member_held_is_told_as_kafkas_sticky_assignor_tells_it() -> None:
    """Version 1 of StickyAssignorUserData, which is written without its version."""
    expected = "00 00 00 01  00 01 41  00 00 00 02 00 00 00 00 00 00 00 01  00 00 00 03"

    assert bytes.fromhex(expected) == encode_sticky_user_data([("A", 0), ("A", 1)], 3)
