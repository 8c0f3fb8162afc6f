"""Brokers, controllers and ZooKeeper servers come and go; what was acknowledged stays."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import (
    BrokerFenced,
    BrokerRegistered,
    BrokerStopped,
    ControllerElected,
    LeaderElected,
    LogDirectoryFailed,
    LogLoaded,
)
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import FillDisk, Freeze, PowerLoss
from kafkalite.sim.trace import facts_of

from .reading import answer_of, facts, isr_of, leader_of, values_of

ALL = (101, 102, 103)


def three(seed: int, zookeepers: int = 1) -> Cluster:
    return Cluster(brokers=3, zookeepers=zookeepers, seed=seed).topic("orders", replicas=3, min_insync_replicas=2)


@pytest.mark.parametrize("name", ["b101", "b102", "b103"])
def test_a_broker_that_is_killed_and_restarted_catches_up_and_is_in_sync_again(name: str) -> None:
    """R1, R3."""
    cluster = three(seed=21)
    producer = cluster.producer()
    producer.send("orders", b"before").result()

    cluster.kill(name)
    producer.send("orders", b"while it is dead").result()
    cluster.restart(name)
    producer.send("orders", b"after").result()
    cluster.run_until(lambda: isr_of(cluster, "orders") == ALL, "an ISR of all three")

    assert [b"before", b"while it is dead", b"after"] == values_of(cluster, "orders", 0, 3)
    assert 3 == cluster.view.log_ends[name, "orders", 0]


@pytest.mark.parametrize("name", ["b101", "b102", "b103"])
def test_a_new_life_of_a_broker_waits_for_the_old_session_and_has_a_greater_epoch(name: str) -> None:
    """Z1."""
    cluster = three(seed=22)
    died_ms = cluster.now_ms

    cluster.kill(name).restart(name)
    cluster.run_until(lambda: len(facts(cluster, BrokerRegistered, name)) == 2, "its second registration")

    first, second = facts(cluster, BrokerRegistered, name)
    assert second.broker_epoch > first.broker_epoch
    assert cluster.now_ms - died_ms > 10_000, "the session's time-out, less what had passed of it"


def test_when_every_broker_restarts_one_after_the_other_nothing_that_was_acknowledged_is_lost() -> None:
    """R6."""
    cluster = three(seed=23)
    producer = cluster.producer()
    values = []
    for round_, name in enumerate(cluster.brokers):
        cluster.kill(name)
        values.append(b"without %d" % round_)
        producer.send("orders", values[-1]).result()
        cluster.restart(name)
        cluster.run_until(lambda: isr_of(cluster, "orders") == ALL, "an ISR of all three")

    assert values == values_of(cluster, "orders", 0, 3)


def test_all_brokers_may_lose_power_at_once_and_come_back() -> None:
    """What was not synced may be gone on all of them, acknowledged or not; the partition goes on all the same."""
    cluster = three(seed=24)
    cluster.producer().send("orders", b"v").result()

    for name in cluster.brokers:
        cluster.inject(PowerLoss(name))
    cluster.run_for(1000)
    for name in cluster.brokers:
        cluster.restart(name)
    offset = cluster.producer("p2").send("orders", b"w").result()

    assert [b"w"] == [one.value for one in cluster.consumer().assign(("orders", 0, offset)).poll(1)]


def test_another_broker_becomes_controller_and_elects_leaders() -> None:
    """Z1, Z2, R4."""
    cluster = three(seed=25)
    old = cluster.view.controller
    assert old is not None

    cluster.kill(old)
    cluster.run_until(lambda: len(facts(cluster, ControllerElected)) == 2, "the next controller")
    cluster.run_for(1000)

    first, second = facts(cluster, ControllerElected)
    assert first.controller_epoch + 1 == second.controller_epoch
    assert old != cluster.view.controller
    cluster.admin().create_topic("later", 2, 2)
    cluster.run_until(lambda: cluster.view.leads(("later", 1)), "leaders of later")
    assert 0 == cluster.producer().send("orders", b"v").result()


def test_a_broker_whose_session_expires_is_taken_for_dead_and_comes_back_as_a_new_life() -> None:
    """Z1: it froze for longer than its session's time-out."""
    cluster = three(seed=26)
    frozen = leader_of(cluster, "orders")

    cluster.inject(Freeze(frozen, 40_000))
    cluster.producer().send("orders", b"by another leader").result()
    assert frozen != leader_of(cluster, "orders")
    cluster.run_until(lambda: isr_of(cluster, "orders") == ALL, "an ISR of all three")

    assert [BrokerFenced(int(frozen[1:]))] == facts(cluster, BrokerFenced)
    first, second = facts(cluster, BrokerRegistered, frozen)
    assert second.broker_epoch > first.broker_epoch


