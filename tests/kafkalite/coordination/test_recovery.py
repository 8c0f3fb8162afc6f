"""Servers that come back: brought up to date, or back; disks that fill; runs that repeat."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kafkalite.coordination import txn_log
from kafkalite.coordination.history import DIFF, SNAP, TRUNC
from kafkalite.coordination.messages import NewLeader
from kafkalite.facts import LogDirectoryFailed, ServerElected
from kafkalite.node import Received
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.sim.faults import (
    BreakConnection,
    FillDisk,
    Freeze,
    Kill,
    PowerLoss,
    Restart,
    SlowDisk,
)
from kafkalite.sim.trace import Trace

from .ensemble import (
    FAILOVER_MS,
    TICK_MS,
    Answered,
    Ensemble,
    Told,
    client_of,
    one_client_a_server,
    values,
    write_until_done,
)

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
