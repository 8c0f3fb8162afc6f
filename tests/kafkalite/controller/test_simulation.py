"""The controller among real brokers and ZooKeeper servers, while they die and come back: in the end all agree."""

from __future__ import annotations

from random import Random

import pytest

from kafkalite.broker.broker import Broker
from kafkalite.controller import znodes
from kafkalite.controller.znodes import LeaderAndIsr
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.facts import (
    ControllerElected,
    ControllerRequestRefused,
    ControllerResigned,
    LeaderElected,
    LogDeleted,
    TopicCreated,
    TopicDeleted,
)
from kafkalite.sim.checkers import Checker, Expectations
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed
from kafkalite.sim.faults import BreakConnection, SlowLink

SHORT = {"zookeeper_session_timeout_ms": 1500, "controller_socket_timeout_ms": 1000, "replica_lag_time_max_ms": 1000}
ZOOKEEPER = {"tick_ms": 100, "min_session_timeout_ms": 200}


def cluster_of(brokers: int, seed: int, zookeepers: int = 1, **more: int) -> tuple[Cluster, Checker]:
    settings = {**SHORT, **more}
    cluster = Cluster(brokers=brokers, zookeepers=zookeepers, seed=seed, broker=settings, zookeeper=ZOOKEEPER)
    checker = Checker(Expectations(replica_lag_time_max_ms=SHORT["replica_lag_time_max_ms"]))
    cluster.sim.observers.append(checker.observe)
    return cluster.start(), checker


def states(cluster: Cluster) -> dict[tuple[str, int], LeaderAndIsr]:
    """Every partition's state, as ZooKeeper's leader has it."""
    server = cluster.sim.nodes[cluster.view.zookeeper_leader or ""]
    assert isinstance(server, ZooKeeperServer)
    tree = server.history.tree
    found = {}
    for path, znode in tree.znodes.items():
        if path.endswith("/state"):
            _, _, _, topic, _, partition, _ = path.split("/")
            found[topic, int(partition)] = znodes.decode_partition_state(path, znode.data, znode.stat)
    return found


def beliefs(cluster: Cluster, broker: str) -> dict[tuple[str, int], tuple[int, int]]:
    """The leader and leader epoch of every partition, as a broker tells clients."""
    node = cluster.sim.nodes[broker]
    assert isinstance(node, Broker)
    return {
        (topic, partition): (state.leader, state.leader_epoch)
        for topic, partitions in node.metadata.view.topics.items()
        for partition, state in partitions.items()
    }


def assert_all_agree(cluster: Cluster) -> None:
    """ZooKeeper, every broker's answers to clients, and who leads: one view, and a live leader for each partition."""
    true = states(cluster)
    live = {int(name[1:]) for name in cluster.brokers if name not in cluster.sim.down}
    for partition, state in true.items():
        assert state.leader in live, f"{partition}: {state}"
        assert state.leader in state.isr
        assert f"b{state.leader}" == cluster.leader(*partition)
    for name in cluster.brokers:
        if name not in cluster.sim.down:
            expected = {partition: (state.leader, state.leader_epoch) for partition, state in true.items()}
            assert expected == beliefs(cluster, name), name


@pytest.mark.parametrize("seed", range(1, 21))
def test_however_brokers_and_controllers_die_and_return_in_the_end_all_agree(seed: int) -> None:
    """R4, Z1, Z2, Z3."""
    cluster, checker = cluster_of(4, seed, zookeepers=3)
    random = Random(seed)
    admin = cluster.admin()
    for name in ("one", "two"):
        cluster.topic(name, partitions=3, replicas=3)

    for turn in range(12):
        disturb = _disturb_broker if random.random() < 0.6 else _disturb_zookeeper
        disturb(cluster, random)
        _operate(cluster, random, turn)
        cluster.run_for(random.choice([5, 20, 50, 500, 3000]) * random.random())
    for name in (*cluster.brokers, *cluster.zookeepers):
        cluster.restart(name)
    cluster.run_for(60_000)
    assert admin.create_topic("last", 4, 3)
    cluster.run_for(2000)

    assert [] == [str(violation) for violation in checker.violations]
    assert_all_agree(cluster)
    assert ("two", 0) not in states(cluster) or not cluster.facts(TopicDeleted, topic="two")


def _disturb_broker(cluster: Cluster, random: Random) -> None:
    victim = random.choice([*cluster.brokers, cluster.view.controller or "b101"])
    if random.random() < 0.3:
        cluster.freeze(victim, random.uniform(500, 4000))
    elif victim in cluster.sim.down:
        cluster.restart(victim)
    else:
        cluster.kill(victim)
        if random.random() < 0.5:
            cluster.restart(victim)


def _disturb_zookeeper(cluster: Cluster, random: Random) -> None:
    client = cluster.view.controller or random.choice(cluster.brokers)
    happening = random.random()
    if happening < 0.3:
        cluster.cut(client, random.choice(cluster.zookeepers), random.uniform(500, 4000))
    elif happening < 0.7:  # while it writes: nobody tells it whether that was done
        for server in cluster.zookeepers:
            cluster.inject(BreakConnection(client, server))
    elif cluster.sim.down.keys() & {*cluster.zookeepers}:
        for server in cluster.zookeepers:
            cluster.restart(server)
    else:
        cluster.kill(random.choice(cluster.zookeepers))


def _operate(cluster: Cluster, random: Random, turn: int) -> None:
    if random.random() < 0.4:
        cluster.call("admin", "create_topic", cluster.next_number("admin"), f"new-{turn}", 2, 2, ())
    if random.random() < 0.2:
        cluster.call("admin", "delete_topic", cluster.next_number("admin"), "two")
    if random.random() < 0.3:
        cluster.call("admin", "create_partitions", cluster.next_number("admin"), "one", 3 + turn)


