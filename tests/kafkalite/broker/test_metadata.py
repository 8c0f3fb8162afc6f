"""What a broker tells its clients of the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerRequestRefused
from kafkalite.protocol.inter_broker import UpdateMetadataResponse, UpdateMetadataTopicState
from kafkalite.protocol.metadata import (
    DescribeClusterBroker,
    DescribeClusterRequest,
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
)
from kafkalite.protocol.topics import CreatableTopic, CreateTopicsRequest, CreateTopicsResponse

from .scripted import ScriptedZooKeeper, Stage
from .test_metadata_view import ORDERS, partition, update


def stage(**config: Any) -> Stage:
    """A broker whose epoch is 40 and that has been told of `orders`."""
    found = Stage()
    settings = BrokerConfig(101, ("z1",), **config)
    fence = ControllerFence(found.node)
    fence.broker_epoch = 40
    zk: Any = ScriptedZooKeeper()
    MetadataCache(found.node, settings, fence, Settings(found.node, settings, zk, found.node.note))
    assert [UpdateMetadataResponse()] == found.hears("b102#control", update(ORDERS))
    return found


def asked(stage: Stage, *topics: str, may_create: bool = False) -> MetadataResponse:
    names = tuple(MetadataRequestTopic(topic) for topic in topics)
    [answer] = stage.hears("c1", MetadataRequest(names, allow_auto_topic_creation=may_create))
    assert isinstance(answer, MetadataResponse)
    return answer


def test_any_broker_names_all_brokers_the_controller_and_the_leaders() -> None:
    """D1, D2."""
    answer = asked(stage(), "orders")

    assert [(101, "b101"), (102, "b102"), (103, "b103")] == [(one.node_id, one.host) for one in answer.brokers]
    assert (102, "kafkalite") == (answer.controller_id, answer.cluster_id)
    assert [101, 102] == [one.leader_id for one in answer.topics[0].partitions]


def test_null_topics_are_all_of_them_and_no_topics_none() -> None:
    one = stage()
    one.hears("b102#control", update(UpdateMetadataTopicState("alarms", (partition(0, 103),))))

    [everything] = one.hears("c1", MetadataRequest(None))

    assert ["alarms", "orders"] == [topic.name for topic in everything.topics]
    assert () == asked(one).topics


def test_a_topic_that_is_asked_for_twice_is_answered_once() -> None:
    assert ["orders"] == [topic.name for topic in asked(stage(), "orders", "orders").topics]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "x" * 250])
def test_a_name_that_no_topic_may_have_is_said_to_be_one(name: str) -> None:
    one = stage()

    assert [ErrorCode.INVALID_TOPIC_EXCEPTION] == [
        topic.error_code for topic in asked(one, name, may_create=True).topics
    ]
    assert [] == one.requests


def test_an_unknown_topic_is_not_created_unless_client_and_broker_want_it() -> None:
    unwilling, willing = stage(auto_create_topics_enable=False), stage()

    unknown = [
        asked(unwilling, "new", may_create=True).topics[0].error_code,
        asked(willing, "new").topics[0].error_code,
    ]

    assert [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] * 2 == unknown
    assert ([], []) == (unwilling.requests, willing.requests)


def test_an_unknown_topic_comes_about_through_the_controller_and_is_asked_for_once() -> None:
    one = stage()

    first = asked(one, "new", "newer", may_create=True)
    [(to, request)] = one.requests
    asked(one, "new", may_create=True)

    assert [ErrorCode.LEADER_NOT_AVAILABLE] * 2 == [topic.error_code for topic in first.topics]
    assert "b102#admin" == to
    assert (CreatableTopic("new", -1, -1), CreatableTopic("newer", -1, -1)) == request.topics
    assert [] == one.requests


@pytest.mark.parametrize("answered", [True, False])
def test_once_the_controller_has_answered_or_is_lost_the_topic_is_asked_for_again(answered: bool) -> None:
    one = stage()
    asked(one, "new", may_create=True)

    if answered:
        one.hears("b102#admin", CreateTopicsResponse())
    else:
        one.loses("b102#admin")
    asked(one, "new", may_create=True)

    assert ["b102#admin"] == [to for to, request in one.requests if isinstance(request, CreateTopicsRequest)]


def test_with_fewer_brokers_than_replicas_a_topic_cannot_come_about() -> None:
    one = stage(default_replication_factor=4)

    assert ErrorCode.INVALID_REPLICATION_FACTOR == asked(one, "new", may_create=True).topics[0].error_code
    assert [] == one.requests


def test_without_a_controller_nothing_is_created() -> None:
    one = stage()
    one.hears("b102#control", update(brokers=(101, 103)))

    asked(one, "new", may_create=True)

    assert [] == one.requests


def test_an_update_of_an_older_controller_changes_nothing() -> None:
    one = stage()
    old = update(UpdateMetadataTopicState("orders", (partition(0, 103),)), epoch=0)

    assert [UpdateMetadataResponse(ErrorCode.STALE_CONTROLLER_EPOCH)] == one.hears("b103#control", old)
    assert [ControllerRequestRefused("UpdateMetadata", "STALE_CONTROLLER_EPOCH")] == one.facts
    assert 101 == asked(one, "orders").topics[0].partitions[0].leader_id


def test_the_first_word_of_a_new_controller_is_complete() -> None:
    """A topic that it does not name was deleted while nobody could tell this broker."""
    one = stage()
    alarms = UpdateMetadataTopicState("alarms", (partition(0, 103),))

    one.hears("b103#control", update(alarms, epoch=2))

    assert ErrorCode.UNKNOWN_TOPIC_OR_PARTITION == asked(one, "orders").topics[0].error_code
    one.hears("b103#control", update(ORDERS, epoch=2))
    assert [103, 101] == [topic.partitions[0].leader_id for topic in asked(one, "alarms", "orders").topics]


def test_the_cluster_is_described() -> None:
    [answer] = stage().hears("c1", DescribeClusterRequest())

    assert ("kafkalite", 102) == (answer.cluster_id, answer.controller_id)
    assert DescribeClusterBroker(103, "b103", 0, "r1") == answer.brokers[2]
