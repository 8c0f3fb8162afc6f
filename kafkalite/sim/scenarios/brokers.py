"""Brokers: each holds some partitions and no broker all; together they are the cluster."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.sim.stage import Scenario, Stage


def two_topics_three_brokers(stage: Stage) -> None:
    """Topic-A with three partitions and Topic-B with two, over the brokers 101, 102 and 103."""
    cluster = stage.cluster()
    stage.topic(cluster, "topic-a", partitions=3)
    stage.topic(cluster, "topic-b", partitions=2)
    stage.say("A record for every partition.")
    stage.tell_of(facts.BatchAppended)
    for topic, count in (("topic-a", 3), ("topic-b", 2)):
        for partition in range(count):
            cluster.producer().send(topic, b"v", partition=partition).result()
    holders = {
        topic: [cluster.leader(topic, partition) for partition in range(count)]
        for topic, count in (("topic-a", 3), ("topic-b", 2))
    }
    stage.claim(sorted(holders["topic-a"]) == ["b101", "b102", "b103"], "every broker has one partition of topic-a")
    without = set(cluster.brokers) - set(holders["topic-b"])
    stage.claim(len(without) == 1, f"two brokers have one of topic-b each, and {without.pop()} has none of it")
    for broker in cluster.brokers:
        appended = {(one.topic, one.partition) for one in cluster.facts(facts.BatchAppended, broker)}
        expected = {
            (topic, index) for topic, where in holders.items() for index, one in enumerate(where) if one == broker
        }
        stage.claim(appended == expected, f"{broker} holds the records of its own partitions, and no others")


def rack_aware_placement(stage: Stage) -> None:
    """Replicas are dealt over brokers, and over racks if brokers say in which they stand: a rack may fail."""
    cluster = stage.cluster(6, racks=("r1", "r2", "r3"))
    racks = {config.broker_id: config.rack for config in cluster.blueprint.brokers}
    stage.show("  ".join(f"{broker} in {rack}" for broker, rack in racks.items()))
    stage.topic(cluster, "orders", partitions=6, replicas=3, min_insync_replicas=2)
    placed = [cluster.view.assignments["orders", partition] for partition in range(6)]
    stage.claim(all(len({racks[id_] for id_ in one}) == 3 for one in placed), "every partition is in three racks")
    stage.claim(len({one[0] for one in placed}) == 6, "every broker leads one partition")
    with stage.quiet():
        for partition in range(6):
            cluster.producer().send("orders", b"before", partition=partition).result()
    stage.say("Rack r1 loses power: both of its brokers.")
    lost = [config.host for config in cluster.blueprint.brokers if config.rack == "r1"]
    for broker in lost:
        cluster.power_off(broker).run_for(1)
    stage.say("Every partition is written to, and read.")
    with stage.quiet():
        for partition in range(6):
            cluster.producer().send("orders", b"after", partition=partition).result()
    stage.show_layout(cluster, "orders")
    for partition in range(6):
        values = [one.value for one in cluster.read("orders", partition)]
        stage.claim(values == [b"before", b"after"], f"orders-{partition} has lost nothing and goes on")


def a_broker_comes_back(stage: Stage) -> None:
    """A broker that was away opens its logs again, copies what it has missed, and has its place in the cluster."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3, replicas=2)
    stage.tell_of(facts.LogLoaded, facts.BecameFollower)
    with stage.quiet():
        for partition in range(3):
            cluster.producer().send("orders", b"before", partition=partition).result()
    stage.say("b102 is gone for half a minute; meanwhile everything is written to.")
    cluster.kill("b102").run_for(30_000)
    for partition in range(3):
        cluster.producer().send("orders", b"meanwhile", partition=partition).result()
    stage.say("It is started again.")
    cluster.restart("b102")
    held = [partition for partition in range(3) if 102 in cluster.view.assignments["orders", partition]]
    cluster.run_until(lambda: all(102 in cluster.isr("orders", partition) for partition in held), "b102 in sync")
    for partition in held:
        stage.claim(cluster.end("b102", "orders", partition) == 2, f"b102 has all of orders-{partition} again")


SCENARIOS = (
    Scenario.of(two_topics_three_brokers, "B1 B2 B3"),
    Scenario.of(rack_aware_placement, "B2 B3"),
    Scenario.of(a_broker_comes_back, "B1 B2"),
)
