"""What topics are set to, as ZooKeeper tells it."""

from __future__ import annotations

from typing import Any

from kafkalite.broker.settings import Settings
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import encode_topic_config
from kafkalite.protocol.zookeeper import (
    EventType,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    ZooKeeperError,
)

from .scripted import ScriptedZooKeeper, Stage

RETAINED = GetDataResponse(encode_topic_config({"retention.ms": "50"}))
PLAIN = GetDataResponse(encode_topic_config({}))


class Listener:
    def __init__(self) -> None:
        self.changed: list[str] = []
        self.told: list[str] = []

    def on_change(self, topic: str) -> None:
        self.changed.append(topic)

    def then(self, what: str) -> None:
        self.told.append(what)


def settings() -> tuple[Settings, ScriptedZooKeeper, Listener]:
    zk: Any = ScriptedZooKeeper()
    listener = Listener()
    return Settings(Stage().node, BrokerConfig(101, ("z1",)), zk, listener.on_change), zk, listener


def test_all_topics_are_read_and_watched_before_the_broker_goes_on() -> None:
    one, zk, listener = settings()

    one.load(listener.then, "loaded")
    assert GetChildrenRequest("/config/topics") == zk.answer(GetChildrenResponse(("orders", "alarms")))
    assert [GetDataRequest(f"/config/topics/{topic}", watch=True) for topic in ("alarms", "orders")] == zk.requests
    zk.answer(PLAIN)
    assert [] == listener.told
    zk.answer(RETAINED)

    assert ["loaded"] == listener.told
    assert (604_800_000, 50) == (one.of("alarms").log.retention_ms, one.of("orders").log.retention_ms)


def test_what_needs_a_topic_s_settings_waits_for_them_and_asks_once() -> None:
    one, zk, listener = settings()

    one.prepare(["orders"], listener.then, "first")
    zk.answer(RETAINED)
    one.prepare(["orders"], listener.then, "second")

    assert ["first", "second"] == listener.told
    assert [] == zk.requests


def test_nothing_to_wait_for_is_done_at_once() -> None:
    one, _, listener = settings()

    one.prepare([], listener.then, "done")

    assert ["done"] == listener.told


def test_a_change_is_read_and_told() -> None:
    """Z3."""
    one, zk, listener = settings()
    one.prepare(["orders"], listener.then, "ready")
    zk.answer(PLAIN)
    assert [] == listener.changed

    one.on_znode_event("/config/topics/orders", EventType.NODE_DATA_CHANGED)
    assert GetDataRequest("/config/topics/orders", watch=True) == zk.answer(RETAINED)

    assert ["orders"] == listener.changed
    assert 50 == one.of("orders").log.retention_ms


def test_a_topic_that_is_gone_is_forgotten_and_read_again_when_it_is_needed() -> None:
    one, zk, listener = settings()
    one.prepare(["orders"], listener.then, "ready")
    zk.answer(RETAINED)

    one.on_znode_event("/config/topics/orders", EventType.NODE_DELETED)
    zk.answer(error=ZooKeeperError.NO_NODE)
    one.prepare(["orders"], listener.then, "again")

    assert one.defaults == one.of("orders")
    assert [GetDataRequest("/config/topics/orders", watch=True)] == zk.requests


def test_who_waits_when_the_session_expires_is_served_in_the_next() -> None:
    one, zk, listener = settings()
    one.prepare(["orders"], listener.then, "ready")
    zk.answer(error=ZooKeeperError.SESSION_EXPIRED)

    one.load(listener.then, "loaded")
    zk.answer(GetChildrenResponse(()))
    zk.answer(RETAINED)

    assert ["loaded", "ready"] == listener.told


def test_a_topic_that_went_while_there_was_no_session_is_forgotten() -> None:
    one, zk, listener = settings()
    one.prepare(["orders"], listener.then, "ready")
    zk.answer(RETAINED)

    one.load(listener.then, "loaded")
    zk.answer(GetChildrenResponse(()))
    zk.answer(error=ZooKeeperError.NO_NODE)

    assert one.defaults == one.of("orders")
    assert ["orders", "orders"] == listener.changed


def test_a_znode_that_a_person_has_broken_is_as_if_it_said_nothing() -> None:
    one, zk, listener = settings()

    one.prepare(["orders"], listener.then, "ready")
    zk.answer(GetDataResponse(b"retention.ms=1"))

    assert ["ready"] == listener.told
    assert one.defaults == one.of("orders")
