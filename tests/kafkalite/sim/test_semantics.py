"""Delivery semantics are kept wherever the program dies: it is killed before each of its messages in turn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kafkalite.__main__ import main
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import KillAfter
from kafkalite.sim.semantics import CASES, Case, Tally, Trial, crashed, tally

KEPT = Path(__file__).parent / "semantics.txt"


def _runs(tally: Tally) -> tuple[bool, bool]:
    """Did any run lose, did any double?"""
    return tally.runs_that_lost > 0, tally.runs_that_doubled > 0


@pytest.mark.parametrize("restart_after_ms", [0.0, 50.0])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("writes_to", ["topic", "sink"])
def test_at_most_once_never_doubles_and_loses_somewhere(writes_to: str, seed: int, restart_after_ms: float) -> None:
    """O3."""
    assert (True, False) == _runs(tally(Case("at most once", writes_to), seed, restart_after_ms))


@pytest.mark.parametrize("restart_after_ms", [0.0, 50.0])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("writes_to", ["topic", "sink"])
def test_at_least_once_never_loses_and_doubles_somewhere(writes_to: str, seed: int, restart_after_ms: float) -> None:
    """O4."""
    assert (False, True) == _runs(tally(Case("at least once", writes_to), seed, restart_after_ms))


@pytest.mark.parametrize("seed", [1, 2])
def test_at_least_once_into_an_idempotent_sink_neither_loses_nor_doubles(seed: int) -> None:
    """O4, O5."""
    assert (False, False) == _runs(tally(Case("at least once", "idempotent sink"), seed))


@pytest.mark.parametrize("restart_after_ms", [0.0, 50.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_once_neither_loses_nor_doubles_wherever_it_dies(seed: int, restart_after_ms: float) -> None:
    """O5."""
    assert (False, False) == _runs(tally(Case("exactly once", "topic"), seed, restart_after_ms))


def test_exactly_once_holds_with_three_brokers_and_a_new_member_each_time() -> None:
    """O5: the earlier life is a zombie until its session is over."""
    settings: dict[str, Any] = {"group_instance_id": None, "session_timeout_ms": 6000}

    assert (False, False) == _runs(tally(Case("exactly once", "topic"), seed=4, brokers=3, **settings))


def test_exactly_once_does_not_reach_into_the_world_outside() -> None:
    """O5, M35: what is done there is in no transaction."""
    assert (False, True) == _runs(tally(Case("exactly once", "sink")))
    assert (False, False) == _runs(tally(Case("exactly once", "idempotent sink")))


def test_the_command_prints_what_was_lost_and_doubled_in_all_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """O3, O4, O5."""
    assert 0 == main(["semantics"])

    told = capsys.readouterr().out
    if os.environ.get("REWRITE_TELLINGS"):
        KEPT.write_text(told)
    assert KEPT.read_text() == told, "if the change is meant: REWRITE_TELLINGS=1, then read the difference"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_program_that_does_not_die_does_everything_once(case: Case) -> None:
    trial = Trial(case)
    trial.begin()
    trial.cluster.run_until(trial.is_done, "the end")

    assert (0, 0) == (trial.outcome().lost, trial.outcome().doubled)


def test_the_last_run_is_the_one_that_does_not_die() -> None:
    trial = Trial(Case("at least once", "topic"))
    runs = len(tally(trial.case).outcomes)

    assert crashed(trial, runs - 1) is not None
    assert crashed(trial, runs) is None


def test_one_that_is_killed_for_good_loses_what_it_had_not_done() -> None:
    """The count can fail: nobody goes on with the work."""
    trial = Trial(Case("at least once", "topic"))
    trial.begin()
    trial.cluster.run_for(10).kill("program").run_for(1000)

    assert 6 == trial.outcome().lost


def test_two_programs_in_a_group_share_the_work_and_one_takes_over() -> None:
    cluster = Cluster(brokers=1, broker={"offsets_topic_num_partitions": 1, "offsets_topic_replication_factor": 1})
    cluster.topic("source", 2).topic("target", 2)
    for name in ("p1", "p2"):
        cluster.pipeline(name, group_id="work", source="source", target="target", session_timeout_ms=6000)
    cluster.run_until(lambda: all(len(cluster.view.reads.get(name, ())) == 1 for name in ("p1", "p2")), "one each")
    cluster.kill("p1")
    writer = cluster.producer("writer")
    for number in range(10):
        writer.send("source", b"%d" % number, partition=number % 2).result()
    cluster.run_for(20_000)

    found = [value or b"" for partition in range(2) for value in cluster.values("target", partition)]
    assert [b"%d" % number for number in range(10)] == sorted(found)


def test_a_doomed_node_dies_when_it_is_about_to_send_one_message_too_many() -> None:
    cluster = Cluster(brokers=1).topic("orders")
    producer = cluster.producer(linger_ms=0)
    sent = [producer.send("orders", b"%d" % number).result() for number in range(3)]
    cluster.inject(KillAfter("p1", 2))
    sent += [producer.send("orders", b"more").result() for _ in range(2)]
    doomed = producer.send("orders", b"too many")
    cluster.run_for(1000)

    assert [0, 1, 2, 3, 4] == sent
    assert doomed.outcome is None
    assert {"p1"} == set(cluster.sim.down)
    cluster.restart("p1")
    assert 5 == producer.send("orders", b"again").result(), "whoever begins again is not doomed"
