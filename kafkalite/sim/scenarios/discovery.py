"""Discovery: one address is enough, because every broker knows all brokers, topics and partitions."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.sim.stage import Scenario, Stage


def five_brokers_one_bootstrap(stage: Stage) -> None:
    """A client that knows broker 101 alone asks it for metadata, gets the list, and connects to those it needs."""
    cluster = stage.cluster(5)
    stage.topic(cluster, "orders", partitions=4)
    stage.tell_of(facts.MetadataRefreshed, facts.BatchSent)
    stage.leave_out(facts.RecordSent)
    stage.say("p1 knows b101 alone, and has records for two of the partitions.")
    producer = cluster.producer("p1", bootstrap_servers=("b101",))
    for pending in [producer.send("orders", b"v%d" % partition, partition=partition) for partition in (0, 1)]:
        pending.result()
    first = cluster.facts(facts.MetadataRefreshed, "p1")[0]
    stage.claim(first.source == "b101", "1. it connects to b101 and asks for metadata")
    stage.claim(first.brokers == (101, 102, 103, 104, 105), "2. it is told of all five brokers")
    needed = {cluster.leader("orders", partition) for partition in (0, 1)}
    written = {one.to for one in cluster.facts(facts.BatchSent, "p1")}
    stage.claim(written == needed, f"3. it writes to the leaders it needs: {', '.join(sorted(needed))}")


def every_broker_knows_all(stage: Stage) -> None:
    """Every broker is a bootstrap server: whichever is asked gives the same list."""
    cluster = stage.cluster(5)
    stage.topic(cluster, "orders", partitions=4)
    stage.tell_of(facts.MetadataRefreshed)
    stage.leave_out(facts.RecordSent)
    stage.say("Five consumers, each with another broker to begin with, read the same record.")
    cluster.producer("p1").send("orders", b"hello", partition=2).result()
    for number, broker in enumerate(cluster.brokers, 1):
        consumer = cluster.consumer(f"c{number}", bootstrap_servers=(broker,)).assign(("orders", 2, 0))
        read = consumer.poll(1)[0]
        known = cluster.facts(facts.MetadataRefreshed, f"c{number}")[0]
        stage.claim(
            (broker, (101, 102, 103, 104, 105), b"hello") == (known.source, known.brokers, read.value),
            f"c{number} asks {broker}, is told of all, and reads from {cluster.leader('orders', 2)}",
        )


def bootstrap_broker_dies(stage: Stage) -> None:
    """The bootstrap server is needed to begin; later any broker will do, and the first one may die."""
    cluster = stage.cluster(3)
    stage.topic(cluster, "orders", assignment=((102, 103),))
    stage.tell_of(facts.MetadataRefreshed)
    producer = cluster.producer("p1", bootstrap_servers=("b101",), metadata_max_age_ms=10_000)
    producer.send("orders", b"one").result()
    stage.say("b101 dies. p1 knows the others by now.")
    asked = len(cluster.facts(facts.MetadataRefreshed, "p1"))
    cluster.kill("b101").run_for(30_000)
    stage.claim(producer.send("orders", b"two").result() == 1, "p1 goes on, with metadata from another broker")
    later = {one.source for one in cluster.facts(facts.MetadataRefreshed, "p1")[asked:]}
    stage.claim("b101" not in later and later != set(), f"it asks {' and '.join(sorted(later))} now")
    stage.say("A new client has b101 in its list, and another one behind it.")
    stranger = cluster.producer("p2", bootstrap_servers=("b101", "b103"))
    stage.claim(stranger.send("orders", b"three").result() == 2, "p2 tries them in turn until one answers")


def no_leader_any_more(stage: Stage) -> None:
    """A client that knows an old leader is told so by that broker, asks for metadata again, and tries the new one."""
    cluster = stage.cluster(broker={"leader_imbalance_check_interval_ms": 10_000})
    stage.topic(cluster, "orders", assignment=((101, 102),))
    with stage.quiet():
        cluster.stop("b101").run_for(1000)
    stage.say("101 is down for a moment, and 102 leads. p1 writes to it.")
    producer = cluster.producer("p1")
    producer.send("orders", b"one").result()
    stage.say("101 is back, and leads again after a while: it is preferred. Nobody tells p1.")
    cluster.restart("b101").run_until(lambda: cluster.leader("orders") == "b101", "101 leading").run_for(1000)
    stage.tell_of(facts.BatchSent, facts.RequestRefused, facts.MetadataRefreshed)
    producer.send("orders", b"two").result()
    sent = [one.to for one in cluster.facts(facts.BatchSent, "p1")]
    refused = cluster.facts(facts.RequestRefused, "b102", api="Produce")
    stage.claim(sent == ["b102", "b102", "b101"], "p1 has sent it to 102 first, and then to 101")
    stage.claim([one.error for one in refused] == ["NOT_LEADER_OR_FOLLOWER"], "because 102 said that it leads no more")


SCENARIOS = (
    Scenario.of(five_brokers_one_bootstrap, "D1 D2 D3 D4 B2 P1"),
    Scenario.of(every_broker_knows_all, "D1 D2"),
    Scenario.of(bootstrap_broker_dies, "D1 D3"),
    Scenario.of(no_leader_any_more, "D3 P6"),
)
