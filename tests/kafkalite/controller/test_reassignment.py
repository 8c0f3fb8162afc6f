"""KIP-455: replicas move while the partition is written and read: copies first, goodbyes last."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import ReplicasReassigned
from kafkalite.protocol.reassignment import (
    AlterPartitionReassignmentsRequest,
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
    OngoingPartitionReassignment,
    ReassignablePartition,
    ReassignableTopic,
)

from .moves import five, move, state, stopped, under_way, written
from .rig import ORDERS
from .topics import grow

# From beginning to end ------------------------------------------------------------------------------------------------


def test_it_begins_by_adding_and_takes_nothing_away() -> None:
    rig = five()

    assert ErrorCode.NONE == move(rig, 102, 103, 104)

    assert {"0": [102, 103, 104, 101]} == written(rig)["partitions"]
    assert ({"0": [104]}, {"0": [101]}) == (written(rig)["adding_replicas"], written(rig)["removing_replicas"])
    assert (101, 1, (101, 102, 103)) == state(rig), "the same leader in a new epoch, or nobody would listen"
    for broker in (101, 102, 103, 104):
        [told] = rig.partition_told(broker, *ORDERS)
        assert ((102, 103, 104, 101), (104,), (101,)) == (told.replicas, told.adding_replicas, told.removing_replicas)
    assert {} == stopped(rig)
    assert {"orders": (OngoingPartitionReassignment(0, (102, 103, 104, 101), (104,), (101,)),)} == under_way(rig)


def test_when_the_new_one_is_in_sync_the_old_one_leaves_and_deletes_its_files() -> None:
    rig = five()
    move(rig, 102, 103, 104)
    rig.forget()

    rig.change_isr("orders", 0, (101, 102, 103, 104))
    rig.run()

    assert (102, 2, (102, 103, 104)) == state(rig), "the leader was to go: the first of the others leads"
    assert {101: [(2, True)]} == stopped(rig)
    assert [(102, 103, 104)] * 3 == [rig.partition_told(broker, *ORDERS)[-1].replicas for broker in (102, 103, 104)]
    assert ({"0": [102, 103, 104]}, {}, {}) == (
        written(rig)["partitions"],
        written(rig)["adding_replicas"],
        written(rig)["removing_replicas"],
    )
    assert {} == under_way(rig)
    assert [ReplicasReassigned("orders", 0, (102, 103, 104), (), ())] == rig.facts_of(ReplicasReassigned)


def test_the_leader_is_told_though_leader_and_isr_are_as_they_shall_be_already() -> None:
    """Or it would let the old replica, which it still counts among its own, join the ISR again."""
    rig = five()
    move(rig, 101, 102, 104)
    rig.forget()

    rig.change_isr("orders", 0, (101, 102, 104))
    rig.run()

    assert (101, 2, (101, 102, 104)) == state(rig)
    assert (101, 102, 104) == rig.partition_told(101, *ORDERS)[-1].replicas
    assert {103: [(2, True)]} == stopped(rig)


def test_until_all_that_are_to_stay_are_in_sync_it_goes_on() -> None:
    rig = five()
    move(rig, 103, 104)
    rig.change_isr("orders", 0, (101, 102, 104))
    rig.run()
    assert (101, (101, 102, 104)) == (state(rig)[0], state(rig)[2])

    rig.change_isr("orders", 0, (101, 102, 104, 103))
    rig.run()

    assert (103, (104, 103)) == (state(rig)[0], state(rig)[2])
    assert {101, 102} == set(stopped(rig))


def test_replicas_that_are_only_taken_away_are_gone_at_once() -> None:
    rig = five()

    move(rig, 101)

    assert (101, 1, (101,)) == state(rig)
    assert {102: [(1, True)], 103: [(1, True)]} == stopped(rig)
    assert {"0": [101]} == written(rig)["partitions"]
    assert {} == under_way(rig)


def test_another_order_is_another_preferred_leader_and_moves_nothing() -> None:
    rig = five()

    move(rig, 103, 102, 101)

    assert ({"0": [103, 102, 101]}, {}) == (written(rig)["partitions"], stopped(rig))
    assert 101 == state(rig)[0], "it leads on, until the preferred one is elected"
    assert [103, 102, 101] == [*rig.partition_told(101, *ORDERS)[-1].replicas]


def test_several_partitions_of_several_topics_go_in_one_request() -> None:
    rig = five()
    rig.add_topic("users", {0: [101], 1: [102]})
    rig.run()
    topics = (
        ReassignableTopic("users", (ReassignablePartition(1, (103,)), ReassignablePartition(7, (103,)))),
        ReassignableTopic("orders", (ReassignablePartition(0, (101, 104)),)),
    )

    answer = rig.ask("c1", AlterPartitionReassignmentsRequest(1000, topics))

    errors = {topic.name: [one.error_code for one in topic.partitions] for topic in answer.responses}
    assert {"users": [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION], "orders": [ErrorCode.NONE]} == errors
    assert {"users", "orders"} == set(under_way(rig))
    assert {"users"} == set(under_way(rig, ListPartitionReassignmentsTopics("users", (0, 1))))


# Cancelled, and sent elsewhere ----------------------------------------------------------------------------------------


def test_what_is_cancelled_is_where_it_was_and_the_new_one_deletes_its_files() -> None:
    rig = five()
    move(rig, 102, 103, 104)
    rig.forget()

    assert ErrorCode.NONE == move(rig)

    assert ({"0": [102, 103, 101]}, {}) == (written(rig)["partitions"], written(rig)["adding_replicas"])
    assert (101, 2, (101, 102, 103)) == state(rig)
    assert {104: [(2, True)]} == stopped(rig)
    assert {} == under_way(rig)
    assert ErrorCode.NO_REASSIGNMENT_IN_PROGRESS == move(rig)


def test_what_is_sent_elsewhere_leaves_the_first_newcomer_behind() -> None:
    rig = five(101, 102)
    move(rig, 102, 103)
    rig.forget()

    move(rig, 102, 104)

    assert {"0": [102, 104, 101]} == written(rig)["partitions"]
    assert {103: [(2, True)]} == stopped(rig)
    rig.change_isr("orders", 0, (101, 102, 104))
    rig.run()
    assert (102, (102, 104)) == (state(rig)[0], state(rig)[2])
    assert {"0": [102, 104]} == written(rig)["partitions"]


def test_a_newcomer_that_leads_already_hands_over_when_it_is_cancelled() -> None:
    rig = five(101, 102)
    move(rig, 103, 104)
    rig.change_isr("orders", 0, (101, 102, 103))
    for broker in (101, 102):
        rig.kill(broker)
        rig.run()
    rig.register(102)
    rig.run()
    rig.change_isr("orders", 0, (103, 102))
    rig.run().forget()
    assert 103 == state(rig)[0]

    move(rig)

    assert 102 == state(rig)[0]
    assert 103 not in state(rig)[2]
    assert [(state(rig)[1], True)] == stopped(rig)[103]


def test_to_cancel_is_refused_where_it_would_take_away_the_last_in_sync() -> None:
    """Kafka takes it away, and with it what was acknowledged."""
    rig = five(101, 102)
    move(rig, 103, 104)
    rig.change_isr("orders", 0, (101, 103))
    rig.run()
    rig.kill(101)
    rig.run()
    assert (103, (103,)) == (state(rig)[0], state(rig)[2])

    assert ErrorCode.INVALID_REPLICA_ASSIGNMENT == move(rig)

    assert 103 == state(rig)[0]


def test_a_partition_that_is_not_there_is_told_after_what_no_partition_could_do() -> None:
    """As in Kafka: the brokers are looked at first."""
    rig = five()
    found = []
    for target in ((101,), (999,), None):
        topics = (ReassignableTopic("orders", (ReassignablePartition(7, target),)),)
        answer = rig.ask("c1", AlterPartitionReassignmentsRequest(1000, topics))
        found.append(answer.responses[0].partitions[0].error_code.name)

    assert ["UNKNOWN_TOPIC_OR_PARTITION", "INVALID_REPLICA_ASSIGNMENT", "NO_REASSIGNMENT_IN_PROGRESS"] == found


# Refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ((101, 101), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((101, -1), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((101, 999), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((), ErrorCode.NO_REASSIGNMENT_IN_PROGRESS),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(target: tuple[int, ...], error: ErrorCode) -> None:
    rig = five()

    assert error == move(rig, *target)

    assert [] == rig.writes()
    assert [] == rig.sent


def test_nobody_at_all_is_no_place_to_be() -> None:
    rig = five()
    request = AlterPartitionReassignmentsRequest(1000, (ReassignableTopic("orders", (ReassignablePartition(0, ()),)),))

    [result] = rig.ask("c1", request).responses[0].partitions

    assert (ErrorCode.INVALID_REPLICA_ASSIGNMENT, "expected at least one broker") == (
        result.error_code,
        result.error_message,
    )


def test_a_dead_broker_may_stay_but_not_come() -> None:
    rig = five()
    rig.kill(103)
    rig.kill(104)
    rig.run()

    assert ErrorCode.INVALID_REPLICA_ASSIGNMENT == move(rig, 101, 104)
    assert ErrorCode.NONE == move(rig, 103, 102)
    assert {"orders": (OngoingPartitionReassignment(0, (103, 102, 101), (), (101,)),)} == under_way(rig)


def test_topics_do_not_grow_while_they_move() -> None:
    rig = five()
    move(rig, 102, 104)

    assert ErrorCode.REASSIGNMENT_IN_PROGRESS == grow(rig, 2).error_code


def test_who_is_not_the_controller_says_so() -> None:
    rig = five()
    rig.expire()

    assert ErrorCode.NOT_CONTROLLER == move(rig, 102, 104)
    assert ErrorCode.NOT_CONTROLLER == rig.ask("c1", ListPartitionReassignmentsRequest()).error_code


def test_who_waits_when_the_office_is_lost_is_told_to_ask_elsewhere() -> None:
    rig = five()
    one = ReassignableTopic("orders", (ReassignablePartition(0, (104,)),))
    rig.receive("c1", AlterPartitionReassignmentsRequest(1000, (one,)))

    rig.expire()

    assert [ErrorCode.NOT_CONTROLLER] == [answer.error_code for _, answer in rig.replies]
