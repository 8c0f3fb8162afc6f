"""Sessions: who is heard of lives; who is not is expired by the leader, with everything ephemeral, on all servers."""

from __future__ import annotations

import pytest

from kafkalite.coordination.sessions import Sessions, password_of
from kafkalite.facts import SessionExpired, SessionOpened
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.sim.faults import BreakConnection, Cut, Freeze, Kill, PowerLoss, Restart

from .ensemble import SESSION_MS, TICK_MS, Client, Ensemble, names


def trees_with(ensemble: Ensemble, path: str) -> list[str]:
    """The servers whose tree has such a znode."""
    return [name for name in ensemble.names if path in ensemble.server(name).history.tree.znodes]


def test_who_is_heard_of_in_time_lives_and_who_is_not_is_told_once() -> None:
    sessions = Sessions()
    sessions.add(7, 400, owner=0, now_ms=0)
    sessions.add(8, 400, owner=1, now_ms=0)

    sessions.touch(7, 300)

    assert [8] == sessions.take_expired(400)
    assert [] == sessions.take_expired(400)
    sessions.touch(8, 401)  # too late: it is being closed
    assert (0, 400) == (sessions.move(8, 0, 401), sessions.move(7, 2, 401))
    assert (True, False) == (sessions.is_at(7, 2), sessions.is_at(7, 0))


def test_a_new_leader_gives_every_session_its_whole_time_again() -> None:
    sessions = Sessions()

    sessions.begin({7: 400}, now_ms=1000)

    assert ([], [7]) == (sessions.take_expired(1399), sessions.take_expired(1400))


@pytest.mark.parametrize(("asked_ms", "agreed_ms"), [(10, 2 * TICK_MS), (600, 600), (99_999, 40_000)])
def test_the_server_has_the_last_word_on_the_time_out(asked_ms: int, agreed_ms: int) -> None:
    ensemble = Ensemble(1, [Client("c1", names(1), asked_ms)])
    ensemble.elect()

    assert [agreed_ms] == [fact.timeout_ms for fact in ensemble.of(SessionOpened)]


@pytest.mark.parametrize("servers", [1, 3, 5])
def test_a_silent_client_is_expired_and_its_ephemerals_vanish_everywhere(servers: int) -> None:
    """Z1. This is how it is known that a broker died."""
    ensemble = Ensemble(servers, clients=2)
    ensemble.elect()
    ensemble.create("/101", flags=1, client="c2")
    ensemble.create("/kept", client="c2")
    began_ms = ensemble.sim.now_ms

    ensemble.sim.inject(PowerLoss("c2"))
    ensemble.sim.run_for(SESSION_MS - TICK_MS)
    assert [*ensemble.names] == trees_with(ensemble, "/101")
    ensemble.sim.run_for(4 * TICK_MS)

    assert [] == trees_with(ensemble, "/101")
    assert [*ensemble.names] == trees_with(ensemble, "/kept")
    [(at_ms, who, fact)] = [one for one in ensemble.facts if type(one[2]) is SessionExpired]
    assert (False, ensemble.leader) == (fact.was_closed, who)
    assert SESSION_MS - TICK_MS <= at_ms - began_ms <= SESSION_MS + 3 * TICK_MS


@pytest.mark.parametrize("servers", [1, 3])
def test_a_client_that_says_goodbye_leaves_at_once(servers: int) -> None:
    ensemble = Ensemble(servers)
    ensemble.elect()
    ensemble.create("/101", flags=1)

    ensemble.sim.call("c1", "close")
    ensemble.sim.run_for(30)

    assert [] == trees_with(ensemble, "/101")
    assert [True] == [fact.was_closed for fact in ensemble.of(SessionExpired)]


@pytest.mark.parametrize("servers", [1, 3])
def test_an_idle_client_lives_on(servers: int) -> None:
    ensemble = Ensemble(servers)
    ensemble.elect()

    ensemble.sim.run_for(10 * SESSION_MS)

    assert [] == ensemble.of(SessionExpired)


