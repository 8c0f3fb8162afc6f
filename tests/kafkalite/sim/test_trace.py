"""A run can be rewound to any step, forked there, and compared with another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.facts import RecordsAppended
from kafkalite.sim.trace import Trace, first_divergence
from tests.kafkalite.sim.small import cluster


def _run(*, snapshots: bool) -> Trace:
    return Trace(cluster, snapshots=snapshots).run()


_BY_SNAPSHOT, _BY_REPLAY = _run(snapshots=True), _run(snapshots=False)


@given(step=st.integers(0, len(_BY_SNAPSHOT.steps)))
@settings(max_examples=30, deadline=None)
def test_going_on_from_any_step_repeats_the_run(step: int) -> None:
    """By snapshot, and by replay where a part cannot be copied."""
    for trace in (_BY_SNAPSHOT, _BY_REPLAY):
        sim = trace.at(step)
        assert step == len(sim.steps)
        sim.run()
        assert trace.steps == sim.steps


def test_a_fork_does_not_touch_the_run_it_came_from() -> None:
    before = _BY_SNAPSHOT.digest()
    fork = _BY_SNAPSHOT.at(20)
    vars(fork.nodes["writer"])["plan"] = tuple(vars(fork.nodes["writer"])["plan"][:9])
    fork.run()

    assert before == _BY_SNAPSHOT.digest()
    assert fork.steps != _BY_SNAPSHOT.steps


def test_a_step_outside_the_run_is_named() -> None:
    with pytest.raises(IndexError, match="there is no step 9999"):
        _BY_SNAPSHOT.at(9999)


def test_a_run_can_stop_at_what_one_waits_for_and_go_on() -> None:
    trace = Trace(cluster)
    trace.run(until=lambda sim: sim.now_ms > 40)
    half = len(trace.steps)
    trace.run()

    assert 0 < half < len(trace.steps)
    assert _BY_REPLAY.steps == trace.steps


def test_facts_say_who_announced_what_and_when() -> None:
    appended = [at for at in _BY_SNAPSHOT.facts() if isinstance(at.fact, RecordsAppended)]

    assert ["broker"] * len(appended) == [at.node for at in appended]
    assert list(range(len(appended))) == [at.fact.base_offset for at in appended]


def test_two_runs_part_ways_at_the_first_step_that_differs() -> None:
    one = cluster(faults=())
    other = cluster(faults=(), batches=11)
    one.run()
    other.run()
    at = first_divergence(one.steps, other.steps)

    assert at is not None
    assert one.steps[:at] == other.steps[:at]
    assert one.steps[at] != other.steps[at]
    assert first_divergence(one.steps, one.steps) is None
    assert len(one.steps) - 1 == first_divergence(one.steps, one.steps[:-1])
