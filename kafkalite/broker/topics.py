"""CreateTopics · key 19 · v0-7, CreatePartitions · key 37 · v0-3, DeleteTopics · key 20 · v0-6: topics come and go.

    CreateTopics      v1 validate only · v4 defaults of the broker (KIP-464) · v5 the topic is shown (KIP-525)
    CreatePartitions  KIP-195: more of them, never fewer
    DeleteTopics      v6 topic ids (KIP-516): answered with UNKNOWN_TOPIC_ID, there are none

Only the controller answers; the others say NOT_CONTROLLER. A request is checked and written to ZooKeeper, and waits
(`parked_topics`); the controller sees the znodes change like any other change, and does its work.

Left out: quotas (KIP-599), policies. Source: kafka.server.ZkAdminManager.
"""

from __future__ import annotations

from typing import Any

from kafkalite.broker.configs import topic_configs
from kafkalite.broker.parked_topics import NOT_HERE, Parked, ParkedTopics
from kafkalite.broker.topic_rules import (
    Refusal,
    why_not_grown,
    why_not_named,
    why_not_placed,
    why_not_set,
    why_too_many,
)
from kafkalite.broker.topic_settings import defaults_of
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.controller import Controller
from kafkalite.controller.events import ZooKeeper, error_of, fenced, is_deposed
from kafkalite.controller.placement import pattern_of
from kafkalite.errors import ErrorCode, InvalidPlacement
from kafkalite.facts import PartitionsAdded, TopicCreated
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol.topics import (
    CreatableTopic,
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
    CreatePartitionsTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
)
from kafkalite.protocol.zookeeper import CreateRequest, GetDataRequest, SetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import NodeName

Assignment = dict[int, list[int]]  # the brokers of each partition
MANY_TIMES = (ErrorCode.INVALID_REQUEST, "the topic is in the request more than once")
BY_WHAT = {
    "partitions": ErrorCode.INVALID_PARTITIONS,
    "replication_factor": ErrorCode.INVALID_REPLICATION_FACTOR,
    "racks": ErrorCode.INVALID_REPLICA_ASSIGNMENT,
}


