"""What an administrator is told: of each response the error, in a line what else it says, and the same as plain data.

Every request of `admin` is about one thing, so every response has one outcome in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafkalite.clients.cluster_view import PartitionView
from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol.configs import DescribeConfigsResponse, IncrementalAlterConfigsResponse
from kafkalite.protocol.consumer_protocol import decode_assignment
from kafkalite.protocol.group_admin import (
    DeleteGroupsResponse,
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsResponse,
    ListGroupsResponse,
    OffsetDeleteResponse,
)
from kafkalite.protocol.group_offsets import OffsetFetchResponse
from kafkalite.protocol.metadata import DescribeClusterResponse, MetadataResponse, MetadataResponseTopic
from kafkalite.protocol.offsets import ListOffsetsResponse
from kafkalite.protocol.reassignment import (
    AlterPartitionReassignmentsResponse,
    ElectLeadersResponse,
    ListPartitionReassignmentsResponse,
)
from kafkalite.protocol.topics import (
    CreatePartitionsResponse,
    CreateTopicsResponse,
    DeleteRecordsResponse,
    DeleteTopicsResponse,
)
from kafkalite.types import TopicPartition, address


class Outcome(NamedTuple):
    """What came of a request. `found` is what it found as data, where there is more to it than a line."""

    error: ErrorCode
    answer: str
    found: Any = None


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic, and where its partitions are."""

    name: str
    is_internal: bool
    partitions: dict[int, PartitionView]


@dataclass(frozen=True, slots=True)
class GroupListing:
    """A group that a broker coordinates."""

    group: str
    protocol_type: str
    state: str


@dataclass(frozen=True, slots=True)
class MemberDescription:
    """A member, and what it was assigned; nothing, if the group's protocol is not that of consumers."""

    member: str
    instance: str | None
    client_id: str
    client_host: str
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """A group: its state, by which strategy it assigns, and its members."""

    group: str
    state: str
    strategy: str
    members: tuple[MemberDescription, ...]


