"""Producers: what each kind of acknowledgement is worth, what a retry does, and how order survives it."""

from __future__ import annotations

from typing import Any

from kafkalite import facts
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import Pending
from kafkalite.sim.faults import BreakConnection
from kafkalite.sim.stage import Scenario, Stage


def acks_0_loses(stage: Stage) -> None:
    """acks=0 does not wait: a record is counted as sent, whatever becomes of it."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    stage.tell_of(facts.BatchSent)
    producer = cluster.producer(acks=0, enable_idempotence=False, linger_ms=0)
    producer.send("orders", b"one").result()
    cluster.run_for(1000)
    leader = cluster.leader("orders")
    stage.say(f"A record is on its way to {leader} when that dies.")
    offset = producer.send("orders", b"two").result()
    cluster.kill(leader)
    cluster.run_until(lambda: cluster.leader("orders") != leader, "another leader")
    stage.show_records(cluster, "orders")
    stage.claim(offset == -1, "the producer was told of no offset, and of no error")
    stage.claim(b"two" not in cluster.values("orders"), "the record is in no log: it is lost, and nobody knows")


def _leader_dies_before_anyone_has_copied(stage: Stage, **settings: Any) -> tuple[Cluster, Pending, bool]:
    """Send a record that the leader alone has when it dies; return whether it was acknowledged by then."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    stage.tell_of(facts.BatchSent, facts.BatchAppended)
    producer = cluster.producer(linger_ms=0, **settings)
    producer.send("orders", b"one").result()
    cluster.run_until(lambda: all(cluster.end(broker, "orders") == 1 for broker in cluster.brokers), "three copies")
    leader = cluster.leader("orders")
    stage.say(f"For a moment nothing gets from {leader} to the other brokers; then it dies for good.")
    for broker in cluster.followers("orders"):
        cluster.cut(leader, broker, 60_000)
    pending = producer.send("orders", b"two")
    cluster.run_until(lambda: cluster.end(leader, "orders") == 2, "the record in the leader's log").run_for(20)
    was_acknowledged = pending.outcome is not None
    cluster.kill(leader)
    cluster.run_until(lambda: cluster.leader("orders") != leader, "another leader")
    return cluster, pending, was_acknowledged


def acks_1_loses(stage: Stage) -> None:
    """acks=1 waits for the leader alone: if it dies before others have copied, an acknowledged record is lost."""
    cluster, pending, was_acknowledged = _leader_dies_before_anyone_has_copied(stage, acks=1, enable_idempotence=False)
    stage.show_records(cluster, "orders")
    stage.claim(was_acknowledged and pending.result() == 1, "the leader said that the record is at offset 1")
    stage.claim(cluster.values("orders") == [b"one"], "the next leader does not have it: it is lost")


def acks_all_keeps(stage: Stage) -> None:
    """acks=all waits for all in sync: the same death, and the record is sent again and kept."""
    cluster, pending, was_acknowledged = _leader_dies_before_anyone_has_copied(stage, acks="all")
    stage.claim(not was_acknowledged, "the leader had not acknowledged the record when it died")
    stage.say("The producer is patient, finds the next leader and sends it again.")
    stage.claim(pending.result() == 1, "then it is acknowledged")
    stage.show_records(cluster, "orders")
    stage.claim(cluster.values("orders") == [b"one", b"two"], "nothing is lost, and nothing is there twice")


