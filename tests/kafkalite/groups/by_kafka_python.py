"""What kafka-python makes of the same: its assignors, and the bytes its members exchange."""

from __future__ import annotations

import importlib
import warnings
from types import SimpleNamespace
from typing import Any

from kafkalite.groups.assignors import Assignment
from kafkalite.types import Subscription

NAMES = {"range": "RangePartitionAssignor", "roundrobin": "RoundRobinPartitionAssignor"}

with warnings.catch_warnings():  # it reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    MESSAGES: Any = importlib.import_module("kafka.protocol.consumer.metadata")
    ASSIGNORS = {name: importlib.import_module(f"kafka.coordinator.assignors.{name}") for name in NAMES}


def assign(name: str, members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    """What its assignor of that name answers."""
    cluster = SimpleNamespace(
        partitions_for_topic=lambda topic: set(range(partitions[topic])) if topic in partitions else None
    )
    theirs = [
        SimpleNamespace(
            member_id=one.member, group_instance_id=one.instance, metadata=SimpleNamespace(topics=list(one.topics))
        )
        # it groups neighbours only, so those with an instance id are put side by side
        for one in sorted(members, key=lambda one: one.instance is None)
    ]
    found = getattr(ASSIGNORS[name], NAMES[name]).assign(cluster, theirs)
    return {
        member: [(topic, index) for topic, indexes in assigned.assigned_partitions for index in indexes]
        for member, assigned in found.items()
    }