def test_a_controller_that_froze_is_refused_by_the_brokers_and_by_zookeeper_and_resigns() -> None:
    """M44, Z1: the zombie. It wakes up, believes itself in office, and acts on what it believes."""
    cluster, checker = cluster_of(3, seed=41)
    cluster.topic("orders", partitions=3, replicas=3)
    zombie = cluster.view.controller or ""
    others = [name for name in cluster.brokers if name != zombie]

    cluster.freeze(zombie, 6000).run_for(20)
    cluster.kill(others[0]).run_for(100)
    cluster.restart(others[0]).run_for(30_000)

    first, second = cluster.facts(ControllerElected)
    assert (int(zombie[1:]), 1, 2) == (first.broker, first.controller_epoch, second.controller_epoch)
    assert [ControllerResigned(int(zombie[1:]), 1)] == cluster.facts(ControllerResigned, zombie)
    assert [] == [str(violation) for violation in checker.violations]
    assert_all_agree(cluster)


def test_orders_of_an_old_controller_that_were_long_on_their_way_are_refused() -> None:
    """M44: by the epoch in them. The broker heard its successor first."""
    cluster, checker = cluster_of(3, seed=43, controller_socket_timeout_ms=30_000)
    old = cluster.view.controller or ""
    slow = next(name for name in cluster.brokers if name != old)

    cluster.run_for(100).inject(SlowLink(old, slow, 3000.0)).admin()
    cluster.call("admin", "create_topic", cluster.next_number("admin"), "orders", 3, 3, ())
    cluster.run_for(300)
    cluster.cut(old, cluster.zookeepers[0], 4000.0)
    cluster.run_for(30_000)

    assert 2 == len(cluster.facts(ControllerElected))
    refused = cluster.facts(ControllerRequestRefused, slow)
    assert refused
    assert {"STALE_CONTROLLER_EPOCH"} == {fact.error for fact in refused}
    assert [] == [str(violation) for violation in checker.violations]
    assert_all_agree(cluster)


def test_a_topic_that_is_deleted_while_a_replica_is_dead_goes_when_it_is_back_and_may_come_again() -> None:
    cluster, _ = cluster_of(3, seed=44)
    cluster.topic("orders", partitions=2, replicas=3)
    cluster.producer().send("orders", b"old", partition=0).result()
    dead = cluster.followers("orders", 0)[0]

    cluster.kill(dead).run_for(5000)
    cluster.admin().delete_topic("orders")
    cluster.run_for(5000)
    assert [] == cluster.facts(TopicDeleted)
    with pytest.raises(RequestFailed, match="TOPIC_ALREADY_EXISTS"):
        cluster.admin().create_topic("orders", 2, 3)
    cluster.restart(dead)
    cluster.run_until(lambda: cluster.facts(TopicDeleted) != [], "the end of the topic")

    assert {(name, partition) for name in cluster.brokers for partition in (0, 1)} == {
        (name, fact.partition) for name in cluster.brokers for fact in cluster.facts(LogDeleted, name)
    }
    cluster.topic("orders", partitions=2, replicas=3)
    assert 0 == cluster.producer().send("orders", b"new", partition=0).result()
    assert [b"new"] == [one.value for one in cluster.read("orders")]
    assert_all_agree(cluster)


def test_partitions_that_are_added_while_the_controller_dies_come_all_the_same() -> None:
    """T8, Z3."""
    cluster, checker = cluster_of(3, seed=45)
    cluster.topic("orders", partitions=2, replicas=2)
    old = cluster.view.controller or ""

    cluster.call("admin", "create_partitions", cluster.next_number("admin"), "orders", 6)
    cluster.run_for(12)
    cluster.kill(old).run_for(300)
    cluster.restart(old).run_for(20_000)

    assert 6 == len(states(cluster))
    assert_all_agree(cluster)
    assert [] == [str(violation) for violation in checker.violations]


def test_replicas_are_spread_over_racks_and_a_rack_may_burn() -> None:
    """B3, R4, KIP-36."""
    cluster = Cluster(brokers=6, zookeepers=1, seed=46, racks=("a", "b", "c"), broker=SHORT, zookeeper=ZOOKEEPER)
    cluster.topic("orders", partitions=6, replicas=3)
    rack_of = {broker: "abc"[index % 3] for index, broker in enumerate(range(101, 107))}
    [created] = cluster.facts(TopicCreated)
    assert {("a", "b", "c")} == {tuple(sorted(rack_of[one] for one in brokers)) for brokers in created.assignment}

    for broker in ("b101", "b104"):  # rack a
        cluster.kill(broker)
    cluster.run_for(10_000)

    assert 6 == len([state for state in states(cluster).values() if rack_of[state.leader] != "a"])
    assert {2} == {len(state.isr) for state in states(cluster).values()}


@pytest.mark.parametrize("partitions", [5, 50, 500])
def test_the_more_partitions_a_dead_broker_led_the_more_leaders_are_elected_one_by_one(partitions: int) -> None:
    """T7: every one of them is read, decided and written; what does not grow is the number of requests to brokers."""
    cluster, _ = cluster_of(3, seed=47)
    cluster.topic("orders", assignment=tuple((101, 102, 103) for _ in range(partitions)))
    cluster.run_for(5000)
    if cluster.view.controller == "b101":
        cluster.kill("b101").run_for(5000)
        victim = "b102"
    else:
        victim = "b101"
    before = len(cluster.facts(LeaderElected))

    cluster.kill(victim).run_for(20_000)

    assert partitions <= len(cluster.facts(LeaderElected)) - before
    assert partitions == len([state for state in states(cluster).values() if state.leader != int(victim[1:])])
