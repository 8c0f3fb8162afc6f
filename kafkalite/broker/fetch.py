"""Fetch: consumers read what is committed, followers copy everything; the replica id tells them apart.

    Fetch     key 1   v4-11   KIP-74 limits · KIP-392 near replicas · KIP-227 sessions: declined, by answering id 0
    consumer  below the high watermark; or below the last stable offset, with the aborted transactions in what it is
              given, whose records it skips (read_committed, KIP-98)
    follower  to the log's end; that it asks from an offset says that it has all below: its acknowledgement

Until `min_bytes` are there a request waits, at most `max_wait_ms`. The first batch is given even if it is above every
limit, or a reader could never pass it. Consumers read from the leader; with `replica.selector` set for racks also from
a follower the leader names, which serves what lies below its own watermark.

Source: Kafka's KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, DelayedFetch, Partition.fetchRecords.
"""

from __future__ import annotations

from typing import cast

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode, OffsetOutOfRange
from kafkalite.facts import RequestRefused
from kafkalite.node import Component, Node
from kafkalite.protocol.fetch import (
    AbortedTransaction,
    FetchableTopicResponse,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    PartitionData,
)
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.storage import Slice, StorageError
from kafkalite.types import NodeName, ReplicaView, TopicPartition

CONSUMER = -1
NO_REPLICA = -1
WHOLE = frozenset({0, -1})  # session epochs of a fetch that names all it wants; others say what has changed since
UNKNOWN = -1


class Fetched:
    """A fetch request, with the partitions here that it asks for; it may wait for bytes.

    A partition that is deleted meanwhile has resigned: it stays here and refuses.
    """

    def __init__(self, api: FetchApi, peer: NodeName, request: FetchRequest, replicas: ReplicaManager) -> None:
        self.peer, self.request = peer, request
        self._api = api
        self.asked: list[tuple[TopicPartition, FetchPartition, Partition | None]] = []
        for topic in request.topics:
            for asked in topic.partitions:
                key = topic.topic, asked.partition
                self.asked.append((key, asked, replicas.partitions.get(key)))

    def is_ready(self) -> bool:
        return self._api.is_ready(self)

    def finish(self) -> None:
        self._api.answer(self)


