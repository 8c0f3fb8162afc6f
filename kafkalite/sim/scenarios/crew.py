"""What scenarios of consumer groups share: their cluster, members that join, and how far a group is.

`__consumer_offsets` has two partitions here, made before the telling begins: Kafka's fifty would be told one by one.
"""

from __future__ import annotations

from typing import Any

from kafkalite import facts
from kafkalite.broker.auto_topics import OFFSETS_TOPIC
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import MemberFacade
from kafkalite.sim.stage import Stage
from kafkalite.sim.telling import text
from kafkalite.sim.trace import facts_of
from kafkalite.types import NodeName

PARTITIONS = 3  # of the topics here, unless told otherwise
IMPATIENT = {"session_timeout_ms": 10_000, "auto_offset_reset": "earliest"}


def cluster_with_groups(stage: Stage, brokers: int = 3, **broker: Any) -> Cluster:
    """A cluster that is ready to coordinate groups; `broker` are settings of all brokers."""
    cluster = stage.cluster(brokers, broker=broker)
    with stage.quiet():
        cluster.topic(OFFSETS_TOPIC, partitions=2, replicas=min(3, brokers), cleanup_policy="compact")
    return cluster


def join(cluster: Cluster, group: str, topic: str, *names: NodeName, **settings: Any) -> list[MemberFacade]:
    """These join the group; wait until it is stable and each partition is read by one of its members."""
    members = [cluster.member(name, group, topic, **{**IMPATIENT, **settings}) for name in names]
    settle(cluster, group, topic, names)
    return members


def settle(
    cluster: Cluster,
    group: str,
    topic: str,
    members: tuple[NodeName, ...] = (),
    *,
    without: NodeName = "",
    of: int = 1,
) -> None:
    """Wait until every partition has a reader in the group that knows it; `of` readers at least, and not `without`.

    `members` are those who must have joined meanwhile, readers or not.
    """
    partitions = [one for one in cluster.view.leaders if one[0] == topic]

    def is_read(partition: tuple[str, int]) -> bool:
        reader = cluster.reader(group, *partition)
        return reader not in {None, without} and partition in cluster.view.reads.get(reader or "", ())

    def is_settled() -> bool:
        readers = {cluster.reader(group, *one) for one in partitions}
        is_joined = all(name in cluster.view.reads for name in members)
        return is_joined and len(readers) >= of and all(map(is_read, partitions))

    cluster.run_until(is_settled, f"readers of all of {topic} in group {group}")


def send(stage: Stage, cluster: Cluster, topic: str, *values: str, partition: int | None = None) -> None:
    """One record after the other, each acknowledged before the next; without a partition: in turn. It is not told."""
    producer = cluster.producer("p1", partitioner="round_robin", linger_ms=0)
    with stage.quiet():
        for value in values:
            producer.send(topic, value.encode(), partition=partition).result()


def read_by(cluster: Cluster, *names: NodeName) -> list[str]:
    """The values these were handed, member by member, each in its order."""
    return [text(one.value) for name in names for one in cluster.view.polled.get(name, [])]


def until_read(cluster: Cluster, count: int, *names: NodeName) -> None:
    """Wait until these have been handed so many records together."""
    cluster.run_until(lambda: len(read_by(cluster, *names)) >= count, f"{count} records at {', '.join(names)}")


def until_committed(cluster: Cluster, group: str, topic: str) -> None:
    """Wait until the group has committed the end of every partition."""
    partitions = [one for one in cluster.view.leaders if one[0] == topic]
    cluster.run_until(lambda: not any(cluster.lag(group, *one) for one in partitions), f"no lag of group {group}")


def show_group(stage: Stage, cluster: Cluster, group: str, topic: str) -> int:
    """One line a partition: who reads it, how far the group is, and how far behind. Returns the whole lag."""
    total = 0
    for name, partition in sorted(cluster.view.leaders):
        if name == topic:
            committed, lag = cluster.committed(group, topic, partition), cluster.lag(group, topic, partition)
            end, reader = cluster.view.high_watermarks[topic, partition], cluster.reader(group, topic, partition)
            at = "nothing" if committed is None else committed
            stage.show(f"{topic}-{partition}: {reader or 'nobody'} reads; committed {at} of {end}, lag {lag}")
            total += lag
    return total


def in_time_order(cluster: Cluster, *names: NodeName) -> list[str]:
    """The values these were handed, in the order in which that happened."""
    return [
        text(value)
        for at in facts_of(cluster.steps)
        if at.node in names and isinstance(at.fact, facts.RecordsPolled)
        for value in at.fact.values
    ]


def polled_at(cluster: Cluster, name: NodeName) -> list[tuple[float, str]]:
    """When the member was handed which value."""
    return [
        (at.now_ms, text(value))
        for at in facts_of(cluster.steps)
        if at.node == name and isinstance(at.fact, facts.RecordsPolled)
        for value in at.fact.values
    ]
