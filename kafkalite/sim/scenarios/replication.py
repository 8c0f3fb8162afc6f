"""Replication: leaders and followers, who is in sync, and what a failure takes away and what it does not."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.stage import Scenario, Stage


def values(cluster: Cluster, topic: str, partition: int = 0) -> list[bytes | None]:
    """What a new reader finds."""
    return [one.value for one in cluster.read(topic, partition)]


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


def broker_102_fails(stage: Stage) -> None:
    """Topic-A with two partitions on two brokers each: 102 fails, and 101 and 103 still have everything."""
    cluster = stage.cluster()
    stage.topic(cluster, "topic-a", assignment=((101, 102), (102, 103)))
    producer = cluster.producer()
    for partition in (0, 1):
        producer.send("topic-a", b"a%d" % partition, partition=partition).result()
    stage.say("Broker 102 fails. It follows in partition 0 and leads partition 1.")
    cluster.kill("b102")
    cluster.run_until(lambda: cluster.leader("topic-a", 1) == "b103", "another leader of partition 1")
    stage.show_layout(cluster, "topic-a")
    stage.claim(cluster.leader("topic-a", 0) == "b101", "partition 0 has its leader still, 101")
    stage.claim(cluster.leader("topic-a", 1) == "b103", "partition 1 is led by 103 now")
    stage.say("The service goes on.")
    for partition in (0, 1):
        producer.send("topic-a", b"b%d" % partition, partition=partition).result()
        found = values(cluster, "topic-a", partition)
        stage.claim(found == [b"a%d" % partition, b"b%d" % partition], f"partition {partition} has lost nothing")


def leader_dies(stage: Stage) -> None:
    """The broker that leads dies; one that was in sync leads instead, and the producer goes on by itself."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    producer = cluster.producer()
    producer.send("orders", b"before").result()
    first = cluster.leader("orders")
    stage.say(f"{first} dies. The producer is given another record all the same.")
    died_ms = cluster.now_ms
    cluster.kill(first)
    offset = producer.send("orders", b"after").result()
    waited_ms = cluster.now_ms - died_ms
    second = cluster.leader("orders")
    stage.show(f"the record was acknowledged {waited_ms / 1000:.1f} s after the death")
    stage.claim(second != first and offset == 1, f"{second} leads, and has the record at offset 1")
    stage.claim(waited_ms > 9000, "most of that is the session's time-out: until then nobody knows of the death")
    stage.claim(values(cluster, "orders") == [b"before", b"after"], "nothing is lost and nothing is there twice")


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


def restart_then_leader_crash(stage: Stage) -> None:
    """The leader restarts, the next one dies at once: a follower that had cut its log at its watermark would lose."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.BecameFollower, facts.HighWatermarkAdvanced)
    producer = cluster.producer()
    for value in (b"one", b"two"):
        producer.send("orders", value).result()
    first, second = cluster.leader("orders"), cluster.followers("orders")[0]
    third = cluster.followers("orders")[1]
    stage.say(
        f"Both records are acknowledged. {first}, which leads, restarts before others have heard of its watermark."
    )
    cluster.kill(first).restart(first)
    cluster.run_until(lambda: len(cluster.facts(facts.BecameFollower, third)) == 2, f"{third} following {second}")
    stage.say(f"{third} follows {second} now, and {second} dies before anything was copied from it.")
    cluster.kill(second)
    cluster.run_until(lambda: cluster.leader("orders") == third, f"{third} leading")
    cluster.run_until(lambda: len(cluster.isr("orders")) == 2, "the restarted broker in sync")
    cluster.run_for(1000)
    watermark = cluster.facts(facts.HighWatermarkAdvanced, third, is_leader=True)[0].was
    stage.claim(watermark < 2, f"{third} knew of a watermark of {watermark} when it followed {second}")
    stage.claim(
        values(cluster, "orders") == [b"one", b"two"],
        "both records are there: logs are cut where epochs part, never at a watermark (KIP-101)",
    )


def everything_restarts(stage: Stage) -> None:
    """All brokers die at once and come back: what was acknowledged is in their files, and the cluster finds itself."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.LogLoaded)
    producer = cluster.producer()
    for value in (b"one", b"two"):
        producer.send("orders", value).result()
    stage.say("All three are killed, and started again a second later.")
    for broker in cluster.brokers:
        cluster.kill(broker)
    cluster.run_for(1000)
    for broker in cluster.brokers:
        cluster.restart(broker)
    stage.say("Their old sessions have to end before they can register again.")
    stage.claim(producer.send("orders", b"three").result() == 2, "the producer has waited, and goes on at offset 2")
    cluster.run_until(lambda: len(cluster.isr("orders")) == 3, "an ISR of three")
    stage.claim(values(cluster, "orders") == [b"one", b"two", b"three"], "nothing is lost, and nothing is there twice")


