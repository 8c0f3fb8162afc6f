"""Groups on real brokers: found by hashing, kept in `__consumer_offsets`, handed over when a broker dies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.facts import (
    CoordinatorLoaded,
    CoordinatorUnloaded,
    GroupEmptied,
    GroupStabilized,
    MemberExpired,
    OffsetsCommitted,
    OffsetsExpired,
)
from kafkalite.groups.placement import partition_of_group
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.protocol.consumer_protocol import encode_assignment
from kafkalite.protocol.group_admin import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    OffsetDeleteRequest,
)
from kafkalite.protocol.group_membership import (
    FindCoordinatorRequest,
    HeartbeatRequest,
    JoinGroupRequest,
    JoinGroupRequestProtocol,
    LeaveGroupRequest,
    MemberIdentity,
    SyncGroupRequest,
    SyncGroupRequestAssignment,
)
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.sim.cluster import Cluster
from kafkalite.types import NodeName

from .asker import LOST, Member

A = "A"
SESSION_MS = 10_000
JOIN = JoinGroupRequest(
    "g", SESSION_MS, 20_000, protocol_type="consumer", protocols=(JoinGroupRequestProtocol("range", b"A"),)
)


def cluster_of(seed: int = 1, brokers: int = 3, **settings: Any) -> Cluster:
    defaults = {"offsets_topic_num_partitions": 4, "offsets_topic_replication_factor": min(brokers, 3)}
    cluster = Cluster(brokers=brokers, zookeepers=1, seed=seed, broker={**defaults, **settings})
    return cluster.topic(A, partitions=3, replicas=min(brokers, 3))


def joined(member: Member, peer: NodeName, group: str = "g") -> str:
    """A member of a stable group of one; its id."""
    told = member.ask(peer, replace(JOIN, group_id=group))
    assert ErrorCode.MEMBER_ID_REQUIRED == told.error_code
    answer = member.ask(peer, replace(JOIN, group_id=group, member_id=told.member_id))
    assignment = SyncGroupRequestAssignment(answer.member_id, encode_assignment([(A, 0), (A, 1), (A, 2)]))
    synced = member.ask(
        peer,
        SyncGroupRequest(
            group, answer.generation_id, answer.member_id, None, "consumer", "range", assignments=(assignment,)
        ),
    )
    assert ErrorCode.NONE == synced.error_code
    return str(answer.member_id)


def commit_of(offset: int, member: str = "", generation: int = -1, partition: int = 0, group: str = "g") -> Any:
    topic = OffsetCommitRequestTopic(A, (OffsetCommitRequestPartition(partition, offset),))
    return OffsetCommitRequest(group, generation, member, topics=(topic,))


def error_of(answer: Any) -> ErrorCode:
    """Of a commit, or of the only partition in it."""
    error: ErrorCode = answer.topics[0].partitions[0].error_code
    return error


def committed(member: Member, peer: NodeName, partition: int = 0, group: str = "g") -> int:
    asked = OffsetFetchRequestGroup(group, (OffsetFetchRequestTopics(A, (partition,)),))
    answer = member.ask(peer, OffsetFetchRequest(groups=(asked,))).groups[0]
    assert ErrorCode.NONE == answer.error_code
    return int(answer.topics[0].partitions[0].committed_offset)


def test_every_broker_names_the_same_coordinator_and_it_leads_the_groups_partition() -> None:
    """C7: the group's name, hashed, says which partition of `__consumer_offsets` keeps it."""
    cluster = cluster_of()
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)

    assert {coordinator} == {member.coordinator("g", via=broker) for broker in cluster.brokers}
    assert coordinator == cluster.leader("__consumer_offsets", partition_of_group("g", 4))
    many = member.ask("b102", FindCoordinatorRequest(coordinator_keys=("g", "h", "")))
    assert [0, 0, 0] == [one.error_code for one in many.coordinators], "a group without a name is refused by its own"
    assert ErrorCode.INVALID_REQUEST == member.ask("b102", FindCoordinatorRequest("t", key_type=2)).error_code


def test_a_broker_that_is_not_the_coordinator_says_so() -> None:
    cluster = cluster_of()
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)
    other = next(broker for broker in cluster.brokers if broker != coordinator)

    requests: list[Any] = [
        JOIN,
        SyncGroupRequest("g", 1, "m"),
        HeartbeatRequest("g", 1, "m"),
        LeaveGroupRequest("g", members=(MemberIdentity("m"),)),
        OffsetFetchRequest("g", (OffsetFetchRequestTopic(A, (0,)),)),
    ]
    assert {ErrorCode.NOT_COORDINATOR} == {member.ask(other, request).error_code for request in requests}
    assert ErrorCode.NOT_COORDINATOR == error_of(member.ask(other, commit_of(1)))
    assert () == member.ask(other, requests[-1]).topics, "it is said of the group, and of no partition"


