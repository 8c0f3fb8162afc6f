"""What a client asks of a controller about topics, in a line each: create, grow, delete."""

from __future__ import annotations

from typing import Any

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.protocol.topics import (
    CreatableTopic,
    CreatableTopicConfig,
    CreatableTopicResult,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteTopicsRequest,
)

from .rig import Rig


def create(rig: Rig, name: str = "orders", partitions: int = 3, replicas: int = 2, **more: Any) -> CreatableTopicResult:
    """The outcome for one topic."""
    request = {key: more.pop(key) for key in ("timeout_ms", "validate_only") if key in more}
    answer = rig.ask("c1", CreateTopicsRequest((CreatableTopic(name, partitions, replicas, **more),), **request))
    [result] = answer.topics
    assert isinstance(result, CreatableTopicResult)
    return result


def grow(rig: Rig, count: int, *by_hand: tuple[int, ...], **more: Any) -> Any:
    topic = CreatePartitionsTopic("orders", count, tuple(map(CreatePartitionsAssignment, by_hand)))
    return rig.ask("c1", CreatePartitionsRequest((topic,), **{"timeout_ms": 1000, **more})).results[0]


def config(**settings: str) -> tuple[CreatableTopicConfig, ...]:
    return tuple(CreatableTopicConfig(name.replace("_", "."), value) for name, value in settings.items())


def assignment(rig: Rig, topic: str = "orders") -> dict[int, list[int]]:
    return znodes.decode_topic(topic, rig.zk.tree.znodes[znodes.topic_path(topic)].data)


def delete(rig: Rig, *names: str) -> dict[str, ErrorCode]:
    answer = rig.ask("c1", DeleteTopicsRequest(topic_names=names, timeout_ms=1000))
    return {one.name: one.error_code for one in answer.responses}


def state(rig: Rig, partition: int) -> tuple[int, int, tuple[int, ...]]:
    state = rig.state("orders", partition)
    return state.leader, state.leader_epoch, state.isr