class FetchApi(Component):
    """Answers Fetch."""

    def __init__(self, node: Node, config: BrokerConfig, replicas: ReplicaManager) -> None:
        super().__init__(node, "fetch")
        self._config, self._replicas = config, replicas

    def on_fetch_request(self, source: NodeName, request: FetchRequest) -> None:
        if request.session_epoch not in WHOLE:
            self.node.reply(source, FetchResponse(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND))
            return
        fetched = Fetched(self, source, request, self._replicas)
        if request.replica_id >= 0:
            self._acknowledge(fetched)
        if request.max_wait_ms <= 0 or self.is_ready(fetched):
            self.answer(fetched)
        else:
            self._replicas.waiting.fetches.park(fetched, [key for key, _, _ in fetched.asked], request.max_wait_ms)

    def _acknowledge(self, fetched: Fetched) -> None:
        """The offsets a follower asks from say how far it has come; those outside the log say nothing."""
        follower = fetched.request.replica_id
        for _, asked, partition in fetched.asked:
            if partition is None or self._refusal(partition, asked, follower) is not ErrorCode.NONE:
                continue
            log = partition.log
            if log.log_start_offset <= asked.fetch_offset <= log.log_end_offset:
                self._replicas.fetched(partition, follower, asked.fetch_offset, asked.log_start_offset)

    # Ready? ---------------------------------------------------------------------------------------------------------

    def is_ready(self, fetched: Fetched) -> bool:
        """Whether there is enough to read, or an error to tell."""
        try:
            return self._is_ready(fetched)
        except StorageError:
            return True  # who then reads finds out

    def _is_ready(self, fetched: Fetched) -> bool:
        request = fetched.request
        found_bytes, least_bytes = 0, request.min_bytes
        for _, asked, partition in fetched.asked:
            if partition is None or self._refusal(partition, asked, request.replica_id) is not ErrorCode.NONE:
                return True
            log, offset = partition.log, asked.fetch_offset
            if not log.log_start_offset <= offset <= log.log_end_offset:
                return True
            end = self._end(partition, request)
            if end > offset:
                if least_bytes <= 1:
                    return True
                found_bytes += min(asked.partition_max_bytes, log.bytes_between(offset, end))
            if request.rack_id and self._preferred(partition, asked, request.rack_id) != NO_REPLICA:
                return True
        return found_bytes >= least_bytes

    def _refusal(self, partition: Partition, asked: FetchPartition, replica_id: int) -> ErrorCode:
        """Why this is not served here. A follower that was not assigned to it is one of a newer epoch, or confused."""
        needs_leader = replica_id >= 0 or not self._config.replica_selector_rack_aware
        error = partition.refusal(asked.current_leader_epoch, needs_leader=needs_leader)
        if error is ErrorCode.NONE and replica_id >= 0 and replica_id not in partition.progress:
            return ErrorCode.NOT_LEADER_OR_FOLLOWER
        return error

    def _end(self, partition: Partition, request: FetchRequest) -> int:
        if request.replica_id >= 0:
            return partition.log.log_end_offset
        return partition.readable_end(request.isolation_level)

    def _preferred(self, partition: Partition, asked: FetchPartition, rack: str) -> int:
        """The follower that a consumer in that rack is to read from; -1: this broker."""
        if not (self._config.replica_selector_rack_aware and partition.is_leader):
            return NO_REPLICA
        log, cluster, now_ms = partition.log, self._replicas.cluster, self.node.now_ms
        views = [ReplicaView(partition.me, self._config.rack, True, log.log_start_offset, log.log_end_offset)]
        for broker, one in partition.progress.items():
            if broker in partition.isr and cluster.address_of(broker) is not None:
                start, since_ms = partition.log_starts[broker], now_ms - one.caught_up_ms
                view = ReplicaView(broker, cluster.rack_of(broker), False, start, one.end_offset, since_ms)
                views.append(view)
        chosen = self._replicas.parts.read_replica(views, asked.fetch_offset, rack)
        return NO_REPLICA if chosen == partition.me else chosen

    # Answering ------------------------------------------------------------------------------------------------------

    def answer(self, fetched: Fetched) -> None:
        """Tell the reader what there is now."""
        left_bytes = min(fetched.request.max_bytes, self._config.fetch_max_bytes)
        is_first = True
        topics: dict[str, list[PartitionData]] = {}
        for key, asked, partition in fetched.asked:
            if partition is None:
                data = self._refused(key, self._replicas.unknown(*key))
            else:
                data = self._read(partition, asked, fetched.request, left_bytes, is_first=is_first)
            if data.records:
                is_first, left_bytes = False, left_bytes - len(data.records)
            topics.setdefault(key[0], []).append(data)
        responses = tuple(FetchableTopicResponse(topic, tuple(answers)) for topic, answers in topics.items())
        self.node.reply(fetched.peer, FetchResponse(responses=responses))

    def _read(
        self, partition: Partition, asked: FetchPartition, request: FetchRequest, left_bytes: int, *, is_first: bool
    ) -> PartitionData:
        key, log = partition.key, partition.log
        error = self._refusal(partition, asked, request.replica_id)
        if error is not ErrorCode.NONE:
            return self._refused(key, error)
        preferred = self._preferred(partition, asked, request.rack_id) if request.rack_id else NO_REPLICA
        records: bytes | Slice = b""
        aborted: tuple[AbortedTransaction, ...] | None = () if request.isolation_level else None
        try:
            if preferred == NO_REPLICA:
                max_bytes = min(asked.partition_max_bytes, max(0, left_bytes))
                end = self._end(partition, request)
                records = log.slice(asked.fetch_offset, max_bytes, end_offset=end, at_least_one=is_first)
            if request.isolation_level and records:
                found = log.aborted_in(asked.fetch_offset, records)
                aborted = tuple(AbortedTransaction(one.producer_id, one.first_offset) for one in found)
        except OffsetOutOfRange:
            return self._refused(key, ErrorCode.OFFSET_OUT_OF_RANGE)
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            return self._refused(key, ErrorCode.KAFKA_STORAGE_ERROR)
        watermark, stable, start = log.high_watermark, partition.last_stable_offset, log.log_start_offset
        bulk = cast("bytes", records)  # or a slice, which whoever sends the response has read then
        return PartitionData(key[1], ErrorCode.NONE, watermark, stable, start, aborted, preferred, bulk)

    def _refused(self, key: TopicPartition, error: ErrorCode) -> PartitionData:
        self.node.note(RequestRefused("Fetch", *key, error.name))
        aborted = () if error is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION else None
        return PartitionData(key[1], error, UNKNOWN, UNKNOWN, UNKNOWN, aborted, NO_REPLICA, b"")
