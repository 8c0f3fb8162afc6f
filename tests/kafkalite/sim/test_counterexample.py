"""A real run that goes wrong is told with the fewest faults that make it go wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kafkalite.__main__ import main
from kafkalite.errors import SimulationStuck
from kafkalite.reference import REFERENCE
from kafkalite.sim import soak
from kafkalite.sim.counterexample import RAISED, STUCK, Watcher, counterexample
from kafkalite.sim.planted import BUGS
from kafkalite.sim.schedule import Profile
from kafkalite.sim.soak import SeedResult, Summary
from kafkalite.sim.workload import Plan, draw_plan, with_schedule
from kafkalite.types import ReplicaProgress

_SEED = 7  # without faults, nothing goes wrong in it, though replicas move


def _plan(seed: int) -> Plan:
    plan = draw_plan(seed, Profile.KILLS, deliveries_min=0)
    early = tuple((at_ms, fault) for at_ms, fault in plan.schedule if at_ms < 9000)
    return replace(plan, busy_ms=6000, shutdowns=(), through_codec=False, schedule=early)


def _at_once(progress: ReplicaProgress, *_: int) -> bool:
    return progress.end_offset >= -1


def test_of_many_faults_the_few_are_found_without_any_of_which_nothing_goes_wrong() -> None:
    """Who is let into the ISR at once is let in too early when it has been away."""
    parts = replace(REFERENCE, may_join=_at_once)
    plan = _plan(_SEED)

    found = counterexample(plan, parts, name="joined-early")

    assert found.is_minimal
    assert 0 < len(found.faults) < len(plan.schedule)
    for index in range(len(found.faults)):
        fewer = with_schedule(plan, found.faults[:index] + found.faults[index + 1 :])
        with pytest.raises(ValueError, match="shows no joined-early"):
            counterexample(fewer, parts, name="joined-early")
    told = found.explain()
    assert f"seed {_SEED}, {len(found.faults)} faults" in told
    assert "IsrExpandProposed(" in told


def test_a_run_in_which_nothing_goes_wrong_has_no_counterexample() -> None:
    with pytest.raises(ValueError, match="shows no violation"):
        counterexample(with_schedule(_plan(_SEED), ()))


def test_a_node_that_raises_is_a_violation_too() -> None:
    def run() -> None:
        raise AssertionError("no")

    assert [(RAISED, "AssertionError: no")] == [(one.name, one.sentence) for one in Watcher(None).watch(run)]


def test_a_run_without_an_end_is_one_too() -> None:
    """Nothing is left to happen, or the time that was given is over, before what was waited for."""

    def run() -> None:
        raise SimulationStuck("it has not come")

    assert [STUCK] == [one.name for one in Watcher(None).watch(run)]


def test_a_soak_explains_the_first_run_that_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Processes of a soak do not see what is planted here, so its result is made up; the explanation is not."""
    [bug] = [one for one in BUGS if one.name == "position-is-the-last-read"]
    summary = Summary()
    summary.add(SeedResult(_SEED, "kills", 1, 1.0, ("something",), Counter()))
    monkeypatch.setattr(soak, "soak", lambda *_, **__: summary)

    with bug.planted():
        code = main(["soak", "--seeds", "1", "--deliveries", "0", "--explain"])

    assert 1 == code
    told = capsys.readouterr().out
    assert f"seeds with a problem: {_SEED}" in told
    assert "int-nonmonotonic-poll: " in told
    assert f"seed {_SEED}, 0 faults (it takes none to go wrong" in told
