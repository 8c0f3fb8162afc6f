"""Failover: what happens when those who lead and follow die, restart, or do not know that they were deposed."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.stage import Scenario, Stage


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
    stage.claim(cluster.values("orders") == [b"before", b"after"], "nothing is lost and nothing is there twice")


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
    cluster.run_until(lambda: cluster.isr("topic-a", 0) == (101,), "partition 0 without 102")
    stage.show_layout(cluster, "topic-a")
    stage.claim(cluster.leader("topic-a", 0) == "b101", "partition 0 has its leader still, 101")
    stage.claim(cluster.leader("topic-a", 1) == "b103", "partition 1 is led by 103 now")
    stage.say("The service goes on.")
    for partition in (0, 1):
        producer.send("topic-a", b"b%d" % partition, partition=partition).result()
        found = cluster.values("topic-a", partition)
        stage.claim(found == [b"a%d" % partition, b"b%d" % partition], f"partition {partition} has lost nothing")


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
    stage.claim(cluster.values("orders") == [b"v0", b"v1", b"v2"], "everything that was committed can be read")
    stage.claim(producer.send("orders", b"v3").result() == 3, "and is written on, as min.insync.replicas is 1 here")


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
            stage.claim(cluster.values("orders") == [b"one", b"two"], "then it goes on, and nothing is lost")
        else:
            stage.claim(cluster.leader("orders") == "b102", "102 leads, though it was not in sync")
            stage.claim(cluster.values("orders") == [b"one"], "the second record was acknowledged, and is lost")
            cluster.restart("b101").run_until(lambda: cluster.isr("orders") == (101, 102), "both in sync")
            stage.claim(cluster.end("b101", "orders") == 1, "101, which had it, has cut its log to be as its leader's")


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
        cluster.values("orders") == [b"one", b"two"],
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
    stage.claim(cluster.values("orders") == [b"one", b"two", b"three"], "nothing is lost, and nothing is there twice")


def a_leader_that_was_deposed(stage: Stage) -> None:
    """A leader that is cut off from ZooKeeper does not know that it was deposed; but to commit it needs the others."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3, min_insync_replicas=2)
    stage.tell_of(facts.RequestRefused)
    patient, hasty = cluster.producer("all"), cluster.producer("one", acks=1, enable_idempotence=False)
    patient.send("orders", b"before").result()
    hasty.send("orders", b"before, too").result()
    old = cluster.leader("orders")
    stage.say(f"Nothing gets from {old} to ZooKeeper for 40 seconds. To all others it talks as before.")
    cluster.cut(old, "z1", 40_000)
    cluster.run_until(lambda: cluster.leader("orders") != old, "another leader")
    new = cluster.leader("orders")
    stage.say(f"{new} leads, in a new epoch. Producers that have not heard of it send to {old} as before.")
    kept, lost = patient.send("orders", b"with acks=all"), hasty.send("orders", b"with acks=1")
    cluster.run_for(2000)
    stage.claim(kept.outcome is None, f"{old} cannot acknowledge it with acks=all: nobody follows it any more")
    stage.claim(lost.outcome is not None, "it has acknowledged the other one, which asked for no more than itself")
    stage.say(f"{old} hears from ZooKeeper again, and of its successor.")
    kept.result()
    cluster.run_until(lambda: len(cluster.isr("orders")) == 3, "an ISR of three")
    stage.show_records(cluster, "orders")
    found = cluster.values("orders")
    stage.claim(b"with acks=all" in found and b"with acks=1" not in found, "what was acknowledged with acks=1 is lost")


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
    stage.claim(cluster.values("orders") == [b"before", b"meanwhile"], "nothing is lost, and nothing is there twice")


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
    Scenario.of(leader_dies, "R4 P6"),
    Scenario.of(broker_102_fails, "R5"),
    Scenario.of(two_of_three_may_fail, "R6"),
    Scenario.of(unclean_election_loses, "R4 R6"),
    Scenario.of(restart_then_leader_crash, "R4 P4"),
    Scenario.of(everything_restarts, "R4 R6"),
    Scenario.of(a_leader_that_was_deposed, "R2 R4 P3 P4"),
    Scenario.of(controlled_shutdown_moves_leaders, "R4 R6"),
    Scenario.of(the_preferred_leader_returns, "R1 R4"),
)
