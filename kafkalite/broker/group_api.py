"""What members ask of their coordinator, and clients of whoever knows it.

    FindCoordinator   key 10   v0-4   KIP-699 many at once; of groups and of transactional ids
    JoinGroup         key 11   v0-9   KIP-394 an id first · KIP-345 static members · KIP-814 skip assignment
    SyncGroup         key 14   v0-5   KIP-559 from version 5 on with the protocol's type and name
    Heartbeat         key 12   v0-4
    LeaveGroup        key 13   v0-5   KIP-345 many at once

Join and sync wait in the group; the others are answered at once. A coordinator that is still loading answers a
heartbeat as if all were well, and a sync with "join again": its members stay calm until it knows them.

A new member is told its id and asked to join with it, from version 4 of JoinGroup on; an older one would not do that.

Source: Kafka's KafkaApis, GroupCoordinator. Left out: authorization, quotas.
"""

from __future__ import annotations

from typing import Any

from kafkalite.broker.group_coordinator import GroupCoordinator, Held
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.broker.transactions_topic import TransactionsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import GroupRequestRefused
from kafkalite.node import Component, Node
from kafkalite.protocol.group_membership import (
    Coordinator,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    HeartbeatRequest,
    HeartbeatResponse,
    JoinGroupRequest,
    JoinGroupResponse,
    JoinGroupResponseMember,
    LeaveGroupRequest,
    LeaveGroupResponse,
    MemberIdentity,
    MemberResponse,
    SyncGroupRequest,
    SyncGroupResponse,
)
from kafkalite.types import (
    Answer,
    AnswerJoin,
    AnswerSync,
    HeartbeatAsked,
    JoinAsked,
    LeaveAsked,
    NodeName,
    SyncAsked,
    node_of,
)

OF_A_GROUP, OF_A_TRANSACTIONAL_ID = 0, 1  # kinds of keys in FindCoordinator


