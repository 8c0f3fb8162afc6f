"""Our brokers run unchanged on Apache ZooKeeper: Debian's package, where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafkalite.net.ports import free_ports
from tests.oracle.apache import NoJudge, apache_zookeeper, debian_zookeeper
from tests.oracle.on_zookeeper import all_is_well, survived, three_on

BROKERS = ("broker-101", "broker-102", "broker-103")


@pytest.mark.slow
def test_brokers_on_debians_zookeeper_are_killed_under_load_and_lose_nothing(tmp_path: Path) -> None:
    try:
        jars = debian_zookeeper()
    except NoJudge as reason:
        pytest.skip(str(reason))
    [port] = free_ports(1)

    with (
        apache_zookeeper(jars, tmp_path / "zookeeper", port) as address,
        three_on(tmp_path / "brokers", address) as cluster,
    ):
        assert BROKERS == tuple(cluster.processes), "none is a ZooKeeper server of ours"
        assert all_is_well(BROKERS) == survived(cluster)
