"""TxnOffsetCommit · key 28 · v0-3: offsets that count if the producer's transaction commits.

So reading and writing become one: a consumer's place moves when, and only when, what it made of the records is
committed. The group's generation and member are checked as for any commit (KIP-447), the producer's epoch by the log:
a zombie of either kind is refused.

Source: Kafka's KafkaApis.handleTxnOffsetCommitRequest, GroupCoordinator.handleTxnCommitOffsets. Left out: as in
`transaction_api`, nobody asks the transaction's coordinator whether it has the group's partition.
"""

from __future__ import annotations

from kafkalite.broker.group_coordinator import GroupCoordinator, Held
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.offset_commits import Refused, answers, sort_out
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import GroupRequestRefused
from kafkalite.node import Component, Node
from kafkalite.protocol.transactions import (
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
)
from kafkalite.types import Answer, CommitAsked, CommittedOffset, NodeName


class TransactionOffsetsApi(Component):
    """Answers TxnOffsetCommit."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        topic: OffsetsTopic,
        coordinator: GroupCoordinator,
        metadata: MetadataCache,
    ) -> None:
        super().__init__(node, "transaction_offsets_api")
        self._config, self._topic, self._coordinator, self._metadata = config, topic, coordinator, metadata

    def on_txn_offset_commit_request(self, source: NodeName, request: TxnOffsetCommitRequest) -> None:
        error = self._topic.refusal(request.group_id) if request.group_id else ErrorCode.INVALID_GROUP_ID
        held = self._coordinator.find(request.group_id)
        if error is not ErrorCode.NONE:
            self._answer(error, source, request, {})
            return
        held = held or self._coordinator.found(request.group_id)
        ticket = self._coordinator.ticket(source, self._allowed, source, request, held)
        instance = request.group_instance_id
        asked = CommitAsked(ticket, request.member_id, request.generation_id, instance, is_transactional=True)
        self._coordinator.tell(held, asked)

    def _allowed(self, answer: Answer, source: NodeName, request: TxnOffsetCommitRequest, held: Held) -> None:
        """The group has said whether this member may commit; then each partition has its say."""
        error, config = ErrorCode[answer.error], self._config
        offsets, refused = sort_out(request.topics, self._metadata, config.offset_metadata_max_bytes, self._committed)
        if error is not ErrorCode.NONE or not offsets:
            self._answer(error, source, request, refused)
            return
        producer = request.producer_id, request.producer_epoch
        reply = self._coordinator.ticket(source, self._answer, source, request, refused)
        self._coordinator.commit_in_transaction(held, producer, offsets, self._coordinator.settle, reply)

    def _committed(self, one: TxnOffsetCommitRequestPartition) -> CommittedOffset:
        metadata = one.committed_metadata or ""
        return CommittedOffset(one.committed_offset, one.committed_leader_epoch, metadata, self.node.wall_ms)

    def _answer(self, error: ErrorCode, source: NodeName, request: TxnOffsetCommitRequest, refused: Refused) -> None:
        found = error or next(iter(refused.values()), ErrorCode.NONE)
        if found is not ErrorCode.NONE:
            self.node.note(GroupRequestRefused("TxnOffsetCommit", request.group_id, request.member_id, found.name))
        topics = answers(request.topics, error, refused, TxnOffsetCommitResponseTopic, TxnOffsetCommitResponsePartition)
        self.node.reply(source, TxnOffsetCommitResponse(0, topics))
