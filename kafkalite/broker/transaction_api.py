"""What a transactional producer asks its coordinator.

    InitProducerId       key 22   v0-4   an id and an epoch; ends what an earlier incarnation left open · KIP-360
    AddPartitionsToTxn   key 24   v0-3   all of them, or none
    AddOffsetsToTxn      key 25   v0-3   the same, for the partition of `__consumer_offsets` that keeps a group
    EndTxn               key 26   v0-3   answered once it is decided; the markers follow

A producer with an old epoch is told PRODUCER_FENCED: it is a zombie, and its successor has gone on.

Left out: authorization, AddPartitionsToTxn by brokers (version 4). With that version Kafka's leaders ask whether a
producer's transaction has their partition before they take its first batch (transaction.partition.verification.enable,
KIP-890). Here they do not, as with that setting off: a batch that comes after its transaction's marker opens one that
nobody knows of, until the producer's next marker ends it.

Source: Kafka's KafkaApis, TransactionCoordinator.
"""

from __future__ import annotations

from typing import Any

from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.broker.producer_ids import ProducerIds
from kafkalite.broker.tickets import Tickets
from kafkalite.broker.transaction_coordinator import TransactionCoordinator
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import TransactionRefused
from kafkalite.node import Component, Node
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddOffsetsToTxnResponse,
    AddPartitionsToTxnPartitionResult,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
    AddPartitionsToTxnTopicResult,
    EndTxnRequest,
    EndTxnResponse,
    InitProducerIdRequest,
    InitProducerIdResponse,
)
from kafkalite.transactions.transaction import Transaction
from kafkalite.types import NodeName, TopicPartition


class TransactionApi(Component):
    """Answers the requests of transactional producers."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        coordinator: TransactionCoordinator,
        offsets_topic: OffsetsTopic,
        producer_ids: ProducerIds,
        metadata: MetadataCache,
    ) -> None:
        super().__init__(node, "transaction_api")
        self._config, self._coordinator = config, coordinator
        self._offsets_topic, self._metadata = offsets_topic, metadata
        self._tickets = Tickets(node, "transaction_tickets")
        producer_ids.with_transactional_id = self._init

    def _noted(self, api: str, name: str, error: ErrorCode) -> ErrorCode:
        if error is not ErrorCode.NONE:
            self.node.note(TransactionRefused(api, name, error.name))
        return error

    # InitProducerId -------------------------------------------------------------------------------------------------

    def _init(self, source: NodeName, request: InitProducerIdRequest) -> None:
        name, timeout_ms = request.transactional_id or "", request.transaction_timeout_ms
        ticket = self._tickets.open(source)
        if not name:
            self._initialized(ErrorCode.INVALID_REQUEST, Transaction(), ticket, name)
        elif not 0 < timeout_ms <= self._config.transaction_max_timeout_ms:
            self._initialized(ErrorCode.INVALID_TRANSACTION_TIMEOUT, Transaction(), ticket, name)
        else:
            expected = request.producer_id, request.producer_epoch
            self._coordinator.init(name, expected, timeout_ms, self._initialized, ticket, name)

    def _initialized(self, error: ErrorCode, now: Transaction, ticket: int, name: str) -> None:
        if self._noted("InitProducerId", name, error) is ErrorCode.NONE:
            response = InitProducerIdResponse(producer_id=now.producer_id, producer_epoch=now.epoch)
        else:
            response = InitProducerIdResponse(error_code=error, producer_epoch=-1)
        self._tickets.reply(ticket, response)

    # AddPartitionsToTxn, AddOffsetsToTxn ----------------------------------------------------------------------------

    def on_add_partitions_to_txn_request(self, source: NodeName, request: AddPartitionsToTxnRequest) -> None:
        name = request.v3_and_below_transactional_id
        asked = [(topic.name, index) for topic in request.v3_and_below_topics for index in topic.partitions]
        unknown = [partition for partition in asked if not self._metadata.is_known(*partition)]
        if unknown:
            errors = dict.fromkeys(asked, ErrorCode.OPERATION_NOT_ATTEMPTED)
            errors.update(dict.fromkeys(unknown, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
            self._noted("AddPartitionsToTxn", name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            self.node.reply(source, _added(errors))
            return
        producer = request.v3_and_below_producer_id, request.v3_and_below_producer_epoch
        ticket = self._tickets.open(source)
        self._coordinator.add(name, producer, frozenset(asked), self._added, ticket, name, asked)

    def _added(self, error: ErrorCode, ticket: int, name: str, asked: list[TopicPartition]) -> None:
        self._noted("AddPartitionsToTxn", name, error)
        self._tickets.reply(ticket, _added(dict.fromkeys(asked, error)))

    def on_add_offsets_to_txn_request(self, source: NodeName, request: AddOffsetsToTxnRequest) -> None:
        partition = self._offsets_topic.name, self._offsets_topic.index_of(request.group_id)
        producer = request.producer_id, request.producer_epoch
        name, ticket = request.transactional_id, self._tickets.open(source)
        self._coordinator.add(name, producer, frozenset({partition}), self._offsets_added, ticket, name)

    def _offsets_added(self, error: ErrorCode, ticket: int, name: str) -> None:
        self._tickets.reply(ticket, AddOffsetsToTxnResponse(0, self._noted("AddOffsetsToTxn", name, error)))

    # EndTxn ---------------------------------------------------------------------------------------------------------

    def on_end_txn_request(self, source: NodeName, request: EndTxnRequest) -> None:
        producer = request.producer_id, request.producer_epoch
        name, ticket = request.transactional_id, self._tickets.open(source)
        self._coordinator.end(name, producer, request.committed, self._ended, ticket, name)

    def _ended(self, error: ErrorCode, ticket: int, name: str) -> None:
        self._tickets.reply(ticket, EndTxnResponse(0, self._noted("EndTxn", name, error)))


def _added(errors: dict[TopicPartition, ErrorCode]) -> AddPartitionsToTxnResponse:
    topics: dict[str, list[Any]] = {}
    for (topic, index), error in errors.items():
        topics.setdefault(topic, []).append(AddPartitionsToTxnPartitionResult(index, error))
    results = tuple(AddPartitionsToTxnTopicResult(topic, tuple(found)) for topic, found in topics.items())
    return AddPartitionsToTxnResponse(0, results)
