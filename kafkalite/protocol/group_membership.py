"""How consumers become a group: find the coordinator, join, sync, beat, leave.

What members tell each other (subscriptions and assignments) crosses as bytes: the coordinator does not open it.
Left out: server-side assignment (KIP-848).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Bytes, Error, Int8, Int32, String, between, nullable, since, until

# FindCoordinator · key 10 · v0-4
# v1 transactional ids (KIP-98) · v3 flexible · v4 many keys at once (KIP-699)
FIND_COORDINATOR = Api("FindCoordinator", key=10, versions=(0, 4), flexible_since=3)


@dataclass(frozen=True, slots=True)
class FindCoordinatorRequest:
    """Which broker looks after this group, or this transactional id?"""

    key: Annotated[String, until(3)] = ""
    key_type: Annotated[Int8, since(1)] = 0  # 0: a group; 1: a transactional id
    coordinator_keys: Annotated[tuple[String, ...], since(4)] = ()


@dataclass(frozen=True, slots=True)
class FindCoordinatorResponse:
    """The broker, or why there is none yet."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    error_code: Annotated[Error, until(3)] = ErrorCode.NONE
    error_message: Annotated[String | None, between(1, 3)] = ""
    node_id: Annotated[Int32, until(3)] = 0
    host: Annotated[String, until(3)] = ""
    port: Annotated[Int32, until(3)] = 0
    coordinators: Annotated[tuple[Coordinator, ...], since(4)] = ()


@dataclass(frozen=True, slots=True)
class Coordinator:
    """The coordinator of one key."""

    key: String = ""
    node_id: Int32 = 0
    host: String = ""
    port: Int32 = 0
    error_code: Error = ErrorCode.NONE
    error_message: String | None = ""


# JoinGroup · key 11 · v0-9
# v1 rebalance timeout (KIP-62) · v4 MEMBER_ID_REQUIRED (KIP-394) · v5 static members (KIP-345) · v6 flexible
# v7 the protocol's type comes back (KIP-559) · v8 reason (KIP-800) · v9 skip assignment (KIP-814)
JOIN_GROUP = Api("JoinGroup", key=11, versions=(0, 9), flexible_since=6)


@dataclass(frozen=True, slots=True)
class JoinGroupRequest:
    """Let me into the group. The reply comes when every member has asked."""

    group_id: String = ""
    session_timeout_ms: Int32 = 0
    rebalance_timeout_ms: Annotated[Int32, since(1)] = -1  # version 0 takes the session's timeout
    member_id: String = ""  # empty: a new member
    group_instance_id: Annotated[String | None, since(5)] = None
    protocol_type: String = ""
    protocols: tuple[JoinGroupRequestProtocol, ...] = ()
    reason: Annotated[String | None, since(8)] = None


@dataclass(frozen=True, slots=True)
class JoinGroupRequestProtocol:
    """An assignor this member offers, with what it would tell that assignor."""

    name: String = ""
    metadata: Bytes = b""


@dataclass(frozen=True, slots=True)
class JoinGroupResponse:
    """The new generation. Only the leader is told the members."""

    throttle_time_ms: Annotated[Int32, since(2)] = 0
    error_code: Error = ErrorCode.NONE
    generation_id: Int32 = -1
    protocol_type: Annotated[String | None, since(7)] = None
    protocol_name: Annotated[String | None, nullable(7)] = ""
    leader: String = ""
    skip_assignment: Annotated[Bool, since(9)] = False  # the leader need not run its assignor (KIP-814)
    member_id: String = ""
    members: tuple[JoinGroupResponseMember, ...] = ()


@dataclass(frozen=True, slots=True)
class JoinGroupResponseMember:
    """A member and what it tells the assignor."""

    member_id: String = ""
    group_instance_id: Annotated[String | None, since(5)] = None
    metadata: Bytes = b""


# SyncGroup · key 14 · v0-5
# v3 static members (KIP-345) · v4 flexible · v5 protocol type and name (KIP-559)
SYNC_GROUP = Api("SyncGroup", key=14, versions=(0, 5), flexible_since=4)


@dataclass(frozen=True, slots=True)
class SyncGroupRequest:
    """What is mine? The leader brings the answer for everybody."""

    group_id: String = ""
    generation_id: Int32 = 0
    member_id: String = ""
    group_instance_id: Annotated[String | None, since(3)] = None
    protocol_type: Annotated[String | None, since(5)] = None
    protocol_name: Annotated[String | None, since(5)] = None
    assignments: tuple[SyncGroupRequestAssignment, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncGroupRequestAssignment:
    """What the leader gives to one member."""

    member_id: String = ""
    assignment: Bytes = b""


@dataclass(frozen=True, slots=True)
class SyncGroupResponse:
    """What this member is to read."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    error_code: Error = ErrorCode.NONE
    protocol_type: Annotated[String | None, since(5)] = None
    protocol_name: Annotated[String | None, since(5)] = None
    assignment: Bytes = b""


# Heartbeat · key 12 · v0-4
# v3 static members (KIP-345) · v4 flexible
HEARTBEAT = Api("Heartbeat", key=12, versions=(0, 4), flexible_since=4)


@dataclass(frozen=True, slots=True)
class HeartbeatRequest:
    """I am alive; is the group as I know it?"""

    group_id: String = ""
    generation_id: Int32 = 0
    member_id: String = ""
    group_instance_id: Annotated[String | None, since(3)] = None


@dataclass(frozen=True, slots=True)
class HeartbeatResponse:
    """REBALANCE_IN_PROGRESS tells the member to join again."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    error_code: Error = ErrorCode.NONE


# LeaveGroup · key 13 · v0-5
# v3 many members at once (KIP-345) · v4 flexible · v5 reason (KIP-800)
LEAVE_GROUP = Api("LeaveGroup", key=13, versions=(0, 5), flexible_since=4)


@dataclass(frozen=True, slots=True)
class LeaveGroupRequest:
    """I am leaving (to version 2), or these members are (from 3 on, KIP-345)."""

    group_id: String = ""
    member_id: Annotated[String, until(2)] = ""
    members: Annotated[tuple[MemberIdentity, ...], since(3)] = ()


@dataclass(frozen=True, slots=True)
class MemberIdentity:
    """A member that leaves."""

    member_id: String = ""
    group_instance_id: String | None = None
    reason: Annotated[String | None, since(5)] = None


@dataclass(frozen=True, slots=True)
class LeaveGroupResponse:
    """Who was let go."""

    throttle_time_ms: Annotated[Int32, since(1)] = 0
    error_code: Error = ErrorCode.NONE
    members: Annotated[tuple[MemberResponse, ...], since(3)] = ()


@dataclass(frozen=True, slots=True)
class MemberResponse:
    """The outcome for one member."""

    member_id: String = ""
    group_instance_id: String | None = ""
    error_code: Error = ErrorCode.NONE
