"""One leader writes, followers read, a majority decides: what an ensemble promises when servers die or cannot talk."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from kafkalite.coordination import txn_log
from kafkalite.coordination.changes import epoch_of
from kafkalite.coordination.history import DIFF, SNAP, TRUNC
from kafkalite.coordination.messages import NewLeader
from kafkalite.facts import ChangeCommitted, LogDirectoryFailed, ServerElected, ServerStoppedServing
from kafkalite.node import Received
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import (
    BreakConnection,
    FillDisk,
    Freeze,
    Kill,
    LoseDisk,
    PowerLoss,
    Restart,
    SlowDisk,
    SlowLink,
)
from kafkalite.sim.trace import Trace

from .ensemble import TICK_MS, Answered, Ensemble, Told, one_client_a_server

FAILOVER_MS = 40 * TICK_MS  # found dead, elected, synchronised, and clients are back


def values(ensemble: Ensemble) -> list[set[str]]:
    """The znodes of every server."""
    return [set(ensemble.server(name).history.tree.znodes) - {"/"} for name in ensemble.names]


def write_until_done(ensemble: Ensemble, path: str, client: str = "c1") -> ZooKeeperError:
    """Create it, however often the connection is lost meanwhile."""
    return ensemble.ask(zk.CreateRequest(path), client, surely=True).error


# Writing and reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("servers", [1, 2, 3, 4, 5])
def test_whatever_the_number_of_servers_one_leads_and_all_have_the_same_history(servers: int) -> None:
    """Z6, Z8."""
    ensemble = Ensemble(servers, clients=5)
    ensemble.elect()

    for number in range(1, 6):
        ensemble.create(f"/{number}", client=f"c{number}")
    ensemble.sim.run_for(5 * TICK_MS)

    assert 1 == len(ensemble.of(ServerElected))
    assert [{f"/{number}" for number in range(1, 6)}] * servers == values(ensemble)
    assert {1} == {len(seen) for seen in ensemble.digests().values()}
    assert servers == len({(fact.zxid, name) for _, name, fact in ensemble.facts if type(fact) is ChangeCommitted}) / 10


def test_without_a_history_to_compare_the_last_server_is_elected() -> None:
    assert "z5" == Ensemble(5).elect()


def client_of(server: str) -> str:
    """The client that knows only this server."""
    return f"c{server[1:]}"


def test_a_follower_forwards_writes_and_its_client_reads_them_there() -> None:
    """Z6. A write is answered when the client's own server has it."""
    ensemble = Ensemble(3, one_client_a_server(3))
    ensemble.elect()
    client = client_of(ensemble.followers[0])

    written = ensemble.create("/a", b"1", client=client)
    read = ensemble.ask(zk.GetDataRequest("/a"), client)

    assert (ZooKeeperError.OK, b"1", written.zxid) == (read.error, read.message.data, read.message.stat.czxid)


def test_a_read_may_be_stale_and_sync_makes_it_fresh() -> None:
    """Z6. The follower answers from its own tree; `sync` waits until it has what the leader had."""
    ensemble = Ensemble(3, one_client_a_server(3))
    leader = ensemble.elect()
    ensemble.create("/a", b"old")
    ensemble.sim.run_for(TICK_MS)
    server, other = ensemble.followers
    client, writer = client_of(server), client_of(other)
    ensemble.sim.inject(SlowLink(leader, server, 30))

    ensemble.ask(zk.SetDataRequest("/a", b"new"), writer)

    assert b"old" == ensemble.ask(zk.GetDataRequest("/a"), client).message.data
    assert zk.SyncResponse("/a") == ensemble.ask(zk.SyncRequest("/a"), client).message
    assert b"new" == ensemble.ask(zk.GetDataRequest("/a"), client).message.data


def test_sync_at_the_leader_waits_for_what_is_proposed() -> None:
    ensemble = Ensemble(1)
    ensemble.elect()
    ensemble.sim.call("c1", "ask", zk.CreateRequest("/a"))
    ensemble.sim.call("c1", "ask", zk.SyncRequest("/"))
    ensemble.sim.run(until=lambda: len(ensemble.replies()) == 2)

    assert [ZooKeeperError.OK] * 2 == [reply.error for reply in ensemble.replies()]


