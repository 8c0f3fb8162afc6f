"""Groups amid disasters: brokers die, members stand still, links are cut; in the end everything was read, in order."""

from __future__ import annotations

from random import Random

import pytest

from kafkalite.facts import GroupStabilized, MembershipFailed, OffsetsCommitted, PartFailed, RecordsPolled
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.trace import facts_of
from kafkalite.types import TopicPartition

A, PARTITIONS = "A", 4
STRATEGIES = ("range", "roundrobin", "sticky", "cooperative-sticky")
CONSUMER = {
    "session_timeout_ms": 6000,
    "heartbeat_interval_ms": 1000,
    "max_poll_interval_ms": 10_000,
    "auto_commit_interval_ms": 1000,
    "auto_offset_reset": "earliest",
    "request_timeout_ms": 5000,
    "default_api_timeout_ms": 8000,
}
ROUNDS, ROUND_MS = 8, 4000


class Story:
    """One run, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        broker = {
            "offsets_topic_num_partitions": 2,
            "zookeeper_session_timeout_ms": 3000,
            "min_insync_replicas": 2,
            "replica_lag_time_max_ms": 3000,
            "replica_socket_timeout_ms": 3000,
            "controller_socket_timeout_ms": 3000,
        }
        self.cluster = Cluster(brokers=3, zookeepers=1, seed=seed, broker=broker)
        self.cluster.topic(A, partitions=PARTITIONS, replicas=3)
        self.strategy = STRATEGIES[seed % len(STRATEGIES)]
        self.members = [self.member(number) for number in range(3)]
        self.sent = 0

    def member(self, number: int) -> str:
        name = f"c{number}"
        instance = f"i{number}" if self.draw.random() < 0.3 else None
        settings = {**CONSUMER, "group_instance_id": instance, "partition_assignment_strategy": (self.strategy,)}
        self.cluster.member(name, "g", A, **settings)
        return name

    def send(self) -> None:
        producer = self.cluster.producer("p1", linger_ms=0, request_timeout_ms=5000)
        for _ in range(10):
            producer.send(A, b"%d" % self.sent, partition=self.sent % PARTITIONS)
            self.sent += 1

    def disaster(self) -> None:
        cluster, draw = self.cluster, self.draw
        broker = draw.choice(cluster.brokers)
        member = draw.choice(self.members)
        kind = draw.randrange(7)
        if kind == 0:
            cluster.kill(broker)
            cluster.run_for(draw.choice([500, 5000]))
            cluster.restart(broker)
        elif kind == 1:
            cluster.freeze(broker, draw.choice([1000, 5000]))
        elif kind == 2:
            cluster.freeze(member, draw.choice([2000, 9000]))
        elif kind == 3:
            cluster.cut(member, broker, draw.choice([1000, 7000]))
        elif kind == 4:
            cluster.kill(member)
            cluster.view.reads.pop(member, None)
            self.members.remove(member)
            self.members.append(self.member(len(cluster.sim.nodes)))
        elif kind == 5:
            cluster.member(member, "g").close()
            self.members.remove(member)
            self.members.append(self.member(len(cluster.sim.nodes)))
        else:
            cluster.member(member, "g").work_at(draw.choice([0, 0, 20_000 / 10]))

    def play(self) -> None:
        for _ in range(ROUNDS):
            self.send()
            self.disaster()
            self.cluster.run_for(ROUND_MS * self.draw.random())
        for name in self.members:
            self.cluster.member(name, "g").work_at(0)
        self.send()
        self.cluster.run_until(lambda: len(self.cluster.view.outcomes) == self.sent, "answers to all records", 200_000)
        self.cluster.run_until(self.is_all_committed, "bookmarks at the end of every partition", 200_000)
        self.cluster.run_until(self.is_settled, "a stable group of those who are left", 200_000)

    def is_settled(self) -> bool:
        reads = [self.cluster.view.reads.get(name, set()) for name in self.members]
        return PARTITIONS == sum(map(len, reads)) == len(set().union(*reads))

    def is_all_committed(self) -> bool:
        committed = self.cluster.view.committed.get("g", {})
        outcomes = [one for one in self.cluster.view.outcomes.values() if one.error == "NONE"]
        return all(committed.get((A, one.partition), 0) > one.offset for one in outcomes)


def check(cluster: Cluster) -> None:
    """What must hold of every run."""
    committed: dict[TopicPartition, int] = {}
    generations: dict[int, tuple[object, ...]] = {}
    polled: dict[TopicPartition, set[int]] = {}
    for at in facts_of(cluster.steps):
        fact = at.fact
        assert not isinstance(fact, PartFailed), fact
        if isinstance(fact, OffsetsCommitted):
            for topic, partition, offset in fact.offsets:
                skipped = set(range(offset)) - polled.get((topic, partition), set())
                assert not skipped, f"{fact}: nobody was ever handed {sorted(skipped)}"
                assert offset >= committed.get((topic, partition), 0), f"{fact} goes back"
                committed[topic, partition] = offset
        elif isinstance(fact, RecordsPolled):
            polled.setdefault((fact.topic, fact.partition), set()).update(fact.offsets)
        elif isinstance(fact, GroupStabilized):
            owned = [one for _, partitions in fact.assignment for one in partitions]
            assert len(owned) == len(set(owned)), f"{fact}: two owners"
            assert generations.setdefault(fact.generation, fact.assignment) == fact.assignment


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_all_is_read_nothing_is_uncommitted_and_the_group_is_stable_again(seed: int) -> None:
    """C2, C3, O2, O4: one owner a generation, commits that never go back, nothing left out."""
    story = Story(seed)

    story.play()

    check(story.cluster)
    assert {"FENCED_INSTANCE_ID"} >= {one.error for one in story.cluster.facts(MembershipFailed)}
