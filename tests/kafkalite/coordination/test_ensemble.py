"""One leader writes, followers read, a majority decides: what an ensemble promises when servers die or cannot talk."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from kafkalite.coordination.changes import epoch_of
from kafkalite.facts import ChangeCommitted, ServerElected, ServerStoppedServing
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import (
    Freeze,
    Kill,
    LoseDisk,
    PowerLoss,
    Restart,
    SlowLink,
)

from .ensemble import (
    FAILOVER_MS,
    TICK_MS,
    Ensemble,
    client_of,
    one_client_a_server,
    values,
    write_until_done,
)

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
