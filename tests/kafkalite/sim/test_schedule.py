"""Schedules of faults: what is broken is mended, and a profile holds what it promises."""

from __future__ import annotations

from random import Random

import pytest

from kafkalite.sim.faults import Kill, LoseDisk, PowerLoss, Restart, SlowLink
from kafkalite.sim.schedule import Ground, Profile, draw_schedule

GROUND = Ground(("b1", "b2", "b3"), ("z1", "z2", "z3"), ("p1", "c1"), 1000, 60_000)
PROFILES = [profile for profile in Profile if profile is not Profile.CALM]


@pytest.mark.parametrize("profile", PROFILES)
def test_whatever_dies_is_restarted_and_whatever_lasts_ends_before_the_schedule_does(profile: Profile) -> None:
    for seed in range(50):
        down: set[str] = set()
        slow: set[tuple[str, str]] = set()
        for at_ms, fault in draw_schedule(Random(seed), GROUND, profile):
            assert GROUND.from_ms <= at_ms + getattr(fault, "for_ms", 0) <= GROUND.to_ms
            if isinstance(fault, Kill | PowerLoss | LoseDisk):
                down.add(fault.node)
            elif isinstance(fault, Restart):
                down.discard(fault.node)
            elif isinstance(fault, SlowLink) and fault.factor > 1:
                slow.add((fault.source, fault.to))
            elif isinstance(fault, SlowLink):
                slow.discard((fault.source, fault.to))
        assert (set(), set()) == (down, slow)


def test_calm_has_no_faults_and_kills_leaves_the_power_of_brokers_on() -> None:
    assert () == draw_schedule(Random(1), GROUND, Profile.CALM)
    for seed in range(50):
        for _, fault in draw_schedule(Random(seed), GROUND, Profile.KILLS):
            assert not isinstance(fault, LoseDisk)
            assert not (isinstance(fault, PowerLoss) and fault.node in GROUND.brokers)


def test_power_fails_at_one_broker_at_a_time_and_nothing_else_happens_until_it_has_recovered() -> None:
    seen = 0
    for seed in range(50):
        schedule = draw_schedule(Random(seed), GROUND, Profile.POWER)
        for at_ms, fault in schedule:
            if isinstance(fault, PowerLoss | LoseDisk) and fault.node in GROUND.brokers:
                seen += 1
                quiet_until_ms = at_ms + GROUND.longest_ms + GROUND.recovery_ms
                meanwhile = [other for other_ms, other in schedule if at_ms < other_ms < quiet_until_ms]
                begun = [other for other in meanwhile if not isinstance(other, Restart)]
                assert [] == [other for other in begun if isinstance(other, PowerLoss | LoseDisk)]
    assert seen > 50
