"""What administrators ask of three brokers: the controller alone does it, and all of them tell of it."""

from __future__ import annotations

from collections import Counter

from kafkalite.protocol.configs import DescribeConfigsRequest, DescribeConfigsResource
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.reassignment import (
    PREFERRED,
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from kafkalite.protocol.topics import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    DeleteTopicsRequest,
)
from tests.oracle.cluster_session import ALL, A, B, C, ClusterSession
from tests.oracle.programs.registry import program_of_three
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.programs.three.asking import create, elect, metadata, move
from tests.oracle.programs.three.waiting import wait_for_end
from tests.oracle.session import batch

TOPIC, BROKER = 2, 4


@program_of_three
def what_others_than_the_controller_refuse(one: ClusterSession) -> None:
    topic = one.placed((A, B, C))
    for broker in one.others_than(one.controller()):
        for request in (
            create(one.name("new"), 1, 1),
            CreatePartitionsRequest((CreatePartitionsTopic(topic, 2, None),), 5000),
            elect(PREFERRED, topic),
            move(topic, (A, B)),
            ListPartitionReassignmentsRequest(5000, None),
        ):
            one.ask_of(broker, request, name="another")
        one.ask_of(broker, DeleteTopicsRequest(topic_names=(topic,), timeout_ms=5000), 5, "another")


@program_of_three
def topics_are_spread_over_brokers(one: ClusterSession) -> None:
    name = one.name("spread")
    one.ask_controller(create(name, 6, 2))
    for index in range(6):
        one.until(lambda: one.partition(A, name, index) is not None, f"{name}-{index} is there")  # noqa: B023 - now
    partitions = one.quietly_of(A, MetadataRequest((MetadataRequestTopic(name),), False)).topics[0].partitions
    one.say("leaders", sorted(Counter(each.replica_nodes[0] for each in partitions).items()))
    one.say("replicas", sorted(Counter(broker for each in partitions for broker in each.replica_nodes).items()))
    one.ask_controller(create(one.name("too-many"), 1, 4))
    one.ask_controller(create(one.name("as-usual"), -1, -1))


@program_of_three
def topics_placed_on_three_by_hand(one: ClusterSession) -> None:
    placed = one.placed((C, A), (B, C))
    one.ask_each(metadata(placed))
    for index, by_hand in enumerate((((A, B), (C,)), ((A, A),), ((A, B, C), ()))):
        one.ask_controller(create(one.name(f"refused-{index}"), -1, -1, *by_hand))
    one.ask_controller(create(one.name("both"), 1, 1, (A,)))
    for new in ((A, B), (A,), (A, B, C), (B, B)):
        more = CreatePartitionsTopic(placed, 3, (CreatePartitionsAssignment(new),))
        one.ask_controller(CreatePartitionsRequest((more,), 5000))
    one.wait_until(placed, 2, leader=A, isr=(A, B))
    one.ask_each(metadata(placed))


@program_of_three
def replicas_move_to_other_brokers(one: ClusterSession) -> None:
    topic = one.placed((A, B))
    one.ask_of(A, produce(topic, batch(b"a", b"b")))
    one.ask_controller(move(topic, None))
    one.ask_controller(move(topic, (C, B)))
    one.wait_until(topic, leader=C, isr=(B, C))
    asked = ListPartitionReassignmentsRequest(10_000, (ListPartitionReassignmentsTopics(topic, (0,)),))
    one.until(lambda: not one.quietly_of(one.controller(), asked).topics, "nothing moves any more")
    one.until(lambda: all(len(one.partition(each, topic).replica_nodes) == 2 for each in ALL), "all know of it")
    one.ask_each(metadata(topic))
    one.ask_of(C, produce(topic, batch(b"c")))
    wait_for_end(one, topic, 3, C)
    one.ask_of(C, fetch(topic))
    one.ask_of(A, produce(topic, batch(b"d")))
    one.ask_of(A, fetch(topic), 10)
    one.ask_controller(asked)
    one.ask_controller(move(topic, (A, B, C)))
    one.wait_until(topic, isr=(A, B, C))
    one.until(lambda: not one.quietly_of(one.controller(), asked).topics, "nothing moves any more")
    one.ask_each(metadata(topic))


@program_of_three
def settings_are_told_by_the_broker_they_are_of(one: ClusterSession) -> None:
    """Those of topics by everyone."""
    topic = one.placed((A, B), min_insync_replicas="2")
    for name in ("101", "102", ""):
        one.ask_each(DescribeConfigsRequest((DescribeConfigsResource(BROKER, name, ("min.insync.replicas",)),)))
    one.ask_each(DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, ("min.insync.replicas",)),)))


@program_of_three
def a_topic_is_deleted_everywhere(one: ClusterSession) -> None:
    topic = one.placed((A, B, C))
    one.ask_of(A, produce(topic, batch(b"a")))
    one.ask_controller(DeleteTopicsRequest(topic_names=(topic,), timeout_ms=10_000), 5)
    one.until(lambda: all(one.partition(each, topic) is None for each in ALL), "all know that it is gone")
    one.ask_each(metadata(topic))
    one.ask_each(produce(topic, batch(b"b")))
    one.ask_each(fetch(topic))
    again = one.placed((B, C))
    one.ask_of(B, fetch(again))
