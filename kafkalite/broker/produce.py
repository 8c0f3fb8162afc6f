"""Produce: a partition's leader appends batches, and answers when they are where the producer wants them.

    Produce   key 0   v3-9   KIP-98 idempotence · KIP-467 an error's text
    acks  0   no answer at all, not even to say that it failed; on an error the connection is closed, as in Kafka
          1   answered once the leader has it: it may still be lost with the leader
         -1   answered once the high watermark has passed it: everyone in sync has it

Before a batch is appended: enough replicas in sync? Only acks=-1 asks, and then nothing has happened. After: a wait
that ends too late says REQUEST_TIMED_OUT, one that ends with the leadership NOT_LEADER_OR_FOLLOWER, and it may have
happened. A duplicate waits as its original did, for its old offset: answering at once would acknowledge what may yet
be lost.

Left out: asking a transaction's coordinator before its first batch (KIP-890, see `transaction_api`), throttling.
Source: Kafka's KafkaApis.handleProduceRequest, ReplicaManager.appendRecords, DelayedProduce.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.broker.one_batch import OWN_TOPICS, refusal_of
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestRefused
from kafkalite.log.admission import Appended
from kafkalite.log.errors import (
    BatchRefused,
    BatchTooLarge,
    CorruptBatch,
    InvalidRecord,
    InvalidTransaction,
    OutOfOrderSequence,
    ProducerFenced,
)
from kafkalite.node import Component, Node
from kafkalite.protocol.produce import (
    BatchIndexAndErrorMessage,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.storage import StorageError
from kafkalite.types import NodeName, TopicPartition

ACKS = (-1, 0, 1)
UNKNOWN = -1
ERRORS: dict[type[Exception], ErrorCode] = {
    CorruptBatch: ErrorCode.CORRUPT_MESSAGE,
    BatchTooLarge: ErrorCode.MESSAGE_TOO_LARGE,
    InvalidRecord: ErrorCode.INVALID_RECORD,
    OutOfOrderSequence: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ProducerFenced: ErrorCode.INVALID_PRODUCER_EPOCH,
    InvalidTransaction: ErrorCode.INVALID_TXN_STATE,
}


@dataclass(slots=True)
class Outcome:
    """What has become of one partition's batch."""

    key: TopicPartition
    error: ErrorCode = ErrorCode.NONE
    message: str | None = None
    log_start_offset: int = UNKNOWN  # told with refusals that come from the log, as in Kafka
    records: tuple[int, ...] = ()  # places in the batch of records at fault
    partition: Partition | None = None  # that has appended it, and where
    appended: Appended | None = None
    is_settled: bool = False


class Produced:
    """A produce request whose batches are appended, waiting for acknowledgements."""

    def __init__(self, api: ProduceApi, peer: NodeName, acks: int, outcomes: list[Outcome]) -> None:
        self.peer, self.acks, self.outcomes = peer, acks, outcomes
        self._api = api

    def is_ready(self) -> bool:
        settled = [self._is_settled(outcome) for outcome in self.outcomes]
        return all(settled)

    def _is_settled(self, outcome: Outcome) -> bool:
        partition, appended = outcome.partition, outcome.appended
        if not outcome.is_settled and partition is not None and appended is not None:
            if not partition.is_leader:
                outcome.error = partition.refusal()
            elif not partition.is_acknowledged(appended.last_offset, self.acks):
                return False
        outcome.is_settled = True
        return True

    def finish(self) -> None:
        for outcome in self.outcomes:
            if not self._is_settled(outcome):
                outcome.error = ErrorCode.REQUEST_TIMED_OUT
        self._api.answer(self.peer, self.outcomes)


