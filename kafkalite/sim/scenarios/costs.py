"""What is kept and for how long; what more partitions bring, and what they cost."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.facades import RequestFailed
from kafkalite.sim.stage import Scenario, Stage


def retention_forgets_whole_segments(stage: Stage) -> None:
    """Records are kept for a time, read or not; what is forgotten are whole segments, so some stay longer."""
    cluster = stage.cluster(broker={"log_retention_check_interval_ms": 10_000})
    stage.topic(cluster, "readings", retention_ms=60_000, segment_bytes=160)
    stage.say("Retention is one minute, and a segment takes two records. Five records now, three after 50 seconds.")
    producer = cluster.producer()
    with stage.quiet():
        for number in range(5):
            producer.send("readings", b"old%d" % number).result()
        cluster.run_for(50_000)
        for number in range(5, 8):
            producer.send("readings", b"new%d" % number).result()
    stage.show_records(cluster, "readings")
    stage.say("Twenty seconds later five records are older than a minute.")
    cluster.run_for(20_000)
    stage.show_records(cluster, "readings")
    left = [one.offset for one in cluster.read("readings")]
    stage.claim([4, 5, 6, 7] == left, "old4 is still there: it shares a segment with new5")
    stage.say("A consumer asks for offset 0, which is gone.")
    stage.tell_of(facts.PositionReset, facts.RecordsPolled)
    first = cluster.consumer("late", auto_offset_reset="earliest").assign(("readings", 0, 0)).poll(1)[0]
    stage.claim(first.offset == 4, "it goes on at the log's new start, offset 4")


def compaction_keeps_the_last_value(stage: Stage) -> None:
    """A compacted topic keeps the last value of every key, at the offset where it was written."""
    cluster = stage.cluster(broker={"log_cleaner_backoff_ms": 5000})
    stage.topic(cluster, "prices", cleanup_policy="compact", segment_bytes=200)
    producer = cluster.producer()
    stage.say("Prices change; the last record of pear has no value: a tombstone.")
    prices = [("apple", b"1"), ("pear", b"2"), ("apple", b"3"), ("plum", b"4"), ("pear", None), ("apple", b"5")]
    with stage.quiet():
        for fruit, price in [*prices, ("fig", b"6"), ("kiwi", b"7"), ("kiwi", b"8")]:
            value = None if price is None else fruit.encode() + b"=" + price
            producer.send("prices", value, key=fruit.encode()).result()
    stage.show_records(cluster, "prices")
    stage.say("The cleaner goes over all but the last segment.")
    cluster.run_for(30_000)
    stage.show_records(cluster, "prices")
    left = {one.offset: one.value for one in cluster.read("prices")}
    stage.claim(
        left.get(5) == b"apple=5" and left.get(3) == b"plum=4", "the last prices are there, at their old offsets"
    )
    stage.claim(not {0, 1, 2} & set(left), "what was overwritten is gone: offsets have gaps")
    stage.claim(4 in left and left[4] is None, "the tombstone stays for a day, for whoever reads later")


def a_partition_is_a_folder_of_files(stage: Stage) -> None:
    """Every partition costs a folder and open files on each of its brokers: more partitions are not always better."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=2, replicas=3, segment_bytes=200, index_interval_bytes=1)
    with stage.quiet():
        for number in range(8):
            cluster.producer().send("orders", b"v%d" % number, partition=number // 6).result()
        cluster.run_for(1000)
    stage.say("Six records in one partition and two in the other, two a segment. The files on broker 101:")
    for partition in (0, 1):
        files = cluster.files("b101", f"orders-{partition}")
        for segment in sorted({name.partition(".")[0] for name in files}):
            endings = " ".join(name.partition(".")[2] for name in files if name.startswith(segment))
            stage.show(f"orders-{partition}/{segment} {endings}")
        logs = [name for name in files if name.endswith(".log")]
        stage.claim(
            all(name.replace(".log", ending) in files for name in logs for ending in (".index", ".timeindex")),
            f"orders-{partition} has {len(logs)} segment(s), each with its two indexes",
        )


def more_partitions_cost_failover(stage: Stage) -> None:
    """When a broker dies, the controller elects a leader for each partition it led: more partitions, more work."""
    elections, took_ms = {}, {}
    for partitions in (3, 60):
        cluster = stage.cluster()
        with stage.quiet():
            cluster.topic("orders", partitions=partitions, replicas=2)
            victim = cluster.leader("orders", 0)
            cluster.run_for(1000)
        stage.say(f"{victim} leads a third of {partitions} partitions, and dies.")
        stage.leave_out(facts.LeaderElected, facts.BecameLeader)
        cluster.kill(victim)
        cluster.run_until(lambda: broker_id_of(victim) not in cluster.view.live, "its death")
        seen_ms = cluster.now_ms
        cluster.run_until(lambda: victim not in {one.broker for one in cluster.view.leaders.values()}, "new leaders")
        elections[partitions] = len(cluster.facts(facts.LeaderElected, reason="offline"))
        took_ms[partitions] = cluster.now_ms - seen_ms
        stage.show(f"{elections[partitions]} leaders elected, {took_ms[partitions]:.1f} ms after the death was seen")
    stage.claim(elections[60] >= 15 * elections[3], "twenty times the partitions are twenty times the elections")
    stage.claim(took_ms[60] > took_ms[3], "and the last of them is without a leader for longer")


def partitions_spread_the_writing(stage: Stage) -> None:
    """One partition is as fast as its leader; three partitions are written to at once, on three brokers."""
    took_ms = {}
    for partitions in (1, 3):
        cluster = stage.cluster()
        stage.topic(cluster, "readings", partitions=partitions)
        stage.say(f"Three producers send 60 records each, in small batches, to {partitions} partition(s).")
        with stage.quiet():
            for name in ("p1", "p2", "p3"):
                cluster.producer(name, batch_size=100, partitioner="round_robin").send("readings", b"warm").result()
            from_ms = cluster.now_ms
            pending = [
                cluster.producer(name).send("readings", b"reading%03d" % number)
                for number in range(60)
                for name in ("p1", "p2", "p3")
            ]
            for one in pending:
                one.result()
        took_ms[partitions] = cluster.now_ms - from_ms
        writers = {cluster.leader("readings", partition) for partition in range(partitions)}
        stage.show(f"{took_ms[partitions]:.1f} ms; written by {', '.join(sorted(writers))}")
    stage.claim(took_ms[3] < 0.6 * took_ms[1], "three partitions take it in less than 60% of the time")


def partitions_cannot_be_removed(stage: Stage) -> None:
    """A topic has as many partitions as before, or more; never fewer."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3)
    stage.say("An administrator asks for two partitions instead of three.")
    error = ""
    try:
        cluster.admin().create_partitions("orders", 2)
    except RequestFailed as refused:
        error = refused.error
    stage.claim("INVALID_PARTITIONS" == error, "the controller refuses: INVALID_PARTITIONS")
    stage.show_layout(cluster, "orders")
    stage.claim(all(cluster.view.leads(("orders", partition)) for partition in range(3)), "there are still three")


def delete_and_recreate(stage: Stage) -> None:
    """The only way to fewer partitions is to delete the topic, and then its records are gone."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3, replicas=2)
    for number in range(3):
        cluster.producer().send("orders", b"old%d" % number, partition=number).result()
    stage.say("The topic is deleted, and created again with one partition.")
    cluster.admin().delete_topic("orders")
    cluster.run_until(lambda: len(cluster.facts(facts.LogDeleted, topic="orders")) == 6, "six deleted logs")
    stage.topic(cluster, "orders", partitions=1, replicas=2)
    offset = cluster.producer("p2").send("orders", b"new").result()
    stage.show_records(cluster, "orders")
    stage.claim(offset == 0, "offsets begin again at 0")
    stage.claim([b"new"] == [one.value for one in cluster.read("orders")], "nothing of the old topic is left")


SCENARIOS = (
    Scenario.of(retention_forgets_whole_segments, "T4"),
    Scenario.of(compaction_keeps_the_last_value, "T4"),
    Scenario.of(a_partition_is_a_folder_of_files, "T6"),
    Scenario.of(more_partitions_cost_failover, "T7"),
    Scenario.of(partitions_spread_the_writing, "T11"),
    Scenario.of(partitions_cannot_be_removed, "T8"),
    Scenario.of(delete_and_recreate, "T8"),
)
