"""What the members of a consumer group tell each other, inside the bytes that JoinGroup and SyncGroup carry.

    ConsumerProtocolSubscription  v0-3   member -> leader   topics; v1 what it holds (KIP-429), v2 since when (KIP-792),
                                                            v3 its rack (KIP-881)
    ConsumerProtocolAssignment    v0-3   leader -> member   partitions

A version stands before each, as an int16. A reader takes a newer version for the newest it knows and leaves what is
behind it unread, so members of different versions understand each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from kafkalite.errors import ProtocolError
from kafkalite.protocol.codec import codec
from kafkalite.protocol.primitives import Data
from kafkalite.protocol.schema import Bytes, Int32, String, since

VERSION_NEWEST = 3
_VERSION = struct.Struct(">h")


@dataclass(frozen=True, slots=True)
class ProtocolTopicPartition:
    """Partitions of one topic."""

    topic: String = ""
    partitions: tuple[Int32, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsumerProtocolSubscription:
    """What one member wants, and what it holds."""

    topics: tuple[String, ...] = ()
    user_data: Bytes | None = None
    owned_partitions: Annotated[tuple[ProtocolTopicPartition, ...], since(1)] = ()
    generation_id: Annotated[Int32, since(2)] = -1
    rack_id: Annotated[String | None, since(3)] = None


@dataclass(frozen=True, slots=True)
class ConsumerProtocolAssignment:
    """What one member is to read."""

    assigned_partitions: tuple[ProtocolTopicPartition, ...] = ()
    user_data: Bytes | None = None


@dataclass(frozen=True, slots=True)
class StickyUserData:
    """What a member of an eager group tells the sticky assignor beside its subscription: what it held, since when."""

    previous_assignment: tuple[ProtocolTopicPartition, ...] = ()
    generation: Int32 = -1


def encode_sticky_user_data(partitions: Iterable[tuple[str, int]], generation: int) -> bytes:
    """The bytes of Kafka's StickyAssignor; no version stands before them."""
    out = bytearray()
    codec(StickyUserData, 0, flexible=False).encode(StickyUserData(by_topic(partitions), generation), out)
    return bytes(out)


def decode_sticky_user_data(data: Data | None) -> tuple[list[tuple[str, int]], int]:
    """What a member held, and in which generation; nothing if it did not say. Raises ProtocolError."""
    if not data:
        return [], -1
    found = codec(StickyUserData, 0, flexible=False).decode(data)
    return flat(found.previous_assignment), found.generation


def encode_subscription(subscription: ConsumerProtocolSubscription, version: int = VERSION_NEWEST) -> bytes:
    """The bytes a member sends with JoinGroup.

    >>> encode_subscription(ConsumerProtocolSubscription(("A",)), version=0).hex(" ")
    '00 00 00 00 00 01 00 01 41 ff ff ff ff'
    """
    return _encode(subscription, version)


def decode_subscription(data: Data) -> ConsumerProtocolSubscription:
    """What a member has sent. Raises ProtocolError."""
    found: ConsumerProtocolSubscription = _decode(ConsumerProtocolSubscription, data)
    return found


def encode_assignment(partitions: Iterable[tuple[str, int]], version: int = VERSION_NEWEST) -> bytes:
    """The bytes the leader sends with SyncGroup, for one member."""
    return _encode(ConsumerProtocolAssignment(by_topic(partitions)), version)


def decode_assignment(data: Data) -> list[tuple[str, int]]:
    """The partitions a member is told to read; none where the bytes are none, too. Raises ProtocolError."""
    if not data:
        return []
    found: ConsumerProtocolAssignment = _decode(ConsumerProtocolAssignment, data)
    return flat(found.assigned_partitions)


def by_topic(partitions: Iterable[tuple[str, int]]) -> tuple[ProtocolTopicPartition, ...]:
    """The partitions by topic, in order."""
    topics: dict[str, list[int]] = {}
    for topic, index in sorted(partitions):
        topics.setdefault(topic, []).append(index)
    return tuple(ProtocolTopicPartition(topic, tuple(indexes)) for topic, indexes in topics.items())


def flat(topics: Iterable[ProtocolTopicPartition]) -> list[tuple[str, int]]:
    """The other way round."""
    return [(one.topic, index) for one in topics for index in one.partitions]


def _encode(message: Any, version: int) -> bytes:
    out = bytearray(_VERSION.pack(version))
    codec(type(message), version, flexible=False).encode(message, out)
    return bytes(out)


def _decode(message: Any, data: Data) -> Any:
    if len(data) < _VERSION.size:
        raise ProtocolError(f"a version of two bytes stands first; {len(data)} came", f"{message.__name__}: ")
    (version,) = _VERSION.unpack_from(data)
    if version < 0:
        raise ProtocolError(f"version {version}; expected 0 or more", f"{message.__name__}: ")
    return codec(message, min(version, VERSION_NEWEST), flexible=False).decode_from(data, _VERSION.size)[0]
