"""Somebody's own parts run in a served cluster; what cannot run there is refused before anything starts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer

from kafkalite.net import own_parts
from kafkalite.net.own_parts import PartsRefused, keep_copy, load
from kafkalite.net.serve import serve
from kafkalite.parts import Parts

from .test_serve import consumed, plan_on_free_ports, produced

WATERMARK = """
def high_watermark(end_offsets, isr, maximal_isr, previous, min_isr):
    return max(previous, min(end_offsets[broker] for broker in maximal_isr))
"""


def module(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


def test_every_part_is_somebodys() -> None:
    """So that a part that is added is given to whoever runs it, or refused by name."""
    everybody = [*own_parts.SERVED, *own_parts.OF_CLIENTS, *own_parts.OF_ONE_BROKER_ALONE]

    assert sorted(field.name for field in fields(Parts)) == sorted(everybody)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "has no part; a part is a name among: high_watermark, "),
        ("def partition_for(key, partitions): return 0", "partition_for is a client's part"),
        ("class log: pass", "log is the part of a broker without a cluster"),
        ("def quorum(): return 1", r"quorum\(\) does not take what a part of that name is given: quorum\(servers"),
        ("high_watermark = 3", "high_watermark is int; expected something that can be called"),
        ("class offsets:\n    def commit(self): ...", "offsets has no method forget"),
        ("def high_watermark(:", r"mine.py, line 1: invalid syntax"),
        ("raise ValueError('no')", "could not be imported: ValueError: no"),
    ],
)
def test_what_cannot_be_plugged_in_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PartsRefused, match=said):
        keep_copy(module(tmp_path, text), tmp_path / "data")

    assert not (tmp_path / "data").exists()


def test_a_module_that_is_not_there_is_said_on_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kafkalite", "serve", "--parts", str(tmp_path / "none.py")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (1, f"{tmp_path / 'none.py'} cannot be read: No such file or directory\n") == (done.returncode, done.stderr)


def test_the_copy_is_what_runs(tmp_path: Path) -> None:
    mine = module(tmp_path, WATERMARK)
    copy = keep_copy(mine, tmp_path / "data")
    mine.write_text("def high_watermark(*anything): raise RuntimeError")

    assert 4 == load(copy).high_watermark({1: 7, 2: 4}, frozenset({1}), frozenset({1, 2}), 0, 1)


def test_a_broker_made_of_somebodys_own_parts_serves_a_real_client(tmp_path: Path) -> None:
    values = [b"v%d" % number for number in range(50)]
    text = WATERMARK + "    open(__file__ + '.ran', 'a')\n"
    text = WATERMARK.replace("    return", "    open(__file__ + '.ran', 'a').close()\n    return")

    with serve(tmp_path / "data", parts=str(module(tmp_path, text)), **plan_on_free_ports()) as cluster:
        assert list(range(50)) == produced(cluster, values)
        assert values == consumed(cluster, 50)

    [copy] = (tmp_path / "data").glob("parts-*.py")
    assert copy.with_name(copy.name + ".ran").exists()


def test_a_part_that_raises_is_an_error_to_the_client_and_a_line_in_the_log_and_the_broker_goes_on(
    tmp_path: Path,
) -> None:
    text = "def enough_replicas(isr_size, min_isr, acks):\n    return 1 // (acks == 1)\n"
    errors: list[KafkaError | None] = []

    with serve(tmp_path / "data", parts=str(module(tmp_path, text)), **plan_on_free_ports()) as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "retries": 0})
        producer.produce("orders", b"value", on_delivery=lambda error, _: errors.append(error))
        assert 0 == producer.flush(120)
        one = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "1"})
        one.produce("orders", b"value", on_delivery=lambda error, _: errors.append(error))
        assert 0 == one.flush(120)
        assert {} == cluster.died()

    [refused, written] = errors
    assert (KafkaError.UNKNOWN, None) == (refused and refused.code(), written)
    said = (tmp_path / "data" / "broker-101.log").read_text()
    assert "the part enough_replicas raised" in said
    assert "ZeroDivisionError" in said
