"""The program of docs/beyond-one-machine.md, as it stands there; `make oracle` runs it against Apache Kafka, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from kafkalite.net.serve import serve
from tests.oracle.moved import TOLD, trucks

from .test_serve import plan_on_free_ports


@pytest.mark.slow
def test_the_program_that_can_be_moved_runs_here(tmp_path: Path) -> None:
    with serve(tmp_path / "data", **plan_on_free_ports(brokers=1, zookeepers=1)) as cluster:
        assert TOLD == trucks(cluster.bootstrap)
