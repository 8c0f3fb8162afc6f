"""Watches fire once, come before what was done later, and lose nothing between a read and the next change."""

from __future__ import annotations

import pytest

from kafkalite.coordination.watches import CHILDREN, DATA, Watches
from kafkalite.facts import WatchFired
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.sim.faults import BreakConnection

from .ensemble import Answered, Ensemble, Told


def watching(ensemble: Ensemble, client: str = "c1") -> list[tuple[str, str]]:
    """The events of znodes that a client was told, the session's own left out."""
    return [event for event in ensemble.events(client) if event[1]]


def test_a_watch_fires_once_and_each_client_is_told_once() -> None:
    watches = Watches()
    watches.add(DATA, "/a", "c1")
    watches.add(DATA, "/a", "c1")
    watches.add(CHILDREN, "/a", "c1")
    watches.add(CHILDREN, "/a", "c2")

    assert ["c1", "c2"] == watches.fire("/a", EventType.NODE_DELETED)
    assert [] == watches.fire("/a", EventType.NODE_CREATED)
    assert 0 == len(watches)


def test_the_watches_of_a_client_that_is_gone_are_forgotten() -> None:
    watches = Watches()
    for client in ("c1", "c2"):
        watches.add(DATA, "/a", client)

    watches.forget("c1")

    assert ["c2"] == watches.fire("/a", EventType.NODE_DATA_CHANGED)


@pytest.mark.parametrize("servers", [1, 3])
def test_who_watches_the_brokers_is_told_of_one_that_comes_and_of_one_that_dies(servers: int) -> None:
    """Z1, Z3. The news is that something changed; what it is now has to be read, and watched, again."""
    ensemble = Ensemble(servers, clients=2)
    ensemble.elect()
    ensemble.create("/ids")
    ensemble.ask(zk.GetChildrenRequest("/ids", watch=True))

    ensemble.create("/ids/101", flags=1, client="c2")
    ensemble.create("/ids/102", flags=1, client="c2")
    ensemble.sim.run_for(100)
    assert [("NODE_CHILDREN_CHANGED", "/ids")] == watching(ensemble)
    assert ("101", "102") == ensemble.ask(zk.GetChildrenRequest("/ids", watch=True)).message.children

    ensemble.sim.call("c2", "close")
    ensemble.sim.run_for(100)
    assert [("NODE_CHILDREN_CHANGED", "/ids")] * 2 == watching(ensemble)
    assert () == ensemble.ask(zk.GetChildrenRequest("/ids")).message.children
    assert [("/ids", "NODE_CHILDREN_CHANGED")] * 2 == [(one.path, one.event) for one in ensemble.of(WatchFired)]


@pytest.mark.parametrize(
    ("before", "read", "change", "event"),
    [
        (None, zk.ExistsRequest("/a", watch=True), zk.CreateRequest("/a"), "NODE_CREATED"),
        (b"1", zk.ExistsRequest("/a", watch=True), zk.SetDataRequest("/a", b"2"), "NODE_DATA_CHANGED"),
        (b"1", zk.GetDataRequest("/a", watch=True), zk.SetDataRequest("/a", b"2"), "NODE_DATA_CHANGED"),
        (b"1", zk.GetDataRequest("/a", watch=True), zk.DeleteRequest("/a"), "NODE_DELETED"),
        (b"1", zk.GetChildrenRequest("/a", watch=True), zk.DeleteRequest("/a"), "NODE_DELETED"),
        (b"1", zk.GetChildren2Request("/a", watch=True), zk.CreateRequest("/a/b"), "NODE_CHILDREN_CHANGED"),
        (b"1", zk.GetChildrenRequest("/a", watch=True), zk.SetDataRequest("/a", b"2"), None),
        (b"1", zk.GetDataRequest("/a", watch=True), zk.CreateRequest("/a/b"), None),
        (
            None,
            zk.GetDataRequest("/a", watch=True),
            zk.CreateRequest("/a"),
            None,
        ),  # only `exists` waits for it
        (b"1", zk.ExistsRequest("/a"), zk.DeleteRequest("/a"), None),
    ],
)
def test_which_change_fires_which_watch(before: bytes | None, read: object, change: object, event: str | None) -> None:
    """Z3."""
    ensemble = Ensemble(1, clients=2)
    ensemble.elect()
    if before is not None:
        ensemble.create("/a", before)
    ensemble.ask(read)

    ensemble.ask(change, client="c2")
    ensemble.sim.run_for(50)

    assert [(event, "/a")] * (event is not None) == watching(ensemble)


def test_a_clients_own_change_fires_its_watch_before_it_is_answered() -> None:
    ensemble = Ensemble(3)
    ensemble.elect()
    ensemble.create("/a")
    ensemble.ask(zk.GetDataRequest("/a", watch=True))

    ensemble.ask(zk.SetDataRequest("/a", b"2"))

    last = [fact for _, node, fact in ensemble.facts if node == "c1"][-2:]
    assert [Told, Answered] == [type(fact) for fact in last]


@pytest.mark.parametrize("seed", range(10))
def test_after_a_reconnection_the_watches_stand_again_and_what_was_missed_is_told(seed: int) -> None:
    ensemble = Ensemble(3, clients=2, seed=seed)
    ensemble.elect()
    for path in ("/data", "/gone", "/parent", "/quiet"):
        ensemble.create(path)
    for read in (
        zk.GetDataRequest("/data", watch=True),
        zk.GetDataRequest("/gone", watch=True),
        zk.GetChildrenRequest("/parent", watch=True),
        zk.ExistsRequest("/new", watch=True),
        zk.GetDataRequest("/quiet", watch=True),
        zk.ExistsRequest("/later", watch=True),
    ):
        ensemble.ask(read)

    for name in ensemble.names:
        ensemble.sim.inject(BreakConnection("c1", name))
    for change in (
        zk.SetDataRequest("/data", b"2"),
        zk.DeleteRequest("/gone"),
        zk.CreateRequest("/parent/child"),
        zk.CreateRequest("/new"),
    ):
        ensemble.ask(change, client="c2")
    ensemble.sim.run_for(200)
    missed = {
        ("NODE_DATA_CHANGED", "/data"),
        ("NODE_DELETED", "/gone"),
        ("NODE_CHILDREN_CHANGED", "/parent"),
        ("NODE_CREATED", "/new"),
    }
    assert sorted(missed) == sorted(watching(ensemble))

    ensemble.ask(zk.SetDataRequest("/quiet", b"2"), client="c2")
    ensemble.create("/later", client="c2")
    ensemble.sim.run_for(50)

    assert [("NODE_DATA_CHANGED", "/quiet"), ("NODE_CREATED", "/later")] == watching(ensemble)[4:]
    assert ZooKeeperError.OK is ensemble.ask(zk.GetDataRequest("/data")).error
