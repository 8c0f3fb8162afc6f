"""The broker as a whole: its door, its beginning and its end."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kafkalite.broker.broker import Broker
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import BrokerStopped, RequestRefused
from kafkalite.node import Flush, Flushed, Started
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.api_versions import ApiVersionsRequest
from kafkalite.protocol.inter_broker import UpdateMetadataRequest, UpdateMetadataResponse
from kafkalite.protocol.metadata import MetadataRequest
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.reference import REFERENCE
from kafkalite.storage.memory import MemoryStorage

from .scripted import Stage


class ZooKeeper:
    """Answers a broker one request after another: another broker is controller, and there are no topics."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.asked = stage, list[Any]()
        self._waiting = self._just_asked()

    def _just_asked(self) -> list[Any]:
        return [request for to, request in self.stage.requests if to == "z1#zk"]

    def go_on(self, until: type | None = None) -> None:
        """Until the broker has nothing more to ask, or asks that."""
        while self._waiting and type(self._waiting[0]) is not until:
            request = self._waiting.pop(0)
            self.asked.append(request)
            assert len(self.asked) < 100, f"the broker does not stop asking: {self.asked[-3:]}"
            self.stage.hears("z1#zk", self.answer(request))
            self._waiting += self._just_asked()

    def answer(self, request: Any) -> Any:
        if isinstance(request, zk.ConnectRequest):
            return zk.ConnectResponse(0, 6000, 9, b"p")
        message = self.found(request)
        return Reply(0, 1, ZooKeeperError.NO_NODE if message is None else ZooKeeperError.OK, message)

    def found(self, request: Any) -> Any:
        message: Any = None
        match request:
            case zk.GetChildrenRequest():
                message = zk.GetChildrenResponse(())
            case zk.CreateRequest():
                message = zk.CreateResponse(request.path)
            case zk.Create2Request():
                message = zk.Create2Response(request.path, zk.Stat(czxid=5))
            case zk.ExistsRequest(path="/controller"):
                message = zk.ExistsResponse()
            case zk.GetDataRequest(path="/controller_epoch"):
                message = zk.GetDataResponse(b"1")
        return message


def started(**config: Any) -> tuple[Stage, ZooKeeper]:
    """A broker that has just sent its first word to ZooKeeper."""
    stage = Stage(Broker("b101", BrokerConfig(101, ("z1",), **config), REFERENCE, MemoryStorage()))
    stage._do(Started())
    return stage, ZooKeeper(stage)


def test_without_zookeeper_there_is_no_broker() -> None:
    """Z4: it refuses connections until it has a session and its logs are open."""
    stage, zookeeper = started()

    assert [] == stage.hears("c1", MetadataRequest())
    assert ["c1"] == stage.disconnected
    zookeeper.go_on()
    assert 1 == len(stage.hears("c1", MetadataRequest()))


def test_before_it_registers_it_has_read_the_topics_settings() -> None:
    _, zookeeper = started()

    zookeeper.go_on()

    kinds = [type(one) for one in zookeeper.asked]
    assert kinds.index(zk.GetChildrenRequest) < kinds.index(zk.Create2Request)


def test_until_it_is_registered_it_obeys_nobody() -> None:
    """It does not know its epoch yet: an order meant for its life before this one would look like any other."""
    stage, zookeeper = started()
    zookeeper.go_on(until=zk.Create2Request)

    assert [] == stage.hears("b102#control", UpdateMetadataRequest(102, 1, broker_epoch=4))
    assert (["b102#control"], []) == (stage.disconnected, stage.facts)
    zookeeper.go_on()

    assert [UpdateMetadataResponse(ErrorCode.STALE_BROKER_EPOCH)] == stage.hears(
        "b102#control", UpdateMetadataRequest(102, 1, broker_epoch=4)
    )
    assert [UpdateMetadataResponse()] == stage.hears("b102#control", UpdateMetadataRequest(102, 1, broker_epoch=5))


class VoteRequest:
    """What only the brokers of a younger Kafka serve."""


def test_it_lists_what_it_serves_and_closes_the_connection_on_what_it_does_not() -> None:
    stage, zookeeper = started()
    zookeeper.go_on()

    [versions] = stage.hears("c1", ApiVersionsRequest())
    stage.hears("c1", VoteRequest())

    keys = {one.api_key for one in versions.api_keys}
    assert {*range(17), *range(18, 29), 32, 33, 37, *range(42, 48), 60} == keys
    assert ["c1"] == stage.disconnected
    assert [RequestRefused("Vote", "", -1, "UNSUPPORTED_VERSION")] == stage.facts


def test_it_stops_with_its_logs_on_the_disk_its_session_over_and_its_connections_closed() -> None:
    stage, zookeeper = started(controlled_shutdown_enable=False)
    zookeeper.go_on()
    stage.hears("c1", MetadataRequest())

    stage.calls("shutdown")
    while flushes := [one for one in stage.effects if isinstance(one, Flush)]:
        stage._do(Flushed(flushes[0].token))

    assert BrokerStopped(101) in stage.facts
    assert zk.CloseSessionRequest() in [request for _, request in stage.requests]
    assert "c1" in stage.disconnected
    assert [] == stage.hears("c1", MetadataRequest())
    assert ["c1"] == stage.disconnected


def test_stopped_before_it_has_opened_its_logs_it_leaves_the_disk_as_it_is() -> None:
    """A mark of a clean stop would be a lie: nobody has looked since the crash before."""
    stage, _ = started()

    stage.calls("shutdown")

    assert [BrokerStopped(101)] == stage.facts
    assert [] == stage.node.storage.names()


def test_a_copy_of_a_broker_is_a_broker_of_its_own() -> None:
    """Snapshots copy nodes: a component of the copy must not drive the original."""
    stage, zookeeper = started()
    zookeeper.go_on()

    twin = Stage(deepcopy(stage.node))
    [answer] = twin.hears("c1", ApiVersionsRequest())

    assert [answer] == stage.hears("c1", ApiVersionsRequest())
    for component in twin.node.components.values():
        assert component.node is twin.node
