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


def replicas_move_to_a_new_broker(stage: Stage) -> None:
    """A fourth broker is to share the load: a replica moves there amid writing: copies first, goodbyes last."""
    cluster = stage.cluster(4)
    stage.topic(cluster, "orders", assignment=((101, 102, 103),), min_insync_replicas=2)
    stage.tell_of(facts.LogLoaded, facts.LogDeleted)
    producer = cluster.producer()
    with stage.quiet():
        for number in range(5):
            producer.send("orders", b"v%d" % number).result()
    stage.say("101 is to give its replica to 104. An administrator asks for 102, 103, 104.")
    cluster.admin().reassign("orders", 0, 102, 103, 104)
    stage.claim(bool(cluster.admin().reassignments()), "it has begun, and nobody has lost anything yet")
    stage.say("Writing goes on.")
    with stage.quiet():
        last = [producer.send("orders", b"v%d" % number) for number in range(5, 10)][-1]
    cluster.run_until(lambda: bool(cluster.facts(facts.LogDeleted, "b101")), "the end of the old replica")
    last.result()
    cluster.run_until(lambda: cluster.isr("orders") == (102, 103, 104), "the new ISR")
    stage.show_layout(cluster, "orders")
    stage.claim(cluster.leader("orders") != "b101", "101, which led, has handed over to one that stays")
    grown = cluster.facts(facts.IsrChanged, "b101")[-1].isr
    stage.claim(104 in grown and 101 in grown, "it went only when 104 was in sync: for a moment there were four")
    stage.claim(cluster.values("orders") == [b"v%d" % number for number in range(10)], "all ten records are there")
    stage.say("The controller dies amid the next move: back to 101.")
    old = cluster.view.controller
    assert old is not None, "there is one"
    cluster.admin().reassign("orders", 0, 101, 102, 103)
    cluster.kill(old)
    with stage.quiet():
        cluster.run_until(lambda: cluster.view.controller not in {old, None}, "another controller").restart(old)
        back = (101, 102, 103)
        cluster.run_until(lambda: cluster.view.assignments["orders", 0] == back == cluster.isr("orders"), "the end")
    stage.show_layout(cluster, "orders")
    stage.claim(cluster.view.controller != old, f"{cluster.view.controller} has read of it and brought it to its end")
    stage.claim(len(cluster.values("orders")) == 10, "nothing is lost")


SCENARIOS = (
    Scenario.of(two_topics_three_brokers, "B1 B2 B3"),
    Scenario.of(rack_aware_placement, "B2 B3"),
    Scenario.of(a_broker_comes_back, "B1 B2"),
    Scenario.of(replicas_move_to_a_new_broker, "B1 B2 R1"),
)