def acks_1_is_not_yet_readable(stage: Stage) -> None:
    """Acknowledged is not yet readable: a consumer sees a record once all in sync have it, whatever acks says."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    stage.tell_of(facts.RecordsPolled, facts.HighWatermarkAdvanced)
    consumer = cluster.consumer().assign(("orders", 0, 0))
    leader, follower = cluster.leader("orders"), cluster.followers("orders")[0]
    cluster.run_for(1000)
    stage.say(f"Nothing gets from {leader} to {follower} for five seconds.")
    cluster.cut(leader, follower, 5000)
    from_ms = cluster.now_ms
    cluster.producer(acks=1, enable_idempotence=False).send("orders", b"one").result()
    acknowledged_ms = cluster.now_ms - from_ms
    stage.claim(acknowledged_ms < 200, f"with acks=1 the record was acknowledged after {acknowledged_ms:.0f} ms")
    read = consumer.poll(1)[0]
    read_ms = cluster.now_ms - from_ms
    stage.claim(read.value == b"one" and read_ms >= 5000, f"a consumer was handed it after {read_ms:,.0f} ms")


def lost_acknowledgement(stage: Stage) -> None:
    """The record arrives, the answer does not: a retry makes two of it, unless the producer is idempotent."""
    for idempotent in (False, True):
        cluster = stage.cluster()
        stage.topic(cluster, "orders", replicas=3)
        stage.tell_of(facts.BatchSent, facts.BatchAppended)
        producer = cluster.producer(enable_idempotence=idempotent, linger_ms=0)
        producer.send("orders", b"one").result()
        leader = cluster.leader("orders")
        stage.say(f"enable.idempotence={str(idempotent).lower()}. The connection breaks before the answer is through.")
        pending = producer.send("orders", b"pay 5 euros")
        cluster.run_until(lambda: cluster.end(leader, "orders") == 2, "the record in the log")
        cluster.inject(BreakConnection("p1", leader))
        pending.result()
        stage.show_records(cluster, "orders")
        copies = cluster.values("orders").count(b"pay 5 euros")
        if idempotent:
            stage.claim(copies == 1, "the leader knows the batch by its sequence number: it is there once")
            stage.claim(cluster.facts(facts.DuplicateFound) != [], "and is acknowledged again, with its old offset")
        else:
            stage.claim(copies == 2, "the leader cannot tell that it is the same record: it is there twice")


def five_in_flight_keep_order(stage: Stage) -> None:
    """A retry can be overtaken by what was sent after it; with sequence numbers up to five in flight stay in order."""
    for idempotent, in_flight in ((False, 5), (False, 1), (True, 5)):
        cluster = stage.cluster()
        stage.topic(cluster, "orders", replicas=3)
        stage.tell_of(facts.BatchSent)
        stage.leave_out(facts.RecordSent)
        producer = cluster.producer(
            enable_idempotence=idempotent,
            max_in_flight_requests_per_connection=in_flight,
            linger_ms=0,
            metadata_max_age_ms=5000,
        )
        producer.send("orders", b"0").result()
        leader = cluster.leader("orders")
        settings = f"enable.idempotence={str(idempotent).lower()}, {in_flight} in flight"
        stage.say(f"{settings}. {leader} stands still, and the next record waits there.")
        cluster.freeze(leader, 60_000)
        sent = [producer.send("orders", b"1")]
        cluster.run_until(lambda: cluster.leader("orders") != leader, "another leader").run_for(6000)
        stage.say("There is another leader, and the producer knows. It is given two more records.")
        sent += [producer.send("orders", b"2"), producer.send("orders", b"3")]
        for pending in sent:
            pending.result()
        read = [int(value or b"") for value in cluster.values("orders")]
        if idempotent or in_flight == 1:
            stage.claim(read == [0, 1, 2, 3], "the log has 0 1 2 3: the order of sending")
        else:
            stage.claim(read == [0, 2, 3, 1], "the log has 0 2 3 1: the first of them was overtaken while it waited")


def producer_finds_the_new_leader(stage: Stage) -> None:
    """When a broker fails, producers and consumers find the next one by asking for metadata again."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    stage.tell_of(facts.MetadataRefreshed, facts.RecordsPolled)
    producer, consumer = cluster.producer(), cluster.consumer().assign(("orders", 0, 0))
    producer.send("orders", b"before").result()
    consumer.poll(1)
    old = cluster.leader("orders")
    stage.say(f"{old} dies. Producer and consumer learn it from their connections, and ask the other brokers.")
    cluster.kill(old)
    offset = producer.send("orders", b"after").result()
    read = consumer.poll(1)[0]
    new = cluster.leader("orders")
    stage.claim((offset, read.offset) == (1, 1), f"both go on with {new}, where they were; nobody told them")
    asked = {one.source for one in cluster.facts(facts.MetadataRefreshed, "p1")}
    stage.claim(asked - {old} != set(), "the producer had its new metadata from a broker that lives")


SCENARIOS = (
    Scenario.of(acks_0_loses, "P2"),
    Scenario.of(acks_1_loses, "P3"),
    Scenario.of(acks_all_keeps, "P4"),
    Scenario.of(acks_1_is_not_yet_readable, "P3"),
    Scenario.of(lost_acknowledgement, "P4 T9"),
    Scenario.of(five_in_flight_keep_order, "T9 P5"),
    Scenario.of(producer_finds_the_new_leader, "P6 P1"),
)