def test_a_commit_is_answered_once_all_in_sync_have_it_and_survives_the_coordinator() -> None:
    """O1, O2: the bookmark stands in a replicated log; the next coordinator reads it there."""
    cluster = cluster_of()
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    name = joined(member, coordinator)
    assert ErrorCode.NONE == error_of(member.ask(coordinator, commit_of(7, name, 1)))
    index = partition_of_group("g", 4)
    ends = {cluster.end(broker, "__consumer_offsets", index) for broker in cluster.brokers}
    assert {2} == ends, "the group, and the commit"

    cluster.kill(coordinator).run_for(30_000)
    heir = member.coordinator("g", via=next(one for one in cluster.brokers if one != coordinator))

    assert heir != coordinator
    assert 7 == committed(member, heir)
    assert -1 == committed(member, heir, partition=1)
    assert ("g",) in [one.groups for one in cluster.facts(CoordinatorLoaded, heir)]
    assert 1 == len(cluster.facts(OffsetsCommitted, coordinator, group="g", offsets=((A, 0, 7),)))


def test_members_outlive_their_coordinator() -> None:
    """C3, C7: the next one knows the members and the generation, so nobody has to join again."""
    cluster = cluster_of(zookeeper_session_timeout_ms=6000)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    name = joined(member, coordinator)
    cluster.kill(coordinator)
    cluster.run_for(9000)
    heir = member.coordinator("g", via=next(one for one in cluster.brokers if one != coordinator))

    assert ErrorCode.NONE == member.ask(heir, HeartbeatRequest("g", 1, name)).error_code
    cluster.run_for(SESSION_MS + 1000)
    assert [name] == [one.member for one in cluster.facts(MemberExpired, heir)]
    assert 1 == len(cluster.facts(GroupEmptied, heir))


def test_a_commit_that_replicas_do_not_take_in_time_is_not_said_to_be_done() -> None:
    """O1: with too few in sync, the coordinator is as good as none."""
    cluster = cluster_of(brokers=3, min_insync_replicas=2)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)
    followers = cluster.followers("__consumer_offsets", partition_of_group("g", 4))
    for broker in followers:
        cluster.freeze(broker, 10_000)

    assert ErrorCode.COORDINATOR_NOT_AVAILABLE == error_of(member.ask(coordinator, commit_of(7)))
    assert [] == cluster.facts(OffsetsCommitted)


def test_a_stale_generation_cannot_commit_on_a_broker_either() -> None:
    """M30, O2."""
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    name = joined(member, coordinator)

    assert ErrorCode.ILLEGAL_GENERATION == error_of(member.ask(coordinator, commit_of(7, name, 0)))
    assert ErrorCode.UNKNOWN_MEMBER_ID == error_of(member.ask(coordinator, commit_of(7)))
    assert ErrorCode.ILLEGAL_GENERATION == error_of(member.ask(coordinator, commit_of(7, name, 1, group="none")))
    assert -1 == committed(member, coordinator)


def test_what_cannot_be_committed_is_refused_partition_by_partition() -> None:
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)
    partitions = (
        OffsetCommitRequestPartition(0, 5),
        OffsetCommitRequestPartition(9, 5),
        OffsetCommitRequestPartition(1, 5, committed_metadata="x" * 4097),
    )
    answer = member.ask(coordinator, OffsetCommitRequest("g", topics=(OffsetCommitRequestTopic(A, partitions),)))

    errors = [one.error_code for one in answer.topics[0].partitions]
    assert [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.OFFSET_METADATA_TOO_LARGE] == errors
    assert (5, -1) == (committed(member, coordinator), committed(member, coordinator, partition=1))


def test_two_groups_keep_their_own_bookmarks() -> None:
    """C6, M27."""
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)
    member.ask(coordinator, commit_of(5))
    member.ask(coordinator, commit_of(2, group="h"))

    assert (5, 2) == (committed(member, coordinator), committed(member, coordinator, group="h"))
    every = member.ask(coordinator, OffsetFetchRequest("g", None))
    assert [(A, 0, 5)] == [
        (topic.name, one.partition_index, one.committed_offset) for topic in every.topics for one in topic.partitions
    ]


def test_no_client_writes_what_coordinators_remember() -> None:
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    data = PartitionProduceData(0, encode_batch([Record(b"k", b"v")]))

    answer = member.ask(coordinator, ProduceRequest(None, 1, 1000, (TopicProduceData("__consumer_offsets", (data,)),)))

    assert ErrorCode.INVALID_TOPIC_EXCEPTION == answer.responses[0].partition_responses[0].error_code