@pytest.mark.parametrize("index", [0, 1, 2])
def test_one_of_three_zookeeper_servers_may_die(index: int) -> None:
    """Z5, Z8."""
    cluster = three(seed=27, zookeepers=3)

    cluster.kill(cluster.zookeepers[index]).run_for(20_000)
    cluster.topic("later", partitions=3, replicas=3)

    assert [] == facts(cluster, BrokerFenced)
    assert 0 == cluster.producer().send("later", b"v", partition=0).result()


@pytest.mark.parametrize("name", ["b101", "b102", "b103"])
def test_a_broker_that_stops_in_order_hands_its_leaderships_over_first_and_loses_nothing(name: str) -> None:
    """R4; one of the three is the controller, and moves its own."""
    cluster = Cluster(brokers=3, zookeepers=1, seed=28)
    cluster.topic("orders", partitions=3, replicas=3, min_insync_replicas=2)
    producer = cluster.producer()
    values = [b"%02d" % number for number in range(60)]

    pending = [producer.send("orders", value, partition=at % 3) for at, value in enumerate(values[:30])]
    cluster.shut_down(name)
    pending += [producer.send("orders", value, partition=at % 3) for at, value in enumerate(values[30:])]
    offsets = [one.result() for one in pending]
    cluster.run_until(lambda: facts(cluster, BrokerStopped) != [], "the end of the broker")

    assert [number // 3 for number in range(60)] == offsets
    for partition in range(3):
        assert values[partition::3] == values_of(cluster, "orders", partition, 20, reader=f"reader{partition}")
    moved = [one for one in facts(cluster, LeaderElected) if one.reason == "shutdown"]
    assert [False] == [one.is_unclean for one in moved]
    assert all(int(name[1:]) not in one.isr for one in moved)


def test_a_partition_without_another_replica_is_offline_while_its_broker_is_stopped() -> None:
    cluster = Cluster(brokers=2, zookeepers=1, seed=30).topic("orders", assignment=((101,),))
    producer = cluster.producer()
    producer.send("orders", b"v").result()

    cluster.shut_down("b101")
    cluster.run_until(lambda: facts(cluster, BrokerStopped) != [], "the end of the broker")
    cluster.run_for(1000)
    answer = answer_of(cluster, "b102", MetadataRequest((MetadataRequestTopic("orders"),)))
    cluster.kill("b101").restart("b101")

    assert ErrorCode.LEADER_NOT_AVAILABLE == answer.topics[0].partitions[0].error_code
    assert (101,) == answer.topics[0].partitions[0].offline_replicas
    assert 1 == producer.send("orders", b"w").result()


def test_a_broker_that_stopped_in_order_begins_again_at_once_and_opens_its_logs_as_they_are() -> None:
    cluster = three(seed=29)
    cluster.producer().send("orders", b"v").result()
    leader = leader_of(cluster, "orders")

    cluster.shut_down(leader)
    cluster.run_until(lambda: facts(cluster, BrokerStopped) != [], "the end of the broker")
    stopped_ms = cluster.now_ms
    cluster.kill(leader).restart(leader)
    cluster.run_until(lambda: len(facts(cluster, BrokerRegistered, leader)) == 2, "its second registration")

    assert cluster.now_ms - stopped_ms < 1000, "its session was closed, and nobody waited for a time-out"
    assert LogLoaded("orders", 0, 0, 1, was_clean=True) == facts(cluster, LogLoaded, leader)[-1]


def test_a_broker_whose_disk_fails_leaves_the_cluster_at_once_and_is_back_when_it_is_restarted() -> None:
    """R4."""
    cluster = three(seed=31)
    producer = cluster.producer()
    leader = leader_of(cluster, "orders")
    assert 0 == producer.send("orders", b"before").result()

    cluster.inject(FillDisk(leader, 0, 3000))
    assert 1 == producer.send("orders", b"by the next leader").result()
    failed_ms = next(at.now_ms for at in facts_of(cluster.steps) if type(at.fact) is LogDirectoryFailed)
    assert cluster.now_ms - failed_ms < 2000, "nobody waited for a session's time-out"
    assert leader != leader_of(cluster, "orders")
    fetch = FetchRequest(topics=(FetchTopic("orders", (FetchPartition(0, fetch_offset=0),)),))
    refused = answer_of(cluster, leader, fetch)
    cluster.run_for(5000)
    cluster.kill(leader).restart(leader)
    cluster.run_until(lambda: isr_of(cluster, "orders") == ALL, "an ISR of all three")

    assert ErrorCode.KAFKA_STORAGE_ERROR == refused.responses[0].partitions[0].error_code
    assert [b"before", b"by the next leader"] == values_of(cluster, "orders", 0, 2)


def test_a_broker_whose_disk_has_failed_may_be_stopped_in_order() -> None:
    cluster = three(seed=32)
    leader = leader_of(cluster, "orders")
    cluster.inject(FillDisk(leader, 0, 3000))
    cluster.producer().send("orders", b"v").result()

    cluster.shut_down(leader)
    cluster.run_until(lambda: facts(cluster, BrokerStopped) != [], "the end of the broker", 1000)

    assert [BrokerStopped(int(leader[1:]))] == facts(cluster, BrokerStopped)
