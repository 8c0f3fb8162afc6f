"""The client: asks in order, each answered once; a server that is silent is left; the end of a session is told."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import MultiRequest
from kafkalite.sim.faults import BreakConnection, Cut, Fault, Freeze, Kill, PowerLoss, Restart

from .ensemble import SESSION_MS, Answered, Client, Ensemble


def test_asks_wait_for_the_first_connection_and_are_answered_in_order() -> None:
    ensemble = Ensemble(3)
    for number in range(5):
        ensemble.sim.call("c1", "ask", zk.CreateRequest(f"/{number}"))
    ensemble.sim.run(until=lambda: len(ensemble.replies()) == 5, steps_max=10_000)

    assert [f"/{number}" for number in range(5)] == [reply.message.path for reply in ensemble.replies()]


def test_many_asks_in_a_row_may_take_longer_than_the_time_out_as_long_as_the_server_answers() -> None:
    ensemble = Ensemble(3)
    ensemble.elect()
    for number in range(200):
        ensemble.sim.call("c1", "ask", zk.CreateRequest(f"/{number}"))
    began_ms = ensemble.sim.now_ms
    ensemble.sim.run(until=lambda: len(ensemble.replies()) == 200, steps_max=20_000)

    assert ensemble.sim.now_ms - began_ms > 2 * SESSION_MS
    assert {ZooKeeperError.OK} == {reply.error for reply in ensemble.replies()}


@pytest.mark.parametrize("fault", [Freeze("z1", 10 * SESSION_MS), PowerLoss("z1")])
def test_a_server_that_says_nothing_is_left_in_time_to_keep_the_session(fault: Fault) -> None:
    ensemble = Ensemble(3)
    ensemble.elect()
    client: Any = ensemble.sim.nodes["c1"]
    client.zk._servers, client.zk._next_server = ["z1", "z2", "z3"], 0
    ensemble.sim.inject(BreakConnection("c1", client.zk._peer.partition("#")[0]))
    ensemble.sim.run_for(SESSION_MS)

    ensemble.sim.inject(fault)
    ensemble.sim.run_for(4 * SESSION_MS)

    assert [("established", "")] == ensemble.events()
    assert ZooKeeperError.OK is ensemble.create("/a").error


def test_what_was_asked_surely_is_repeated_after_a_lost_connection_and_the_rest_is_told() -> None:
    """Each is answered exactly once; the sure ones keep their order."""
    ensemble = Ensemble(1)
    ensemble.elect()
    for number in range(6):
        ensemble.sim.call("c1", "ask_surely" if number % 2 else "ask", zk.CreateRequest(f"/{number}"))
    ensemble.sim.run_for(1)
    ensemble.sim.inject(Kill("z1"))
    ensemble.sim.inject(Restart("z1"), ensemble.sim.now_ms + 20)
    ensemble.sim.run(until=lambda: len(ensemble.replies()) == 6, steps_max=10_000)
    ensemble.sim.run_for(SESSION_MS)

    answers = [(fact.request.path, fact.reply.error.name) for fact in ensemble.of(Answered)]
    assert [(f"/{number}", "CONNECTION_LOSS") for number in (0, 2, 4)] == answers[:3]
    assert ["/1", "/3", "/5"] == [path for path, _ in answers[3:]]
    assert {"OK", "NODE_EXISTS"} >= {error for _, error in answers[3:]}


def test_what_was_asked_is_told_when_the_session_expires() -> None:
    """Whoever listens hears of the expiry first."""
    ensemble = Ensemble(1)
    ensemble.elect()
    for source, to in (("c1", "z1"), ("z1", "c1")):
        ensemble.sim.inject(Cut(source, to, 3 * SESSION_MS))
    ensemble.sim.run_for(1.5 * SESSION_MS)
    for kind in ("ask", "ask_surely"):
        ensemble.sim.call("c1", kind, zk.CreateRequest(f"/{kind}"))
    ensemble.sim.run_for(4 * SESSION_MS)

    assert [ZooKeeperError.SESSION_EXPIRED] * 2 == [reply.error for reply in ensemble.replies()]
    kinds = [type(fact) for _, node, fact in ensemble.facts if node == "c1"]
    assert kinds.index(Answered) == 2  # established, expired, answered
    assert [("established", ""), ("expired", ""), ("established", "")] == ensemble.events()


def test_a_multi_that_failed_carries_the_error_of_what_was_refused() -> None:
    """As ZooKeeper's own client has it: on the wire the reply is OK, and its parts tell."""
    ensemble = Ensemble(1)
    ensemble.elect()
    parts = (zk.CreateRequest("/a"), zk.CheckVersionRequest("/", 7), zk.CreateRequest("/b"))

    reply = ensemble.ask(MultiRequest(parts))

    assert ZooKeeperError.BAD_VERSION is reply.error
    assert [0, -103, -2] == [result.err for result in reply.message.results]
    assert ZooKeeperError.OK is ensemble.ask(MultiRequest((zk.CreateRequest("/a"), zk.CreateRequest("/b")))).error


def test_after_a_goodbye_nothing_can_be_asked() -> None:
    ensemble = Ensemble(1)
    ensemble.elect()
    ensemble.sim.call("c1", "close")
    ensemble.sim.run_for(2 * SESSION_MS)
    client = ensemble.sim.nodes["c1"]
    assert isinstance(client, Client)

    assert (True, False) == (client.zk.is_closed, client.zk.is_connected)
    with pytest.raises(AssertionError, match="asks after its session was closed"):
        client.zk.ask(zk.PingRequest(), client.answered)
