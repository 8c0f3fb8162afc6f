"""How far a group has come: written, read; and what administrators ask of groups.

    OffsetCommit     key 8    v0-8   answered once the high watermark has passed the record in `__consumer_offsets`
    OffsetFetch      key 9    v0-8   KIP-447 stable offsets · KIP-709 many groups at once
    DescribeGroups   key 15   v0-5
    ListGroups       key 16   v0-4   KIP-518 by state
    DeleteGroups     key 42   v0-2   KIP-229: groups without members
    OffsetDelete     key 47   v0     KIP-496: of topics that no member reads

A commit is fenced by generation and member (see `groups.group`); a fetch of offsets by nothing: anybody may look.

Source: Kafka's KafkaApis, GroupCoordinator. Left out: authorization.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kafkalite.broker.group_coordinator import GroupCoordinator, Held
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.offset_commits import Refused, answers, sort_out
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import GroupRequestRefused, OffsetsFetched
from kafkalite.groups.states import State
from kafkalite.node import Component, Node
from kafkalite.protocol.group_admin import (
    DeletableGroupResult,
    DeleteGroupsRequest,
    DeleteGroupsResponse,
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
    ListedGroup,
    ListGroupsRequest,
    ListGroupsResponse,
    OffsetDeleteRequest,
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
    OffsetFetchRequest,
    OffsetFetchResponse,
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
)
from kafkalite.types import Answer, CommitAsked, CommittedOffset, NodeName, TopicPartition

NOTHING = (-1, -1, "")  # offset, leader epoch and metadata where nothing was committed
FetchedOffset = tuple[TopicPartition, int, int, str, ErrorCode]
OVER = frozenset({State.EMPTY.value, State.DEAD.value})


class GroupOffsetsApi(Component):
    """Answers requests about offsets and groups."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        topic: OffsetsTopic,
        coordinator: GroupCoordinator,
        metadata: MetadataCache,
    ) -> None:
        super().__init__(node, "group_offsets_api")
        self._config, self._topic = config, topic
        self._coordinator, self._metadata = coordinator, metadata

    def _refused(self, api: str, group: str, member: str, error: ErrorCode) -> ErrorCode:
        if error is not ErrorCode.NONE:
            self.node.note(GroupRequestRefused(api, group, member, error.name))
        return error

    # OffsetCommit ---------------------------------------------------------------------------------------------------

    def on_offset_commit_request(self, source: NodeName, request: OffsetCommitRequest) -> None:
        group, generation = request.group_id, request.generation_id_or_member_epoch
        error = self._topic.refusal(group)
        held = self._coordinator.find(group)
        if error is ErrorCode.NONE and held is None and generation >= 0:
            error = ErrorCode.ILLEGAL_GENERATION
        if error is not ErrorCode.NONE:
            self._answer_commit(error, source, request, {})
            return
        held = held or self._coordinator.found(group)
        ticket = self._coordinator.ticket(source, self._allowed, source, request, held)
        asked = CommitAsked(ticket, request.member_id, generation, request.group_instance_id)
        self._coordinator.tell(held, asked)

    def _allowed(self, answer: Answer, source: NodeName, request: OffsetCommitRequest, held: Held) -> None:
        """The group has said whether this one may commit; then each partition has its say."""
        error, config = ErrorCode[answer.error], self._config
        committed = partial(self._committed, request)
        offsets, refused = sort_out(request.topics, self._metadata, config.offset_metadata_max_bytes, committed)
        if error is not ErrorCode.NONE or not offsets:
            self._answer_commit(error, source, request, refused)
            return
        generation = request.generation_id_or_member_epoch
        asked = CommitAsked(answer.ticket, request.member_id, generation, request.group_instance_id)
        reply = self._coordinator.ticket(source, self._answer_commit, source, request, refused)
        self._coordinator.commit(held, asked, offsets, self._coordinator.settle, reply)

    def _committed(self, request: OffsetCommitRequest, one: OffsetCommitRequestPartition) -> CommittedOffset:
        now_ms = self.node.wall_ms
        commit_ms = one.commit_timestamp if one.commit_timestamp >= 0 else now_ms
        expire_ms = now_ms + request.retention_time_ms if request.retention_time_ms >= 0 else -1
        return CommittedOffset(
            one.committed_offset, one.committed_leader_epoch, one.committed_metadata or "", commit_ms, expire_ms
        )

    def _answer_commit(
        self, error: ErrorCode, source: NodeName, request: OffsetCommitRequest, refused: Refused
    ) -> None:
        found = error or next(iter(refused.values()), ErrorCode.NONE)
        self._refused("OffsetCommit", request.group_id, request.member_id, found)
        topics = answers(request.topics, error, refused, OffsetCommitResponseTopic, OffsetCommitResponsePartition)
        self.node.reply(source, OffsetCommitResponse(0, topics))

    # OffsetFetch ----------------------------------------------------------------------------------------------------

    def on_offset_fetch_request(self, source: NodeName, request: OffsetFetchRequest) -> None:
        stable = request.require_stable
        if request.groups:
            answers = tuple(self._of_group(one.group_id, one.topics, stable=stable) for one in request.groups)
            self.node.reply(source, OffsetFetchResponse(groups=answers))
            return
        error, found = self._fetch(request.group_id, request.topics, stable=stable)
        topics = tuple(
            OffsetFetchResponseTopic(
                name,
                tuple(OffsetFetchResponsePartition(one[0][1], *one[1:]) for one in found if one[0][0] == name),
            )
            for name in dict.fromkeys(one[0][0] for one in found)
        )
        self.node.reply(source, OffsetFetchResponse(0, topics, error))

    def _of_group(self, group: str, asked: Any, *, stable: bool) -> OffsetFetchResponseGroup:
        error, found = self._fetch(group, asked, stable=stable)
        topics = tuple(
            OffsetFetchResponseTopics(
                name,
                tuple(OffsetFetchResponsePartitions(one[0][1], *one[1:]) for one in found if one[0][0] == name),
            )
            for name in dict.fromkeys(one[0][0] for one in found)
        )
        return OffsetFetchResponseGroup(group, topics, error)

    def _fetch(self, group: str, asked: Any, *, stable: bool) -> tuple[ErrorCode, list[FetchedOffset]]:
        """What is committed; `asked` are topics with partitions, None for all."""
        error = self._refused("OffsetFetch", group, "", self._topic.refusal(group))
        wanted = [(topic.name, index) for topic in asked or () for index in topic.partition_indexes]
        if error is not ErrorCode.NONE:  # of the whole group; before version 2 there was no place to say so but these
            is_said_of_each = not self.node.is_asked_since(2)
            return error, [(partition, *NOTHING, error) for partition in wanted if is_said_of_each]
        fold = self._topic.loaded[self._topic.index_of(group)]
        found: list[FetchedOffset] = []
        for partition in fold.offsets.partitions(group) if asked is None else wanted:
            one = fold.offsets.fetch(group, partition)
            if stable and not fold.pending.is_stable(group, partition):
                found.append((partition, *NOTHING, ErrorCode.UNSTABLE_OFFSET_COMMIT))
            elif one is None:
                found.append((partition, *NOTHING, ErrorCode.NONE))
            else:
                found.append((partition, one.offset, one.leader_epoch, one.metadata, ErrorCode.NONE))
        told = tuple((*one[0], one[1]) for one in found if one[-1] is ErrorCode.NONE)
        self.node.note(OffsetsFetched(group, told))
        return ErrorCode.NONE, found

    # Administrators -------------------------------------------------------------------------------------------------

    def on_describe_groups_request(self, source: NodeName, request: DescribeGroupsRequest) -> None:
        self.node.reply(source, DescribeGroupsResponse(0, tuple(map(self._described, request.groups))))

    def _described(self, group: str) -> DescribedGroup:
        error = self._topic.refusal(group)
        held = self._coordinator.find(group)
        if error is not ErrorCode.NONE or held is None:
            state = State.DEAD.value if error is ErrorCode.NONE else ""
            return DescribedGroup(error, group, state)
        image = held.group.image()
        members = tuple(
            DescribedGroupMember(
                one.member, one.instance, one.client_id, one.client_host, one.subscription, one.assignment
            )
            for one in image.members
        )
        return DescribedGroup(error, group, held.state, image.protocol_type, image.protocol or "", members)

    def on_list_groups_request(self, source: NodeName, request: ListGroupsRequest) -> None:
        listed = tuple(
            ListedGroup(name, held.group.image().protocol_type, held.state)
            for name, held in sorted(self._coordinator.groups.items())
            if not request.states_filter or held.state in request.states_filter
        )
        self.node.reply(source, ListGroupsResponse(groups=listed))

    def on_delete_groups_request(self, source: NodeName, request: DeleteGroupsRequest) -> None:
        results = tuple(DeletableGroupResult(group, self._delete(group)) for group in request.groups_names)
        self.node.reply(source, DeleteGroupsResponse(0, results))

    def _delete(self, group: str) -> ErrorCode:
        error = self._topic.refusal(group)
        held = self._coordinator.find(group)
        if error is ErrorCode.NONE and held is None:
            error = ErrorCode.GROUP_ID_NOT_FOUND
        elif error is ErrorCode.NONE and held is not None and held.state not in OVER:
            error = ErrorCode.NON_EMPTY_GROUP
        if error is ErrorCode.NONE and held is not None:
            self._coordinator.delete(held)
        return self._refused("DeleteGroups", group, "", error)

    def on_offset_delete_request(self, source: NodeName, request: OffsetDeleteRequest) -> None:
        group = request.group_id
        error, held = self._topic.refusal(group), self._coordinator.find(group)
        if not group:
            error = ErrorCode.INVALID_GROUP_ID
        in_use: frozenset[str] = frozenset()
        if error is ErrorCode.NONE and held is None:
            error = ErrorCode.GROUP_ID_NOT_FOUND
        elif error is ErrorCode.NONE and held is not None and held.state not in OVER:
            subscribed = self._coordinator.subscribed(held)
            in_use = subscribed or frozenset()
            error = ErrorCode.NON_EMPTY_GROUP if subscribed is None else error
        if self._refused("OffsetDelete", group, "", error) is not ErrorCode.NONE or held is None:
            self.node.reply(source, OffsetDeleteResponse(error))
            return
        outcomes = {
            (topic.name, one.partition_index): self._why_not_forgotten((topic.name, one.partition_index), in_use)
            for topic in request.topics
            for one in topic.partitions
        }
        self._coordinator.delete_offsets(held, [one for one, why in outcomes.items() if why is ErrorCode.NONE])
        topics = tuple(
            OffsetDeleteResponseTopic(
                topic.name,
                tuple(
                    OffsetDeleteResponsePartition(one.partition_index, outcomes[topic.name, one.partition_index])
                    for one in topic.partitions
                ),
            )
            for topic in request.topics
        )
        self.node.reply(source, OffsetDeleteResponse(topics=topics))

    def _why_not_forgotten(self, partition: TopicPartition, in_use: frozenset[str]) -> ErrorCode:
        if not self._metadata.is_known(*partition):
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC if partition[0] in in_use else ErrorCode.NONE
