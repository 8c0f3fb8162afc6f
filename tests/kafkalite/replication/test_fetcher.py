"""How followers copy, and what they do when they are told no."""

from __future__ import annotations

from typing import Any

from kafkalite.facts import BatchAppended, LogTruncated, RequestRefused
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection, Cut, Freeze, Kill, Restart
from kafkalite.sim.trace import facts_of

from .rig import Rig


def led_by_1(brokers: int = 2, **config: Any) -> Rig:
    rig = Rig(brokers, **config)
    rig.elect(1)
    rig.run(20)
    return rig


def test_a_follower_whose_leader_is_gone_asks_now_and_then_and_not_all_the_time() -> None:
    rig = led_by_1()
    rig.sim.inject(Kill("b1"))
    rig.run(20)
    before = rig.sim.deliveries
    rig.run(5000)

    assert 5 <= rig.sim.deliveries - before <= 25


def test_a_connection_that_breaks_is_made_again_and_nothing_is_missed_or_doubled() -> None:
    rig = led_by_1()
    for n in range(10):
        rig.produce(f"v{n}", acks=1)
        rig.run(100)
        rig.sim.inject(BreakConnection("b1", "b2"))
    rig.run(2500)

    assert [f"v{n}" for n in range(10)] == rig.values(1) == rig.values(2)


def test_a_follower_that_is_fenced_waits_for_the_controller() -> None:
    """It does not know that it is out of date, and asking again would not tell it more."""
    rig = led_by_1()
    rig.elect(1, to=(1,))
    rig.run(4000)

    assert ["FENCED_LEADER_EPOCH"] == [fact.error for fact in rig.facts_of(RequestRefused, 1)]

    rig.tell(to=(2,))
    rig.produce("a")
    rig.run(100)

    assert ["a"] == rig.values(2)


def test_a_follower_that_knows_more_than_its_leader_asks_again_later() -> None:
    rig = led_by_1()
    rig.elect(1, to=(2,))
    rig.run(2500)

    errors = [fact.error for fact in rig.facts_of(RequestRefused, 1)]
    assert {"UNKNOWN_LEADER_EPOCH"} == set(errors)
    assert 2 <= len(errors) <= 4

    rig.tell(to=(1,))
    rig.produce("a")
    rig.run(1200)

    assert ["a"] == rig.values(2)


def test_what_is_under_way_when_the_leader_changes_is_not_taken() -> None:
    """An answer of the old leader says nothing about the new one's log."""
    rig = led_by_1(3)
    for broker in (2, 3):
        rig.sim.inject(Cut("b1", f"b{broker}", 30))
    rig.produce("only 1", acks=1)
    rig.run(5)
    rig.elect(2, isr=(2, 3), to=(2, 3))
    rig.run(500)

    assert [["only 1"], [], []] == [rig.values(broker) for broker in rig.replicas]

    rig.tell(to=(1,))
    rig.run(500)

    assert [] == rig.values(1)


def test_a_follower_copies_at_most_so_much_at_once_and_all_in_the_end() -> None:
    rig = led_by_1(2, replica_fetch_max_bytes=100)
    rig.sim.inject(Freeze("b2", 200))
    for n in range(10):
        rig.produce(f"v{n}", acks=1)
        rig.run(10)
    rig.run(300)

    assert 10 == rig.log(2).log_end_offset


def test_a_follower_that_was_away_for_long_catches_up_without_losing_what_it_had() -> None:
    """R3, R4."""
    rig = led_by_1()
    rig.produce("a")
    rig.run(600)
    rig.sim.inject(Kill("b2"))
    rig.elect(1, isr=(1,), to=(1,))
    rig.run(20)
    rig.produce("b")
    rig.run(20)
    rig.sim.inject(Restart("b2"))
    rig.run(1)
    rig.tell(to=(2,))
    rig.run(1500)

    assert ["a", "b"] == rig.values(2)
    assert [] == rig.facts_of(LogTruncated)
    assert (1, 2) == rig.state.isr


def test_a_busy_partition_does_not_keep_the_others_waiting() -> None:
    """A response has a size; whoever was served comes last in the next request."""
    small = {"replica_fetch_response_max_bytes": 400, "replica_fetch_max_bytes": 400}
    cluster = Cluster(2, seed=1, broker=small).topic("t", partitions=3, replicas=2)
    leader_of = {index: cluster.view.leaders["t", index].broker for index in range(3)}
    leader = leader_of[0]
    follower = next(name for name in cluster.brokers if name != leader)
    led = [index for index in range(3) if leader_of[index] == leader]
    cluster.kill(follower).run_for(100)
    producer = cluster.producer("p", acks=1)
    for _ in range(12):
        for index in led:
            producer.send("t", b"x" * 150, partition=index)
        cluster.run_for(2000)  # a batch each
    cluster.restart(follower).run_for(30_000)
    copied = [
        (fact.partition, fact.base_offset)
        for fact in facts_of_kind(cluster, BatchAppended)
        if not fact.is_leader and fact.partition in led
    ]

    assert len(led) > 1
    ends = [max(offset for partition, offset in copied if partition == index) for index in led]
    assert len(set(ends)) == 1
    halfway = copied[: len(copied) // 2]
    assert set(led) == {partition for partition, _ in halfway}


def facts_of_kind(cluster: Cluster, kind: type[BatchAppended]) -> list[BatchAppended]:
    return [at.fact for at in facts_of(cluster.steps) if type(at.fact) is kind]


def test_a_new_follower_of_a_log_that_begins_within_a_batch_takes_the_whole_batch() -> None:
    """As Kafka does: or it would ask for it for ever, and never be in sync. It begins where the leader's log does."""
    cluster = Cluster(2, 1, 1).topic("orders", assignment=((101,),))
    producer = cluster.producer(acks="all", linger_ms=50)
    sent = [producer.send("orders", b"%d" % number) for number in range(5)]  # in one batch
    assert [0, 1, 2, 3, 4] == [one.result() for one in sent]
    cluster.admin().delete_records("orders", 0, 3)

    cluster.admin().reassign("orders", 0, 102, 101)
    cluster.run_for(2000)

    assert (101, 102) == cluster.isr("orders")
    assert [0, 1, 2, 3, 4] == [record.offset for record in cluster.records_on("b102", "orders")]
    cluster.kill("b101").run_for(30_000)
    assert [b"3", b"4"] == cluster.values("orders")
    assert [5] == [producer.send("orders", b"5").result()]