class GroupApi(Component):
    """Answers the requests of members."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        topic: OffsetsTopic,
        transactions: TransactionsTopic,
        coordinator: GroupCoordinator,
    ) -> None:
        super().__init__(node, "group_api")
        self._config, self._topic, self._coordinator = config, topic, coordinator
        self._transactions = transactions

    def _refused(self, api: str, group: str, member: str, error: str) -> ErrorCode:
        if error != "NONE":
            self.node.note(GroupRequestRefused(api, group, member, error))
        return ErrorCode[error]

    def _held(self, group: str) -> Held | ErrorCode:
        error = self._topic.refusal(group) if group else ErrorCode.INVALID_GROUP_ID
        if error is not ErrorCode.NONE:
            return error
        return self._coordinator.find(group) or ErrorCode.UNKNOWN_MEMBER_ID

    # FindCoordinator ------------------------------------------------------------------------------------------------

    def on_find_coordinator_request(self, source: NodeName, request: FindCoordinatorRequest) -> None:
        found = [self._find(key, request.key_type) for key in request.coordinator_keys or (request.key,)]
        if request.coordinator_keys:
            self.node.reply(source, FindCoordinatorResponse(coordinators=tuple(found)))
            return
        one = found[0]
        answer = FindCoordinatorResponse(0, one.error_code, one.error_message, one.node_id, one.host, one.port)
        self.node.reply(source, answer)

    def _find(self, key: str, kind: int) -> Coordinator:
        error, message = ErrorCode.NONE, None
        found = None
        if kind not in {OF_A_GROUP, OF_A_TRANSACTIONAL_ID}:
            error, message = ErrorCode.INVALID_REQUEST, f"key type {kind}: expected a group (0) or transactional id (1)"
        else:
            topic = self._topic if kind == OF_A_GROUP else self._transactions
            found = topic.coordinator_of(key)
        if found is None:
            error = error or ErrorCode.COORDINATOR_NOT_AVAILABLE
            self._refused("FindCoordinator", key, "", error.name)
            return Coordinator(key, -1, "", -1, error, message)
        return Coordinator(key, *found, ErrorCode.NONE, None)

    # JoinGroup ------------------------------------------------------------------------------------------------------

    def on_join_group_request(self, source: NodeName, request: JoinGroupRequest) -> None:
        config, group, member = self._config, request.group_id, request.member_id
        nothing = None if self.node.is_asked_since(7) else ""  # what stands for no assignor
        error = self._topic.refusal(group) if group else ErrorCode.INVALID_GROUP_ID
        if error is ErrorCode.NONE and not (
            config.group_min_session_timeout_ms <= request.session_timeout_ms <= config.group_max_session_timeout_ms
        ):
            error = ErrorCode.INVALID_SESSION_TIMEOUT
        held = self._coordinator.find(group)
        if error is ErrorCode.NONE and held is None and member:
            error = ErrorCode.UNKNOWN_MEMBER_ID
        if error is not ErrorCode.NONE:
            self._joined(AnswerJoin(0, error.name, member), source, request, nothing)
            return
        held = held or self._coordinator.found(group)
        timeout_ms = request.rebalance_timeout_ms
        host = node_of(source)
        client_id = self.node.asked_by or host
        name = request.group_instance_id or client_id
        self._coordinator.tell(
            held,
            JoinAsked(
                self._coordinator.ticket(source, self._joined, source, request, nothing),
                member,
                tuple((one.name, bytes(one.metadata)) for one in request.protocols),
                f"{name}-{self.node.random.getrandbits(128):032x}",
                request.group_instance_id,
                request.protocol_type,
                request.session_timeout_ms,
                timeout_ms if timeout_ms >= 0 else request.session_timeout_ms,
                needs_known_id=self.node.is_asked_since(4),
                can_skip_assignment=self.node.is_asked_since(9),
                client_id=client_id,
                client_host=f"/{host.rpartition(':')[0] or host}",
            ),
        )

    def _joined(
        self, answer: Answer | AnswerJoin, source: NodeName, request: JoinGroupRequest, nothing: str | None
    ) -> None:
        error = self._refused("JoinGroup", request.group_id, request.member_id, answer.error)
        if isinstance(answer, Answer):
            answer = AnswerJoin(0, answer.error, request.member_id)
        members = tuple(JoinGroupResponseMember(*one) for one in answer.members)
        response = JoinGroupResponse(
            error_code=error,
            generation_id=answer.generation,
            protocol_type=answer.protocol_type,
            protocol_name=nothing if answer.protocol is None else answer.protocol,
            leader=answer.leader,
            skip_assignment=answer.skips_assignment,
            member_id=answer.member,
            members=members,
        )
        self.node.reply(source, response)

    # SyncGroup ------------------------------------------------------------------------------------------------------

    def on_sync_group_request(self, source: NodeName, request: SyncGroupRequest) -> None:
        held = self._held(request.group_id)
        if isinstance(held, ErrorCode):
            is_loading = held is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
            error = ErrorCode.REBALANCE_IN_PROGRESS if is_loading else held
            self._synced(AnswerSync(0, error.name), source, request)
            return
        if self.node.is_asked_since(5) and None in (request.protocol_type, request.protocol_name):
            self._synced(AnswerSync(0, "INCONSISTENT_GROUP_PROTOCOL"), source, request)
            return
        asked = SyncAsked(
            self._coordinator.ticket(source, self._synced, source, request),
            request.member_id,
            request.generation_id,
            request.group_instance_id,
            request.protocol_type,
            request.protocol_name,
            tuple((one.member_id, bytes(one.assignment)) for one in request.assignments),
        )
        self._coordinator.tell(held, asked)

    def _synced(self, answer: Answer | AnswerSync, source: NodeName, request: SyncGroupRequest) -> None:
        error = self._refused("SyncGroup", request.group_id, request.member_id, answer.error)
        if isinstance(answer, Answer):
            self.node.reply(source, SyncGroupResponse(error_code=error))
        else:
            kind = (answer.protocol_type, answer.protocol)
            self.node.reply(source, SyncGroupResponse(0, error, *kind, answer.assignment))

    # Heartbeat, LeaveGroup ------------------------------------------------------------------------------------------

    def on_heartbeat_request(self, source: NodeName, request: HeartbeatRequest) -> None:
        held = self._held(request.group_id)
        if isinstance(held, ErrorCode):
            is_loading = held is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
            self._beaten(Answer(0, "NONE" if is_loading else held.name), source, request)
            return
        ticket = self._coordinator.ticket(source, self._beaten, source, request)
        asked = HeartbeatAsked(ticket, request.member_id, request.generation_id, request.group_instance_id)
        self._coordinator.tell(held, asked)

    def _beaten(self, answer: Answer, source: NodeName, request: HeartbeatRequest) -> None:
        error = self._refused("Heartbeat", request.group_id, request.member_id, answer.error)
        self.node.reply(source, HeartbeatResponse(error_code=error))

    def on_leave_group_request(self, source: NodeName, request: LeaveGroupRequest) -> None:
        held = self._held(request.group_id)
        leaving = request.members or (MemberIdentity(request.member_id),)
        if isinstance(held, ErrorCode):
            error = self._refused("LeaveGroup", request.group_id, leaving[0].member_id, held.name)
            is_whole = error is not ErrorCode.UNKNOWN_MEMBER_ID or not request.members
            members = tuple(MemberResponse(one.member_id, one.group_instance_id, error) for one in leaving)
            whole = error if is_whole else ErrorCode.NONE
            self.node.reply(source, LeaveGroupResponse(0, whole, () if is_whole else members))
            return
        gone: list[MemberResponse] = []
        for one in leaving:
            ticket = self._coordinator.ticket(source, self._left, gone, one, source, request)
            self._coordinator.tell(held, LeaveAsked(ticket, one.member_id, one.group_instance_id))

    def _left(
        self, answer: Answer, gone: list[MemberResponse], one: MemberIdentity, source: NodeName, request: Any
    ) -> None:
        error = self._refused("LeaveGroup", request.group_id, one.member_id, answer.error)
        gone.append(MemberResponse(one.member_id, one.group_instance_id, error))
        if len(gone) < max(len(request.members), 1):
            return
        whole = ErrorCode.NONE if request.members else error
        self.node.reply(source, LeaveGroupResponse(0, whole, tuple(gone) if request.members else ()))
