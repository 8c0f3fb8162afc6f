"""KIP-455: brokers die, topics grow and go, controllers come: a reassignment is brought to its end by whoever leads."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import LeaderAndIsrRequest
from kafkalite.protocol.reassignment import AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic

from .moves import TOPIC_PATH, five, move, state, stopped, under_way, written
from .rig import ORDERS
from .topics import delete


def test_a_newcomer_that_dies_is_waited_for() -> None:
    rig = five()
    move(rig, 102, 103, 104)
    rig.kill(104)
    rig.run()
    assert (101, (101, 102, 103)) == (state(rig)[0], state(rig)[2])
    rig.register(104)
    rig.run()
    assert 104 in [*rig.partition_told(104, *ORDERS)[-1].adding_replicas], "it is told again what it is to copy"

    rig.change_isr("orders", 0, (101, 102, 103, 104))
    rig.run()

    assert (102, (102, 103, 104)) == (state(rig)[0], state(rig)[2])


def test_a_topic_that_grows_at_the_same_time_keeps_its_new_partition() -> None:
    """The znode is written by compare-and-set: somebody else's change is not overwritten."""
    rig = five()
    was_disturbed: list[bool] = []

    def grow_first(request: Any) -> None:
        if type(request).__name__ == "MultiRequest" and not was_disturbed:
            was_disturbed.append(True)
            data = znodes.encode_topic({0: [101, 102, 103], 1: [103]})
            rig.do(zk.SetDataRequest(TOPIC_PATH, data))

    rig.zk.before = grow_first
    assert ErrorCode.NONE == move(rig, 102, 103, 104)

    assert {"0": [102, 103, 104, 101], "1": [103]} == written(rig)["partitions"]


def test_a_topic_that_is_deleted_meanwhile_is_gone() -> None:
    rig = five()
    move(rig, 102, 103, 104)

    assert {"orders": ErrorCode.NONE} == delete(rig, "orders")

    rig.run()
    assert not rig.exists(TOPIC_PATH)
    assert {} == under_way(rig)
    assert {101, 102, 103, 104} == set(stopped(rig))


@pytest.mark.parametrize("isr", [(101, 102, 103), (101, 102, 103, 104)], ids=["amid", "before the end"])
def test_the_next_controller_brings_it_to_its_end(isr: tuple[int, ...]) -> None:
    rig = five()
    move(rig, 102, 103, 104)
    rig.zk.inbox.clear()
    rig.change_isr("orders", 0, isr)
    rig.expire()
    rig.register(105)
    rig.forget()
    rig.start().run()

    rig.change_isr("orders", 0, (*isr, 104)) if 104 not in isr else None
    rig.run()

    assert (102, (102, 103, 104)) == (state(rig)[0], state(rig)[2])
    assert {"0": [102, 103, 104]} == written(rig)["partitions"]
    assert {} == written(rig)["adding_replicas"]
    assert 101 in stopped(rig)


@pytest.mark.parametrize("step", range(1, 40))
def test_whenever_the_controller_loses_its_office_the_next_one_brings_it_to_its_end(step: int) -> None:
    """After every single request to ZooKeeper, from the first to the last."""
    rig = five()
    one = ReassignableTopic("orders", (ReassignablePartition(0, (102, 103, 104)),))
    rig.receive("c1", AlterPartitionReassignmentsRequest(1000, (one,)))
    has_caught_up = False
    for _ in range(step):
        if rig.zk.outbox:
            rig.deliver_one()
        elif rig.zk.inbox:
            rig.zk.serve()
        elif not has_caught_up and rig.partition_told(104, *ORDERS):
            rig.change_isr("orders", 0, (101, 102, 103, 104))
            has_caught_up = True
    is_written = bool(written(rig)["adding_replicas"]) or written(rig)["partitions"] == {"0": [102, 103, 104]}

    rig.expire()
    rig.register(105)
    rig.start().run()
    if is_written and 104 not in state(rig)[2]:
        rig.change_isr("orders", 0, (101, 102, 103, 104))
        rig.run()

    expected = (102, 103, 104) if is_written else (101, 102, 103)
    assert ({"0": [*expected]}, {}) == (written(rig)["partitions"], written(rig)["adding_replicas"])
    assert set(expected) == set(state(rig)[2])
    assert state(rig)[0] in expected
    assert [] == [one for broker in expected for one in stopped(rig).get(broker, [])]


@pytest.mark.parametrize("step", range(1, 21))
def test_whenever_the_last_one_joins_while_a_controller_begins_the_move_comes_to_its_end(step: int) -> None:
    """Just before any single request to ZooKeeper: after that nothing will change that anybody could wait for."""
    rig = five()
    move(rig, 102, 103, 104)
    rig.expire()
    rig.register(105)
    asked: list[Any] = []

    def join(request: Any) -> None:
        asked.append(request)
        if len(asked) == step:
            rig.change_isr("orders", 0, (101, 102, 103, 104))

    rig.zk.before = join
    rig.start().run()
    assert len(asked) >= step

    assert (102, (102, 103, 104)) == (state(rig)[0], state(rig)[2])
    assert ({"0": [102, 103, 104]}, {}) == (written(rig)["partitions"], written(rig)["adding_replicas"])


def test_no_state_is_decided_twice_for_nothing() -> None:
    """A watch that fires for our own write must not begin it all again."""
    rig = five()
    move(rig, 102, 103, 104)
    epoch = state(rig)[1]

    rig.run()

    assert epoch == state(rig)[1] == 1
    assert 1 == len(rig.told(101, LeaderAndIsrRequest))


def test_a_topic_may_be_called_state() -> None:
    """Its znode ends like those of partitions' states."""
    rig = five()
    rig.add_topic("state", {0: [101]})
    rig.run()
    rig.do(zk.SetDataRequest(znodes.topic_path("state"), znodes.encode_topic({0: [101], 1: [102]})))

    rig.run()

    assert 102 == rig.state("state", 1).leader
