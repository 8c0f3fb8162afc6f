"""A cluster with a transaction coordinator that clients believe in: one table of transactions, real logs and markers.

The coordinator is whoever the truth says; so is the group's. Every answer can be scripted, by the request's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.protocol.fetch import AbortedTransaction, FetchPartition, FetchRequest, PartitionData
from kafkalite.protocol.group_membership import Coordinator, FindCoordinatorRequest, FindCoordinatorResponse
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
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
)
from tests.kafkalite.clients.fake_cluster import FakeBroker, Truth


@dataclass
class Entry:
    """What the coordinator knows of a transactional id."""

    producer_id: int
    epoch: int
    partitions: set[tuple[str, int]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    offsets: dict[tuple[str, str, int], int] = field(default_factory=dict)
    state: str = "Empty"


@dataclass
class TransactionalTruth(Truth):
    """What is so. `answers` are the next answers by the name of the request's class; "LOST": the connection breaks
    before, "LATE" after it is carried out.
    """

    coordinators: dict[int, int] = field(default_factory=lambda: {0: 101, 1: 101})  # kind of key -> broker
    answers: dict[str, list[Any]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    committed: dict[tuple[str, str, int], int] = field(default_factory=dict)  # offsets, as a group would find them
    aborted: dict[tuple[str, int], list[AbortedTransaction]] = field(default_factory=dict)

    def end(self, entry: Entry, *, is_commit: bool, epoch: int | None = None) -> None:
        """Write the markers, and commit the offsets or forget them."""
        for partition in sorted(entry.partitions):
            log = self.partitions[partition].log
            known = log.producers.get(entry.producer_id)
            if not is_commit and known is not None and known.txn_first_offset is not None:
                self.aborted.setdefault(partition, []).append(
                    AbortedTransaction(entry.producer_id, known.txn_first_offset)
                )
            marker = encode_marker(Marker(is_commit, 0), entry.producer_id, entry.epoch if epoch is None else epoch, 0)
            log.append_as_leader(marker, 0, 0, is_from_client=False)
            log.high_watermark = log.log_end_offset
        if is_commit:
            self.committed.update(entry.offsets)
        entry.partitions.clear()
        entry.groups.clear()
        entry.offsets.clear()
        entry.state = "CompleteCommit" if is_commit else "CompleteAbort"


class TransactionalBroker(FakeBroker):
    """One broker of that truth."""

    truth: TransactionalTruth

    def on_find_coordinator_request(self, source: str, request: FindCoordinatorRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        node = self.truth.coordinators[request.key_type]
        found = tuple(Coordinator(key, node, f"b{node}", 0) for key in request.coordinator_keys)
        self.reply(source, FindCoordinatorResponse(coordinators=found))

    def _is_answered(self, source: str, request: Any, kind: int = 1) -> ErrorCode | str:
        self.truth.asked.append((self.name, source, request))
        script = self.truth.answers.get(type(request).__name__.removesuffix("Request"))
        said: ErrorCode | str = script.pop(0) if script else ErrorCode.NONE
        if said == ErrorCode.NONE and self.truth.coordinators[kind] != self.broker:
            return ErrorCode.NOT_COORDINATOR
        return said

    def _say(self, source: str, said: ErrorCode | str, response: Any) -> None:
        if said in {"LOST", "LATE"}:
            self.disconnect(source)
        else:
            self.reply(source, response)

    def _check(self, request: Any) -> ErrorCode:
        """Is it the one that has the id, in its newest epoch?"""
        name = getattr(request, "transactional_id", None) or request.v3_and_below_transactional_id
        epoch = getattr(request, "producer_epoch", None)
        entry = self.truth.entries[name]
        newest = request.v3_and_below_producer_epoch if epoch is None else epoch
        return ErrorCode.NONE if entry.epoch == newest else ErrorCode.PRODUCER_FENCED

    def on_init_producer_id_request(self, source: str, request: InitProducerIdRequest) -> None:
        if request.transactional_id is None:
            super().on_init_producer_id_request(source, request)
            return
        said = self._is_answered(source, request)
        error = said if isinstance(said, ErrorCode) else ErrorCode.NONE
        entry = self.truth.entries.get(request.transactional_id)
        is_old = entry is not None and request.producer_id >= 0 and request.producer_epoch < entry.epoch
        if error == ErrorCode.NONE and is_old:
            error = ErrorCode.PRODUCER_FENCED
        if error == ErrorCode.NONE and said != "LOST":
            if entry is None:
                entry = self.truth.entries[request.transactional_id] = Entry(7000, -1)
            entry.epoch += 1
            if entry.state == "Ongoing":
                self.truth.end(entry, is_commit=False)
        identity = (entry.producer_id, entry.epoch) if entry and error == ErrorCode.NONE else (-1, -1)
        self._say(source, said, InitProducerIdResponse(0, error, *identity))

    def on_add_partitions_to_txn_request(self, source: str, request: AddPartitionsToTxnRequest) -> None:
        said = self._is_answered(source, request)
        error = said if isinstance(said, ErrorCode) else ErrorCode.NONE
        error = error or self._check(request)
        added = [(topic.name, index) for topic in request.v3_and_below_topics for index in topic.partitions]
        if error == ErrorCode.NONE and said != "LOST":
            entry = self.truth.entries[request.v3_and_below_transactional_id]
            entry.partitions.update(added)
            entry.state = "Ongoing"
        results = tuple(
            AddPartitionsToTxnTopicResult(
                topic.name, tuple(AddPartitionsToTxnPartitionResult(index, error) for index in topic.partitions)
            )
            for topic in request.v3_and_below_topics
        )
        self._say(source, said, AddPartitionsToTxnResponse(0, results))

    def on_add_offsets_to_txn_request(self, source: str, request: AddOffsetsToTxnRequest) -> None:
        said = self._is_answered(source, request)
        error = said if isinstance(said, ErrorCode) else ErrorCode.NONE
        error = error or self._check(request)
        if error == ErrorCode.NONE and said != "LOST":
            entry = self.truth.entries[request.transactional_id]
            entry.groups.add(request.group_id)
            entry.state = "Ongoing"
        self._say(source, said, AddOffsetsToTxnResponse(0, error))

    def on_txn_offset_commit_request(self, source: str, request: TxnOffsetCommitRequest) -> None:
        said = self._is_answered(source, request, kind=0)
        error = said if isinstance(said, ErrorCode) else ErrorCode.NONE
        entry = self.truth.entries[request.transactional_id]
        if error == ErrorCode.NONE and said != "LOST":
            assert request.group_id in entry.groups, "the coordinator was not told of the group"
            for topic in request.topics:
                for one in topic.partitions:
                    entry.offsets[request.group_id, topic.name, one.partition_index] = one.committed_offset
        topics = tuple(
            TxnOffsetCommitResponseTopic(
                topic.name,
                tuple(TxnOffsetCommitResponsePartition(one.partition_index, error) for one in topic.partitions),
            )
            for topic in request.topics
        )
        self._say(source, said, TxnOffsetCommitResponse(0, topics))

    def on_end_txn_request(self, source: str, request: EndTxnRequest) -> None:
        said = self._is_answered(source, request)
        error = said if isinstance(said, ErrorCode) else ErrorCode.NONE
        error = error or self._check(request)
        entry = self.truth.entries[request.transactional_id]
        if error == ErrorCode.NONE and said != "LOST":
            done = "CompleteCommit" if request.committed else "CompleteAbort"
            if entry.state == "Ongoing":
                self.truth.end(entry, is_commit=request.committed)
                self._wake()
            elif entry.state != done:
                error = ErrorCode.INVALID_TXN_STATE
        self._say(source, said, EndTxnResponse(0, error))

    def _append(self, topic: str, data: Any) -> Any:
        added = {one for entry in self.truth.entries.values() for one in entry.partitions}
        assert (topic, data.index) in added or not self.truth.entries, "written to before it was added"
        return super()._append(topic, data)

    def on_fetch_request(self, source: str, request: FetchRequest) -> None:
        self.isolation_level = request.isolation_level
        super().on_fetch_request(source, request)

    def _read(self, topic: str, asked: FetchPartition) -> PartitionData:
        log = self.truth.partitions[topic, asked.partition].log
        stable = log.last_stable_offset
        end = stable if self.isolation_level else log.high_watermark
        data = log.read(asked.fetch_offset, asked.partition_max_bytes, end_offset=end)
        aborted = tuple(self.truth.aborted.get((topic, asked.partition), ())) if self.isolation_level else ()
        return PartitionData(asked.partition, ErrorCode.NONE, log.high_watermark, stable, 0, aborted, records=data)
