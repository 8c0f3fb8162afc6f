"""Revoke, then assign: how a rebalance moves partitions while everybody goes on reading the rest (KIP-429).

    eager         everyone gives up everything before it joins, so nobody reads until all have been told
    cooperative   everyone keeps what it holds; a partition that is to move goes in two rebalances

        c1 holds 0 1 2      c2 joins, target: c1 0 1, c2 2
        1st                 c1 0 1     c2 -         c1 gives up 2, and asks for another rebalance
        2nd                 c1 0 1     c2 2         nobody has held 2 in between: never two owners

The target is the sticky assignor's: the assignor "cooperative-sticky" is `reconcile` of what it says.

Source: Kafka's CooperativeStickyAssignor.
"""

from __future__ import annotations

from kafkalite.groups.assignors import Assignment
from kafkalite.types import TopicPartition


def reconcile(owned: dict[str, list[TopicPartition]], target: Assignment) -> Assignment:
    """What each member may be told now, on the way to the target: nothing that somebody else still holds.

    >>> reconcile({"c1": [("A", 0), ("A", 1)]}, {"c1": [("A", 0)], "c2": [("A", 1)]})
    {'c1': [('A', 0)], 'c2': []}
    >>> reconcile({"c1": [("A", 0)]}, {"c1": [("A", 0)], "c2": [("A", 1)]})
    {'c1': [('A', 0)], 'c2': [('A', 1)]}
    """
    held: dict[TopicPartition, list[str]] = {}
    for member, partitions in owned.items():
        for partition in partitions:
            held.setdefault(partition, []).append(member)
    return {
        member: [one for one in partitions if one not in held or member in held[one]]
        for member, partitions in target.items()
    }
