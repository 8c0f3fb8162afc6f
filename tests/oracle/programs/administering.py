"""What administrators look at and set in motion: settings, leaders, replicas, groups, committed offsets."""

from __future__ import annotations

from kafkalite.protocol.configs import DescribeConfigsRequest, DescribeConfigsResource
from kafkalite.protocol.group_admin import (
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kafkalite.protocol.reassignment import (
    AlterPartitionReassignmentsRequest,
    ElectLeadersRequest,
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
    ReassignablePartition,
    ReassignableTopic,
    TopicPartitions,
)
from kafkalite.protocol.topics import CreatableTopic, CreateTopicsRequest, DeleteTopicsRequest
from tests.oracle.programs.groups import begun
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import commit, fetch_offsets, produce
from tests.oracle.session import Session, batch

TOPIC, BROKER, PREFERRED, UNCLEAN = 2, 4, 0, 1


@program
def the_settings_of_a_topic(one: Session) -> None:
    topic = one.topic(cleanup_policy="compact", retention_ms="123456")
    keys = ("cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "segment.bytes")
    for version in range(5):
        one.ask(DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, keys),)), version)


@program
def settings_of_what_is_not_there(one: Session) -> None:
    topic = one.topic()
    for kind, name, keys in (
        (TOPIC, one.name("nowhere"), None),
        (TOPIC, topic, ("no.such.setting",)),
        (TOPIC, "no/such name", None),
        (BROKER, "999", None),
        (BROKER, "a broker", None),
    ):
        one.ask(DescribeConfigsRequest((DescribeConfigsResource(kind, name, keys),)))
    everything = one.quietly(DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, ()),))).results[0].configs
    one.say("no keys are all keys", {"cleanup.policy", "segment.ms"} <= {each.name for each in everything})


@program
def leaders_are_elected_on_request(one: Session) -> None:
    topic = one.topic(partitions=2)
    for kind in (PREFERRED, UNCLEAN):
        one.ask(ElectLeadersRequest(kind, (TopicPartitions(topic, (0, 9)),)))
    one.ask(ElectLeadersRequest(PREFERRED, (TopicPartitions(one.name("nowhere"), (0,)),)))


@program
def replicas_that_move_nowhere(one: Session) -> None:
    topic = one.topic(partitions=2)
    for replicas in ((101,), None, (999,), (101, 101), (), (-1,)):
        partitions = (ReassignablePartition(0, replicas), ReassignablePartition(9, replicas))
        one.ask(AlterPartitionReassignmentsRequest(10_000, (ReassignableTopic(topic, partitions),)))
    elsewhere = ReassignableTopic(one.name("nowhere"), (ReassignablePartition(0, (101,)),))
    one.ask(AlterPartitionReassignmentsRequest(10_000, (elsewhere,)))
    one.ask(ListPartitionReassignmentsRequest(10_000, (ListPartitionReassignmentsTopics(topic, (0, 1)),)))
    one.ask(ListPartitionReassignmentsRequest(10_000, None))


@program
def groups_are_listed_by_their_state(one: Session) -> None:
    stable, empty = one.name("stable"), one.name("empty")
    begun(one, stable)
    topic = one.topic()
    one.coordinator(empty)
    one.ask(commit(empty, topic, 5))
    for states in ((), ("Stable",), ("Empty",), ("Dead",), ("stable",)):
        listed = one.quietly(ListGroupsRequest(states)).groups
        mine = sorted((each.group_id, each.protocol_type, each.group_state) for each in listed)
        one.say(f"in {states}", [each for each in mine if each[0] in {stable, empty}])
    for version in range(4):
        listed = one.quietly(ListGroupsRequest(), version).groups
        one.say(f"v{version}", sorted(each.group_id for each in listed if each.group_id in {stable, empty}))


@program
def committed_offsets_are_deleted(one: Session) -> None:
    topic, other, group = one.topic(), one.topic(), one.name("g")
    one.coordinator(group)
    for each in (topic, other):
        one.ask(commit(group, each, 5))
    asked = (OffsetDeleteRequestTopic(topic, (OffsetDeleteRequestPartition(0), OffsetDeleteRequestPartition(9))),)
    one.ask(OffsetDeleteRequest(group, asked))
    one.ask(fetch_offsets(group, topic, other), 7)
    one.ask(OffsetDeleteRequest(one.name("nobody"), asked))
    one.ask(OffsetDeleteRequest("", asked))


@program
def topics_of_the_brokers_own(one: Session) -> None:
    one.coordinator(one.name("g"))
    one.wait_for("__consumer_offsets")
    one.ask(produce("__consumer_offsets", batch(b"v", key=b"k")))
    one.ask(CreateTopicsRequest((CreatableTopic("__consumer_offsets", 1, 1),), 5000))
    one.ask(DeleteTopicsRequest(topic_names=(one.name("nowhere"), ""), timeout_ms=10_000), 5)


@program
def too_few_in_sync(one: Session) -> None:
    topic = one.topic(min_insync_replicas="2")
    for acks in (-1, 1):
        one.ask(produce(topic, batch(b"a"), acks=acks))
