"""What a larger cluster costs, in messages and in virtual time: the controller says much in few words."""

from __future__ import annotations

from collections import Counter

import pytest

from kafkalite.node import Send
from kafkalite.sim.cluster import Cluster

BROKERS = 10


def built(partitions: int) -> Cluster:
    settings = {"zookeeper_session_timeout_ms": 6000}
    return Cluster(BROKERS, 1, seed=1, broker=settings).topic("orders", partitions, 3).run_for(100)


def orders(cluster: Cluster, first_step: int) -> Counter[tuple[str, str]]:
    """How many requests of each kind the controller has sent to each broker since that step."""
    return Counter(
        (type(effect.message).__name__, effect.to)
        for step in cluster.steps[first_step:]
        for effect in step.effects
        if isinstance(effect, Send) and effect.to.endswith("#control") and effect.role == "request"
    )


def lose_a_broker(cluster: Cluster) -> None:
    led = [partition for partition, leader in cluster.view.leaders.items() if leader.broker == "b105"]
    cluster.kill("b105")
    cluster.run_until(lambda: all(cluster.view.leaders[one].broker != "b105" for one in led), "new leaders")
    cluster.run_for(100)


@pytest.mark.parametrize("partitions", [20, 200])
def test_a_new_topic_is_one_leader_and_isr_and_one_update_metadata_to_a_broker(partitions: int) -> None:
    cluster = Cluster(BROKERS, 1, seed=1).start()
    cluster.run_for(100)
    first_step = len(cluster.steps)
    cluster.topic("orders", partitions, 3).run_for(100)

    found = orders(cluster, first_step)

    assert {"LeaderAndIsrRequest", "UpdateMetadataRequest"} == {kind for kind, _ in found}
    assert {1} == set(found.values())


@pytest.mark.parametrize("partitions", [20, 200])
def test_a_broker_that_dies_is_one_request_of_each_kind_to_each_of_the_others(partitions: int) -> None:
    cluster = built(partitions)
    first_step = len(cluster.steps)

    lose_a_broker(cluster)

    found = orders(cluster, first_step)
    others = {f"{broker}#control" for broker in cluster.brokers if broker != "b105"}
    assert others == {to for kind, to in found if kind == "UpdateMetadataRequest"}
    assert {1} == set(found.values())


def test_twice_the_partitions_take_no_more_than_twice_the_deliveries_to_build() -> None:
    few, many = built(100).sim.deliveries, built(200).sim.deliveries

    assert few < many < 2 * few


def test_new_leaders_come_a_session_time_out_after_the_death_whatever_there_is_to_elect() -> None:
    """Elections are written one after another, some 5 ms each; what takes long is to find out."""
    cluster = built(200)
    before_ms = cluster.now_ms

    lose_a_broker(cluster)

    assert 6000 * 2 / 3 < cluster.now_ms - before_ms < 6000 * 1.5