class ProduceApi(Component):
    """Answers Produce."""

    def __init__(self, node: Node, config: BrokerConfig, replicas: ReplicaManager) -> None:
        super().__init__(node, "produce")
        self._replicas = replicas

    def on_produce_request(self, source: NodeName, request: ProduceRequest) -> None:
        acks, replicas = request.acks, self._replicas
        outcomes = [
            self._append((topic.name, data.index), data, acks)
            for topic in request.topic_data
            for data in topic.partition_data
        ]
        for outcome in outcomes:
            if outcome.appended is not None and not outcome.appended.is_duplicate:
                replicas.changed(outcome.key)
        if acks == 0:
            if self._note_refusals(outcomes):
                self.node.disconnect(source)
            return
        produced = Produced(self, source, acks, outcomes)
        if produced.is_ready():
            produced.finish()
        else:
            replicas.waiting.acks.park(produced, [outcome.key for outcome in outcomes], request.timeout_ms)

    def _append(self, key: TopicPartition, data: PartitionProduceData, acks: int) -> Outcome:
        partition = self._replicas.partitions.get(key)
        refused = self._refused(key, data, acks, partition)
        if partition is None or refused is not None:
            return refused or Outcome(key, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        try:
            return Outcome(key, partition=partition, appended=partition.append(data.records or b""))
        except (CorruptBatch, BatchTooLarge) as refusal:
            return Outcome(key, ERRORS[type(refusal)], str(refusal))
        except BatchRefused as refusal:
            records = refusal.records if isinstance(refusal, InvalidRecord) else ()
            return Outcome(key, ERRORS[type(refusal)], str(refusal), partition.log.log_start_offset, records)
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            return Outcome(key, ErrorCode.KAFKA_STORAGE_ERROR)

    def _refused(
        self, key: TopicPartition, data: PartitionProduceData, acks: int, partition: Partition | None
    ) -> Outcome | None:
        """What is said of a batch before the log has seen it; None if it may go there."""
        if acks not in ACKS:
            return Outcome(key, ErrorCode.INVALID_REQUIRED_ACKS)
        error, text = self._replicas.unknown(*key) if partition is None else partition.refusal(), None
        if key[0] in OWN_TOPICS:  # the brokers' own; what stands there is what coordinators go by
            error = ErrorCode.INVALID_TOPIC_EXCEPTION
        if error is not ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            malformed, text = refusal_of(data.records, may_be_zstd=self.node.is_asked_since(7))
            error = malformed or error
        if error is ErrorCode.NONE and partition is not None and not partition.has_enough_replicas(acks):
            return Outcome(key, ErrorCode.NOT_ENOUGH_REPLICAS, None, partition.log.log_start_offset)
        return Outcome(key, error, text) if error else None

    def _note_refusals(self, outcomes: list[Outcome]) -> bool:
        refused = [outcome for outcome in outcomes if outcome.error is not ErrorCode.NONE]
        for outcome in refused:
            self.node.note(RequestRefused("Produce", *outcome.key, outcome.error.name))
        return bool(refused)

    def answer(self, peer: NodeName, outcomes: list[Outcome]) -> None:
        """Tell the producer what has become of each batch."""
        self._note_refusals(outcomes)
        topics: dict[str, list[PartitionProduceResponse]] = {}
        for outcome in outcomes:
            topics.setdefault(outcome.key[0], []).append(_answer(outcome))
        responses = tuple(TopicProduceResponse(topic, tuple(answers)) for topic, answers in topics.items())
        self.node.reply(peer, ProduceResponse(responses))


def _answer(outcome: Outcome) -> PartitionProduceResponse:
    index, partition, appended = outcome.key[1], outcome.partition, outcome.appended
    if outcome.error is not ErrorCode.NONE or partition is None or appended is None:
        records = tuple(BatchIndexAndErrorMessage(place, outcome.message) for place in outcome.records)
        start = outcome.log_start_offset
        return PartitionProduceResponse(index, outcome.error, UNKNOWN, UNKNOWN, start, records, outcome.message)
    return PartitionProduceResponse(
        index, ErrorCode.NONE, appended.base_offset, appended.log_append_time_ms, partition.log.log_start_offset
    )
