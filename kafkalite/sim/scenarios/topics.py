"""Topics, partitions, offsets: what a record's place is, what a key decides, what is kept, and what partitions cost."""

from __future__ import annotations

from itertools import pairwise

from kafkalite import facts
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST, RequestFailed
from kafkalite.sim.stage import Scenario, Stage


def partitions_of(cluster: Cluster, topic: str) -> dict[bytes | None, set[int]]:
    """In which partitions records of each key were put, as their producers say."""
    found: dict[bytes | None, set[int]] = {}
    for sent in cluster.facts(facts.RecordSent, topic=topic):
        found.setdefault(sent.key, set()).add(sent.partition)
    return found


def four_partitions_two_producers(stage: Stage) -> None:
    """Two producers write to one topic of four partitions: a key has its partition, a partition counts its offsets."""
    cluster = stage.cluster()
    stage.topic(cluster, "colours", partitions=4, replicas=1)
    stage.say("Two producers send records of four keys.")
    pending = [
        cluster.producer(name).send("colours", f"{key}{number}".encode(), key=key.encode())
        for number, name in ((1, "p1"), (2, "p2"), (3, "p1"))
        for key in ("red", "teal", "pink", "green")
    ]
    for one in pending:
        one.result()
    stage.say("Where they stand: partition | offset:value")
    stage.show_records(cluster, "colours")
    lanes = [[polled.offset for polled in cluster.read("colours", partition)] for partition in range(4)]
    stage.claim(12 == sum(map(len, lanes)), "both producers' records are in the topic")
    stage.claim(all(lane == list(range(len(lane))) for lane in lanes), "every partition counts its offsets from 0")
    stage.claim(
        all(len(where) == 1 for where in partitions_of(cluster, "colours").values()), "a key is in one partition"
    )


def an_offset_names_one_record(stage: Stage) -> None:
    """Topic 2, partition 0, offset 9 is one record, for ever; offset 9 of another partition is another."""
    cluster = stage.cluster()
    stage.topic(cluster, "topic-2", partitions=2)
    stage.say("Ten records to each partition, in the order in which they are sent.")
    with stage.quiet():
        for partition, letter in ((0, "a"), (1, "b")):
            for number in range(10):
                cluster.producer().send("topic-2", f"{letter}{number}".encode(), partition=partition).result()
    stage.show_records(cluster, "topic-2")
    stage.say("A consumer asks for offset 9 of each partition, twice.")
    stage.tell_of(facts.RecordsPolled)
    for name in ("c1", "c2"):
        consumer = cluster.consumer(name).assign(("topic-2", 0, 9), ("topic-2", 1, 9))
        values = {(one.partition, one.offset): one.value for one in consumer.poll(2)}
        stage.claim({(0, 9): b"a9", (1, 9): b"b9"} == values, f"{name} finds a9 in partition 0 and b9 in partition 1")


def truck_gps(stage: Stage) -> None:
    """Trucks report where they are; a dashboard and a notification service read all of it, each for itself."""
    cluster = stage.cluster()
    stage.topic(cluster, "truck_gps", partitions=10, replicas=3)
    trucks = [f"truck{number:02}" for number in range(1, 31)]
    stage.say("Thirty trucks, each a producer, report three times. The key is the truck's id.")
    with stage.quiet():
        for place in ("depot", "road", "customer"):
            reports = [
                cluster.producer(truck).send("truck_gps", f"{truck}@{place}".encode(), key=truck.encode())
                for truck in trucks
            ]
            for report in reports:
                report.result()
    counts = [cluster.end(cluster.leader("truck_gps", partition), "truck_gps", partition) for partition in range(10)]
    stage.show("records in each partition: " + " ".join(map(str, counts)))
    placed = partitions_of(cluster, "truck_gps")
    stage.claim(len(placed) == 30 and all(len(where) == 1 for where in placed.values()), "a truck is in one partition")

    stage.say("Two services read the topic, whatever the other has read.")
    everything = [("truck_gps", partition, EARLIEST) for partition in range(10)]
    for service in ("dashboard", "notification"):
        with stage.quiet():
            records = cluster.consumer(service).assign(*everything).poll(90)
        last: dict[str, str] = dict((one.value or b"").decode().split("@") for one in records)
        stage.claim(90 == len({(one.partition, one.offset) for one in records}), f"{service} has read all 90 reports")
        stage.claim(
            last == dict.fromkeys(trucks, "customer"),
            f"{service} knows every truck's last place: its reports are in order",
        )


