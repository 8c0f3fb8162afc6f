"""Questions about offsets, and the one request that takes records away; all of them for the leader.

    ListOffsets            key 2    v1-6   the end, the beginning, or the first offset of a time · KIP-79, KIP-207
    OffsetForLeaderEpoch   key 23   v2-3   where an epoch ended · KIP-101, KIP-279, KIP-320
    DeleteRecords          key 21   v0-2   forget what is below an offset · KIP-107

For a consumer the end is the high watermark, or the last stable offset (read_committed). A leader that is new may not
know yet how much is committed: as long as its watermark has not reached the start of its epoch it answers
OFFSET_NOT_AVAILABLE, or a consumer would see the end go back (KIP-207).

DeleteRecords is answered once the log of every live replica begins there.

Left out: the timestamps of tiered storage.
Source: Kafka's Partition.fetchOffsetForTimestamp, lastOffsetForLeaderEpoch, deleteRecordsOnLeader; DelayedDeleteRecords
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode, OffsetOutOfRange
from kafkalite.facts import RequestRefused
from kafkalite.node import Component, Node
from kafkalite.protocol.offsets import (
    EpochEndOffset,
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
)
from kafkalite.protocol.topics import (
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.storage import StorageError
from kafkalite.types import NodeName, TopicPartition

LATEST, EARLIEST = -1, -2  # as timestamps in ListOffsets
UP_TO_THE_WATERMARK = -1  # as an offset in DeleteRecords
UNKNOWN = -1


@dataclass(slots=True)
class Deletion:
    """What has become of one partition's deletion: an error, or the offset below which records shall go."""

    key: TopicPartition
    error: ErrorCode = ErrorCode.NONE
    offset: int = UNKNOWN
    low_watermark: int = UNKNOWN
    is_settled: bool = False


class Deleted:
    """A DeleteRecords request that waits for the followers."""

    def __init__(self, api: OffsetsApi, peer: NodeName, deletions: list[Deletion]) -> None:
        self.peer, self.deletions = peer, deletions
        self._api = api

    def is_ready(self) -> bool:
        settled = [self._api.is_settled(deletion) for deletion in self.deletions]
        return all(settled)

    def finish(self) -> None:
        for deletion in self.deletions:
            if not self._api.is_settled(deletion):
                deletion.error = ErrorCode.REQUEST_TIMED_OUT
        self._api.answer_deletions(self.peer, self.deletions)


