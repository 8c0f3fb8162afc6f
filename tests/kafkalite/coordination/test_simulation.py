"""Ensembles under random faults: whatever happens, there is one history, and what was acknowledged is in it."""

from __future__ import annotations

import pytest

from kafkalite.coordination import txn_log
from kafkalite.facts import ServerElected
from kafkalite.node import Node
from kafkalite.sim.wire import through_the_codec

from .ensemble import Ensemble, Worker, disasters, names

FAULTS_UNTIL_MS = 4000
WORK_UNTIL_MS = 5000
END_MS = 7000


def run(servers: int, seed: int, faults: int) -> tuple[Ensemble, list[Worker]]:
    """A run to its end: faults, then work without faults, then silence."""
    workers = [Worker(f"c{n}", names(servers), WORK_UNTIL_MS) for n in (1, 2, 3)]
    nodes: list[Node] = [*workers]
    schedule = disasters(names(servers), seed, FAULTS_UNTIL_MS, faults)
    wire = through_the_codec if seed % 3 == 0 else None
    ensemble = Ensemble(servers, nodes, seed, faults=schedule, wire=wire, snapshot_every=40)
    ensemble.sim.run_for(END_MS)
    return ensemble, workers


def check(ensemble: Ensemble, workers: list[Worker]) -> None:
    """Everything that must hold at the end of any run."""
    trees = [ensemble.server(name).history.tree for name in ensemble.names]
    assert {} == {zxid: seen for zxid, seen in ensemble.digests().items() if len(seen) > 1}
    assert 1 == len({(tree.zxid, tree.digest) for tree in trees})
    epochs = [fact.epoch for fact in ensemble.of(ServerElected)]
    assert sorted(set(epochs)) == epochs
    tree = trees[0]
    for worker in workers:
        assert [] == worker.complaints
        assert [] == [number for number in worker.made if f"/{worker.name}-{number}" not in tree.znodes]
        assert worker.seen_count == tree.znodes["/count"].stat.version
    counted = sorted(version for worker in workers for version in worker.counted)
    assert sorted(set(counted)) == counted
    assert len(counted) <= tree.znodes["/count"].stat.version <= sum(worker.count_attempts for worker in workers)
    owners = {found.stat.ephemeral_owner for found in tree.znodes.values()} - {0}
    assert owners <= tree.sessions.keys()
    assert {worker.zk.session_id for worker in workers} == tree.sessions.keys()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("servers", [1, 3, 5])
def test_under_any_faults_there_is_one_history_with_everything_acknowledged_in_it(
    servers: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z6. One leader writes; kills, power losses, cuts, freezes and slow disks change nothing of what was promised."""
    if seed % 2:
        monkeypatch.setattr(txn_log, "KEPT_MAX", 3)  # whoever is a little behind gets the whole tree

    ensemble, workers = run(servers, seed, faults=12)

    check(ensemble, workers)
    assert [] == [worker.name for worker in workers if len(worker.made) < 20]