def same_key_same_partition(stage: Stage) -> None:
    """Equal keys meet in one partition, whoever sends them: their order is kept there."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3)
    stage.say("Three producers, one after the other, on the orders of three customers.")
    for step, name in enumerate(("shop", "till", "app")):
        for customer in ("alice", "dave", "carol"):
            cluster.producer(name).send("orders", f"{customer}-{step}".encode(), key=customer.encode()).result()
    stage.show_records(cluster, "orders")
    for key, (partition,) in sorted(partitions_of(cluster, "orders").items()):
        name = (key or b"").decode()
        values = [(one.value or b"").decode() for one in cluster.read("orders", partition)]
        own = [value for value in values if value.startswith(name)]
        stage.claim(own == [f"{name}-{step}" for step in range(3)], f"{name}'s are in partition {partition}, in order")


def null_keys_round_robin_and_sticky(stage: Stage) -> None:
    """Records without a key go anywhere: one by one in turn as the note says, or, today, batch by batch."""
    cluster = stage.cluster()
    chosen: dict[str, list[int]] = {}
    batches: dict[str, int] = {}
    for partitioner in ("round_robin", "sticky"):
        with stage.quiet():
            cluster.topic(partitioner, partitions=4)
            producer = cluster.producer(partitioner[:6], partitioner=partitioner, batch_size=300, linger_ms=20)
            producer.send(partitioner, b"first").result()  # the topic's partitions are known from here on
        stage.say(f"Six records without a key, four times over; partitioner: {partitioner}.")
        with stage.quiet():
            for _ in range(4):
                for pending in [producer.send(partitioner, b"reading%03d" % number) for number in range(6)]:
                    pending.result()
        chosen[partitioner] = [one.partition for one in cluster.facts(facts.RecordSent, topic=partitioner)][1:]
        batches[partitioner] = len(cluster.facts(facts.BatchSent, topic=partitioner)) - 1
        stage.show("partitions chosen: " + " ".join(map(str, chosen[partitioner])))
        stage.show(f"batches sent: {batches[partitioner]}")
    in_turn, sticky = chosen["round_robin"], chosen["sticky"]
    stage.claim(all((b - a) % 4 == 1 for a, b in pairwise(in_turn)), "round robin takes the partitions in turn")
    stage.claim(sum(a == b for a, b in pairwise(sticky)) > 12, "sticky stays where it is until a batch is full")
    stage.claim(len(set(sticky)) > 1, "then it goes elsewhere")
    stage.claim(batches["sticky"] < batches["round_robin"], "so it sends fewer, fuller batches (KIP-480, KIP-794)")


def adding_partitions_moves_keys(stage: Stage) -> None:
    """Partitions can be added, and then keys move: what was written stays where it is, what follows goes elsewhere."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=2)
    producer = cluster.producer(metadata_max_age_ms=10_000)
    keys = [b"customer%02d" % number for number in range(12)]

    def one_of_each(value: bytes) -> dict[bytes, int]:
        with stage.quiet():
            for key in keys:
                producer.send("orders", value, key=key).result()
        return {one.key or b"": one.partition for one in cluster.facts(facts.RecordSent)[-len(keys) :]}

    stage.say("Twelve customers order something.")
    before = one_of_each(b"first")
    stage.say("Two partitions are added, and once the producer knows of it, everybody orders again.")
    cluster.admin().create_partitions("orders", 4)
    cluster.run_until(lambda: cluster.view.leads(("orders", 3)), "a leader of the last partition").run_for(20_000)
    after = one_of_each(b"second")
    moved = [key for key in keys if before[key] != after[key]]
    for key in moved:
        stage.show(f"{key.decode()}: partition {before[key]} -> {after[key]}")
    stage.claim(0 < len(moved) < len(keys), f"{len(moved)} of {len(keys)} keys are in another partition from now on")
    stage.claim(
        all(any(one.value == b"first" for one in cluster.read("orders", before[key])) for key in moved),
        "their first orders stay where they were: between the two there is no order",
    )


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


def total_order_needs_one_partition(stage: Stage) -> None:
    """Order holds inside a partition: whoever wants all records in order needs a single one, so a single leader."""
    cluster = stage.cluster()
    for topic, partitions in (("three", 3), ("one", 1)):
        stage.topic(cluster, topic, partitions=partitions)
        stage.say(f"Records 1 to 12, without keys, to {partitions} partition(s).")
        with stage.quiet():
            producer = cluster.producer(f"to-{topic}", partitioner="round_robin")
            for number in range(1, 13):
                producer.send(topic, b"%d" % number).result()
            consumer = cluster.consumer(f"of-{topic}")
            records = consumer.assign(*[(topic, index, EARLIEST) for index in range(partitions)]).poll(12)
        read = [int(one.value or b"") for one in records]
        stage.show("read: " + " ".join(map(str, read)))
        for index in range(partitions):
            lane = [int(one.value or b"") for one in records if one.partition == index]
            stage.claim(lane == sorted(lane), f"{topic}-{index} is in the order of sending: {' '.join(map(str, lane))}")
        if partitions > 1:
            stage.claim(read != sorted(read), "all together they are not")
        else:
            stage.claim(read == sorted(read), "all of it is in order, and it went to one broker alone")


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


SCENARIOS = (
    Scenario.of(four_partitions_two_producers, "T1 T2 T3 T10"),
    Scenario.of(an_offset_names_one_record, "T3 T4"),
    Scenario.of(truck_gps, "T1 T5 T10"),
    Scenario.of(same_key_same_partition, "T5 P5"),
    Scenario.of(null_keys_round_robin_and_sticky, "T5 P5"),
    Scenario.of(adding_partitions_moves_keys, "T5 T8"),
    Scenario.of(partitions_cannot_be_removed, "T8"),
    Scenario.of(delete_and_recreate, "T8"),
    Scenario.of(total_order_needs_one_partition, "T9"),
    Scenario.of(retention_forgets_whole_segments, "T4"),
    Scenario.of(compaction_keeps_the_last_value, "T4"),
    Scenario.of(a_partition_is_a_folder_of_files, "T6"),
    Scenario.of(more_partitions_cost_failover, "T7"),
    Scenario.of(partitions_spread_the_writing, "T11"),
)
