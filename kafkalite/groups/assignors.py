"""Who reads which partition: the range and round robin assignors.

An assignor runs in one member of the group, its leader, and not on a broker. It is told what every member subscribes to
and how many partitions each topic has; it answers with an owner for every partition: never two (M25), and none at all
for a member when there are more members than partitions (C3).

    range          topic by topic: partitions in a row are dealt out in equal stretches, so partition 0 of every topic
                   meets the same member, and so do the ones left over
    round robin    all partitions of all topics in a row are dealt out one by one

Source: Kafka's RangeAssignor, RoundRobinAssignor, whose results these are. Left out: racks (KIP-881).
"""

from __future__ import annotations

from collections.abc import Iterable

from kafkalite.types import Subscription, TopicPartition

Assignment = dict[str, list[TopicPartition]]


def range_assign(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    """Equal stretches of every topic; the first members get one more where it does not come out even.

    >>> members = [Subscription("c1", ("A",)), Subscription("c2", ("A",))]
    >>> range_assign(members, {"A": 3})
    {'c1': [('A', 0), ('A', 1)], 'c2': [('A', 2)]}
    """
    assignment: Assignment = {one.member: [] for one in members}
    order = in_order(members)
    for topic, count in sorted(partitions.items()):
        readers = [one.member for one in order if topic in one.topics]
        start = 0
        for position, member in enumerate(readers):
            length = count // len(readers) + (position < count % len(readers))
            assignment[member] += [(topic, index) for index in range(start, start + length)]
            start += length
    return assignment


def round_robin_assign(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    """One partition after the other to one member after the other, passing over those that did not subscribe.

    >>> members = [Subscription("c1", ("A", "B")), Subscription("c2", ("A", "B"))]
    >>> round_robin_assign(members, {"A": 3, "B": 1})
    {'c1': [('A', 0), ('A', 2)], 'c2': [('A', 1), ('B', 0)]}
    """
    assignment: Assignment = {one.member: [] for one in members}
    order = in_order(members)
    turn = 0
    for topic, index in in_demand(members, partitions):
        while topic not in order[turn % len(order)].topics:
            turn += 1
        assignment[order[turn % len(order)].member].append((topic, index))
        turn += 1
    return assignment


def in_order(members: Iterable[Subscription]) -> list[Subscription]:
    """Those with an instance id first, by that; then the others by member id: so a restart does not shuffle (KIP-345).

    >>> [one.member for one in in_order([Subscription("b", ()), Subscription("a", ()), Subscription("z", (), "i1")])]
    ['z', 'a', 'b']
    """
    return sorted(members, key=lambda one: (one.instance is None, one.instance or one.member))


def in_demand(members: Iterable[Subscription], partitions: dict[str, int]) -> list[TopicPartition]:
    """The partitions of all topics that somebody subscribes to and that exist, in order."""
    topics = {topic for one in members for topic in one.topics}
    return [(topic, index) for topic in sorted(topics & partitions.keys()) for index in range(partitions[topic])]