@pytest.mark.parametrize("seed", range(5))
def test_a_session_goes_on_at_another_server_after_its_own_has_died(seed: int) -> None:
    ensemble = Ensemble(3, seed=seed)
    ensemble.elect()
    ensemble.create("/101", flags=1)
    session_id = ensemble.of(SessionOpened)[0].session_id
    served_by = next(name for name in ensemble.names if ensemble.server(name).front._clients)

    ensemble.sim.inject(Kill(served_by))
    reply = ensemble.ask(zk.GetDataRequest("/101"), surely=True)
    ensemble.sim.run_for(3 * SESSION_MS)

    assert (ZooKeeperError.OK, session_id) == (reply.error, reply.message.stat.ephemeral_owner)
    assert [] == ensemble.of(SessionExpired)


def test_a_client_without_connection_cannot_know_that_its_session_has_expired() -> None:
    """It is told by the first server that it reaches, and begins a new session by itself."""
    ensemble = Ensemble(3, clients=2)
    ensemble.elect()
    ensemble.create("/101", flags=1)
    for name in ensemble.names:
        ensemble.sim.inject(Cut("c1", name, 3 * SESSION_MS))
        ensemble.sim.inject(Cut(name, "c1", 3 * SESSION_MS))

    ensemble.sim.run_for(2.5 * SESSION_MS)
    assert 1 == len(ensemble.of(SessionExpired))
    assert [("established", "")] == ensemble.events()
    ensemble.sim.run_for(2 * SESSION_MS)

    assert [("established", ""), ("expired", ""), ("established", "")] == ensemble.events()
    assert ZooKeeperError.NO_NODE is ensemble.ask(zk.GetDataRequest("/101")).error


def test_a_frozen_client_finds_itself_expired() -> None:
    ensemble = Ensemble(3)
    ensemble.elect()

    ensemble.sim.inject(Freeze("c1", 2 * SESSION_MS))
    ensemble.sim.run_for(3 * SESSION_MS)

    assert [("established", ""), ("expired", ""), ("established", "")] == ensemble.events()


@pytest.mark.parametrize("fault", [Kill, PowerLoss])
def test_sessions_outlive_a_restart_of_all_servers(fault: type) -> None:
    ensemble = Ensemble(3)
    ensemble.elect()
    ensemble.create("/101", flags=1)
    for name in ensemble.names:
        ensemble.sim.inject(fault(name))
        ensemble.sim.inject(Restart(name), ensemble.sim.now_ms + 100)

    reply = ensemble.ask(zk.GetDataRequest("/101"), surely=True)
    ensemble.sim.run_for(2 * SESSION_MS)

    assert ZooKeeperError.OK is reply.error
    assert [("established", "")] == ensemble.events()
    assert [] == ensemble.of(SessionExpired)


def test_a_session_needs_its_password() -> None:
    ensemble = Ensemble(1, clients=2)
    ensemble.elect()
    thief = ensemble.sim.nodes["c2"]
    assert isinstance(thief, Client)
    thief.zk.session_id = ensemble.of(SessionOpened)[0].session_id

    ensemble.sim.inject(BreakConnection("c2", "z1"))
    ensemble.sim.run_for(100)

    assert [("established", ""), ("expired", ""), ("established", "")] == ensemble.events("c2")
    assert password_of(1) != password_of(2)


def test_what_a_client_sends_through_a_server_it_has_left_is_not_done() -> None:
    """Its session has moved: a write that comes late through the old server would come out of order."""
    ensemble = Ensemble(3)
    leader = ensemble.elect()
    session_id = ensemble.of(SessionOpened)[0].session_id
    old = next(name for name in ensemble.names if ensemble.server(name).front._clients)
    new = next(name for name in ensemble.names if name != old)
    server = ensemble.server(leader)
    server.leader.sessions.move(session_id, ensemble.names.index(new), ensemble.sim.now_ms)

    reply = ensemble.create("/late")

    assert ZooKeeperError.CONNECTION_LOSS is reply.error
    assert [] == trees_with(ensemble, "/late")
