"""What admin clients ask of groups: describe, list, delete; forget offsets.

Left out: group types (ListGroups 5, KIP-848), an error's text (DescribeGroups 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Bytes, Error, Int32, String, since

NOT_ASKED = -0x8000_0000  # of authorized operations: nobody asked what the client may do

# DescribeGroups · key 15 · v0-5
# v3 authorized operations (KIP-430) · v4 static members (KIP-345) · v5 flexible
DESCRIBE_GROUPS = Api("DescribeGroups", key=15, versions=(0, 5), flexible_since=5)


@dataclass(frozen=True, slots=True)
class DescribeGroupsRequest:
    """What state are these groups in?"""

    groups: tuple[String, ...] = ()
    include_authorized_operations: Annotated[Bool, since(3)] = False


@dataclass(frozen=True, slots=True)
class DescribeGroupsResponse:
    """The groups."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    groups: tuple[DescribedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """A group and its members."""

    error_code: Error = ErrorCode.NONE
    group_id: String = ""
    group_state: String = ""
    protocol_type: String = ""
    protocol_data: String = ""
    members: tuple[DescribedGroupMember, ...] = ()
    authorized_operations: Annotated[Int32, since(3)] = NOT_ASKED


@dataclass(frozen=True, slots=True)
class DescribedGroupMember:
    """A member, what it subscribed to and what it was given."""

    member_id: String = ""
    group_instance_id: Annotated[String | None, since(4)] = None
    client_id: String = ""
    client_host: String = ""
    member_metadata: Bytes = b""
    member_assignment: Bytes = b""


# ListGroups · key 16 · v0-4
# v3 flexible · v4 states (KIP-518)
LIST_GROUPS = Api("ListGroups", key=16, versions=(0, 4), flexible_since=3)


@dataclass(frozen=True, slots=True)
class ListGroupsRequest:
    """Which groups does this broker coordinate?"""

    states_filter: Annotated[tuple[String, ...], since(4)] = ()  # empty: every state


@dataclass(frozen=True, slots=True)
class ListGroupsResponse:
    """The groups of this broker."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    error_code: Error = ErrorCode.NONE
    groups: tuple[ListedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group's name and kind."""

    group_id: String = ""
    protocol_type: String = ""
    group_state: Annotated[String, since(4)] = ""


# DeleteGroups · key 42 · v0-2
# KIP-229 · v2 flexible
DELETE_GROUPS = Api("DeleteGroups", key=42, versions=(0, 2), flexible_since=2)


@dataclass(frozen=True, slots=True)
class DeleteGroupsRequest:
    """Forget these groups and their offsets."""

    groups_names: tuple[String, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteGroupsResponse:
    """What was forgotten."""

    throttle_time_ms: Int32 = 0
    results: tuple[DeletableGroupResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletableGroupResult:
    """The outcome for one group."""

    group_id: String = ""
    error_code: Error = ErrorCode.NONE


# OffsetDelete · key 47 · v0
# KIP-496
OFFSET_DELETE = Api("OffsetDelete", key=47, versions=(0, 0))


@dataclass(frozen=True, slots=True)
class OffsetDeleteRequest:
    """Forget how far the group is in these partitions."""

    group_id: String = ""
    topics: tuple[OffsetDeleteRequestTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetDeleteRequestTopic:
    """Partitions of one topic."""

    name: String = ""
    partitions: tuple[OffsetDeleteRequestPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetDeleteRequestPartition:
    """A partition."""

    partition_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class OffsetDeleteResponse:
    """What was forgotten."""

    error_code: Error = ErrorCode.NONE
    throttle_time_ms: Int32 = 0
    topics: tuple[OffsetDeleteResponseTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetDeleteResponseTopic:
    """The outcomes of one topic."""

    name: String = ""
    partitions: tuple[OffsetDeleteResponsePartition, ...] = ()


@dataclass(frozen=True, slots=True)
class OffsetDeleteResponsePartition:
    """The outcome for one partition."""

    partition_index: Int32 = 0
    error_code: Error = ErrorCode.NONE
