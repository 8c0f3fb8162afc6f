"""Metadata, and what administrators ask for."""

from __future__ import annotations

from kafkalite.protocol.metadata import DescribeClusterRequest, MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteTopicsRequest,
)
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import Session, batch


@program
def metadata_in_every_version(one: Session) -> None:
    topic = one.topic(partitions=2)
    for version in range(10):
        one.ask(MetadataRequest((MetadataRequestTopic(topic), MetadataRequestTopic("no/such topic")), False), version)


@program
def metadata_of_a_topic_that_is_not_there(one: Session) -> None:
    one.ask(MetadataRequest((MetadataRequestTopic(one.name("nowhere")),), allow_auto_topic_creation=False))
    created = one.name("made by asking")
    one.ask(MetadataRequest((MetadataRequestTopic(created.replace(" ", "-")),), allow_auto_topic_creation=True))
    one.wait_for(created.replace(" ", "-"))
    one.ask(produce(created.replace(" ", "-"), batch(b"a")))


@program
def the_cluster_is_described(one: Session) -> None:
    one.ask(DescribeClusterRequest())


@program
def topics_that_are_refused(one: Session) -> None:
    there = one.topic()
    for name, partitions, replicas in (
        (there, 1, 1),
        ("no/such name", 1, 1),
        ("", 1, 1),
        (".", 1, 1),
        ("x" * 250, 1, 1),
        (one.name("a"), 0, 1),
        (one.name("b"), 1, 2),
        (one.name("c"), 1, 0),
    ):
        one.ask(CreateTopicsRequest((CreatableTopic(name, partitions, replicas),), 5000))


@program
def settings_that_are_refused(one: Session) -> None:
    for index, (key, value) in enumerate(
        (("cleanup.policy", "burn"), ("retention.ms", "long"), ("no.such.setting", "1"), ("min.insync.replicas", "0"))
    ):
        wanted = CreatableTopic(one.name(f"t{index}"), 1, 1, configs=(CreatableTopicConfig(key, value),))
        one.ask(CreateTopicsRequest((wanted,), 5000))


@program
def a_topic_that_is_only_tried(one: Session) -> None:
    name = one.name("t")
    one.ask(CreateTopicsRequest((CreatableTopic(name, 2, 1),), 5000, True), 4)
    one.ask(MetadataRequest((MetadataRequestTopic(name),), False))


@program
def topics_placed_by_hand(one: Session) -> None:
    for index, brokers in enumerate(((101,), (101, 101))):
        by_hand = (CreatableReplicaAssignment(0, brokers),)
        one.ask(CreateTopicsRequest((CreatableTopic(one.name(f"t{index}"), -1, -1, by_hand),), 5000), 4)
    by_hand = (CreatableReplicaAssignment(1, (101,)),)
    one.ask(CreateTopicsRequest((CreatableTopic(one.name("gap"), -1, -1, by_hand),), 5000), 4)


@program
def topics_placed_on_brokers_that_are_not_there(one: Session) -> None:
    for index, brokers in enumerate(((999,), ())):
        by_hand = (CreatableReplicaAssignment(0, brokers),)
        one.ask(CreateTopicsRequest((CreatableTopic(one.name(f"t{index}"), -1, -1, by_hand),), 500), 4)


@program
def partitions_are_added_and_never_taken_away(one: Session) -> None:
    topic = one.topic(partitions=2)
    for count in (3, 3, 2, 0):
        one.ask(CreatePartitionsRequest((CreatePartitionsTopic(topic, count, None),), 5000))
    by_hand = (CreatePartitionsAssignment((101,)), CreatePartitionsAssignment((101,)))
    one.ask(CreatePartitionsRequest((CreatePartitionsTopic(topic, 4, by_hand),), 5000))
    one.ask(CreatePartitionsRequest((CreatePartitionsTopic(one.name("nowhere"), 4, None),), 5000))
    one.wait_for(topic)
    one.ask(produce(topic, batch(b"a"), partition=2))


@program
def a_topic_is_deleted(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a")))
    one.ask(DeleteTopicsRequest(topic_names=(topic, one.name("nowhere")), timeout_ms=10_000), 5)
    one.ask(MetadataRequest((MetadataRequestTopic(topic),), False))
    one.ask(fetch(topic))