def unclean_election_loses(stage: Stage) -> None:
    """Nobody in sync is left: a topic is unavailable; or, if it may elect unclean, it loses acknowledged records."""
    for unclean in ("false", "true"):
        cluster = stage.cluster()
        stage.topic(cluster, "orders", assignment=((101, 102),), unclean_leader_election_enable=unclean)
        producer = cluster.producer()
        producer.send("orders", b"one").result()
        stage.say(f"unclean.leader.election.enable={unclean}. 102 dies; 101 is in sync alone, and takes a record.")
        cluster.kill("b102")
        cluster.run_until(lambda: cluster.isr("orders") == (101,), "an ISR of one")
        producer.send("orders", b"two").result()
        stage.say("101 dies, too; 102 comes back, without the second record.")
        cluster.kill("b101").run_for(20_000)
        cluster.restart("b102").run_for(20_000)
        if unclean == "false":
            stage.claim(("orders", 0) in cluster.view.offline, "nobody may lead: the partition waits for 101")
            cluster.restart("b101").run_until(lambda: cluster.leader("orders") == "b101", "101 leading again")
            cluster.run_until(lambda: cluster.isr("orders") == (101, 102), "both in sync")
            stage.claim(values(cluster, "orders") == [b"one", b"two"], "then it goes on, and nothing is lost")
        else:
            stage.claim(cluster.leader("orders") == "b102", "102 leads, though it was not in sync")
            stage.claim(values(cluster, "orders") == [b"one"], "the second record was acknowledged, and is lost")
            cluster.restart("b101").run_until(lambda: cluster.isr("orders") == (101, 102), "both in sync")
            stage.claim(cluster.end("b101", "orders") == 1, "101, which had it, has cut its log to be as its leader's")


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
    stage.claim(values(cluster, "orders") == [b"one", b"two"], "what was acknowledged can be read meanwhile")
    stage.say(f"{one} comes back.")
    cluster.restart(one)
    cluster.run_until(lambda: len(cluster.isr("orders")) == 2, "an ISR of two")
    stage.claim(producer.send("orders", b"four").result() == 2, "and writing goes on")


def two_of_three_may_fail(stage: Stage) -> None:
    """Replication factor 3: one down for upkeep, one by accident, and one still has everything that was committed."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    producer = cluster.producer()
    for number in range(3):
        producer.send("orders", b"v%d" % number).result()
    upkeep, accident = cluster.leader("orders"), cluster.followers("orders")[0]
    stage.say(f"{upkeep} is stopped in order, for upkeep.")
    cluster.stop(upkeep)
    stage.say(f"{accident} dies by accident.")
    cluster.kill(accident)
    cluster.run_until(lambda: len(cluster.isr("orders")) == 1, "an ISR of one")
    last = cluster.leader("orders")
    stage.claim(last not in {upkeep, accident}, f"{last} leads, alone")
    stage.claim(values(cluster, "orders") == [b"v0", b"v1", b"v2"], "everything that was committed can be read")
    stage.claim(producer.send("orders", b"v3").result() == 3, "and is written on, as min.insync.replicas is 1 here")


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


def controlled_shutdown_moves_leaders(stage: Stage) -> None:
    """A broker that is stopped in order first gives its leaderships away: nobody waits for a time-out."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3, replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.RequestRefused, facts.MetadataRefreshed)
    stopped = cluster.leader("orders", 0)
    producer = cluster.producer()
    producer.send("orders", b"before", partition=0).result()
    stage.say(f"{stopped} is stopped in order.")
    from_ms = cluster.now_ms
    cluster.shut_down(stopped)
    producer.send("orders", b"meanwhile", partition=0).result()
    waited_ms = cluster.now_ms - from_ms
    cluster.run_until(lambda: broker_id_of(stopped) in cluster.view.stopped, "the end of the broker").run_for(100)
    stage.show_layout(cluster, "orders")
    stage.claim(waited_ms < 2000, f"a record sent meanwhile was acknowledged after {waited_ms:.0f} ms")
    stage.claim(
        all(cluster.leader("orders", partition) != stopped for partition in range(3)), "all three have other leaders"
    )
    stage.claim(values(cluster, "orders") == [b"before", b"meanwhile"], "nothing is lost, and nothing is there twice")


def the_preferred_leader_returns(stage: Stage) -> None:
    """No copy is the original: any replica in sync may lead. The first of the list is preferred, and gets it back."""
    cluster = stage.cluster(broker={"leader_imbalance_check_interval_ms": 60_000})
    stage.topic(cluster, "orders", assignment=((101, 102, 103), (102, 103, 101), (103, 101, 102)))
    stage.say("101 is stopped for a while. Another leads its partition.")
    cluster.stop("b101").run_for(1000)
    stage.show_layout(cluster, "orders")
    stage.claim(cluster.leader("orders", 0) == "b102", "102 is the next in the list")
    stage.say("101 is back; it follows at first.")
    cluster.restart("b101")
    cluster.run_until(lambda: 101 in cluster.isr("orders", 0), "101 in sync")
    stage.claim(cluster.leader("orders", 0) == "b102", "102 still leads")
    stage.say("Now and then the controller looks who leads more, or less, than was meant.")
    cluster.run_until(lambda: cluster.leader("orders", 0) == "b101", "101 leading")
    elected = cluster.facts(facts.LeaderElected, partition=0)[-1]
    stage.claim((elected.leader, elected.reason) == (101, "preferred"), "101 leads again: it is preferred, and in sync")


SCENARIOS = (
    Scenario.of(leader_and_followers, "R1 R2"),
    Scenario.of(broker_102_fails, "R5"),
    Scenario.of(leader_dies, "R4 P6"),
    Scenario.of(slow_follower_leaves_the_isr, "R3 P4"),
    Scenario.of(min_insync_replicas, "R6 P4"),
    Scenario.of(two_of_three_may_fail, "R6"),
    Scenario.of(unclean_election_loses, "R4 R6"),
    Scenario.of(restart_then_leader_crash, "R4 P4"),
    Scenario.of(everything_restarts, "R4 R6"),
    Scenario.of(read_from_the_nearest_replica, "R2"),
    Scenario.of(controlled_shutdown_moves_leaders, "R4 R6"),
    Scenario.of(the_preferred_leader_returns, "R1 R4"),
)
