"""APIs in every version that is served: the same question in older words has the same answer in older words."""

from __future__ import annotations

from kafkalite.protocol.api_versions import ApiVersionsRequest
from kafkalite.protocol.group_admin import DeleteGroupsRequest, DescribeGroupsRequest
from kafkalite.protocol.group_membership import (
    FindCoordinatorRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    MemberIdentity,
)
from kafkalite.protocol.offsets import OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic
from kafkalite.protocol.topics import (
    CreatableTopic,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from tests.oracle.programs.groups import begun
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import produce
from tests.oracle.session import Session, batch


@program
def api_versions_in_every_version(one: Session) -> None:
    for version in range(4):
        connection = one.connection()
        connection.send(ApiVersionsRequest("oracle", "1"), version)
        one.say(f"v{version}", connection.receive().error_code.name)
    one.ask(ApiVersionsRequest("not a name!", "1"), 3)


@program
def find_coordinator_in_every_version(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    for version in range(4):
        one.ask(FindCoordinatorRequest(group), version)
    one.coordinator(one.name("t"), 1)
    one.ask(FindCoordinatorRequest(one.name("t"), 1), 3)
    one.ask(FindCoordinatorRequest(one.name("t"), 7), 3)
    one.ask(FindCoordinatorRequest("", 0), 3)
    one.ask(FindCoordinatorRequest(coordinator_keys=(group, one.name("another"), "")), 4)
    one.ask(FindCoordinatorRequest(key_type=1, coordinator_keys=(one.name("t"),)), 4)


@program
def heartbeats_in_every_version(one: Session) -> None:
    group = one.name("g")
    member, generation = begun(one, group)
    for version in range(5):
        one.ask(HeartbeatRequest(group, generation, member), version)


@program
def leaving_in_every_version(one: Session) -> None:
    for version in range(6):
        group = one.name(f"g{version}")
        member, _ = begun(one, group)
        members = (MemberIdentity(member), MemberIdentity("nobody"))
        one.ask(LeaveGroupRequest(group, member, members), version)


@program
def describing_groups_in_every_version(one: Session) -> None:
    group = one.name("g")
    begun(one, group)
    for version in range(6):
        one.ask(DescribeGroupsRequest((group, one.name("nowhere"))), version)


@program
def deleting_groups_in_every_version(one: Session) -> None:
    one.coordinator(one.name("nowhere"))
    for version in range(3):
        one.ask(DeleteGroupsRequest((one.name("nowhere"), "")), version)


@program
def topics_in_every_version(one: Session) -> None:
    for version in range(8):
        name = one.name(f"t{version}")
        one.ask(CreateTopicsRequest((CreatableTopic(name, 1, 1),), 10_000), version)
        one.ask(CreateTopicsRequest((CreatableTopic(name, 1, 1),), 10_000), version)
        one.wait_for(name)
    for version in range(4):
        name = one.name(f"t{version}")
        one.ask(CreatePartitionsRequest((CreatePartitionsTopic(name, 2, None),), 10_000), version)
        one.ask(CreatePartitionsRequest((CreatePartitionsTopic(name, 3, None),), 10_000, True), version)
    for version in range(6):
        one.ask(DeleteTopicsRequest((), (one.name(f"t{version}"), one.name("nowhere")), 10_000), version)
    one.ask(DeleteTopicsRequest((DeleteTopicState(one.name("t6")), DeleteTopicState("nowhere")), (), 10_000), 6)


@program
def a_topic_of_the_brokers_defaults(one: Session) -> None:
    for version in (3, 4):
        one.ask(CreateTopicsRequest((CreatableTopic(one.name(f"t{version}"), -1, -1),), 10_000), version)


@program
def deleting_records_in_every_version(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b", b"c")))
    for version in range(3):
        asked = (DeleteRecordsTopic(topic, (DeleteRecordsPartition(0, version + 1), DeleteRecordsPartition(7, 1))),)
        one.ask(DeleteRecordsRequest(asked, 5000), version)


@program
def ends_of_leader_epochs_in_every_version(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b")))
    for version in (2, 3):
        partitions = (OffsetForLeaderPartition(0, -1, 0), OffsetForLeaderPartition(7, -1, 0))
        one.ask(OffsetForLeaderEpochRequest(-1, (OffsetForLeaderTopic(topic, partitions),)), version)


@program
def producer_ids_in_every_version(one: Session) -> None:
    one.quietly(InitProducerIdRequest(None, 60_000))
    for version in range(5):
        one.ask(InitProducerIdRequest(None, 60_000), version)
    one.coordinator(one.name("t"), 1)
    one.quietly(InitProducerIdRequest(one.name("t"), 60_000))
    for version in range(5):
        one.ask(InitProducerIdRequest(one.name("t"), 60_000), version)
    one.ask(InitProducerIdRequest("", 60_000))


@program
def transactions_in_every_version(one: Session) -> None:
    topic, group, name = one.topic(), one.name("g"), one.name("t")
    one.coordinator(name, 1)
    one.coordinator(group)
    for version in range(4):
        begun_as = one.quietly(InitProducerIdRequest(name, 60_000))
        ids = begun_as.producer_id, begun_as.producer_epoch
        one.ask(AddPartitionsToTxnRequest(name, *ids, (AddPartitionsToTxnTopic(topic, (0,)),)), version)
        one.ask(AddOffsetsToTxnRequest(name, *ids, group), version)
        offsets = (TxnOffsetCommitRequestTopic(topic, (TxnOffsetCommitRequestPartition(0, 5),)),)
        one.ask(TxnOffsetCommitRequest(name, group, *ids, topics=offsets), version)
        one.ask(EndTxnRequest(name, *ids, True), version)
