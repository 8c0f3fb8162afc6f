"""What stands in `__consumer_offsets`, byte for byte as Kafka writes it: offsets, and groups.

    key                                           value                              null instead: forget it
    OffsetCommitKey v1    group topic partition   OffsetCommitValue v3 (0, 1, 2)
    GroupMetadataKey v2   group                   GroupMetadataValue v3 (0, 1, 2)

A version stands before each, as an int16; in a key it also says what kind of key it is. The topic is compacted: of each
key the last value counts. Keys of kinds that are not known here are passed over.

Source: Kafka's OffsetCommitKey.json and its neighbours; GroupMetadataManager. Left out: version 4 of the values, and
the records of KIP-848.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Annotated, Any

from kafkalite.errors import ProtocolError
from kafkalite.protocol.codec import codec
from kafkalite.protocol.schema import Bytes, Int32, Int64, String, between, since
from kafkalite.types import CommittedOffset, GroupImage, MemberImage, TopicPartition

OFFSETS_TOPIC = "__consumer_offsets"

_VERSION = struct.Struct(">h")
_OFFSET_KEYS, _GROUP_KEY = (0, 1), 2
_VALUE_NEWEST = 3


@dataclass(frozen=True, slots=True)
class OffsetCommitKey:
    """Whose offset, in which partition."""

    group: String = ""
    topic: String = ""
    partition: Int32 = 0


@dataclass(frozen=True, slots=True)
class OffsetCommitValue:
    """The next offset to read."""

    offset: Int64 = 0
    leader_epoch: Annotated[Int32, since(3)] = -1
    metadata: String = ""
    commit_timestamp: Int64 = 0
    expire_timestamp: Annotated[Int64, between(1, 1)] = -1  # when a client chose its own retention; others have none


@dataclass(frozen=True, slots=True)
class GroupMetadataKey:
    """Which group."""

    group: String = ""


@dataclass(frozen=True, slots=True)
class GroupMetadataMember:
    """One member."""

    member_id: String = ""
    group_instance_id: Annotated[String | None, since(3)] = None
    client_id: String = ""
    client_host: String = ""
    rebalance_timeout: Annotated[Int32, since(1)] = -1
    session_timeout: Int32 = 0
    subscription: Bytes = b""
    assignment: Bytes = b""


@dataclass(frozen=True, slots=True)
class GroupMetadataValue:
    """A generation of a group."""

    protocol_type: String = ""
    generation: Int32 = 0
    protocol: String | None = None
    leader: String | None = None
    current_state_timestamp: Annotated[Int64, since(2)] = -1
    members: tuple[GroupMetadataMember, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetRecord:
    """A record about an offset, read; None: it is forgotten."""

    group: str
    partition: TopicPartition
    committed: CommittedOffset | None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A record about a group, read; None: it is forgotten. `since_ms` is when it came into its state, -1: unknown."""

    group: str
    image: GroupImage | None
    since_ms: int = -1


def offset_key(group: str, partition: TopicPartition) -> bytes:
    r"""The key under which a group's offset in one partition stands.

    >>> offset_key("g", ("A", 7))
    b'\x00\x01\x00\x01g\x00\x01A\x00\x00\x00\x07'
    """
    return _encode(OffsetCommitKey(group, *partition), 1)


def offset_value(committed: CommittedOffset) -> bytes:
    """The offset; in version 1 if it has an expiry of its own, which later versions cannot say."""
    value = OffsetCommitValue(
        committed.offset, committed.leader_epoch, committed.metadata, committed.commit_ms, committed.expire_ms
    )
    return _encode(value, _VALUE_NEWEST if committed.expire_ms < 0 else 1)


def group_key(group: str) -> bytes:
    r"""The key under which a group stands.

    >>> group_key("g")
    b'\x00\x02\x00\x01g'
    """
    return _encode(GroupMetadataKey(group), _GROUP_KEY)


def group_value(image: GroupImage, since_ms: int) -> bytes:
    """The group."""
    members = tuple(
        GroupMetadataMember(
            one.member,
            one.instance,
            one.client_id,
            one.client_host,
            one.rebalance_timeout_ms,
            one.session_timeout_ms,
            one.subscription,
            one.assignment,
        )
        for one in image.members
    )
    value = GroupMetadataValue(image.protocol_type, image.generation, image.protocol, image.leader, since_ms, members)
    return _encode(value, _VALUE_NEWEST)


def decode_record(key: bytes | None, value: bytes | None) -> OffsetRecord | GroupRecord | None:
    """What a record says; None for a kind of record that is not known here. Raises ProtocolError."""
    kind = _version(key or b"", "key")
    if kind in _OFFSET_KEYS:
        name = _decode(OffsetCommitKey, key, kind)
        return OffsetRecord(name.group, (name.topic, name.partition), _committed(value))
    if kind == _GROUP_KEY:
        image, since_ms = _image(value)
        return GroupRecord(_decode(GroupMetadataKey, key, kind).group, image, since_ms)
    return None


def _committed(value: bytes | None) -> CommittedOffset | None:
    if value is None:
        return None
    one = _decode(OffsetCommitValue, value, _version(value, "offset", _VALUE_NEWEST))
    return CommittedOffset(one.offset, one.leader_epoch, one.metadata, one.commit_timestamp, one.expire_timestamp)


def _image(value: bytes | None) -> tuple[GroupImage | None, int]:
    if value is None:
        return None, -1
    one = _decode(GroupMetadataValue, value, _version(value, "group", _VALUE_NEWEST))
    members = tuple(
        MemberImage(
            each.member_id,
            each.group_instance_id,
            each.client_id,
            each.client_host,
            each.rebalance_timeout if each.rebalance_timeout >= 0 else each.session_timeout,
            each.session_timeout,
            each.subscription,
            each.assignment,
        )
        for each in one.members
    )
    image = GroupImage(one.protocol_type, one.generation, one.protocol, one.leader, members)
    return image, one.current_state_timestamp


def _version(data: bytes, what: str, newest: int | None = None) -> int:
    if len(data) < _VERSION.size:
        raise ProtocolError(f"a version of two bytes stands first; {len(data)} came", f"{OFFSETS_TOPIC} {what}: ")
    version: int = _VERSION.unpack_from(data)[0]
    if newest is not None and not 0 <= version <= newest:
        raise ProtocolError(f"version {version}; expected 0 to {newest}", f"{OFFSETS_TOPIC} {what}: ")
    return version


def _encode(message: Any, version: int) -> bytes:
    out = bytearray(_VERSION.pack(version))
    codec(type(message), version, flexible=False).encode(message, out)
    return bytes(out)


def _decode(message: Any, data: bytes | None, version: int) -> Any:
    return codec(message, version, flexible=False).decode(data or b"", _VERSION.size)