class TopicsApi(ParkedTopics):
    """The requests about topics."""

    def __init__(self, node: Node, config: BrokerConfig, zk: ZooKeeper, controller: Controller, parts: Parts) -> None:
        super().__init__(node, controller)
        self._config, self._zk, self._parts = config, zk, parts

    # CreateTopics ---------------------------------------------------------------------------------------------------

    def on_create_topics_request(self, source: NodeName, request: CreateTopicsRequest) -> None:
        parked = Parked(source, _topics_created, request.timeout_ms)
        names = [topic.name for topic in request.topics]
        too_many = why_too_many(sum(max(topic.num_partitions, len(topic.assignments)) for topic in request.topics))
        placed: dict[str, Assignment] = {}
        for topic in request.topics:
            parked.results[topic.name] = CreatableTopicResult(topic.name)
            found = MANY_TIMES if names.count(topic.name) > 1 else too_many or self._new_topic(topic)
            if isinstance(found, tuple):
                parked.refuse(topic.name, found)
            else:
                placed[topic.name] = found
                parked.results[topic.name] = self._shown(topic.name, found, _settings(topic))
        number = self.park(parked, () if request.validate_only else placed)
        for topic in request.topics:
            if topic.name in placed and not request.validate_only:
                self._create(number, topic, placed[topic.name], has_config=False)

    def _new_topic(self, topic: CreatableTopic) -> Assignment | Refusal:
        """Its placement; or why there cannot be such a topic."""
        context = self.controller.context
        if context is None:
            return NOT_HERE
        others = context.topics.keys() | context.deleting.keys() | self.under_way()
        refusal = why_not_named(topic.name, others) or why_not_set((one.name, one.value) for one in topic.configs)
        if refusal is not None:
            return refusal
        if topic.assignments:
            return _by_hand(topic, context.live)
        partitions = self._config.num_partitions if topic.num_partitions == -1 else topic.num_partitions
        replicas = topic.replication_factor
        replicas = self._config.default_replication_factor if replicas == -1 else replicas
        brokers = max(len(context.live), 1)
        start, shift = self.node.random.randrange(brokers), self.node.random.randrange(brokers)
        return self._place(partitions, replicas, start, shift, 0)

    def _place(
        self, partitions: int, replicas: int, start: int, shift: int, first_partition: int
    ) -> Assignment | Refusal:
        assert self.controller.context is not None
        live, racks = sorted(self.controller.context.live), self.controller.context.racks()
        try:
            return self._parts.assign_replicas(partitions, replicas, live, racks, start, shift, first_partition)
        except InvalidPlacement as refused:
            return BY_WHAT.get(refused.what, ErrorCode.INVALID_REQUEST), refused.reason

    def _create(self, number: int, topic: CreatableTopic, assignment: Assignment, *, has_config: bool) -> None:
        context = self.controller.context
        if context is None:
            self.refuse(number, topic.name, NOT_HERE)
            return
        path, data = znodes.topic_config_path(topic.name), znodes.encode_topic_config(_settings(topic))
        both = fenced(
            context.office,
            CreateRequest(znodes.topic_path(topic.name), znodes.encode_topic(assignment)),
            SetDataRequest(path, data) if has_config else CreateRequest(path, data),
        )
        self._zk.ask_surely(both, self._created, number, topic, assignment)

    def _created(self, reply: Reply, request: Any, number: int, topic: CreatableTopic, assignment: Assignment) -> None:
        if error_of(reply) is ZooKeeperError.NODE_EXISTS:  # perhaps by our own attempt, whose answer was lost
            look = GetDataRequest(znodes.topic_path(topic.name))
            self._zk.ask_surely(look, self._found_there, number, topic, assignment)
        elif self.is_done(reply, number, topic.name):
            self._is_created(number, topic.name, assignment)

    def _found_there(
        self, reply: Reply, request: Any, number: int, topic: CreatableTopic, assignment: Assignment
    ) -> None:
        if reply.error is ZooKeeperError.NO_NODE:  # only settings, made by hand
            self._create(number, topic, assignment, has_config=True)
        elif not self.is_done(reply, number, topic.name):
            return
        elif reply.message.data == znodes.encode_topic(assignment):
            self._is_created(number, topic.name, assignment)
        else:
            self.refuse(number, topic.name, (ErrorCode.TOPIC_ALREADY_EXISTS, f"topic {topic.name!r} exists already"))

    def _is_created(self, number: int, topic: str, assignment: Assignment) -> None:
        self.node.note(TopicCreated(topic, _frozen(assignment)))
        self.expect(number, topic, range(len(assignment)))

    def _shown(self, name: str, assignment: Assignment, settings: dict[str, str]) -> CreatableTopicResult:
        configs = topic_configs(settings, defaults_of(self._config))
        return CreatableTopicResult(
            name=name,
            error_message=None,
            num_partitions=len(assignment),
            replication_factor=len(assignment[0]),
            configs=tuple(
                CreatableTopicConfigs(one.name, one.value, config_source=one.config_source) for one in configs
            ),
        )

    # CreatePartitions -----------------------------------------------------------------------------------------------

    def on_create_partitions_request(self, source: NodeName, request: CreatePartitionsRequest) -> None:
        """T8: partitions can be added and never removed, short of deleting the topic."""
        parked = Parked(source, _partitions_created, request.timeout_ms)
        names = [topic.name for topic in request.topics]
        context = self.controller.context
        for topic in request.topics:
            parked.results[topic.name] = CreatePartitionsTopicResult(topic.name)
            if context is None:
                parked.refuse(topic.name, NOT_HERE)
            elif names.count(topic.name) > 1:
                parked.refuse(topic.name, MANY_TIMES)
            elif topic.name not in context.topics or topic.name in context.deleting:
                parked.refuse(topic.name, _unknown(topic.name))
        wanted = [topic for topic in request.topics if parked.results[topic.name].error_code is ErrorCode.NONE]
        number = self.park(parked, [topic.name for topic in wanted])
        for topic in wanted:
            # Read afresh, and written over that version: two requests at once must not undo each other.
            look = GetDataRequest(znodes.topic_path(topic.name))
            self._zk.ask_surely(look, self._grow, number, topic, request.validate_only)

    def _grow(self, reply: Reply, request: Any, number: int, topic: CreatePartitionsTopic, validate_only: bool) -> None:
        context = self.controller.context
        if context is None:
            self.refuse(number, topic.name, NOT_HERE)
            return
        if reply.error is ZooKeeperError.NO_NODE:
            self.refuse(number, topic.name, _unknown(topic.name))
            return
        if not self.is_done(reply, number, topic.name):
            return
        if znodes.decode_topic_moves(topic.name, reply.message.data):
            self.refuse(number, topic.name, (ErrorCode.REASSIGNMENT_IN_PROGRESS, "its partitions are being moved"))
            return
        before = znodes.decode_topic(topic.name, reply.message.data)
        refusal = why_not_grown(topic.count, len(before)) or why_too_many(topic.count - len(before))
        added = refusal or self._behind(topic, before)
        if isinstance(added, tuple):
            self.refuse(number, topic.name, added)
        elif validate_only:
            self.finish(number, topic.name)
        else:
            data = znodes.encode_topic(before | added)
            write = SetDataRequest(znodes.topic_path(topic.name), data, reply.message.stat.version)
            self._zk.ask_surely(fenced(context.office, write), self._grown, number, topic, before, added)

    def _behind(self, topic: CreatePartitionsTopic, before: Assignment) -> Assignment | Refusal:
        """Where the new partitions go: by hand, or on with the pattern of the old ones."""
        assert self.controller.context is not None
        live, racks = sorted(self.controller.context.live), self.controller.context.racks()
        first, replicas, count = len(before), len(before[0]), topic.count - len(before)
        if not topic.assignments:
            start, shift = pattern_of(before[0], live, racks) if live else (0, 0)
            return self._place(count, replicas, start, shift, first)
        by_hand = {first + at: list(one.broker_ids) for at, one in enumerate(topic.assignments)}
        if len(by_hand) != count:
            reason = f"expected the brokers of {count} new partitions, got those of {len(by_hand)}"
            return ErrorCode.INVALID_REPLICA_ASSIGNMENT, reason
        return why_not_placed(by_hand, live, first, replicas) or by_hand

    def _grown(
        self,
        reply: Reply,
        request: Any,
        number: int,
        topic: CreatePartitionsTopic,
        before: Assignment,
        added: Assignment,
    ) -> None:
        if error_of(reply) is ZooKeeperError.BAD_VERSION and not is_deposed(reply):
            # By somebody else's change; or by our own, whose answer was lost.
            look = GetDataRequest(znodes.topic_path(topic.name))
            self._zk.ask_surely(look, self._look_again, number, topic, before, added)
        elif self.is_done(reply, number, topic.name):
            self._is_grown(number, topic.name, before, added)

    def _look_again(
        self,
        reply: Reply,
        request: Any,
        number: int,
        topic: CreatePartitionsTopic,
        before: Assignment,
        added: Assignment,
    ) -> None:
        if reply.message is not None and reply.message.data == znodes.encode_topic(before | added):
            self._is_grown(number, topic.name, before, added)
        else:
            self._grow(reply, request, number, topic, validate_only=False)

    def _is_grown(self, number: int, topic: str, before: Assignment, added: Assignment) -> None:
        self.node.note(PartitionsAdded(topic, _frozen(before | added), first_new=len(before)))
        self.expect(number, topic, range(len(before) + len(added)))

    # DeleteTopics ---------------------------------------------------------------------------------------------------

    def on_delete_topics_request(self, source: NodeName, request: DeleteTopicsRequest) -> None:
        parked = Parked(source, _topics_deleted, request.timeout_ms)
        names = dict.fromkeys([*request.topic_names, *(one.name for one in request.topics if one.name is not None)])
        context = self.controller.context
        for name in names:
            parked.results[name] = DeletableTopicResult(name)
            if context is None:
                parked.refuse(name, NOT_HERE)
            elif name not in context.topics:
                parked.refuse(name, _unknown(name))
        for one in request.topics:
            if one.name is None:
                reason = "topics have no ids here: name it"
                result = DeletableTopicResult(None, one.topic_id, ErrorCode.UNKNOWN_TOPIC_ID, reason)
                parked.results[str(one.topic_id)] = result
        wanted = [name for name in names if parked.results[name].error_code is ErrorCode.NONE]
        number = self.park(parked, wanted)
        for name in wanted:
            assert context is not None, "without one, all were refused"
            mark = fenced(context.office, CreateRequest(znodes.delete_topic_path(name)))
            self._zk.ask_surely(mark, self._marked, number, name)

    def _marked(self, reply: Reply, request: Any, number: int, topic: str) -> None:
        if error_of(reply) is ZooKeeperError.NODE_EXISTS or self.is_done(reply, number, topic):
            self.expect(number, topic, None)