class OffsetsApi(Component):
    """Answers ListOffsets, OffsetForLeaderEpoch and DeleteRecords."""

    def __init__(self, node: Node, config: BrokerConfig, replicas: ReplicaManager) -> None:
        super().__init__(node, "offsets")
        self._replicas = replicas

    def _led(self, api: str, key: TopicPartition, leader_epoch: int = -1) -> Partition | ErrorCode:
        """The partition, if this broker leads it; else what to answer."""
        partition = self._replicas.partitions.get(key)
        error = self._replicas.unknown(*key) if partition is None else partition.refusal(leader_epoch)
        if partition is not None and error is ErrorCode.NONE:
            return partition
        return self._refused(api, key, error)

    def _refused(self, api: str, key: TopicPartition, error: ErrorCode) -> ErrorCode:
        self.node.note(RequestRefused(api, *key, error.name))
        return error

    # ListOffsets ----------------------------------------------------------------------------------------------------

    def on_list_offsets_request(self, source: NodeName, request: ListOffsetsRequest) -> None:
        topics = [
            ListOffsetsTopicResponse(
                topic.name, tuple(self._list(request, topic.name, asked) for asked in topic.partitions)
            )
            for topic in request.topics
        ]
        self.node.reply(source, ListOffsetsResponse(topics=tuple(topics)))

    def _list(
        self, request: ListOffsetsRequest, topic: str, asked: ListOffsetsPartition
    ) -> ListOffsetsPartitionResponse:
        key, is_consumer = (topic, asked.partition_index), request.replica_id < 0
        partition = self._led("ListOffsets", key, asked.current_leader_epoch)
        if isinstance(partition, ErrorCode):
            return ListOffsetsPartitionResponse(key[1], partition)
        log = partition.log
        end = partition.readable_end(request.isolation_level) if is_consumer else log.log_end_offset
        # The leader before may have told consumers of a later end.
        may_go_back = is_consumer and log.high_watermark < partition.epoch_start
        found_ms, offset = UNKNOWN, UNKNOWN
        if asked.timestamp == EARLIEST:
            offset = log.log_start_offset
        elif asked.timestamp == LATEST:
            offset = UNKNOWN if may_go_back else end
        else:
            try:
                found = log.offset_for_timestamp(asked.timestamp)
            except StorageError as failure:
                self._replicas.logs.fail(failure)
                error = self._refused("ListOffsets", key, ErrorCode.KAFKA_STORAGE_ERROR)
                return ListOffsetsPartitionResponse(key[1], error)
            if found is not None and found.offset < end:
                offset, found_ms = found
            elif not may_go_back:
                return ListOffsetsPartitionResponse(key[1])  # no record is that new
        if offset == UNKNOWN:
            error = self._refused("ListOffsets", key, ErrorCode.OFFSET_NOT_AVAILABLE)
            return ListOffsetsPartitionResponse(key[1], error)
        return ListOffsetsPartitionResponse(key[1], ErrorCode.NONE, found_ms, offset, _epoch_of(partition, offset))

    # OffsetForLeaderEpoch -------------------------------------------------------------------------------------------

    def on_offset_for_leader_epoch_request(self, source: NodeName, request: OffsetForLeaderEpochRequest) -> None:
        topics = [
            OffsetForLeaderTopicResult(
                topic.topic, tuple(self._epoch_end(topic.topic, asked) for asked in topic.partitions)
            )
            for topic in request.topics
        ]
        self.node.reply(source, OffsetForLeaderEpochResponse(topics=tuple(topics)))

    def _epoch_end(self, topic: str, asked: OffsetForLeaderPartition) -> EpochEndOffset:
        index = asked.partition
        partition = self._led("OffsetForLeaderEpoch", (topic, index), asked.current_leader_epoch)
        if isinstance(partition, ErrorCode):
            return EpochEndOffset(partition, index)
        epoch, end_offset = partition.log.end_offset_for_epoch(asked.leader_epoch)
        return EpochEndOffset(ErrorCode.NONE, index, epoch, end_offset)

    # DeleteRecords --------------------------------------------------------------------------------------------------

    def on_delete_records_request(self, source: NodeName, request: DeleteRecordsRequest) -> None:
        deletions = [
            self._delete((topic.name, asked.partition_index), asked.offset)
            for topic in request.topics
            for asked in topic.partitions
        ]
        deleted = Deleted(self, source, deletions)
        if deleted.is_ready():
            deleted.finish()
        else:
            keys = [deletion.key for deletion in deletions]
            self._replicas.waiting.deletes.park(deleted, keys, request.timeout_ms)

    def _delete(self, key: TopicPartition, offset: int) -> Deletion:
        partition = self._led("DeleteRecords", key)
        if isinstance(partition, ErrorCode):
            return Deletion(key, partition)
        if not partition.log.config.delete:  # a compacted topic keeps the last value of every key
            return Deletion(key, self._refused("DeleteRecords", key, ErrorCode.POLICY_VIOLATION))
        offset = partition.log.high_watermark if offset == UP_TO_THE_WATERMARK else offset
        try:
            partition.delete_before(offset)
        except OffsetOutOfRange:
            return Deletion(key, self._refused("DeleteRecords", key, ErrorCode.OFFSET_OUT_OF_RANGE))
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            return Deletion(key, self._refused("DeleteRecords", key, ErrorCode.KAFKA_STORAGE_ERROR))
        return Deletion(key, offset=offset)

    def is_settled(self, deletion: Deletion) -> bool:
        """Whether all live replicas have deleted, or an error says that nobody knows."""
        if deletion.is_settled or deletion.error is not ErrorCode.NONE:
            return True
        partition = self._replicas.partitions.get(deletion.key)
        error = self._replicas.unknown(*deletion.key) if partition is None else partition.refusal()
        if partition is not None and error is ErrorCode.NONE:
            deletion.low_watermark = partition.low_watermark(self._replicas.cluster.address_of)
            if deletion.low_watermark < deletion.offset:
                return False
        deletion.error, deletion.is_settled = error, True
        return True

    def answer_deletions(self, peer: NodeName, deletions: list[Deletion]) -> None:
        """Tell the admin client where each log begins now."""
        topics: dict[str, list[DeleteRecordsPartitionResult]] = {}
        for one in deletions:
            low = UNKNOWN if one.error is not ErrorCode.NONE else one.low_watermark
            topics.setdefault(one.key[0], []).append(DeleteRecordsPartitionResult(one.key[1], low, one.error))
        results = tuple(DeleteRecordsTopicResult(topic, tuple(answers)) for topic, answers in topics.items())
        self.node.reply(peer, DeleteRecordsResponse(topics=results))


def _epoch_of(partition: Partition, offset: int) -> int:
    """The leader epoch in which the record at an offset was written, or would be."""
    if offset >= partition.log.log_end_offset:
        return partition.leader_epoch
    return max((entry.epoch for entry in partition.log.leader_epochs if entry.start_offset <= offset), default=UNKNOWN)
