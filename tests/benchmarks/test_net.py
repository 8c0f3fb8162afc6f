"""The benchmark of a served broker does what it says it measures; how fast, only `make bench` tells."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    found = import_module("bench_net")
    for name, less in (("SIZES", (100,)), ("TOPICS", 1), ("KEPT_BYTES", 10_000), ("WAITED_FOR", 20)):
        monkeypatch.setattr(found, name, less)
    return found


def test_a_round_writes_and_reads_everywhere_and_tells_of_each_server(
    net: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as running:
        ours, mock = running.enter_context(net.kafkalite(1)), running.enter_context(net.mock())
        bare = running.enter_context(net.bare_sockets.bare())
        bench = net.Bench([ours, mock], bare, produced_mb=1)
        bench.prepare()
        bench.round()
        bench.close()
        used_s = ours.cpu_s()

    bench.tell()

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert 3 == sum(line[:3] == ["kafkalite,", "RF", "1"] for line in lines)  # produce, consume, latency
    assert used_s > 0
