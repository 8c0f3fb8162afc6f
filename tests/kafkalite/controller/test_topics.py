"""CreateTopics, CreatePartitions, DeleteTopics, as a client is answered them; and how topics come and grow."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.facts import PartitionsAdded, TopicCreated
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import LeaderAndIsrRequest
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatableTopicResult,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .rig import Rig


def create(rig: Rig, name: str = "orders", partitions: int = 3, replicas: int = 2, **more: Any) -> CreatableTopicResult:
    """The outcome for one topic."""
    request = {key: more.pop(key) for key in ("timeout_ms", "validate_only") if key in more}
    answer = rig.ask("c1", CreateTopicsRequest((CreatableTopic(name, partitions, replicas, **more),), **request))
    [result] = answer.topics
    assert isinstance(result, CreatableTopicResult)
    return result


def grow(rig: Rig, count: int, *by_hand: tuple[int, ...], **more: Any) -> Any:
    topic = CreatePartitionsTopic("orders", count, tuple(map(CreatePartitionsAssignment, by_hand)))
    return rig.ask("c1", CreatePartitionsRequest((topic,), **{"timeout_ms": 1000, **more})).results[0]


def config(**settings: str) -> tuple[CreatableTopicConfig, ...]:
    return tuple(CreatableTopicConfig(name.replace("_", "."), value) for name, value in settings.items())


def assignment(rig: Rig, topic: str = "orders") -> dict[int, list[int]]:
    return znodes.decode_topic(topic, rig.zk.tree.znodes[znodes.topic_path(topic)].data)


# Creating ------------------------------------------------------------------------------------------------------------


def test_a_topic_is_answered_when_its_partitions_have_leaders_and_the_brokers_know() -> None:
    """T2, Z3."""
    rig = Rig([101, 102, 103]).elect()

    result = create(rig, configs=config(retention_ms="1000"))

    assert (ErrorCode.NONE, 3, 2) == (result.error_code, result.num_partitions, result.replication_factor)
    shown = {one.name: (one.value, one.config_source) for one in result.configs or ()}
    assert ("1000", 1) == shown["retention.ms"]
    for index, brokers in assignment(rig).items():
        assert (brokers[0], 0, tuple(brokers)) == _state(rig, index)
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
    assert (101, 0, (101,)) == _state(rig, 1)

    rig.register(103)
    rig.run()

    assert (103, 0, (103,)) == _state(rig, 0)


# Growing -------------------------------------------------------------------------------------------------------------


def test_partitions_are_added_and_the_old_ones_stay_where_they_are() -> None:
    """T8."""
    rig = Rig([101, 102, 103]).elect()
    create(rig)
    before = assignment(rig)
    rig.forget()

    result = grow(rig, 5)

    assert ErrorCode.NONE == result.error_code
    after = assignment(rig)
    assert before == {index: after[index] for index in range(3)}
    assert [3, 4] == [one.partition for one in rig.facts if type(one).__name__ == "LeaderElected"]
    assert [3] == [one.first_new for one in rig.facts_of(PartitionsAdded)]
    assert {3, 4} == {
        state.partition_index
        for to, request in rig.sent
        if isinstance(request, LeaderAndIsrRequest)
        for topic in request.topic_states
        for state in topic.partition_states
    }


def test_a_topic_that_grows_goes_on_as_it_began() -> None:
    rig = Rig([101, 102, 103, 104, 105]).elect()
    create(rig, partitions=5, replicas=3)
    before = assignment(rig)

    grow(rig, 10)

    after = assignment(rig)
    assert [before[index][0] for index in range(5)] == [after[index][0] for index in range(5, 10)]


@pytest.mark.parametrize("count", [3, 2, 0, -1])
def test_partitions_are_never_taken_away(count: int) -> None:
    """T8: short of deleting the topic."""
    rig = Rig([101, 102]).elect()
    create(rig)

    result = grow(rig, count)

    assert ErrorCode.INVALID_PARTITIONS == result.error_code
    assert 3 == len(assignment(rig))


def test_new_partitions_may_be_placed_by_hand() -> None:
    rig = Rig([101, 102, 103]).elect()
    create(rig)

    assert ErrorCode.NONE == grow(rig, 4, (103, 102)).error_code
    assert [103, 102] == assignment(rig)[3]


@pytest.mark.parametrize("by_hand", [((101,),), ((101, 102), (102, 103)), ((101, 109),), ((101, 101),)])
def test_new_partitions_that_are_placed_wrongly_are_refused(by_hand: tuple[tuple[int, ...], ...]) -> None:
    rig = Rig([101, 102, 103]).elect()
    create(rig)

    assert ErrorCode.INVALID_REPLICA_ASSIGNMENT == grow(rig, 4, *by_hand).error_code


def test_two_clients_that_add_partitions_at_once_do_not_undo_each_other() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)
    topics = [(CreatePartitionsTopic("orders", count, None),) for count in (6, 4)]

    rig.receive("c1", CreatePartitionsRequest(topics[0], timeout_ms=1000))
    rig.receive("c2", CreatePartitionsRequest(topics[1], timeout_ms=1000))
    rig.run()

    assert {"c1": ErrorCode.NONE, "c2": ErrorCode.INVALID_PARTITIONS} == {
        peer: answer.results[0].error_code for peer, answer in rig.replies[-2:]
    }
    assert 6 == len(assignment(rig))


def test_an_answer_that_was_lost_does_not_make_a_growth_look_refused() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)

    def do_it_twice(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.zk.answer(request)

    rig.zk.before = do_it_twice

    assert ErrorCode.NONE == grow(rig, 5).error_code


def test_validate_only_adds_nothing() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)

    assert ErrorCode.NONE == grow(rig, 5, validate_only=True).error_code
    assert 3 == len(assignment(rig))


@pytest.mark.parametrize("what", ["create", "grow"])
def test_with_an_expired_session_nobody_knows_whether_it_was_done(what: str) -> None:
    """REQUEST_TIMED_OUT is not definite; TOPIC_ALREADY_EXISTS, or that there is no such topic, would be a lie."""
    rig = Rig([101]).elect()
    create(rig, partitions=1, replicas=1)

    def expire(request: object) -> None:
        if isinstance(request, zk.GetDataRequest | MultiRequest) and "orders" in str(request):
            rig.zk.before = None
            rig.do(zk.CloseSessionRequest(), rig.zk.session_id)

    rig.zk.before = expire
    outcome = create(rig, "orders2", 1, 1) if what == "create" else grow(rig, 5)

    assert ErrorCode.REQUEST_TIMED_OUT == outcome.error_code


def test_a_topic_that_is_not_there_cannot_grow() -> None:
    assert ErrorCode.UNKNOWN_TOPIC_OR_PARTITION == grow(Rig([101]).elect(), 5).error_code


# Deleting ------------------------------------------------------------------------------------------------------------


def delete(rig: Rig, *names: str) -> dict[str, ErrorCode]:
    answer = rig.ask("c1", DeleteTopicsRequest(topic_names=names, timeout_ms=1000))
    return {one.name: one.error_code for one in answer.responses}


def test_a_deletion_is_answered_when_the_name_is_free_again() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)

    assert {"orders": ErrorCode.NONE, "users": ErrorCode.UNKNOWN_TOPIC_OR_PARTITION} == delete(rig, "orders", "users")
    assert ErrorCode.NONE == create(rig).error_code


def test_a_deletion_that_waits_for_a_dead_broker_is_answered_and_the_name_is_not_free() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)
    rig.kill(102)
    rig.run()

    assert {"orders": ErrorCode.NONE} == delete(rig, "orders")
    assert {"orders": ErrorCode.NONE} == delete(rig, "orders"), "as often as somebody asks"
    assert ErrorCode.TOPIC_ALREADY_EXISTS == create(rig, replicas=1).error_code


def test_a_topic_is_named_or_is_unknown() -> None:
    """KIP-516: by id, from version 6 on; topics have none here."""
    rig = Rig([101]).elect()

    answer = rig.ask("c1", DeleteTopicsRequest(topics=(DeleteTopicState(),), timeout_ms=1000))

    assert [ErrorCode.UNKNOWN_TOPIC_ID] == [one.error_code for one in answer.responses]


def test_only_the_controller_deletes_and_adds_partitions() -> None:
    rig = Rig([101])

    assert {"orders": ErrorCode.NOT_CONTROLLER} == delete(rig, "orders")
    assert ErrorCode.NOT_CONTROLLER == grow(rig, 5).error_code


def _state(rig: Rig, partition: int) -> tuple[int, int, tuple[int, ...]]:
    state = rig.state("orders", partition)
    return state.leader, state.leader_epoch, state.isr
