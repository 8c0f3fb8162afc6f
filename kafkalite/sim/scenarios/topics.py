"""Topics, partitions, offsets: what a record's place is, what a key decides, and where order holds."""

from __future__ import annotations

from itertools import pairwise

from kafkalite import facts
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST
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


SCENARIOS = (
    Scenario.of(four_partitions_two_producers, "T1 T2 T3 T10"),
    Scenario.of(an_offset_names_one_record, "T3 T4"),
    Scenario.of(same_key_same_partition, "T5 P5"),
    Scenario.of(null_keys_round_robin_and_sticky, "T5 P5"),
    Scenario.of(adding_partitions_moves_keys, "T5 T8"),
    Scenario.of(total_order_needs_one_partition, "T9"),
)
