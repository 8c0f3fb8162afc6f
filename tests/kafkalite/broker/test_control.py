"""The controller's orders."""

from __future__ import annotations

from typing import Any

from kafkalite.broker.control import ControlApi
from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.settings import Settings
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import encode_topic_config
from kafkalite.errors import ErrorCode
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    LeaderAndIsrTopicState,
    StopReplicaRequest,
    StopReplicaResponse,
)
from kafkalite.protocol.zookeeper import GetDataResponse

from .scripted import ScriptedZooKeeper, Stage

ORDER = LeaderAndIsrRequest(102, 1, 40, (LeaderAndIsrTopicState("orders"),))
NO_SETTINGS = GetDataResponse(encode_topic_config({}))


class Replicas:
    """Obeys everything."""

    def __init__(self) -> None:
        self.obeyed: list[Any] = []

    def become(self, request: LeaderAndIsrRequest) -> LeaderAndIsrResponse:
        self.obeyed.append(request)
        return LeaderAndIsrResponse()

    def stop(self, request: StopReplicaRequest) -> StopReplicaResponse:
        self.obeyed.append(request)
        return StopReplicaResponse()


class Scene:
    def __init__(self) -> None:
        self.stage = Stage()
        zk: Any = ScriptedZooKeeper()
        replicas: Any = Replicas()
        self.zk, self.replicas = zk, replicas
        fence = ControllerFence(self.stage.node)
        fence.broker_epoch = 40
        settings = Settings(self.stage.node, BrokerConfig(101, ("z1",)), zk, self.stage.node.note)
        ControlApi(self.stage.node, replicas, fence, settings)


def test_an_order_waits_for_the_settings_of_its_topics() -> None:
    scene = Scene()

    assert [] == scene.stage.hears("b102#control", ORDER)
    assert [] == scene.replicas.obeyed
    scene.zk.answer(NO_SETTINGS)

    scene.stage.drain()
    assert [("b102#control", LeaderAndIsrResponse())] == scene.stage.replies
    assert [LeaderAndIsrResponse()] == scene.stage.hears("b102#control", ORDER), "at once: they are known now"


def test_an_order_whose_connection_is_lost_meanwhile_is_obeyed_and_its_answer_not_taken_for_another_s() -> None:
    scene = Scene()
    scene.stage.hears("b102#control", ORDER)

    scene.stage.loses("b102#control")
    again = LeaderAndIsrRequest(102, 1, 40, (LeaderAndIsrTopicState("orders"), LeaderAndIsrTopicState("alarms")))
    scene.stage.hears("b102#control", again)
    scene.zk.answer(NO_SETTINGS)
    scene.stage.drain()

    assert ([ORDER], []) == (scene.replicas.obeyed, scene.stage.replies)


def test_orders_of_an_old_controller_or_to_an_earlier_life_are_refused() -> None:
    scene = Scene()

    assert [StopReplicaResponse()] == scene.stage.hears("b102#control", StopReplicaRequest(102, 2, 40))
    scene.stage.hears("b103#control", ORDER)
    scene.zk.answer(NO_SETTINGS)
    scene.stage.drain()
    assert [LeaderAndIsrResponse(ErrorCode.STALE_CONTROLLER_EPOCH)] == [reply for _, reply in scene.stage.replies]
    assert [StopReplicaResponse(ErrorCode.STALE_BROKER_EPOCH)] == scene.stage.hears(
        "b102#control", StopReplicaRequest(102, 2, 39)
    )
    assert 1 == len(scene.replicas.obeyed)
