"""CreatePartitions and DeleteTopics, as a client is answered them: topics grow, and go."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import PartitionsAdded
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import LeaderAndIsrRequest
from kafkalite.protocol.topics import (
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .rig import Rig
from .topics import assignment, create, delete, grow

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


def test_a_topic_does_not_grow_by_more_than_anybody_needs() -> None:
    rig = Rig([101, 102]).elect()
    create(rig)

    result = grow(rig, 2**31 - 1, validate_only=True)

    assert ErrorCode.POLICY_VIOLATION == result.error_code
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
