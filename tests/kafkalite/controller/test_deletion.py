"""A topic goes: its files on every broker first, its znodes last."""

from __future__ import annotations

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.facts import TopicDeleted
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrRequest,
    StopReplicaPartitionState,
    StopReplicaRequest,
    UpdateMetadataRequest,
)

from .rig import Rig

PATHS = (
    znodes.topic_path("orders"),
    znodes.partitions_path("orders"),
    znodes.topic_config_path("orders"),
    znodes.delete_topic_path("orders"),
)


def with_topic(*replicas: int) -> Rig:
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("orders", {0: [*replicas], 1: [*reversed(replicas)]})
    rig.run().forget()
    return rig


def mark(rig: Rig, topic: str = "orders") -> Rig:
    rig.do(zk.CreateRequest(znodes.delete_topic_path(topic)))
    return rig


def test_every_replica_is_told_to_delete_its_files_and_then_the_znodes_go() -> None:
    rig = with_topic(102, 103)

    mark(rig).run()

    for broker in (102, 103):
        [stop] = rig.told(broker, StopReplicaRequest)
        states = [state for topic in stop.topic_states for state in topic.partition_states]
        assert [(0, -2, True), (1, -2, True)] == [
            (state.partition_index, state.leader_epoch, state.delete_partition) for state in states
        ]
    assert [] == rig.told(101, StopReplicaRequest)
    assert [False] * 4 == [rig.exists(path) for path in PATHS]
    assert [TopicDeleted("orders")] == rig.facts_of(TopicDeleted)


def test_clients_lose_sight_of_the_topic_before_its_files_go() -> None:
    rig = with_topic(102, 103)

    mark(rig).run()

    to_102 = [request for to, request in rig.sent if to == 102]
    assert [UpdateMetadataRequest, StopReplicaRequest] == [type(request) for request in to_102]
    leaders = [state.leader for topic in to_102[0].topic_states for state in topic.partition_states]
    assert [-2, -2] == leaders


def test_nothing_is_deleted_in_zookeeper_before_all_replicas_have_answered() -> None:
    rig = with_topic(102, 103)
    rig.silent.add(103)

    mark(rig).run()
    assert all(rig.exists(path) for path in PATHS)
    rig.silent.clear()
    rig.run()

    assert not any(rig.exists(path) for path in PATHS)


def test_a_topic_with_a_dead_replica_waits_until_that_broker_is_back() -> None:
    """A broker that came back with old files would show a topic that nobody knows."""
    rig = with_topic(102, 103)
    rig.kill(103)
    rig.run()
    mark(rig).run()
    assert all(rig.exists(path) for path in PATHS)
    rig.forget()

    rig.register(103)
    rig.run()

    assert [True, True] == [state.delete_partition for state in _stopped(rig, 103)]
    assert [] == rig.told(102, StopReplicaRequest), "it has answered"
    assert not any(rig.exists(path) for path in PATHS)
    assert [] == rig.told(103, LeaderAndIsrRequest)


def test_a_broker_that_dies_during_the_deletion_is_told_again_when_it_is_back() -> None:
    rig = with_topic(102, 103)
    rig.silent_to.add(StopReplicaRequest)
    mark(rig).run()

    rig.kill(103)
    rig.run()
    assert rig.exists(PATHS[0])
    rig.silent_to.clear()
    rig.register(103)
    rig.run()

    assert 4 == len(_stopped(rig, 103))
    assert not any(rig.exists(path) for path in PATHS)


def test_a_broker_that_has_deleted_its_files_is_not_told_again_when_it_was_away() -> None:
    rig = with_topic(102, 103)
    rig.kill(103)
    rig.run()
    mark(rig).run().forget()

    rig.kill(102)
    rig.run().register(102)
    rig.run()

    assert [] == _stopped(rig, 102)
    assert rig.exists(PATHS[0])


def test_a_broker_that_cannot_delete_holds_the_topic_up() -> None:
    rig = with_topic(102, 103)
    rig.errors[103] = ErrorCode.KAFKA_STORAGE_ERROR

    mark(rig).run()

    assert all(rig.exists(path) for path in PATHS)


def test_the_next_controller_goes_on_with_the_deletion() -> None:
    rig = with_topic(102, 103)
    rig.silent.add(103)
    mark(rig).run()

    rig.expire()
    rig.silent.clear()
    rig.elect()

    assert [TopicDeleted("orders")] == rig.facts_of(TopicDeleted)
    assert not any(rig.exists(path) for path in PATHS)


def test_the_next_controller_removes_what_a_half_done_deletion_has_left() -> None:
    rig = with_topic(102, 103)
    rig.expire()
    mark(rig)
    for path in (znodes.partition_state_path("orders", 0), znodes.partition_path("orders", 0)):
        rig.do(zk.DeleteRequest(path))

    rig.elect()

    assert not any(rig.exists(path) for path in PATHS)


def test_a_mark_without_a_topic_is_removed() -> None:
    rig = Rig([101]).elect()

    mark(rig, "never-there").run()

    assert not rig.exists(znodes.delete_topic_path("never-there"))
    assert [] == rig.facts_of(TopicDeleted)


def test_a_topic_may_come_again_under_the_same_name_and_begins_anew() -> None:
    rig = with_topic(102, 103)
    mark(rig).run()
    rig.forget()

    rig.add_topic("orders", {0: [101, 102]})
    rig.run()

    assert [(101, 0, (101, 102), "new")] == rig.elections_of(("orders", 0))
    assert [True] == [state.is_new for state in rig.partition_told(102, "orders", 0)]


def test_no_leader_is_elected_for_a_topic_that_is_going() -> None:
    rig = with_topic(102, 103)
    rig.silent.add(103)
    mark(rig).run()

    rig.kill(102)
    rig.run()

    assert [] == rig.elections_of(("orders", 0))


def _stopped(rig: Rig, broker: int) -> list[StopReplicaPartitionState]:
    return [
        state
        for request in rig.told(broker, StopReplicaRequest)
        for topic in request.topic_states
        for state in topic.partition_states
        if state.delete_partition
    ]
