"""A group of a thousand members, on a cluster: what a rebalance costs, in virtual time and in deliveries."""

from __future__ import annotations

import pytest

from kafkalite.sim.cluster import Cluster
from kafkalite.types import TopicPartition

MEMBERS = 1000
HEARTBEAT_MS = 3000
ROUND_TRIPS_MS = 500  # of a member that looks for its coordinator, joins and syncs, with time to spare


class LargeGroup:
    """A thousand members, a partition for each, and the owners before and after one of them leaves."""

    def __init__(self) -> None:
        cluster = self.cluster = Cluster(brokers=3, seed=1, record=False).topic("orders", MEMBERS, 1)
        self.names = [f"m{number}" for number in range(MEMBERS)]
        strategies = ("cooperative-sticky",)
        for name in self.names:
            cluster.member(name, "readers", "orders", partition_assignment_strategy=strategies)
        self.began_ms, self.began_at = cluster.now_ms, cluster.sim.deliveries
        cluster.run_until(lambda: self._is_stable(1), "a first generation")
        self.stable_ms, self.joining = cluster.now_ms - self.began_ms, cluster.sim.deliveries - self.began_at
        self.first = dict(cluster.view.owners["readers"])
        cluster.run_until(self._all_is_read, "an owner of every partition")

        left_ms = cluster.now_ms
        cluster.member("m7", "readers").close()
        cluster.run_until(lambda: self._is_stable(2), "a second generation")
        self.again_ms = cluster.now_ms - left_ms
        self.second = dict(cluster.view.owners["readers"])

    def _is_stable(self, generation: int) -> bool:
        return self.cluster.view.generations.get("readers", 0) >= generation

    def _all_is_read(self) -> bool:
        return sum(len(self.cluster.view.reads.get(name, ())) for name in self.names) == MEMBERS


@pytest.fixture(scope="module")
def group() -> LargeGroup:
    return LargeGroup()


def test_a_thousand_members_share_a_thousand_partitions_one_each(group: LargeGroup) -> None:
    expected: set[TopicPartition] = {("orders", partition) for partition in range(MEMBERS)}

    assert expected == group.first.keys()
    assert MEMBERS == len(set(group.first.values()))


def test_the_first_rebalance_takes_its_initial_delay_twice_whatever_the_number_of_members(group: LargeGroup) -> None:
    """The coordinator waits 3 s, and 3 s more as members came meanwhile; the rest is a few round trips."""
    assert 3000 <= group.stable_ms < 2 * 3000 + ROUND_TRIPS_MS


def test_a_rebalance_after_one_left_takes_no_longer_than_the_next_heartbeat_of_everybody(group: LargeGroup) -> None:
    assert group.again_ms < HEARTBEAT_MS + ROUND_TRIPS_MS


def test_a_member_costs_a_bounded_number_of_deliveries_until_the_group_is_stable(group: LargeGroup) -> None:
    """Joining is linear: nobody hears of everybody else but the leader of the group."""
    assert group.joining < 25 * MEMBERS


def test_only_the_partition_of_the_one_that_left_moves(group: LargeGroup) -> None:
    moved = [partition for partition, owner in group.first.items() if group.second.get(partition) != owner]

    assert 1 == len(moved)
    assert group.first.keys() == group.second.keys()
