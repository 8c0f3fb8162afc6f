"""The benchmarks of clusters and groups do what they say they measure; how fast, only `make bench` tells."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("bench_cluster")


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    found = import_module("bench_groups")
    for name, fewer in (("REBALANCES", 2), ("TRANSACTIONS", 3), ("COMMITS", 1000)):
        monkeypatch.setattr(found, name, fewer)
    return found


def test_a_busy_cluster_has_more_deliveries_than_records(cluster: Any) -> None:
    deliveries, records = cluster.busy(1, 20)

    assert deliveries > records > 0


def test_what_a_delivery_costs_is_told_for_each_package(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.layers(1, delivery_us=100.0)

    said = capsys.readouterr().out
    assert {"broker", "clients", "log", "node", "replication", "sim"} <= set(said.split())


def test_a_large_cluster_is_built_and_loses_a_broker(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.large(brokers=5, partitions=20)

    assert "until each of the 4 partitions that it led had a new leader" in capsys.readouterr().out


def test_rebalances_transactions_and_replays_come_to_an_end(groups: Any) -> None:
    found = [groups.rebalances(3, "range"), groups.transactions(1), groups.replay(groups.commits(10))]

    assert all(rate > 0 for rate in found)


def test_a_start_and_many_connections_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    found = import_module("bench_serve")
    fewer_of = {"IDLE": 20, "BUSY": 5, "SECONDS": 1.0, "WARM_S": 0.1, "SETTLE_S": 0.1, "ROUNDS": 2}
    for name, fewer in fewer_of.items():
        monkeypatch.setattr(found, name, fewer)

    found.connections()

    assert 0 < found.first_record_s(1)
    told = capsys.readouterr().out
    assert all(f"5 busy connections {who}" in told for who in ("alone, once more", "beside idle ones", "beside a slow"))
    assert "one of 20 idle connections takes" in told


def test_each_round_is_held_against_what_was_met_alone_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    found = import_module("bench_serve")
    alone, again, slow = found.ALONE, found.AGAIN, found.SLOW_ONE
    met = [{alone: [ms] * 9, again: [ms] * 9, slow: [factor * ms] * 9} for ms, factor in ((10, 3), (400, 1), (20, 2))]

    assert [1, 2, 3] == found.compared(met, slow)
    assert [1, 1, 1] == found.compared(met, again)