# Majorities -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("servers", "survived"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_so_many_dead_servers_are_survived_and_one_more_stops_the_ensemble(servers: int, survived: int) -> None:
    """Z5. Four survive no more than three."""
    ensemble = Ensemble(servers, seed=servers)
    ensemble.elect()
    for name in ensemble.names[:survived]:
        ensemble.sim.inject(PowerLoss(name))
    assert ZooKeeperError.OK is write_until_done(ensemble, "/a")

    ensemble.sim.inject(PowerLoss(ensemble.names[survived]))
    ensemble.sim.run_for(FAILOVER_MS)

    assert "" == ensemble.leader
    count = len(ensemble.replies())
    ensemble.sim.call("c1", "ask", zk.CreateRequest("/b"))
    ensemble.sim.run_for(FAILOVER_MS)
    assert [] == [reply for reply in ensemble.replies()[count:] if reply.error is ZooKeeperError.OK]


@pytest.mark.parametrize("seed", range(5))
def test_a_leader_that_is_cut_off_stops_serving_and_the_majority_goes_on(seed: int) -> None:
    """Z6. The minority promises nothing, and does not answer reads for ever."""
    ensemble = Ensemble(3, clients=3, seed=seed)
    leader = ensemble.elect()

    ensemble.isolate([leader], for_ms=2 * FAILOVER_MS)
    ensemble.sim.run_for(FAILOVER_MS)

    assert leader not in {ensemble.leader, ""}
    assert [1] == [fact.epoch for fact in ensemble.of(ServerStoppedServing, leader)]
    assert 0 == len(ensemble.server(leader).front._connections)
    for client in ("c1", "c2", "c3"):
        assert ZooKeeperError.OK is write_until_done(ensemble, f"/{client}", client)
    ensemble.sim.run_for(2 * FAILOVER_MS)
    assert [{"/c1", "/c2", "/c3"}] * 3 == values(ensemble)
    assert [1, 2] == [fact.epoch for fact in ensemble.of(ServerElected)]


