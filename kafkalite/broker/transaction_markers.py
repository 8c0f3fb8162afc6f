"""WriteTxnMarkers · key 27 · v0-1: leaders append how a transaction ended, and say so once all in sync have it.

A marker is a control batch: no client sees it, but it has an offset like any record. In `__consumer_offsets` it decides
the offsets that the transaction has written there: once it is replicated, the group coordinator counts them.

Source: Kafka's KafkaApis.handleWriteTxnMarkersRequest, GroupCoordinator.scheduleHandleTxnCompletion.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kafkalite.broker.appending import append, when_replicated
from kafkalite.broker.group_coordinator import GroupCoordinator
from kafkalite.broker.tickets import Tickets
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import MarkerRefused, MarkerWritten
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import (
    WritableTxnMarker,
    WritableTxnMarkerPartitionResult,
    WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
    WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
)
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.types import NodeName, TopicPartition


@dataclass(slots=True)
class Writing:
    """A request whose markers are being written; `left` counts those of which nothing is known yet."""

    ticket: int
    request: WriteTxnMarkersRequest
    left: int
    errors: dict[tuple[int, TopicPartition], ErrorCode] = field(default_factory=dict)


class TransactionMarkers(Component):
    """Answers WriteTxnMarkers."""

    def __init__(self, node: Node, config: BrokerConfig, replicas: ReplicaManager, groups: GroupCoordinator) -> None:
        super().__init__(node, "transaction_markers")
        self._config, self._replicas, self._groups = config, replicas, groups
        self._tickets = Tickets(node, "marker_tickets")

    def on_write_txn_markers_request(self, source: NodeName, request: WriteTxnMarkersRequest) -> None:
        asked = [
            (at, marker, (topic.name, index))
            for at, marker in enumerate(request.markers)
            for topic in marker.topics
            for index in topic.partition_indexes
        ]
        writing = Writing(self._tickets.open(source), request, len(asked))
        if not asked:
            self._answer(writing)
        for at, marker, key in asked:
            self._append(writing, at, marker, key)

    def _append(self, writing: Writing, at: int, marker: WritableTxnMarker, key: TopicPartition) -> None:
        end = Marker(marker.transaction_result, marker.coordinator_epoch)
        batch = encode_marker(end, marker.producer_id, marker.producer_epoch, self.node.wall_ms)
        error, appended = append(self._replicas, key, batch)
        if appended is None:
            self._written(error, writing, at, marker, key)
            return
        of_producer = marker.producer_id, marker.producer_epoch
        self.node.note(MarkerWritten(*key, appended.base_offset, *of_producer, *end))
        timeout_ms = self._config.request_timeout_ms
        when_replicated(self._replicas, key, appended.last_offset, timeout_ms, self._written, writing, at, marker, key)

    def _written(
        self, error: ErrorCode, writing: Writing, at: int, marker: WritableTxnMarker, key: TopicPartition
    ) -> None:
        if error is not ErrorCode.NONE:
            self.node.note(MarkerRefused(*key, marker.producer_id, error.name))
        elif key[0] == OFFSETS_TOPIC:
            self._groups.end_transaction(key[1], marker.producer_id, is_commit=marker.transaction_result)
        writing.errors[at, key] = error
        writing.left -= 1
        if not writing.left:
            self._answer(writing)

    def _answer(self, writing: Writing) -> None:
        results = tuple(
            WritableTxnMarkerResult(
                marker.producer_id,
                tuple(
                    WritableTxnMarkerTopicResult(
                        topic.name,
                        tuple(
                            WritableTxnMarkerPartitionResult(index, writing.errors[at, (topic.name, index)])
                            for index in topic.partition_indexes
                        ),
                    )
                    for topic in marker.topics
                ),
            )
            for at, marker in enumerate(writing.request.markers)
        )
        self._tickets.reply(writing.ticket, WriteTxnMarkersResponse(results))
