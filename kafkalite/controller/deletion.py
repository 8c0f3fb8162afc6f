"""Deleting topics: every replica's files first, the znodes last, so that nothing is left which could come back.

    /admin/delete_topics/T appears     brokers are told that T has no leader any more (-2): clients lose sight of it
    StopReplica, with deletion         to every live replica, at once
    a replica's broker is dead         the topic waits: a broker that came back with old files would show them
    all have answered                  the topic's znodes go, its mark last; now the name is free

Whoever becomes controller meanwhile begins again: telling a broker twice harms nothing. The automaton of one replica is
`states.DELETION_TRANSITIONS`.

Left out: waiting for a reassignment to end. Source: kafka.controller.TopicDeletionManager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kafkalite.controller import znodes
from kafkalite.controller.context import Context
from kafkalite.controller.events import Events, fenced, is_deposed
from kafkalite.controller.requests import RequestBatch
from kafkalite.controller.states import DELETION_TRANSITIONS, DeletionEvent, DeletionState, after
from kafkalite.errors import ErrorCode
from kafkalite.facts import TopicDeleted
from kafkalite.node import Node
from kafkalite.protocol.inter_broker import StopReplicaRequest, StopReplicaResponse
from kafkalite.protocol.zookeeper import DeleteRequest

_Replica = tuple[int, int]  # partition, broker
GONE = frozenset({ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION})  # either way there are no files


class TopicDeletion:
    """The topics that are to go, and how far each of their replicas is."""

    def __init__(
        self,
        node: Node,
        broker_id: int,
        events: Events,
        context: Context,
        send: Callable[[RequestBatch], None],
        resign: Callable[[], None],
    ) -> None:
        self._node, self._broker_id = node, broker_id
        self._events, self._context = events, context
        self._send, self._resign = send, resign
        self._replicas: dict[str, dict[_Replica, DeletionState]] = {}

    def is_waiting(self, topic: str) -> bool:
        """Does it wait for a broker that is dead?"""
        return DeletionState.WAITING in self._replicas.get(topic, {}).values()

    def begin(self, topics: Iterable[str]) -> None:
        """These are to go. One that is gone already has left its mark only."""
        batch = RequestBatch(self._context, self._broker_id)
        for topic in topics:
            partitions = self._context.topics.get(topic, {})
            self._context.deleting[topic] = None
            for index in partitions:
                self._context.moving.pop((topic, index), None)
            self._replicas[topic] = {
                (index, broker): DeletionState.WAITING for index, brokers in partitions.items() for broker in brokers
            }
            batch.update_metadata([(topic, index) for index in partitions])
            self._tell(batch, topic, self._context.brokers)
            self._finish_if_done(topic)
        self._send(batch)

    def brokers_came(self, brokers: Iterable[int]) -> None:
        """They may have replicas that wait to be deleted."""
        batch = RequestBatch(self._context, self._broker_id)
        came = frozenset(brokers)
        for topic in self._replicas:
            self._tell(batch, topic, came)
        self._send(batch)

    def brokers_died(self, brokers: Iterable[int]) -> None:
        """What they were told, they may not have done."""
        died = frozenset(brokers)
        for topic, replicas in self._replicas.items():
            for replica in replicas:
                if replica[1] in died:
                    self._move(topic, replica, DeletionEvent.BROKER_DIED)

    def on_answer(self, broker: int, response: StopReplicaResponse, request: StopReplicaRequest) -> None:
        """A broker has deleted what it was told to, or could not."""
        errors = {(one.topic_name, one.partition_index): one.error_code for one in response.partition_errors}
        topics = [topic for topic in request.topic_states if topic.topic_name in self._replicas]
        for topic in topics:
            for state in topic.partition_states:
                replica = (state.partition_index, broker)
                if state.delete_partition and self._replicas[topic.topic_name].get(replica) is DeletionState.STARTED:
                    error = errors.get((topic.topic_name, state.partition_index), response.error_code)
                    event = DeletionEvent.FILES_DELETED if error in GONE else DeletionEvent.REFUSED
                    self._move(topic.topic_name, replica, event)
            self._finish_if_done(topic.topic_name)

    def _tell(self, batch: RequestBatch, topic: str, brokers: Iterable[int]) -> None:
        told = frozenset(brokers)
        for (index, broker), state in self._replicas[topic].items():
            if broker in told and state is DeletionState.WAITING:
                self._move(topic, (index, broker), DeletionEvent.BROKER_TOLD)
                batch.stop(broker, (topic, index), delete=True)

    def _move(self, topic: str, replica: _Replica, event: DeletionEvent) -> None:
        replicas = self._replicas[topic]
        replicas[replica] = after(DELETION_TRANSITIONS, replicas[replica], event)

    def _finish_if_done(self, topic: str) -> None:
        if all(state is DeletionState.SUCCESSFUL for state in self._replicas[topic].values()):
            self._events.put(self._delete_znodes, topic)

    def _delete_znodes(self, topic: str) -> None:
        paths = []
        for index in self._context.topics.get(topic, {}):
            paths += [znodes.partition_state_path(topic, index), znodes.partition_path(topic, index)]
        paths += [znodes.partitions_path(topic), znodes.topic_path(topic), znodes.topic_config_path(topic)]
        paths.append(znodes.delete_topic_path(topic))
        requests = [fenced(self._context.office, DeleteRequest(path)) for path in paths]
        self._events.ask_all(requests, self._deleted, topic)

    def _deleted(self, replies: list[Any], topic: str) -> None:
        """That a znode was not there is no error: it never was, or the answer to its deletion was lost."""
        if any(is_deposed(reply) for reply in replies):
            self._resign()
            return
        was_there = topic in self._context.topics
        self._replicas.pop(topic, None)
        self._context.forget_topic(topic)
        if was_there:
            self._node.note(TopicDeleted(topic))
