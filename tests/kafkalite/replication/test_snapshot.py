"""Brokers are values: copied in mid-run, both go on, and to the same end."""

from __future__ import annotations

from copy import deepcopy

from kafkalite.sim.faults import Freeze, Kill

from .rig import Rig


def test_a_copy_of_a_running_cluster_goes_on_as_the_original_does() -> None:
    """With requests parked, a follower behind, and a change of the ISR under way."""
    rig = Rig(3, replica_lag_time_max_ms=400, log_flush_interval_messages=2)
    rig.elect(1)
    rig.run(20)
    rig.sim.inject(Freeze("b3", 800))
    for n in range(20):
        rig.produce(f"v{n}", timeout_ms=5000)
        rig.fetch(n, max_wait_ms=2000, min_bytes=1)
        rig.run(29)
    twin = deepcopy(rig)
    for one in (rig, twin):
        one.run(300)
        one.sim.inject(Kill("b1"))
        one.elect(2, isr=(2,))
        one.run(1500)

    assert rig.facts == twin.facts
    assert rig.values(2) == twin.values(2) == [f"v{n}" for n in range(20)]
    assert rig.broker(2) is not twin.broker(2)
    assert rig.partition(2).node is rig.broker(2)
    assert twin.partition(2).node is twin.broker(2)
