"""Requests that move replicas and leaders; only the controller answers.

    AlterPartitionReassignments   key 45   v0     KIP-455: answered when it has begun, not when it has ended
    ListPartitionReassignments    key 46   v0
    ElectLeaders                  key 43   v0-2   KIP-183 preferred · KIP-460 unclean, where nobody in sync is alive

Left out: throttles. Source: Kafka's KafkaApis, KafkaController.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kafkalite.controller.controller import Controller
from kafkalite.controller.moving import Election
from kafkalite.controller.reassignment import Refusal, Wanted
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.reassignment import (
    UNCLEAN,
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
    ElectLeadersRequest,
    ElectLeadersResponse,
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment,
    OngoingTopicReassignment,
    PartitionResult,
    ReassignablePartitionResponse,
    ReassignableTopicResponse,
    ReplicaElectionResult,
)
from kafkalite.types import NodeName, TopicPartition

WHY = "this broker is not the controller"


class ReassignmentApi(Component):
    """Answers them. `_asked` are the connections that wait, with what they are told if the office is lost."""

    def __init__(self, node: Node, controller: Controller) -> None:
        super().__init__(node, "reassignments")
        self._controller = controller
        self._asked: dict[NodeName, Any] = {}
        controller.waiting.append(self)

    def on_alter_partition_reassignments_request(
        self, source: NodeName, request: AlterPartitionReassignmentsRequest
    ) -> None:
        wanted: Wanted = {
            (topic.name, one.partition_index): one.replicas for topic in request.topics for one in topic.partitions
        }
        self._asked[source] = AlterPartitionReassignmentsResponse(0, ErrorCode.NOT_CONTROLLER, WHY)
        self._controller.ask("alter", wanted, self._altered, source, request)
        self.on_controller_changed()

    def _altered(
        self,
        refusals: dict[TopicPartition, Refusal],
        source: NodeName,
        request: AlterPartitionReassignmentsRequest,
    ) -> None:
        topics = tuple(
            ReassignableTopicResponse(
                topic.name,
                tuple(
                    ReassignablePartitionResponse(
                        one.partition_index, *refusals.get((topic.name, one.partition_index), (ErrorCode.NONE, None))
                    )
                    for one in topic.partitions
                ),
            )
            for topic in request.topics
        )
        self._answer(source, AlterPartitionReassignmentsResponse(responses=topics))

    def on_list_partition_reassignments_request(
        self, source: NodeName, request: ListPartitionReassignmentsRequest
    ) -> None:
        context = self._controller.context
        if context is None:
            self.node.reply(source, ListPartitionReassignmentsResponse(0, ErrorCode.NOT_CONTROLLER, WHY))
            return
        asked = None
        if request.topics is not None:
            asked = {(topic.name, index) for topic in request.topics for index in topic.partition_indexes}
        found = {one: at for one, at in sorted(context.moving.items()) if asked is None or one in asked}
        topics = tuple(
            OngoingTopicReassignment(
                name,
                tuple(
                    OngoingPartitionReassignment(index, at.replicas, at.adding, at.removing)
                    for (topic, index), at in found.items()
                    if topic == name
                ),
            )
            for name in _topics(found)
        )
        self.node.reply(source, ListPartitionReassignmentsResponse(topics=topics))

    def on_elect_leaders_request(self, source: NodeName, request: ElectLeadersRequest) -> None:
        kind = Election.UNCLEAN if request.election_type == UNCLEAN else Election.PREFERRED
        asked = None
        if request.topic_partitions is not None:
            asked = [(topic.topic, index) for topic in request.topic_partitions for index in topic.partitions]
        self._asked[source] = ElectLeadersResponse(0, ErrorCode.NOT_CONTROLLER)
        if asked is not None:  # Kafka says it of each, and of the whole nothing
            self._asked[source] = _elections(dict.fromkeys(asked, ErrorCode.NOT_CONTROLLER))
        self._controller.ask("elect", kind, asked, self._elected, source)
        self.on_controller_changed()

    def _elected(self, outcomes: dict[TopicPartition, ErrorCode], source: NodeName) -> None:
        self._answer(source, _elections(outcomes))

    # Those who wait -------------------------------------------------------------------------------------------------

    def on_controller_changed(self) -> None:
        """Whoever waits for an office that is lost asks elsewhere."""
        if not self._controller.is_active:
            for source, response in list(self._asked.items()):
                self._answer(source, response)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self._asked.pop(peer, None)

    def _answer(self, source: NodeName, response: Any) -> None:
        if self._asked.pop(source, None) is not None:
            self.node.reply(source, response)


def _elections(outcomes: Mapping[TopicPartition, ErrorCode]) -> ElectLeadersResponse:
    results: dict[str, tuple[PartitionResult, ...]] = {}
    for (topic, index), error in outcomes.items():
        results[topic] = (*results.get(topic, ()), PartitionResult(index, error))
    topics = tuple(ReplicaElectionResult(*one) for one in results.items())
    return ElectLeadersResponse(replica_election_results=topics)


def _topics(partitions: Iterable[TopicPartition]) -> list[str]:
    return list(dict.fromkeys(topic for topic, _ in partitions))
