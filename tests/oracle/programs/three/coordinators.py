"""Groups and transactions have a coordinator among three brokers, and another one when it dies."""

from __future__ import annotations

from kafkalite.groups.placement import partition_of_group
from kafkalite.protocol.group_admin import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kafkalite.protocol.group_membership import FindCoordinatorRequest, HeartbeatRequest, LeaveGroupRequest
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    EndTxnRequest,
    InitProducerIdRequest,
)
from tests.oracle.cluster_session import ALL, A, ClusterSession
from tests.oracle.programs.groups import begun
from tests.oracle.programs.registry import program_of_three
from tests.oracle.programs.saying import commit, fetch, fetch_offsets, join, produce, sync
from tests.oracle.programs.three.waiting import GROUP, TRANSACTION, coordinator_of
from tests.oracle.programs.transactions import TRANSACTIONAL
from tests.oracle.session import batch

PARTITIONS = 5  # of the brokers' own topics, by the settings that both clusters are given
OWN_TOPICS = {GROUP: "__consumer_offsets", TRANSACTION: "__transaction_state"}


@program_of_three
def each_broker_names_the_same_coordinator(one: ClusterSession) -> None:
    """It is the leader of the partition that its key hashes to."""
    for kind, topic in OWN_TOPICS.items():
        for key in (one.name("a"), one.name("b"), one.name("c")):
            coordinator = coordinator_of(one, key, kind)
            leader = one.partition(A, topic, partition_of_group(key, PARTITIONS)).leader_id
            one.say(f"{key} of {topic}", "led by its coordinator" if leader == coordinator else "led by another")
    keys = tuple(one.name(each) for each in ("a", "b", "c"))
    found = [one.quietly_of(broker, FindCoordinatorRequest("", GROUP, keys), 4).coordinators for broker in ALL]
    one.say("all at once", found[0] == found[1] == found[2])
    one.say("in order", [each.key for each in found[0]] == list(keys))


@program_of_three
def what_others_than_the_coordinator_refuse(one: ClusterSession) -> None:
    topic, group = one.placed((A,)), one.name("g")
    coordinator = coordinator_of(one, group)
    one.at(coordinator)
    member, generation = begun(one, group)
    deleted = (OffsetDeleteRequestTopic(topic, (OffsetDeleteRequestPartition(0),)),)
    for broker in one.others_than(coordinator):
        for request in (
            join(group),
            sync(group, generation, member),
            HeartbeatRequest(group, generation, member),
            commit(group, topic, 5, generation, member),
            OffsetDeleteRequest(group, deleted),
            DescribeGroupsRequest((group,)),
            DeleteGroupsRequest((group,)),
        ):
            one.ask_of(broker, request, name="another")
        one.ask_of(broker, LeaveGroupRequest(group, member, ()), 2, "another")
        one.ask_of(broker, fetch_offsets(group, topic), 7, "another")
        listed = one.quietly_of(broker, ListGroupsRequest()).groups
        one.say("another lists it", group in {each.group_id for each in listed})
    one.ask_of(coordinator, HeartbeatRequest(group, generation, member), name="the coordinator")


@program_of_three
def what_others_than_the_coordinator_of_a_transaction_refuse(one: ClusterSession) -> None:
    topic, name = one.placed((A,)), one.name("t")
    coordinator = coordinator_of(one, name, TRANSACTION)
    producer = one.quietly_of(coordinator, InitProducerIdRequest(name, 60_000))
    who = (name, producer.producer_id, producer.producer_epoch)
    for broker in one.others_than(coordinator):
        for request in (
            InitProducerIdRequest(name, 60_000),
            AddPartitionsToTxnRequest(*who, (AddPartitionsToTxnTopic(topic, (0,)),)),
            AddOffsetsToTxnRequest(*who, one.name("g")),
            EndTxnRequest(*who, True),
        ):
            one.ask_of(broker, request, name="another")


@program_of_three
def a_group_outlives_its_coordinator(one: ClusterSession) -> None:
    """The next one has read what the last one wrote: members stay, and so do commits."""
    topic, group = one.placed(ALL), one.name("g")
    first = coordinator_of(one, group)
    one.at(first)
    member, generation = begun(one, group)
    one.ask(commit(group, topic, 5, generation, member))
    one.kill(first)
    second = coordinator_of(one, group)
    one.quietly_of(second, DescribeGroupsRequest((group,)))  # heartbeats are taken even before it has read everything
    one.ask(HeartbeatRequest(group, generation, member))
    one.ask(HeartbeatRequest(group, generation - 1, member))
    one.ask(fetch_offsets(group, topic), 7)
    one.ask(DescribeGroupsRequest((group,)))
    one.ask(sync(group, generation, member))
    one.ask(commit(group, topic, 6, generation, member))
    one.start(first)
    one.say("it stays with whom it has", coordinator_of(one, group) == second)
    one.ask_of(first, HeartbeatRequest(group, generation, member), name="the first one")
    one.ask_of(second, fetch_offsets(group, topic), 7, "the second one")


@program_of_three
def a_transaction_outlives_its_coordinator(one: ClusterSession) -> None:
    """It dies in the middle; the next one ends what it began, on both partitions."""
    name = one.name("t")
    coordinator = coordinator_of(one, name, TRANSACTION)
    others = one.others_than(coordinator)
    topic = one.placed((others[0], others[1]), (others[1], others[0]))
    producer = one.quietly_of(coordinator, InitProducerIdRequest(name, 60_000))
    who = (name, producer.producer_id, producer.producer_epoch)
    asked = AddPartitionsToTxnRequest(*who, (AddPartitionsToTxnTopic(topic, (0, 1)),))
    one.ask_of(coordinator, asked, name="the coordinator")
    header = {"producer_id": producer.producer_id, "producer_epoch": producer.producer_epoch, "base_sequence": 0}
    for index, broker in enumerate(others):
        data = batch(b"%d" % index, attributes=TRANSACTIONAL, **header)
        one.ask_of(broker, produce(topic, data, index, transactional_id=name), name="a leader")
        one.ask_of(broker, fetch(topic, partition=index, isolation_level=1), name="a leader")
    one.kill(coordinator)
    second = coordinator_of(one, name, TRANSACTION)
    one.quietly_of(second, asked)
    one.ask_of(second, EndTxnRequest(*who, True), name="the next coordinator")
    one.quietly_of(second, EndTxnRequest(*who, True))
    one.ask_of(second, EndTxnRequest(*who, False), name="the next coordinator")
    for index, broker in enumerate(others):
        one.ask_of(broker, fetch(topic, partition=index, isolation_level=1), name="a leader")