@dataclass(frozen=True, slots=True)
class Reassignment:
    """A partition that is under way: its replicas, those that are new and those that are to go among them."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]


def outcome_of(response: Any) -> Outcome:
    """The error, and what the administrator is told."""
    found = _OUTCOMES[type(response)](response)
    return found._replace(error=ErrorCode.of(found.error))


# Topics ---------------------------------------------------------------------------------------------------------------


def _created(response: CreateTopicsResponse) -> Outcome:
    one = response.topics[0]
    shape = f"{one.num_partitions} partitions, {one.replication_factor} replicas" if one.num_partitions > 0 else ""
    return Outcome(one.error_code, one.error_message or shape)


def _deleted(response: DeleteTopicsResponse) -> Outcome:
    return Outcome(response.responses[0].error_code, response.responses[0].error_message or "")


def _grown(response: CreatePartitionsResponse) -> Outcome:
    return Outcome(response.results[0].error_code, response.results[0].error_message or "")


def _forgotten(response: DeleteRecordsResponse) -> Outcome:
    one = response.topics[0].partitions[0]
    return Outcome(one.error_code, str(one.low_watermark), one.low_watermark)


def _found(response: ListOffsetsResponse) -> Outcome:
    one = response.topics[0].partitions[0]
    return Outcome(one.error_code, str(one.offset), one.offset)


def _topics(response: MetadataResponse) -> Outcome:
    """One topic, described; or the names of all."""
    found = tuple(map(_topic, response.topics))
    names = ", ".join(f"{one.name} ({len(one.partitions)})" for one in found)
    error = response.topics[0].error_code if len(response.topics) == 1 else ErrorCode.NONE
    return Outcome(error, names, found)


def _topic(topic: MetadataResponseTopic) -> TopicDescription:
    partitions = {
        one.partition_index: PartitionView(one.leader_id, one.leader_epoch, one.replica_nodes, one.isr_nodes)
        for one in topic.partitions
    }
    return TopicDescription(topic.name, topic.is_internal, partitions)


# Brokers and settings -------------------------------------------------------------------------------------------------


def _cluster(response: DescribeClusterResponse) -> Outcome:
    found = {one.broker_id: address(one.host, one.port) for one in response.brokers}
    brokers = " ".join(f"{broker}={where}" for broker, where in found.items())
    said = f"cluster {response.cluster_id}, controller {response.controller_id}, brokers {brokers}"
    return Outcome(response.error_code, response.error_message or said, found)


def _settings(response: DescribeConfigsResponse) -> Outcome:
    one = response.results[0]
    found = {setting.name: setting.value for setting in one.configs}
    line = " ".join(f"{name}={value}" for name, value in found.items())
    return Outcome(one.error_code, one.error_message or line, found)


def _altered(response: IncrementalAlterConfigsResponse) -> Outcome:
    return Outcome(response.responses[0].error_code, response.responses[0].error_message or "")


# Groups ---------------------------------------------------------------------------------------------------------------


def _groups(response: ListGroupsResponse) -> Outcome:
    found = tuple(GroupListing(one.group_id, one.protocol_type, one.group_state) for one in response.groups)
    return Outcome(response.error_code, ", ".join(f"{one.group} ({one.state})" for one in found), found)


def _group(response: DescribeGroupsResponse) -> Outcome:
    one = response.groups[0]
    members = tuple(_member(one, member) for member in one.members)
    found = GroupDescription(one.group_id, one.group_state, one.protocol_data, members)
    return Outcome(one.error_code, f"{one.group_state}, {len(members)} members", found)


def _member(group: DescribedGroup, member: DescribedGroupMember) -> MemberDescription:
    try:
        partitions = decode_assignment(member.member_assignment) if group.protocol_type == "consumer" else []
    except ProtocolError:
        partitions = []
    return MemberDescription(
        *(member.member_id, member.group_instance_id, member.client_id, member.client_host), tuple(sorted(partitions))
    )


def _offsets(response: OffsetFetchResponse) -> Outcome:
    """What is committed; a partition whose offset is unstable for a transaction still open is left out."""
    group = response.groups[0]
    found = {
        (topic.name, one.partition_index): one.committed_offset
        for topic in group.topics
        for one in topic.partitions
        if one.error_code == ErrorCode.NONE and one.committed_offset >= 0
    }
    line = ", ".join(f"{topic}-{partition} at {offset}" for (topic, partition), offset in sorted(found.items()))
    return Outcome(group.error_code, line, found)


def _group_deleted(response: DeleteGroupsResponse) -> Outcome:
    return Outcome(response.results[0].error_code, "")


def _offsets_deleted(response: OffsetDeleteResponse) -> Outcome:
    errors = [one.error_code for topic in response.topics for one in topic.partitions if one.error_code]
    return Outcome(response.error_code or next(iter(errors), ErrorCode.NONE), "")


# Replicas and leaders -------------------------------------------------------------------------------------------------


def _elected(response: ElectLeadersResponse) -> Outcome:
    results = [one for topic in response.replica_election_results for one in topic.partition_result]
    error = next(((one.error_code, one.error_message or "") for one in results if one.error_code), None)
    return Outcome(*error) if error else Outcome(response.error_code, "")


def _reassigned(response: AlterPartitionReassignmentsResponse) -> Outcome:
    results = [one for topic in response.responses for one in topic.partitions]
    error = next(((one.error_code, one.error_message or "") for one in results if one.error_code), None)
    return Outcome(*error) if error else Outcome(response.error_code, response.error_message or "")


def _under_way(response: ListPartitionReassignmentsResponse) -> Outcome:
    found = tuple(
        Reassignment(topic.name, one.partition_index, one.replicas, one.adding_replicas, one.removing_replicas)
        for topic in response.topics
        for one in topic.partitions
    )
    line = ", ".join(f"{one.topic}-{one.partition}: +{list(one.adding)} -{list(one.removing)}" for one in found)
    return Outcome(response.error_code, response.error_message or line, found)


_OUTCOMES: dict[type, Callable[[Any], Outcome]] = {
    CreateTopicsResponse: _created,
    DeleteTopicsResponse: _deleted,
    CreatePartitionsResponse: _grown,
    DeleteRecordsResponse: _forgotten,
    ListOffsetsResponse: _found,
    MetadataResponse: _topics,
    DescribeClusterResponse: _cluster,
    DescribeConfigsResponse: _settings,
    IncrementalAlterConfigsResponse: _altered,
    ListGroupsResponse: _groups,
    DescribeGroupsResponse: _group,
    OffsetFetchResponse: _offsets,
    DeleteGroupsResponse: _group_deleted,
    OffsetDeleteResponse: _offsets_deleted,
    ElectLeadersResponse: _elected,
    AlterPartitionReassignmentsResponse: _reassigned,
    ListPartitionReassignmentsResponse: _under_way,
}
