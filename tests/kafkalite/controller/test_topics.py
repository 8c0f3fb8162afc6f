"""CreateTopics, as a client is answered it; and how topics come."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.facts import TopicCreated
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreateTopicsRequest,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .rig import Rig
from .topics import assignment, config, create, state


def test_a_topic_is_answered_when_its_partitions_have_leaders_and_the_brokers_know() -> None:
    """T2, Z3."""
    rig = Rig([101, 102, 103]).elect()

    result = create(rig, configs=config(retention_ms="1000"))

    assert (ErrorCode.NONE, 3, 2) == (result.error_code, result.num_partitions, result.replication_factor)
    shown = {one.name: (one.value, one.config_source) for one in result.configs or ()}
    assert ("1000", 1) == shown["retention.ms"]
    for index, brokers in assignment(rig).items():
        assert (brokers[0], 0, tuple(brokers)) == state(rig, index)
        for broker in brokers:
            assert [True] == [state.is_new for state in rig.partition_told(broker, "orders", index)]
    assert [TopicCreated("orders", tuple(map(tuple, assignment(rig).values())))] == rig.facts_of(TopicCreated)


def test_the_topic_and_its_settings_come_in_one_step() -> None:
    """A topic that could be seen without its settings would run with others for a moment."""
    rig = Rig([101]).elect()
    rig.zk.asked.clear()

    create(rig, replicas=1, configs=config(cleanup_policy="compact"))

    [made] = [one for one in rig.multis() if znodes.topic_path("orders") in {op.path for op in one.operations}]
    assert [znodes.CONTROLLER_EPOCH, "/brokers/topics/orders", "/config/topics/orders"] == [
        operation.path for operation in made.operations
    ]
    assert {"cleanup.policy": "compact"} == znodes.decode_topic_config(
        "orders", rig.zk.tree.znodes[znodes.topic_config_path("orders")].data
    )


def test_minus_one_asks_for_the_brokers_defaults() -> None:
    """KIP-464."""
    rig = Rig([101, 102, 103], num_partitions=4, default_replication_factor=3).elect()

    result = create(rig, partitions=-1, replicas=-1)

    assert (4, 3) == (result.num_partitions, result.replication_factor)


def test_replicas_may_be_placed_by_hand() -> None:
    rig = Rig([101, 102, 103]).elect()
    by_hand = (CreatableReplicaAssignment(1, (101, 102)), CreatableReplicaAssignment(0, (103, 101)))

    result = create(rig, partitions=-1, replicas=-1, assignments=by_hand)

    assert ErrorCode.NONE == result.error_code
    assert {0: [103, 101], 1: [101, 102]} == assignment(rig)


def test_racks_are_spread() -> None:
    """B3, KIP-36."""
    rig = Rig([101])
    rig.kill(101)
    for broker, rack in ((101, "a"), (102, "a"), (103, "b"), (104, "b")):
        rig.register(broker, rack)
    rig.elect()

    create(rig, partitions=8, replicas=2)

    assert {2} == {len({broker > 102 for broker in brokers}) for brokers in assignment(rig).values()}


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ErrorCode.INVALID_TOPIC_EXCEPTION, {"name": "a/b"}),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, {"name": ""}),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, {"name": ".."}),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, {"name": "x" * 250}),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, {"name": "a_b"}),  # a.b is there
        (ErrorCode.TOPIC_ALREADY_EXISTS, {"name": "a.b"}),
        (ErrorCode.INVALID_PARTITIONS, {"partitions": 0}),
        (ErrorCode.INVALID_PARTITIONS, {"partitions": -2}),
        (ErrorCode.INVALID_REPLICATION_FACTOR, {"replicas": 0}),
        (ErrorCode.INVALID_REPLICATION_FACTOR, {"replicas": 4}),
        (ErrorCode.INVALID_CONFIG, {"configs": config(no_such_setting="1")}),
        (ErrorCode.INVALID_CONFIG, {"configs": config(retention_ms="soon")}),
        (ErrorCode.INVALID_REQUEST, {"assignments": (CreatableReplicaAssignment(0, (101,)),)}),
    ],
)
def test_what_cannot_be_created_is_refused_and_leaves_nothing_behind(error: ErrorCode, wanted: dict[str, Any]) -> None:
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("a.b", {0: [101]})
    rig.run().forget()

    result = create(rig, **wanted)

    assert error == result.error_code
    assert result.error_message
    assert [] == rig.writes()


@pytest.mark.parametrize(
    "by_hand",
    [
        {0: (101,), 2: (102,)},  # a gap
        {0: (101,), 1: (102, 103)},  # not equally many
        {0: (101, 101)},
        {0: (109,)},  # unknown
        {0: ()},
    ],
)
def test_a_placement_by_hand_that_makes_no_sense_is_refused(by_hand: dict[int, tuple[int, ...]]) -> None:
    rig = Rig([101, 102, 103]).elect()
    assignments = tuple(CreatableReplicaAssignment(*one) for one in by_hand.items())

    result = create(rig, partitions=-1, replicas=-1, assignments=assignments)

    assert ErrorCode.INVALID_REPLICA_ASSIGNMENT == result.error_code


@pytest.mark.parametrize("partitions", [10_001, 2**31 - 1])
def test_nobody_waits_while_more_partitions_are_placed_than_anybody_needs(partitions: int) -> None:
    rig = Rig([101, 102]).elect()

    result = create(rig, partitions=partitions, validate_only=True)

    assert ErrorCode.POLICY_VIOLATION == result.error_code
    assert f"{partitions} new partitions in one request; expected at most 10000" == result.error_message


def test_validate_only_says_what_would_come_and_makes_nothing() -> None:
    rig = Rig([101, 102]).elect()

    result = create(rig, validate_only=True)

    assert (ErrorCode.NONE, 3) == (result.error_code, result.num_partitions)
    assert not rig.exists(znodes.topic_path("orders"))


def test_a_topic_named_twice_in_a_request_is_refused_and_the_others_are_made() -> None:
    rig = Rig([101]).elect()
    names = ("a", "b", "a")

    answer = rig.ask("c1", CreateTopicsRequest(tuple(CreatableTopic(name, 1, 1) for name in names)))

    assert {"a": ErrorCode.INVALID_REQUEST, "b": ErrorCode.NONE} == {one.name: one.error_code for one in answer.topics}


def test_only_the_controller_creates() -> None:
    rig = Rig([101])

    assert ErrorCode.NOT_CONTROLLER == create(rig, replicas=1).error_code


def test_two_requests_for_the_same_topic_at_once_make_it_once() -> None:
    rig = Rig([101]).elect()
    request = CreateTopicsRequest((CreatableTopic("orders", 1, 1),))

    rig.receive("c1", request)
    second = rig.ask("c2", request)

    assert ErrorCode.TOPIC_ALREADY_EXISTS == second.topics[0].error_code
    assert [("c2", ErrorCode.TOPIC_ALREADY_EXISTS), ("c1", ErrorCode.NONE)] == [
        (peer, answer.topics[0].error_code) for peer, answer in rig.replies
    ]


def test_a_creation_whose_answer_was_lost_is_not_taken_for_somebody_else_s() -> None:
    rig = Rig([101, 102]).elect()

    def do_it_twice(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.zk.answer(request)

    rig.zk.before = do_it_twice

    assert ErrorCode.NONE == create(rig).error_code


def test_a_topic_that_somebody_else_made_meanwhile_exists_already() -> None:
    rig = Rig([101, 102]).elect()

    def be_quicker(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.add_topic("orders", {0: [102]})

    rig.zk.before = be_quicker

    assert ErrorCode.TOPIC_ALREADY_EXISTS == create(rig).error_code


def test_settings_that_stand_there_without_a_topic_are_overwritten() -> None:
    rig = Rig([101]).elect()
    rig.do(zk.CreateRequest(znodes.topic_config_path("orders"), znodes.encode_topic_config({"retention.ms": "1"})))

    assert ErrorCode.NONE == create(rig, replicas=1).error_code
    assert {} == znodes.decode_topic_config("orders", rig.zk.tree.znodes[znodes.topic_config_path("orders")].data)


def test_when_its_time_is_up_the_client_is_told_that_it_will_be_done() -> None:
    """REQUEST_TIMED_OUT is not definite: the topic comes all the same."""
    rig = Rig([101, 102]).elect()
    rig.silent.add(101)
    assert rig.ask("c1", CreateTopicsRequest((CreatableTopic("orders", 1, 1),), timeout_ms=500)) is None

    rig.fire("topics.expired:1")

    [(_, answer)] = rig.replies
    assert ErrorCode.REQUEST_TIMED_OUT == answer.topics[0].error_code
    assert rig.exists(znodes.topic_path("orders"))


def test_who_asks_for_no_time_at_all_is_answered_as_soon_as_it_is_written() -> None:
    rig = Rig([101]).elect()

    assert ErrorCode.REQUEST_TIMED_OUT == create(rig, replicas=1, timeout_ms=0).error_code
    assert rig.exists(znodes.topic_path("orders"))


def test_a_client_that_is_gone_is_not_answered() -> None:
    rig = Rig([101]).elect()
    rig.receive("c1", CreateTopicsRequest((CreatableTopic("orders", 1, 1),)))

    rig.lose("c1")

    assert [] == rig.replies
    assert rig.exists(znodes.topic_path("orders"))


def test_a_controller_that_loses_its_office_leaves_nobody_waiting() -> None:
    rig = Rig([101, 102]).elect()
    rig.silent.add(101)
    rig.ask("c1", CreateTopicsRequest((CreatableTopic("orders", 1, 1),)))

    rig.expire()

    [(_, answer)] = rig.replies
    assert ErrorCode.REQUEST_TIMED_OUT == answer.topics[0].error_code


def test_a_zombie_controller_creates_nothing() -> None:
    """M44."""
    rig = Rig([101, 102]).elect()
    epoch = zk.SetDataRequest(znodes.CONTROLLER_EPOCH, b"2")

    rig.do(epoch)
    result = create(rig)

    assert ErrorCode.NOT_CONTROLLER == result.error_code
    assert not rig.exists(znodes.topic_path("orders"))


def test_a_partition_without_a_live_broker_waits_for_one() -> None:
    rig = Rig([101, 102]).elect()
    rig.add_topic("orders", {0: [103], 1: [101]})
    rig.run()
    assert not rig.exists(znodes.partition_state_path("orders", 0))
    assert (101, 0, (101,)) == state(rig, 1)

    rig.register(103)
    rig.run()

    assert (103, 0, (103,)) == state(rig, 0)
