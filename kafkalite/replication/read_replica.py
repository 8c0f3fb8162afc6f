"""From which replica a consumer is to read: the leader, unless one in its own rack has what it wants (KIP-392).

Crossing racks (data centres) costs money and time. Who is chosen serves only what lies below its own high watermark,
which lags behind the leader's.

Source: Kafka's RackAwareReplicaSelector, ReplicaManager.findPreferredReadReplica.
"""

from __future__ import annotations

from kafkalite.types import ReplicaView


def read_replica(replicas: list[ReplicaView], fetch_offset: int, client_rack: str) -> int:
    """The broker to read from. `replicas` are the leader and the followers in sync.

    Of several in the client's rack the leader is best, then the one that has most, then the one caught up last.

    >>> leader, near = ReplicaView(1, "a", True, 0, 9), ReplicaView(2, "b", False, 0, 9)
    >>> [read_replica([leader, near], fetch_offset=4, client_rack=rack) for rack in ("a", "b", "c", "")]
    [1, 2, 1, 1]
    """
    leader = next(replica for replica in replicas if replica.is_leader)
    near = [
        replica
        for replica in replicas
        if client_rack and replica.rack == client_rack and replica.log_start <= fetch_offset <= replica.end_offset
    ]
    if leader in near or not near:
        return leader.broker
    return min(near, key=lambda replica: (-replica.end_offset, replica.since_caught_up_ms, replica.broker)).broker
