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
    for name, fewer in (("IDLE", 20), ("BUSY", 5), ("SECONDS", 1.0), ("WARM_S", 0.1)):
        monkeypatch.setattr(found, name, fewer)

    found.connections()

    assert 0 < found.first_record_s(1)
    told = capsys.readouterr().out
    assert "5 busy connections beside 20 idle ones" in told
    assert "an idle connection takes" in told