def _settings(topic: CreatableTopic) -> dict[str, str]:
    return {setting.name: setting.value or "" for setting in topic.configs}


def _by_hand(topic: CreatableTopic, live: frozenset[int]) -> Assignment | Refusal:
    if (topic.num_partitions, topic.replication_factor) != (-1, -1):
        return ErrorCode.INVALID_REQUEST, "expected -1 partitions and replicas where they are placed by hand"
    placed = {one.partition_index: list(one.broker_ids) for one in topic.assignments}
    if len(placed) < len(topic.assignments):
        return ErrorCode.INVALID_REPLICA_ASSIGNMENT, "a partition is placed twice"
    return why_not_placed(placed, live) or {partition: placed[partition] for partition in sorted(placed)}


def _frozen(assignment: Assignment) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(brokers) for brokers in assignment.values())


def _unknown(topic: str) -> Refusal:
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {topic!r}"


def _topics_created(results: tuple[CreatableTopicResult, ...]) -> CreateTopicsResponse:
    return CreateTopicsResponse(topics=results)


def _partitions_created(results: tuple[CreatePartitionsTopicResult, ...]) -> CreatePartitionsResponse:
    return CreatePartitionsResponse(results=results)


def _topics_deleted(results: tuple[DeletableTopicResult, ...]) -> DeleteTopicsResponse:
    return DeleteTopicsResponse(responses=results)
