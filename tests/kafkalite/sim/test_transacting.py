"""Transactions in long runs: under every profile of faults, to the end, and judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafkalite.sim.schedule import Profile
from kafkalite.sim.workload import draw_plan, play

# Where power fails anywhere at any time, these seeds have once found something.
SEEDS = {
    25: "a follower goes back over an epoch of which compaction has left nothing",
    33: "coordinators and a partition lose what was settled: transactions hang until an operator ends them",
    43: "bookmarks are lost, and programs make again what they had made",
    63: "programs wait for a machine that is dark, and are fenced meanwhile",
    98: "a leader loses with its disk what compaction had left of its log",
    125: "a leader loses with its disk a log of which it never had the beginning",
    131: "a replica catches up while a new controller goes on with its move",
    158: "a leader dies with a marker that nobody had copied",
    185: "a coordinator dies with a commit of which nobody was told, by a member that was put back",
    335: "the last member of a group learns late that another had taken its place, and died",
    348: "the last commit of all is known to a coordinator that was never told to say so",
    191: "a reader hands over what it had fetched before a disk lost how it was decided",
}


@pytest.mark.parametrize("profile", [one for one in Profile if one is not Profile.CALM])
def test_some_runs_of_every_profile_have_transactions(profile: Profile) -> None:
    drawn = [draw_plan(seed, profile).has_transactions for seed in range(1, 41)]

    assert 5 < sum(drawn) < 35


@pytest.mark.parametrize("seed", SEEDS)
def test_where_disks_lose_what_was_settled_the_rest_is_kept_and_comes_to_its_end(seed: int) -> None:
    plan = replace(draw_plan(seed, Profile.STORM, deliveries_min=0), has_transactions=True)

    assert [] == play(plan).violations, SEEDS[seed]


def test_a_record_may_be_taken_for_one_of_an_epoch_that_its_coordinator_forgot() -> None:
    """The epoch is given again, and begins with the same sequence."""
    plan = draw_plan(104)
    result = play(plan)

    assert plan.has_transactions
    assert result.checker.ledger.mistakable
    assert [] == result.violations
