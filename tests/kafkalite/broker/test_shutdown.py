"""Leaderships go before the broker does."""

from __future__ import annotations

from typing import Any

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings
from kafkalite.broker.shutdown import ControlledShutdown
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import encode_controller
from kafkalite.errors import ErrorCode
from kafkalite.node import SetTimer
from kafkalite.protocol.inter_broker import ControlledShutdownRequest, ControlledShutdownResponse, RemainingPartition
from kafkalite.protocol.zookeeper import GetDataRequest, GetDataResponse, ZooKeeperError

from .scripted import ScriptedZooKeeper, Stage
from .test_metadata_view import ORDERS, update

CONTROLLER = GetDataResponse(encode_controller(102, 0))
MOVED = ControlledShutdownResponse()
LEFT_OVER = ControlledShutdownResponse(remaining_partitions=(RemainingPartition("orders", 0),))


class Scene:
    def __init__(self, *, is_registered: bool = True, **config: Any) -> None:
        self.stage, self.finished = Stage(), 0
        zk: Any = ScriptedZooKeeper()
        self.zk = zk
        settings = BrokerConfig(101, ("z1",), **config)
        fence = ControllerFence(self.stage.node)
        fence.broker_epoch = 40
        topics = Settings(self.stage.node, settings, zk, self.stage.node.note)
        metadata = MetadataCache(self.stage.node, settings, fence, topics)
        self.shutdown = ControlledShutdown(self.stage.node, settings, zk, metadata, fence)
        self.stage.hears("b102#control", update(ORDERS))
        self.shutdown.begin(self.finish, is_registered=is_registered)

    def finish(self) -> None:
        self.finished += 1

    def asks(self) -> list[tuple[str, Any]]:
        """ZooKeeper says who is controller; what is asked of it then."""
        assert GetDataRequest("/controller") == self.zk.answer(CONTROLLER)
        self.stage.drain()
        return self.stage.requests


def test_the_controller_is_asked_and_the_broker_goes_when_nothing_is_left_to_lead() -> None:
    scene = Scene()

    assert [("b102#admin", ControlledShutdownRequest(101, 40))] == scene.asks()
    assert 0 == scene.finished
    scene.stage.hears("b102#admin", MOVED)

    assert 1 == scene.finished


def test_being_told_twice_changes_nothing() -> None:
    scene = Scene()

    scene.shutdown.begin(scene.finish, is_registered=True)

    assert [GetDataRequest("/controller")] == scene.zk.requests


def test_what_is_left_over_is_asked_for_again_and_the_last_time_the_broker_goes_all_the_same() -> None:
    scene = Scene(controlled_shutdown_max_retries=2)

    scene.asks()
    scene.stage.hears("b102#admin", LEFT_OVER)
    scene.stage.fires("shutdown.retry")
    scene.asks()
    scene.stage.hears("b102#admin", ControlledShutdownResponse(ErrorCode.NOT_CONTROLLER))
    assert 0 == scene.finished
    scene.stage.fires("shutdown.retry")

    assert 1 == scene.finished


def test_a_lost_controller_is_looked_for_again() -> None:
    scene = Scene()

    scene.asks()
    scene.stage.loses("b102#admin")
    scene.stage.fires("shutdown.retry")
    scene.zk.answer(error=ZooKeeperError.NO_NODE)
    scene.stage.fires("shutdown.retry")

    assert [("b102#admin", ControlledShutdownRequest(101, 40))] == scene.asks()


def test_without_controlled_shutdown_nobody_is_asked() -> None:
    assert 1 == Scene(controlled_shutdown_enable=False).finished


def test_a_broker_that_is_not_registered_has_nothing_to_move() -> None:
    scene = Scene(is_registered=False)

    assert (1, []) == (scene.finished, scene.zk.requests)


def test_if_nothing_at_all_is_answered_the_next_try_comes() -> None:
    scene = Scene()
    scene.stage.drain()

    assert [SetTimer("shutdown.retry", 35_000)] == [one for one in scene.stage.effects if isinstance(one, SetTimer)]


def test_a_controller_that_this_broker_has_not_heard_of_is_asked_later() -> None:
    scene = Scene()

    scene.zk.answer(GetDataResponse(encode_controller(109, 0)))
    scene.stage.drain()

    assert [] == scene.stage.requests
    assert [SetTimer("shutdown.retry", 5000)] == [one for one in scene.stage.effects if isinstance(one, SetTimer)][-1:]


def test_an_answer_that_comes_after_the_last_try_was_given_up_changes_nothing() -> None:
    scene = Scene(controlled_shutdown_max_retries=1)
    scene.asks()

    scene.stage.fires("shutdown.retry")
    scene.stage.hears("b102#admin", MOVED)

    assert 1 == scene.finished


def test_once_the_session_is_closed_nobody_is_asked() -> None:
    scene = Scene()
    scene.asks()

    scene.zk.is_closed = True
    scene.stage.fires("shutdown.retry")

    assert (1, []) == (scene.finished, scene.zk.requests)
