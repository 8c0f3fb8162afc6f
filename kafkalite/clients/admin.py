"""The administrator's client: each request finds the broker that can do it, is repeated where that helps, and ends.

    creating and deleting topics, adding partitions   the controller; NOT_CONTROLLER: look again who that is
    deleting records, looking up offsets              the partition's leader
    describing                                        any broker; the settings of a broker, that broker

A request that was lost with its connection is sent again, so it may be carried out twice: who creates a topic may be
told TOPIC_ALREADY_EXISTS about its own.

Left out: several topics in one request; altering settings; ACLs, quotas, groups.
Source: KafkaAdminClient.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from kafkalite.clients.admin_answers import outcome_of
from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestAnswered
from kafkalite.node import Node
from kafkalite.protocol.configs import DescribeConfigsRequest, DescribeConfigsResource
from kafkalite.protocol.metadata import DescribeClusterRequest
from kafkalite.protocol.offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kafkalite.types import NodeName, TopicPartition

CONTROLLER, ANYONE = "controller", "anyone"  # or a partition: its leader; or a broker's id
TOPIC, BROKER = 2, 4  # resources whose settings can be described


class Task:
    """A request on its way to an answer."""

    __slots__ = ("api", "attempts", "is_done", "is_in_flight", "is_resting", "message", "number", "whom")

    def __init__(self, number: int, whom: str | int | TopicPartition, message: Any) -> None:
        self.number, self.whom, self.message = number, whom, message
        self.api = type(message).__name__.removesuffix("Request")
        self.attempts = 0
        self.is_in_flight = self.is_resting = self.is_done = False


class Admin(Node):
    """An administrator's client. The first argument of each method is the number its RequestAnswered will have."""

    def __init__(self, name: NodeName, client: ClientConfig) -> None:
        super().__init__(name)
        self._config = client
        self.discovery = Discovery(self, client, self)
        self._tasks: dict[int, Task] = {}
        self._in_flight: dict[NodeName, deque[Task]] = {}

    def on_start(self) -> None:
        self.discovery.start()

    # What the world asks --------------------------------------------------------------------------------------------

    def create_topic(
        self,
        request: int,
        name: str,
        partitions: int = -1,
        replication_factor: int = -1,
        configs: tuple[tuple[str, str], ...] = (),
        assignment: tuple[tuple[int, ...], ...] | None = None,
    ) -> None:
        """Create a topic; -1 leaves a number to the broker. `assignment[i]` are the brokers of partition i."""
        by_hand = tuple(CreatableReplicaAssignment(index, brokers) for index, brokers in enumerate(assignment or ()))
        if by_hand:
            partitions = replication_factor = -1
        settings = tuple(CreatableTopicConfig(key, value) for key, value in configs)
        topic = CreatableTopic(name, partitions, replication_factor, by_hand, settings)
        self._begin(request, CONTROLLER, CreateTopicsRequest((topic,), self._config.request_timeout_ms))

    def delete_topic(self, request: int, name: str) -> None:
        """Delete a topic."""
        message = DeleteTopicsRequest((DeleteTopicState(name),), (name,), self._config.request_timeout_ms)
        self._begin(request, CONTROLLER, message)

    def create_partitions(
        self, request: int, name: str, count: int, assignment: tuple[tuple[int, ...], ...] | None = None
    ) -> None:
        """Let a topic have `count` partitions in all; `assignment` are the brokers of each new one."""
        by_hand = None if assignment is None else tuple(map(CreatePartitionsAssignment, assignment))
        topic = CreatePartitionsTopic(name, count, by_hand)
        self._begin(request, CONTROLLER, CreatePartitionsRequest((topic,), self._config.request_timeout_ms))

    def delete_records(self, request: int, topic: str, partition: int, before: int) -> None:
        """Forget what stands below an offset, -1: below the high watermark. The answer is the new log start offset."""
        one = DeleteRecordsTopic(topic, (DeleteRecordsPartition(partition, before),))
        self._begin(request, (topic, partition), DeleteRecordsRequest((one,), self._config.request_timeout_ms))

    def list_offsets(self, request: int, topic: str, partition: int, timestamp_ms: int = -1) -> None:
        """The offset at which a time begins; -1: the end, -2: the beginning. The answer is -1 if there is none."""
        one = ListOffsetsTopic(topic, (ListOffsetsPartition(partition, timestamp=timestamp_ms),))
        self._begin(request, (topic, partition), ListOffsetsRequest(-1, topics=(one,)))

    def describe_cluster(self, request: int) -> None:
        """Which brokers are there, where, and which is the controller?"""
        self._begin(request, ANYONE, DescribeClusterRequest())

    def describe_topic_configs(self, request: int, topic: str) -> None:
        """The settings of a topic."""
        self._begin(request, ANYONE, DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, None),)))

    def describe_broker_configs(self, request: int, broker: int) -> None:
        """The settings of a broker."""
        self._begin(request, broker, DescribeConfigsRequest((DescribeConfigsResource(BROKER, str(broker), None),)))

    def close(self) -> None:
        """Ask nothing any more."""
        for task in list(self._tasks.values()):
            self._end(task, ErrorCode.REQUEST_TIMED_OUT, "the client was closed")
        self.discovery.stop()

    # From a request to its answer -----------------------------------------------------------------------------------

    def _begin(self, number: int, whom: str | int | TopicPartition, message: Any) -> None:
        task = self._tasks[number] = Task(number, whom, message)
        self.set_timer(f"deadline:{number}", self._config.default_api_timeout_ms)
        if isinstance(whom, tuple):
            self.discovery.want((whom[0],))
        self._try(task)

    def _try(self, task: Task) -> None:
        """Send a request, if it is known where to; if not, that will be asked."""
        peer = self._peer_for(task.whom)
        if peer is None:
            return
        task.is_in_flight, task.attempts = True, task.attempts + 1
        self._in_flight.setdefault(peer, deque()).append(task)
        # The broker answers by itself after `request_timeout_ms`: leave its answer time to arrive.
        self.request(peer, task.message, timeout_ms=self._config.request_timeout_ms * 1.1)

    def _peer_for(self, whom: str | int | TopicPartition) -> NodeName | None:
        if isinstance(whom, tuple):
            return self.discovery.leader_of(*whom)
        view = self.discovery.view
        if whom == ANYONE:
            return self.discovery.any_broker()
        peer = view.brokers.get(view.controller_id if whom == CONTROLLER else int(whom))
        if peer is None:
            self.discovery.refresh("no controller" if whom == CONTROLLER else "unknown broker")
        return peer if peer is not None and self.discovery.is_reachable(peer) else None

    def on_routes_changed(self) -> None:
        """Try what could not be sent."""
        for task in list(self._tasks.values()):
            if not task.is_in_flight and not task.is_resting:
                self._try(task)

    def _answered(self, source: NodeName, response: Any, request: Any) -> None:
        self.discovery.heard(source)
        task = self._in_flight[source].popleft()
        task.is_in_flight = False
        error, answer = outcome_of(response)
        # A controller's refusal is the answer; only where a leader may have moved, or not be known yet, ask again.
        may_help = error.retriable if isinstance(task.whom, tuple) else error == ErrorCode.NOT_CONTROLLER
        if may_help:
            self._rest(task, error)
        else:
            self._end(task, error, answer)

    on_create_topics_response = on_delete_topics_response = on_create_partitions_response = _answered
    on_delete_records_response = on_list_offsets_response = _answered
    on_describe_cluster_response = on_describe_configs_response = _answered

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """What was under way there may have happened; ask again."""
        super().on_peer_lost(peer, requests)
        for task in self._in_flight.pop(peer, ()):
            task.is_in_flight = False
            self._rest(task, ErrorCode.NETWORK_EXCEPTION)

    def _rest(self, task: Task, error: ErrorCode) -> None:
        if task.is_done:
            return
        if error in OLD_METADATA:
            self.discovery.refresh(error.name)
        task.is_resting = True
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        self.set_timer(f"retry:{task.number}", backoff_ms(task.attempts, least_ms, most_ms, self.random.random()))

    def on_retry(self, number: str) -> None:
        """The wait is over."""
        task = self._tasks.get(int(number))
        if task is not None:
            task.is_resting = False
            self._try(task)

    def on_deadline(self, number: str) -> None:
        """No answer in `default_api_timeout_ms`: it may have happened."""
        self._end(self._tasks[int(number)], ErrorCode.REQUEST_TIMED_OUT, "")

    def _end(self, task: Task, error: ErrorCode, answer: str) -> None:
        if task.is_done:
            return
        task.is_done = True
        del self._tasks[task.number]
        if isinstance(task.whom, tuple):
            self.discovery.forget(task.whom[0])
        self.cancel_timer(f"deadline:{task.number}")
        self.cancel_timer(f"retry:{task.number}")
        self.note(RequestAnswered(task.number, task.api, error.name, answer))
