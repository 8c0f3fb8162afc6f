"""What one event has the controller say: collected partition by partition, sent as at most three requests a broker.

    LeaderAndIsr     to the live replicas of a partition: lead it, or follow
    UpdateMetadata   to all brokers: what to tell clients; with every change, and whenever a broker comes or goes
    StopReplica      to a replica that is to stop, or to delete its files

In this order, so that a broker has taken on its partitions before clients are sent to it.
Source: kafka.controller.AbstractControllerBrokerRequestBatch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kafkalite.controller.context import Context
from kafkalite.controller.znodes import EPOCH_DURING_DELETE, LEADER_DURING_DELETE, LiveBroker
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrLiveLeader,
    LeaderAndIsrPartitionState,
    LeaderAndIsrRequest,
    LeaderAndIsrTopicState,
    StopReplicaPartitionState,
    StopReplicaRequest,
    StopReplicaTopicState,
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)
from kafkalite.types import TopicPartition

LISTENER = "PLAINTEXT"

_ByTopic = dict[str, dict[int, Any]]


class RequestBatch:
    """The requests of one event, as the context has it when they are added."""

    def __init__(self, context: Context, controller_id: int) -> None:
        self._context, self._controller_id = context, controller_id
        self._leader_and_isr: dict[int, _ByTopic] = {}
        self._stop_replica: dict[int, _ByTopic] = {}
        self._metadata: dict[TopicPartition, None] = {}
        self._newcomers: frozenset[int] = frozenset()
        self._is_metadata_due = False

    def lead_or_follow(
        self, brokers: Iterable[int], partitions: Iterable[TopicPartition], *, is_new: bool = False
    ) -> None:
        """Tell these of the partitions that have a state, and tell everybody's clients."""
        told = list(brokers)
        for partition in partitions:
            state = self._leadership(partition, is_new=is_new)
            if state is None:
                continue
            for broker in told:
                _of_topic(self._leader_and_isr, broker, partition)[partition[1]] = state
            self._metadata[partition] = None
            self._is_metadata_due = True

    def update_metadata(self, partitions: Iterable[TopicPartition], newcomers: Iterable[int] = ()) -> None:
        """Tell all brokers who is alive and what became of these partitions, and `newcomers` of all partitions."""
        self._metadata.update(dict.fromkeys(partitions))
        self._newcomers |= frozenset(newcomers)
        self._is_metadata_due = True

    def stop(self, broker: int, partition: TopicPartition, *, delete: bool) -> None:
        """Have a replica stop; with `delete`, its files go."""
        known = self._context.leadership.get(partition)
        is_deleted = delete and partition[0] in self._context.deleting
        epoch = EPOCH_DURING_DELETE if is_deleted else known.leader_epoch if known is not None else -1
        state = StopReplicaPartitionState(partition[1], epoch, delete)
        _of_topic(self._stop_replica, broker, partition)[partition[1]] = state

    def requests(self) -> list[tuple[int, Any]]:
        """What to send to whom, in order."""
        context = self._context
        leader_and_isr = [
            (broker, LeaderAndIsrRequest(topic_states=_topics(LeaderAndIsrTopicState, states)))
            for broker, states in sorted(self._leader_and_isr.items())
        ]
        stop_replica = [
            (broker, StopReplicaRequest(topic_states=_topics(StopReplicaTopicState, states)))
            for broker, states in sorted(self._stop_replica.items())
        ]
        drafts: list[tuple[int, Any]] = [
            *((broker, replace(draft, live_leaders=self._leaders_in(draft))) for broker, draft in leader_and_isr),
            *(self._metadata_requests() if self._is_metadata_due else ()),
            *stop_replica,
        ]
        head = {"controller_id": self._controller_id, "controller_epoch": context.office.epoch}
        return [
            (broker, replace(draft, broker_epoch=context.brokers[broker].epoch, **head))
            for broker, draft in drafts
            if broker in context.brokers
        ]

    def _leadership(self, partition: TopicPartition, *, is_new: bool) -> LeaderAndIsrPartitionState | None:
        state = self._context.leadership.get(partition)
        if state is None:
            return None
        return LeaderAndIsrPartitionState(
            partition_index=partition[1],
            controller_epoch=state.controller_epoch,
            leader=state.leader,
            leader_epoch=state.leader_epoch,
            isr=state.isr,
            zk_version=state.zk_version,
            replicas=tuple(self._context.brokers_of(partition)),
            adding_replicas=self._context.assignment_of(partition).adding,
            removing_replicas=self._context.assignment_of(partition).removing,
            is_new=is_new,
        )

    def _leaders_in(self, draft: LeaderAndIsrRequest) -> tuple[LeaderAndIsrLiveLeader, ...]:
        leaders = {state.leader for topic in draft.topic_states for state in topic.partition_states}
        live = (self._context.brokers[leader] for leader in sorted(leaders & self._context.brokers.keys()))
        return tuple(LeaderAndIsrLiveLeader(broker.id, broker.host, broker.port) for broker in live)

    def _metadata_requests(self) -> list[tuple[int, Any]]:
        """One request for those who know the rest and one for newcomers: each built once, however many brokers."""
        brokers = tuple(_endpoint(broker) for _, broker in sorted(self._context.brokers.items()))
        changes = UpdateMetadataRequest(topic_states=self._metadata_of(self._metadata), live_brokers=brokers)
        drafts = dict.fromkeys(sorted(self._context.brokers.keys() - self._newcomers), changes)
        if self._newcomers:
            everything = self._metadata_of([partition for partition, _ in self._context.partitions()])
            drafts |= dict.fromkeys(sorted(self._newcomers), replace(changes, topic_states=everything))
        return list(drafts.items())

    def _metadata_of(self, partitions: Iterable[TopicPartition]) -> tuple[UpdateMetadataTopicState, ...]:
        live = self._context.live
        states: _ByTopic = {}
        for partition in partitions:
            known = self._context.leadership.get(partition)
            if known is None:
                continue
            replicas = self._context.brokers_of(partition)
            states.setdefault(partition[0], {})[partition[1]] = UpdateMetadataPartitionState(
                partition_index=partition[1],
                controller_epoch=known.controller_epoch,
                leader=LEADER_DURING_DELETE if partition[0] in self._context.deleting else known.leader,
                leader_epoch=known.leader_epoch,
                isr=known.isr,
                zk_version=known.zk_version,
                replicas=tuple(replicas),
                offline_replicas=tuple(broker for broker in replicas if broker not in live),
            )
        return _topics(UpdateMetadataTopicState, states)


def _of_topic(states: dict[int, _ByTopic], broker: int, partition: TopicPartition) -> dict[int, Any]:
    return states.setdefault(broker, {}).setdefault(partition[0], {})


def _topics(kind: Any, states: _ByTopic) -> tuple[Any, ...]:
    return tuple(kind(topic, tuple(found.values())) for topic, found in states.items())


def _endpoint(broker: LiveBroker) -> UpdateMetadataBroker:
    return UpdateMetadataBroker(
        broker.id, (UpdateMetadataEndpoint(broker.port, broker.host, LISTENER, 0),), broker.rack
    )
