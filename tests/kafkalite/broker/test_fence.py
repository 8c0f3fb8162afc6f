"""Which controller a broker obeys."""

from __future__ import annotations

from dataclasses import replace

from kafkalite.broker.fence import ControllerFence
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerObeyed, ControllerRequestRefused
from kafkalite.protocol.inter_broker import LeaderAndIsrRequest, StopReplicaRequest, UpdateMetadataRequest

from .scripted import Stage


def fence(stage: Stage) -> ControllerFence:
    found = ControllerFence(stage.node)
    found.broker_epoch = 40
    return found


def test_an_older_controller_is_refused_whichever_request_told_of_the_newer() -> None:
    """Z2."""
    stage = Stage()
    one = fence(stage)

    assert ErrorCode.NONE == one.refuses(LeaderAndIsrRequest(102, controller_epoch=5, broker_epoch=40))
    assert ErrorCode.NONE == one.refuses(StopReplicaRequest(102, controller_epoch=5, broker_epoch=40))
    assert ErrorCode.STALE_CONTROLLER_EPOCH == one.refuses(UpdateMetadataRequest(101, 4, 40))
    stage.drain()
    assert [ControllerObeyed(5), ControllerRequestRefused("UpdateMetadata", "STALE_CONTROLLER_EPOCH")] == stage.facts


def test_an_order_for_an_earlier_life_is_refused_and_its_controller_epoch_not_remembered() -> None:
    one = fence(Stage())

    assert ErrorCode.STALE_BROKER_EPOCH == one.refuses(UpdateMetadataRequest(101, controller_epoch=9, broker_epoch=39))
    assert 0 == one.controller_epoch


def test_an_order_for_a_life_that_this_broker_has_not_heard_of_yet_is_obeyed() -> None:
    """The controller may see the broker's znode before the broker is told that it made it."""
    one = fence(Stage())
    order = UpdateMetadataRequest(101, controller_epoch=1, broker_epoch=41)

    assert ErrorCode.NONE == one.refuses(order)
    assert ErrorCode.NONE == one.refuses(replace(order, broker_epoch=40))
