"""Replication: leaders and followers, who is in sync, what is committed, and who may read it where."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.stage import Scenario, Stage


def leader_and_followers(stage: Stage) -> None:
    """One replica leads and takes the records; the others follow and copy them, each at the same offset."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    stage.tell_of(facts.BatchAppended, facts.HighWatermarkAdvanced)
    stage.say("Two records, with acks=all.")
    for value in (b"one", b"two"):
        cluster.producer(linger_ms=0).send("orders", value).result()
    cluster.run_for(600)
    leader = cluster.leader("orders")
    copies = {
        broker: [(one.base_offset, one.crc) for one in cluster.facts(facts.BatchAppended, broker)]
        for broker in cluster.brokers
    }
    wrote = {one.to for one in cluster.facts(facts.BatchSent)}
    stage.claim(wrote == {leader}, f"records are sent to the leader alone, {leader}")
    stage.claim(all(copy == copies[leader] for copy in copies.values()), "every replica has the same batches")
    stage.say("A consumer reads from the leader.")
    with stage.quiet():
        cluster.consumer("c1").assign(("orders", 0, 0)).poll(2)
    stage.claim(set(cluster.asked("c1", FetchRequest)) == {leader}, "no follower serves it, by default")


def slow_follower_leaves_the_isr(stage: Stage) -> None:
    """A follower that has not caught up for 30 s leaves the ISR, and acks=all waits for it no more; then it returns."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.IsrShrinkProposed, facts.IsrExpandProposed)
    leader, slow = cluster.leader("orders"), cluster.followers("orders")[0]
    producer = cluster.producer()
    producer.send("orders", b"one").result()
    stage.say(f"{slow} hears nothing of its leader {leader} for a minute. It is alive: ZooKeeper hears of it.")
    cut_ms = cluster.now_ms
    cluster.cut(leader, slow, 60_000)
    producer.send("orders", b"two").result()
    waited_ms = cluster.now_ms - cut_ms
    stage.claim(
        30_000 <= waited_ms <= 46_000, f"acks=all has waited for {slow}, until it was expelled: {waited_ms:,.0f} ms"
    )
    stage.claim(broker_id_of(slow) not in cluster.isr("orders"), f"{slow} is not in sync any more")
    from_ms = cluster.now_ms
    producer.send("orders", b"three").result()
    stage.claim(cluster.now_ms - from_ms < 100, "the next record waits for those in sync alone")
    stage.say("It hears its leader again.")
    cluster.run_until(lambda: len(cluster.isr("orders")) == 3, "an ISR of three")
    stage.claim(cluster.end(slow, "orders") == 3, f"{slow} was let in once it had everything")


def min_insync_replicas(stage: Stage) -> None:
    """min.insync.replicas=2 of 3: with one broker down writing goes on; with two it stops, and reading does not."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.RequestRefused)
    producer = cluster.producer(delivery_timeout_ms=5000, request_timeout_ms=2000, retry_backoff_ms=1000)
    producer.send("orders", b"one").result()
    one, two = cluster.followers("orders")
    stage.say(f"One is down: {one}.")
    cluster.kill(one)
    cluster.run_until(lambda: len(cluster.isr("orders")) == 2, "an ISR of two")
    stage.claim(producer.send("orders", b"two").result() == 1, "two are in sync: a record is taken")
    stage.say(f"Two are down: {two} as well.")
    cluster.kill(two)
    cluster.run_until(lambda: len(cluster.isr("orders")) == 1, "an ISR of one")
    outcome = producer.send("orders", b"three").wait()
    refused = [one.error for one in cluster.facts(facts.RequestRefused, cluster.leader("orders"), api="Produce")]
    stage.claim(set(refused) == {"NOT_ENOUGH_REPLICAS"}, "one is in sync: with acks=all, nothing is taken")
    stage.claim(outcome.error != "NONE" and outcome.is_definite, "it was refused before the append: it is in no log")
    stage.claim(cluster.values("orders") == [b"one", b"two"], "what was acknowledged can be read meanwhile")
    stage.say(f"{one} comes back.")
    cluster.restart(one)
    cluster.run_until(lambda: len(cluster.isr("orders")) == 2, "an ISR of two")
    stage.claim(producer.send("orders", b"four").result() == 2, "and writing goes on")


def it_may_have_happened(stage: Stage) -> None:
    """Too few are in sync *after* the append: the leader has the record, and nobody is told that it is safe."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    producer = cluster.producer(delivery_timeout_ms=20_000, request_timeout_ms=10_000)
    producer.send("orders", b"one").result()
    leader, followers = cluster.leader("orders"), cluster.followers("orders")
    stage.say("Both followers stand still, for longer than a session lasts, while a record is on its way.")
    for follower in followers:
        cluster.freeze(follower, 40_000)
    outcome = producer.send("orders", b"two").wait()
    stage.claim(outcome.error != "NONE" and not outcome.is_definite, "the producer gives up, and cannot know")
    stage.claim(cluster.end(leader, "orders") == 2, f"{leader} has the record in its log")
    stage.claim(cluster.values("orders") == [b"one"], "a reader does not see it: the high watermark stands still")
    stage.say("The followers go on.")
    cluster.run_until(lambda: len(cluster.isr("orders")) >= 2, "an ISR of two").run_for(1000)
    stage.show_records(cluster, "orders")
    stage.claim(cluster.values("orders") == [b"one", b"two"], "now it is committed: it had happened")


def read_from_the_nearest_replica(stage: Stage) -> None:
    """Only the leader takes records; but a follower in the consumer's rack may serve them (KIP-392)."""
    cluster = stage.cluster(racks=("r1", "r2", "r3"), broker={"replica_selector_rack_aware": True})
    stage.topic(cluster, "orders", assignment=((101, 102, 103),))
    for number in range(3):
        cluster.producer().send("orders", b"v%d" % number).result()
    cluster.run_for(1000)
    stage.say("101 leads and stands in rack r1. One consumer is in rack r1, one in r3.")
    for name, rack, nearest in (("c1", "r1", "b101"), ("c3", "r3", "b103")):
        with stage.quiet():
            consumer = cluster.consumer(name, client_rack=rack).assign(("orders", 0, 0))
            read = [one.value for one in consumer.poll(3)]
            cluster.run_for(3000)
        asked = cluster.asked(name, FetchRequest)
        stage.show(f"{name} in {rack} asks: {' '.join(asked)}")
        stage.claim(read == [b"v0", b"v1", b"v2"] and asked[-1] == nearest, f"{name} reads from {nearest}")


SCENARIOS = (
    Scenario.of(leader_and_followers, "R1 R2"),
    Scenario.of(slow_follower_leaves_the_isr, "R3 P4"),
    Scenario.of(min_insync_replicas, "R6 P4"),
    Scenario.of(it_may_have_happened, "R6 P4"),
    Scenario.of(read_from_the_nearest_replica, "R2"),
)