def test_a_group_without_a_name_has_no_offsets_to_delete() -> None:
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")

    answer = member.ask(member.coordinator("g"), OffsetDeleteRequest(""))

    assert ErrorCode.INVALID_GROUP_ID == answer.error_code


def test_groups_are_described_listed_and_deleted_once_nobody_is_in() -> None:
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    name = joined(member, coordinator)
    member.ask(coordinator, commit_of(7, name, 1))

    described = member.ask(coordinator, DescribeGroupsRequest(("g", "none"))).groups
    assert [("Stable", "range"), ("Dead", "")] == [(one.group_state, one.protocol_data) for one in described]
    assert [name] == [one.member_id for one in described[0].members]
    listed = member.ask(coordinator, ListGroupsRequest(("Stable",))).groups
    assert [("g", "consumer")] == [(one.group_id, one.protocol_type) for one in listed]
    assert () == member.ask(coordinator, ListGroupsRequest(("Empty",))).groups
    delete = DeleteGroupsRequest(("g", "none"))
    results = member.ask(coordinator, delete).results
    assert [ErrorCode.NON_EMPTY_GROUP, ErrorCode.GROUP_ID_NOT_FOUND] == [one.error_code for one in results]

    left = member.ask(coordinator, LeaveGroupRequest("g", members=(MemberIdentity(name), MemberIdentity("nobody"))))
    assert [0, ErrorCode.UNKNOWN_MEMBER_ID] == [one.error_code for one in left.members]
    assert 0 == member.ask(coordinator, delete).results[0].error_code

    assert -1 == committed(member, coordinator)
    cluster.kill("b101").restart("b101")
    assert -1 == committed(member, member.coordinator("g")), "what was deleted does not come back"


def test_bookmarks_of_a_group_that_nobody_uses_expire() -> None:
    """O1."""
    cluster = cluster_of(brokers=1, offsets_retention_minutes=1, offsets_retention_check_interval_ms=10_000)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    name = joined(member, coordinator)
    member.ask(coordinator, commit_of(7, name, 1))
    cluster.run_for(SESSION_MS + 50_000)
    assert 7 == committed(member, coordinator), "it counts from when the last one left, not from the commit"

    cluster.run_for(25_000)

    assert -1 == committed(member, coordinator)
    assert [("g", ((A, 0),))] == [(one.group, one.partitions) for one in cluster.facts(OffsetsExpired)]
    assert () == member.ask(coordinator, ListGroupsRequest()).groups


def test_a_coordinator_that_is_deposed_tells_whoever_waits() -> None:
    cluster = cluster_of()
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    told = member.ask(coordinator, JOIN)
    member.send(coordinator, replace(JOIN, member_id=told.member_id))
    cluster.run_for(500)
    cluster.shut_down(coordinator)

    answer = member.answer()

    assert answer == LOST or answer.error_code == ErrorCode.NOT_COORDINATOR
    assert [("g",)] == [one.groups for one in cluster.facts(CoordinatorUnloaded, coordinator) if one.groups]


def test_an_odd_session_timeout_is_refused() -> None:
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    coordinator = member.coordinator("g")
    cluster.run_for(1000)

    for timeout_ms in (5999, 1_800_001):
        answer = member.ask(coordinator, replace(JOIN, session_timeout_ms=timeout_ms))
        assert ErrorCode.INVALID_SESSION_TIMEOUT == answer.error_code
    assert ErrorCode.UNKNOWN_MEMBER_ID == member.ask(coordinator, replace(JOIN, member_id="nobody")).error_code


def test_the_topic_waits_for_as_many_brokers_as_it_has_replicas() -> None:
    cluster = cluster_of(brokers=1, offsets_topic_replication_factor=3)
    member = Member(cluster, "m1")
    for _ in range(3):
        answer = member.ask("b101", FindCoordinatorRequest("g"))
        cluster.run_for(500)

    assert ErrorCode.COORDINATOR_NOT_AVAILABLE == answer.error_code
    assert ("__consumer_offsets", 0) not in cluster.view.leaders


def test_a_stable_group_is_told_with_what_each_member_reads() -> None:
    """C2."""
    cluster = cluster_of(brokers=1)
    member = Member(cluster, "m1")
    name = joined(member, member.coordinator("g"))

    facts = cluster.facts(GroupStabilized)

    assert [GroupStabilized("g", 1, ((name, ((A, 0), (A, 1), (A, 2))),))] == facts
