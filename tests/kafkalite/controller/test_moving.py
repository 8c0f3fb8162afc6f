"""Leaders move though nobody died: away from a broker that stops in order, and back to where they were placed."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.protocol.inter_broker import (
    ControlledShutdownRequest,
    ControlledShutdownResponse,
    RemainingPartition,
    StopReplicaRequest,
)

from .rig import ORDERS, Rig, three

# Stopping in order ---------------------------------------------------------------------------------------------------


def test_a_broker_that_is_about_to_stop_leads_nothing_and_is_in_no_isr_when_it_is_answered() -> None:
    """R4."""
    rig = three()
    rig.add_topic("users", {0: [101, 102]})
    rig.run().forget()

    answer = rig.ask("b102#admin", ControlledShutdownRequest(102))

    assert ControlledShutdownResponse() == answer
    assert (103, (103, 101)) == (rig.state(*ORDERS).leader, rig.state(*ORDERS).isr)
    assert (101, (101,)) == (rig.state("users", 0).leader, rig.state("users", 0).isr)
    assert [103] == [one.leader for one in rig.partition_told(102, *ORDERS)], "it follows from now on"
    [stop] = rig.told(102, StopReplicaRequest)
    assert {"orders", "users"} == {topic.topic_name for topic in stop.topic_states}
    assert not any(state.delete_partition for topic in stop.topic_states for state in topic.partition_states)


def test_what_nobody_else_can_lead_remains_and_the_broker_is_told_so() -> None:
    rig = three()
    rig.add_topic("users", {0: [102, 101], 1: [102]})
    rig.run()
    rig.change_isr("users", 0, (102,))

    answer = rig.ask("b102#admin", ControlledShutdownRequest(102))

    assert (RemainingPartition("users", 0),) == answer.remaining_partitions, "users-1 has no other replica at all"
    assert 102 == rig.state("users", 0).leader


def test_who_is_about_to_stop_is_not_elected_and_gets_no_new_partitions() -> None:
    rig = three()
    rig.ask("b103#admin", ControlledShutdownRequest(103))

    rig.kill(102)
    rig.add_topic("users", {0: [103, 101]})
    rig.run()

    assert (101, 101) == (rig.state(*ORDERS).leader, rig.state("users", 0).leader)
    assert (101,) == rig.state("users", 0).isr


def test_who_is_about_to_stop_leads_on_what_nobody_else_can_lead() -> None:
    rig = three((102, 103))
    rig.change_isr(*ORDERS, (102,))
    rig.ask("b102#admin", ControlledShutdownRequest(102))

    rig.kill(103)
    rig.run()

    assert 102 == rig.state(*ORDERS).leader


def test_a_broker_that_stopped_and_came_back_leads_again() -> None:
    rig = three((102, 103))
    rig.ask("b102#admin", ControlledShutdownRequest(102))
    rig.kill(102)
    rig.run()
    assert set() == (rig.controller.context.shutting_down if rig.controller.context else None)

    rig.register(102)
    rig.add_topic("users", {0: [102]})
    rig.run()

    assert 102 == rig.state("users", 0).leader


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ControlledShutdownRequest(109), ErrorCode.BROKER_NOT_AVAILABLE),
        (ControlledShutdownRequest(102, 1), ErrorCode.STALE_BROKER_EPOCH),
    ],
)
def test_a_stop_of_a_broker_that_is_not_there_or_not_any_more_is_refused(
    request_: ControlledShutdownRequest, error: ErrorCode
) -> None:
    """KIP-380: a request of its earlier life, that was on its way for long."""
    assert ControlledShutdownResponse(error) == three().ask("b102#admin", request_)


def test_who_is_not_controller_says_so() -> None:
    rig = Rig([101, 102])

    answer = rig.ask("b102#admin", ControlledShutdownRequest(102))

    assert ControlledShutdownResponse(ErrorCode.NOT_CONTROLLER) == answer


# Preferred leaders ---------------------------------------------------------------------------------------------------


def test_leaders_return_to_where_they_were_placed_if_a_broker_leads_too_little() -> None:
    """B3: after a restart, the load is as it was."""
    rig = three((102, 103))
    rig.kill(102)
    rig.run().register(102)
    rig.run()
    rig.change_isr(*ORDERS, (103, 102))
    rig.forget()

    rig.fire("controller.rebalance")

    assert [(102, 2, (103, 102), "preferred")] == rig.elections_of(ORDERS)
    assert 300_000 == rig.timers["controller.rebalance"]


def test_a_small_imbalance_is_left_alone() -> None:
    """10% is allowed: one of ten."""
    rig = three((101,))
    rig.add_topic("users", {index: [102, 103] for index in range(10)})
    rig.run()
    rig.set_state("users", 0, type(rig.state("users", 0))(103, 1, (103, 102), controller_epoch=1))
    rig.expire()
    rig.elect()

    rig.fire("controller.rebalance")

    assert 103 == rig.state("users", 0).leader


def test_a_preferred_leader_that_is_not_in_sync_does_not_lead() -> None:
    rig = three((102, 103))
    rig.kill(102)
    rig.run().register(102)
    rig.run().forget()

    rig.fire("controller.rebalance")

    assert [] == rig.elections_of(ORDERS)
    assert 103 == rig.state(*ORDERS).leader
