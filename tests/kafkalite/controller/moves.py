"""What tests of replicas on the move ask and look at, in a line each."""

from __future__ import annotations

import json
from typing import Any

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.protocol.inter_broker import StopReplicaRequest
from kafkalite.protocol.reassignment import (
    AlterPartitionReassignmentsRequest,
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
    OngoingPartitionReassignment,
    ReassignablePartition,
    ReassignableTopic,
)

from .rig import ORDERS, Rig

TOPIC_PATH = znodes.topic_path("orders")


def five(*replicas: int) -> Rig:
    """Broker 105 is controller; orders-0 is on these, by default 101, 102, 103."""
    rig = Rig([105, 101, 102, 103, 104]).elect()
    rig.add_topic("orders", {0: [*(replicas or (101, 102, 103))]})
    rig.run().forget()
    return rig


def move(rig: Rig, *target: int, partition: int = 0, topic: str = "orders") -> ErrorCode:
    """Ask for these brokers; for nobody: cancel."""
    one = ReassignableTopic(topic, (ReassignablePartition(partition, target or None),))
    answer = rig.ask("c1", AlterPartitionReassignmentsRequest(1000, (one,)))
    assert answer is not None, "it is answered as soon as it has begun"
    error: ErrorCode = answer.error_code or answer.responses[0].partitions[0].error_code
    return error


def under_way(
    rig: Rig, *topics: ListPartitionReassignmentsTopics
) -> dict[str, tuple[OngoingPartitionReassignment, ...]]:
    answer = rig.ask("c1", ListPartitionReassignmentsRequest(1000, topics or None))
    return {topic.name: topic.partitions for topic in answer.topics}


def written(rig: Rig) -> dict[str, Any]:
    """The topic's znode."""
    found: dict[str, Any] = json.loads(rig.zk.tree.znodes[TOPIC_PATH].data or b"")
    return found


def state(rig: Rig) -> tuple[int, int, tuple[int, ...]]:
    found = rig.state(*ORDERS)
    return found.leader, found.leader_epoch, found.isr


def stopped(rig: Rig) -> dict[int, list[tuple[int, bool]]]:
    """Which brokers were told to stop, with leader epoch and whether to delete."""
    return {
        broker: [
            (one.leader_epoch, one.delete_partition)
            for request in rig.told(broker, StopReplicaRequest)
            for topic in request.topic_states
            for one in topic.partition_states
        ]
        for broker in (101, 102, 103, 104)
        if rig.told(broker, StopReplicaRequest)
    }