def test_with_half_of_the_servers_as_a_majority_there_would_be_two_histories() -> None:
    """Z5. What the part `quorum` is for: half is too little for an even number, as two halves need not meet."""
    ensemble = Ensemble(4, clients=2, parts=replace(REFERENCE, quorum=lambda servers: servers // 2))
    ensemble.sim.run_for(4 * TICK_MS)

    ensemble.cut_off(["z1", "z2", "c1"], for_ms=3 * FAILOVER_MS)
    ensemble.sim.run_for(FAILOVER_MS)

    assert ZooKeeperError.OK is write_until_done(ensemble, "/here", "c1")
    assert ZooKeeperError.OK is write_until_done(ensemble, "/there", "c2")
    ensemble.sim.run_for(TICK_MS)
    assert [{"/here"}] * 2 + [{"/there"}] * 2 == values(ensemble)


@pytest.mark.parametrize("seed", range(5))
def test_a_frozen_leader_acknowledges_nothing_after_another_has_taken_over(seed: int) -> None:
    """It wakes with requests at its door, and believes that it leads."""
    ensemble = Ensemble(3, clients=4, seed=seed)
    leader = ensemble.elect()
    clients = [str(peer).partition("#")[0] for peer in ensemble.server(leader).front._connections]

    ensemble.sim.inject(Freeze(leader, FAILOVER_MS))
    ensemble.sim.run_for(1)
    for client in clients:
        ensemble.sim.call(client, "ask", zk.CreateRequest(f"/late-{client}"))
    ensemble.sim.run_for(2 * FAILOVER_MS)

    assert ensemble.leader not in {leader, ""}
    committed_by_old = [
        fact.zxid for _, name, fact in ensemble.facts if (name, type(fact)) == (leader, ChangeCommitted)
    ]
    assert {1} == {len(seen) for seen in ensemble.digests().values()}
    assert max(committed_by_old) == ensemble.server(ensemble.leader).history.tree.zxid
    late = [zxid for zxid in committed_by_old if epoch_of(zxid) == 1]
    assert len(late) == len(set(late)) == len([zxid for zxid in ensemble.digests() if epoch_of(zxid) == 1])


# What was acknowledged ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Kill, PowerLoss])
@pytest.mark.parametrize("seed", range(5))
def test_what_was_acknowledged_survives_any_minority(seed: int, fault: type) -> None:
    """Whoever dies at that very moment, with its disk's last words."""
    rng = Random(seed)
    ensemble = Ensemble(5, seed=seed)
    ensemble.elect()
    ensemble.create("/a", b"1")
    for name in rng.sample(ensemble.names, 2):
        ensemble.sim.inject(fault(name))

    assert b"1" == ensemble.ask(zk.GetDataRequest("/a"), surely=True).message.data
    assert ZooKeeperError.OK is write_until_done(ensemble, "/b")


@pytest.mark.parametrize("servers", [1, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_what_was_acknowledged_survives_a_power_loss_of_all(servers: int, seed: int) -> None:
    """It was on the disks of a majority before it was acknowledged."""
    ensemble = Ensemble(servers, seed=seed, snapshot_every=7)
    ensemble.elect()
    for number in range(20):
        ensemble.create(f"/{number}")
    for name in ensemble.names:
        ensemble.sim.inject(PowerLoss(name))
        ensemble.sim.inject(Restart(name), ensemble.sim.now_ms + 50)

    assert ZooKeeperError.OK is write_until_done(ensemble, "/new")
    ensemble.sim.run_for(10 * TICK_MS)
    assert [{*(f"/{number}" for number in range(20)), "/new"}] * servers == values(ensemble)


def test_a_minority_may_even_lose_its_disks() -> None:
    ensemble = Ensemble(3)
    leader = ensemble.elect()
    ensemble.create("/a")

    ensemble.sim.inject(LoseDisk(leader))
    ensemble.sim.inject(Restart(leader), ensemble.sim.now_ms + 2 * FAILOVER_MS)
    ensemble.sim.run_for(3 * FAILOVER_MS)

    assert [{"/a"}] * 3 == values(ensemble)


# Coming back ----------------------------------------------------------------------------------------------------------


def modes(ensemble: Ensemble, name: str) -> list[str]:
    """How a server was brought up to date, each time."""
    return [
        step.event.message.difference.mode
        for step in ensemble.sim.steps
        if step.node == name and isinstance(step.event, Received) and isinstance(step.event.message, NewLeader)
    ]


def test_a_follower_that_comes_back_is_sent_what_it_missed() -> None:
    ensemble = Ensemble(3, record=True)
    ensemble.elect()
    ensemble.create("/a")
    ensemble.sim.inject(Kill("z1"))
    write_until_done(ensemble, "/b")

    ensemble.sim.inject(Restart("z1"))
    ensemble.sim.run_for(FAILOVER_MS)

    assert [DIFF, DIFF] == modes(ensemble, "z1")
    assert [{"/a", "/b"}] * 3 == values(ensemble)


def leader_that_wrote_alone(seed: int) -> tuple[Ensemble, str]:
    """An ensemble whose leader was cut off, and has logged /x, which nobody else has."""
    ensemble = Ensemble(3, one_client_a_server(3), seed, record=True)
    leader = ensemble.elect()
    ensemble.create("/a")
    ensemble.sim.run_for(TICK_MS)
    ensemble.isolate([leader], for_ms=FAILOVER_MS)
    ensemble.sim.call(client_of(leader), "ask", zk.CreateRequest("/x"))
    ensemble.sim.run_for(10)
    return ensemble, leader


@pytest.mark.parametrize("seed", range(5))
def test_a_leader_that_wrote_what_nobody_else_has_takes_it_back(seed: int) -> None:
    """Its client was told CONNECTION_LOSS: it may have happened. It has not."""
    ensemble, leader = leader_that_wrote_alone(seed)
    ensemble.sim.run_for(2 * FAILOVER_MS)

    write_until_done(ensemble, "/b")
    ensemble.sim.run_for(FAILOVER_MS)

    assert TRUNC == modes(ensemble, leader)[-1]
    assert [{"/a", "/b"}] * 3 == values(ensemble)
    answers = [fact.reply.error for fact in ensemble.of(Answered) if fact.request == zk.CreateRequest("/x")]
    assert [ZooKeeperError.CONNECTION_LOSS] == answers


def test_a_follower_that_missed_too_much_is_sent_the_whole_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(txn_log, "KEPT_MAX", 10)
    ensemble = Ensemble(3, record=True, snapshot_every=20)
    ensemble.elect()
    ensemble.sim.inject(Kill("z1"))
    for number in range(70):
        ensemble.ask(zk.CreateRequest(f"/{number}"), surely=True)

    ensemble.sim.inject(Restart("z1"))
    ensemble.sim.run_for(FAILOVER_MS)

    assert SNAP == modes(ensemble, "z1")[-1]
    assert 1 == len({ensemble.server(name).history.tree.digest for name in ensemble.names})
    assert 70 == len(values(ensemble)[0])


def test_who_followed_a_newer_leader_is_elected_before_who_has_more_changes() -> None:
    """The changes of a lost leader that nobody else has must not come back after a newer leader began without them."""
    ensemble, leader = leader_that_wrote_alone(seed=3)
    for number in (1, 2, 3):
        ensemble.sim.inject(PowerLoss(f"c{number}"))  # nobody writes in the new leader's epoch, and no session expires
    ensemble.sim.run(until=lambda: len(ensemble.of(ServerElected)) == 2, steps_max=100_000)
    ensemble.sim.run_for(TICK_MS / 2)
    newer = ensemble.leader
    other = next(name for name in ensemble.names if name not in {leader, newer})
    votes = [(one.history.last_zxid, one.history.current_epoch) for one in map(ensemble.server, (leader, other))]
    assert (True, [1, 2]) == (votes[0][0] > votes[1][0], [epoch for _, epoch in votes])

    for name in ensemble.names:
        ensemble.sim.inject(Kill(name))
    for name in (leader, other):
        ensemble.sim.inject(Restart(name), ensemble.sim.now_ms + FAILOVER_MS)
    ensemble.sim.run_for(2 * FAILOVER_MS)

    assert other == ensemble.leader
    assert "/x" not in {path for name in (leader, other) for path in ensemble.server(name).history.tree.znodes}


# Disks and determinism ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["z1", "z3"])
def test_a_server_with_a_full_disk_leaves_and_comes_back_when_there_is_room(who: str) -> None:
    ensemble = Ensemble(3)
    assert "z3" == ensemble.elect()

    ensemble.sim.inject(FillDisk(who, 20, for_ms=2 * FAILOVER_MS))
    for number in range(5):
        ensemble.ask(zk.CreateRequest(f"/{number}"), surely=True)
    ensemble.sim.run_for(4 * FAILOVER_MS)

    assert ensemble.of(LogDirectoryFailed, who) != []
    assert [{f"/{number}" for number in range(5)}] * 3 == values(ensemble)


def test_one_slow_disk_slows_nobody_down_and_two_do() -> None:
    """The leader waits for the fastest majority."""
    ensemble = Ensemble(3)
    ensemble.elect()

    def write_ms(path: str) -> float:
        began_ms = ensemble.sim.now_ms
        assert ZooKeeperError.OK is ensemble.create(path).error
        return ensemble.sim.now_ms - began_ms

    ensemble.sim.inject(SlowDisk("z1", 60))
    assert write_ms("/one") < 30
    ensemble.sim.run_for(100)
    ensemble.sim.inject(SlowDisk("z2", 60))
    assert write_ms("/two") > 50


def run_of(seed: int) -> Ensemble:
    ensemble = Ensemble(3, clients=2, seed=seed, record=True)
    ensemble.sim.inject(Kill("z3"), 300)
    ensemble.sim.inject(Restart("z3"), 600)
    ensemble.sim.inject(Freeze("z2", 300), 700)
    ensemble.sim.inject(BreakConnection("z1", "z3"), 900)
    for number in range(20):
        ensemble.sim.run_for(50)
        ensemble.sim.call("c1", "ask", zk.CreateRequest(f"/{number}"))
    ensemble.sim.run_for(1500)
    return ensemble


def test_the_same_seed_gives_the_same_steps_and_another_gives_others() -> None:
    assert run_of(1).sim.steps == run_of(1).sim.steps != run_of(2).sim.steps


def test_a_copy_of_a_running_ensemble_goes_on_as_the_original_does() -> None:
    """Snapshots are how a trace is rewound."""
    ensemble = run_of(1)
    copy = deepcopy(ensemble.sim, {id(ensemble.sim.observers): []})
    steps = len(ensemble.sim.steps)

    for sim in (ensemble.sim, copy):
        sim.call("c1", "ask", zk.CreateRequest("/after"))
        sim.run_for(200)

    assert len(ensemble.sim.steps) > steps
    assert ensemble.sim.steps[steps:] == copy.steps[steps:]


def test_a_trace_of_an_ensemble_can_be_rewound() -> None:
    def build() -> Any:
        return Ensemble(3, record=True).sim

    trace = Trace(build).run(until=lambda sim: sim.now_ms > 200)
    rewound = trace.at(len(trace.steps) // 2)
    while len(rewound.steps) < len(trace.steps):
        rewound.step()

    assert trace.steps == rewound.steps
    assert [] != [fact for fact in trace.facts() if isinstance(fact.fact, Told)]
