"""A broker's znode."""

from __future__ import annotations

import json
from typing import Any

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.registration import Registration
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import PERSISTENT_PATHS
from kafkalite.facts import BrokerRegistered
from kafkalite.protocol.zookeeper import (
    Create2Request,
    Create2Response,
    CreateFlags,
    CreateRequest,
    EventType,
    ExistsRequest,
    ExistsResponse,
    Stat,
    ZooKeeperError,
)

from .scripted import ScriptedZooKeeper, Stage


class Scene:
    def __init__(self) -> None:
        self.stage, self.registered = Stage(), 0
        zk: Any = ScriptedZooKeeper()
        self.zk = zk
        self.fence = ControllerFence(self.stage.node)
        config = BrokerConfig(101, ("z1",), rack="r1")
        self.registration = Registration(self.stage.node, config, zk, self.fence, self.count)
        self.registration.begin()
        for _ in PERSISTENT_PATHS:
            self.zk.answer(error=ZooKeeperError.NODE_EXISTS)

    def count(self) -> None:
        self.registered += 1


def test_a_broker_is_alive_while_its_ephemeral_znode_is_there_and_its_epoch_is_the_change_that_made_it() -> None:
    """B1, Z1."""
    scene = Scene()

    asked = scene.zk.answer(Create2Response("/brokers/ids/101", Stat(czxid=77)))

    assert isinstance(asked, Create2Request)
    assert ("/brokers/ids/101", CreateFlags.EPHEMERAL) == (asked.path, asked.flags)
    assert ["PLAINTEXT://b101:0"] == json.loads(asked.data or b"")["endpoints"]
    assert (1, 77) == (scene.registered, scene.fence.broker_epoch)
    scene.stage.drain()
    assert [BrokerRegistered(101, 77)] == scene.stage.facts


def test_the_paths_that_everybody_counts_on_are_made_parents_first() -> None:
    zk: Any = ScriptedZooKeeper()
    node = Stage().node
    Registration(node, BrokerConfig(101, ("z1",)), zk, ControllerFence(node), node.on_start).begin()

    assert [CreateRequest(path) for path in PERSISTENT_PATHS] == zk.requests[:-1]


def test_an_earlier_life_s_znode_is_waited_for() -> None:
    scene = Scene()

    scene.zk.answer(error=ZooKeeperError.NODE_EXISTS)
    assert ExistsRequest("/brokers/ids/101", watch=True) == scene.zk.answer(ExistsResponse(Stat(ephemeral_owner=6)))
    assert ([], 0) == (scene.zk.requests, scene.registered)
    scene.registration.on_znode_event("/brokers/ids/101", EventType.NODE_DELETED)
    scene.zk.answer(Create2Response("/brokers/ids/101", Stat(czxid=78)))

    assert (1, 78) == (scene.registered, scene.fence.broker_epoch)


def test_an_earlier_life_s_znode_that_goes_before_it_is_looked_at_is_not_waited_for() -> None:
    scene = Scene()

    scene.zk.answer(error=ZooKeeperError.NODE_EXISTS)
    scene.zk.answer(error=ZooKeeperError.NO_NODE)
    scene.zk.answer(Create2Response("/brokers/ids/101", Stat(czxid=79)))

    assert 79 == scene.fence.broker_epoch


def test_a_znode_of_this_very_session_is_its_own() -> None:
    """The answer to the first attempt was lost with a connection."""
    scene = Scene()

    scene.zk.answer(error=ZooKeeperError.NODE_EXISTS)
    scene.zk.answer(ExistsResponse(Stat(czxid=70, ephemeral_owner=scene.zk.session_id)))

    assert (1, 70) == (scene.registered, scene.fence.broker_epoch)


def test_if_the_session_expires_meanwhile_nothing_is_registered() -> None:
    scene = Scene()

    scene.zk.answer(error=ZooKeeperError.SESSION_EXPIRED)

    assert ([], 0) == (scene.zk.requests, scene.registered)
