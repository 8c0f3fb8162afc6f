"""A cluster that clients believe in: brokers with one shared truth, real logs, and answers a test can script.

There is no replication: whoever leads a partition appends to the one log of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from kafkalite.clients.producer import Producer
from kafkalite.config import ClientConfig, ProducerConfig
from kafkalite.errors import ErrorCode, OffsetOutOfRange
from kafkalite.facts import RecordsAcknowledged, RecordsFailed
from kafkalite.log.batch import split
from kafkalite.log.compression import records_of
from kafkalite.log.errors import CorruptBatch, OutOfOrderSequence, ProducerFenced
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.node import Node
from kafkalite.protocol.fetch import (
    FetchableTopicResponse,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    PartitionData,
)
from kafkalite.protocol.metadata import (
    MetadataRequest,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
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
from kafkalite.protocol.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from kafkalite.protocol.registry import through_the_wire
from kafkalite.protocol.transactions import InitProducerIdRequest, InitProducerIdResponse
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import Fault
from kafkalite.sim.simulator import Simulator
from kafkalite.storage.memory import MemoryStorage

REFUSALS = {
    OutOfOrderSequence: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ProducerFenced: ErrorCode.INVALID_PRODUCER_EPOCH,
}


@dataclass
class Led:
    """A partition: who leads it, and its log."""

    leader: int
    leader_epoch: int
    log: PartitionLog

    def move(self, leader: int) -> None:
        self.leader, self.leader_epoch = leader, self.leader_epoch + 1


@dataclass
class Truth:
    """What is so. `script` are the next answers to Produce or Fetch of a partition, NONE for the usual one."""

    brokers: tuple[int, ...] = (101,)
    listed: tuple[int, ...] = ()  # those that metadata tell of, if not all
    work_ms: float = 0.0  # what a Produce takes, while the next on its connection waits
    partitions: dict[tuple[str, int], Led] = field(default_factory=dict)
    script: dict[tuple[str, int], list[ErrorCode]] = field(default_factory=dict)
    hang_ups: int = 0  # Produce requests that are carried out and not answered: the connection is closed
    topic_errors: dict[str, ErrorCode] = field(default_factory=dict)
    producer_ids: int = 0
    controller: int = 101
    read_replica: dict[tuple[str, int], int] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)  # broker, source, request

    def topic(self, name: str, *leaders: int) -> Truth:
        for index, leader in enumerate(leaders):
            log = PartitionLog(MemoryStorage(), f"{name}-{index}", LogConfig(), 0)
            self.partitions[name, index] = Led(leader, 0, log)
        return self

    def records(self, topic: str = "orders", partition: int = 0) -> list[Record]:
        """What the log of a partition holds."""
        log = self.partitions[topic, partition].log
        data = log.read(log.log_start_offset, 1 << 30) if log.log_end_offset > log.log_start_offset else b""
        return [record for _, batch in split(data) for record in records_of(batch) or ()]

    def values(self, topic: str = "orders", partition: int = 0) -> list[bytes | None]:
        return [record.value for record in self.records(topic, partition)]

    def next_error(self, partition: tuple[str, int]) -> ErrorCode:
        script = self.script.get(partition)
        return script.pop(0) if script else ErrorCode.NONE


class FakeBroker(Node):
    """One broker of the truth."""

    def __init__(self, broker: int, truth: Truth) -> None:
        super().__init__(f"b{broker}")
        self.broker, self.truth = broker, truth
        self.working: dict[str, ProduceRequest] = {}
        self.parked: dict[str, FetchRequest] = {}

    def on_peer_lost(self, peer: str, requests: tuple[Any, ...]) -> None:
        self.parked.pop(peer, None)

    def on_metadata_request(self, source: str, request: MetadataRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        names = [topic.name for topic in request.topics or ()]
        brokers = tuple(MetadataResponseBroker(one, f"b{one}") for one in self.truth.listed or self.truth.brokers)
        topics = tuple(self._topic(name) for name in names)
        self.reply(source, MetadataResponse(brokers=brokers, controller_id=self.truth.controller, topics=topics))

    def _topic(self, name: str) -> MetadataResponseTopic:
        partitions = tuple(
            MetadataResponsePartition(
                partition_index=index,
                leader_id=led.leader,
                leader_epoch=led.leader_epoch,
                replica_nodes=self.truth.brokers,
            )
            for (topic, index), led in sorted(self.truth.partitions.items())
            if topic == name
        )
        missing = ErrorCode.NONE if partitions else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return MetadataResponseTopic(self.truth.topic_errors.get(name, missing), name, False, partitions)

    def on_init_producer_id_request(self, source: str, request: InitProducerIdRequest) -> None:
        error = self.truth.next_error(("producer ids", 0))
        if error != ErrorCode.NONE:
            self.reply(source, InitProducerIdResponse(error_code=error))
            return
        self.truth.producer_ids += 1
        self.reply(source, InitProducerIdResponse(producer_id=4000 + self.truth.producer_ids))

    def on_produce_request(self, source: str, request: ProduceRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        if self.truth.work_ms:
            self.working[source] = request
            self.set_timer(f"worked:{source}", self.truth.work_ms)
        else:
            self._produce(source, request)

    def on_worked(self, source: str) -> None:
        self._produce(source, self.working.pop(source))

    def _produce(self, source: str, request: ProduceRequest) -> None:
        responses = tuple(
            TopicProduceResponse(topic.name, tuple(self._append(topic.name, one) for one in topic.partition_data))
            for topic in request.topic_data
        )
        self._wake()
        if request.acks == 0:
            return
        if self.truth.hang_ups:
            self.truth.hang_ups -= 1
            self.disconnect(source)
        else:
            self.reply(source, ProduceResponse(responses))

    def _append(self, topic: str, data: PartitionProduceData) -> PartitionProduceResponse:
        error = self.truth.next_error((topic, data.index))
        led = self.truth.partitions.get((topic, data.index))
        if led is None:
            error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        elif led.leader != self.broker:
            error = ErrorCode.NOT_LEADER_OR_FOLLOWER
        is_after_append = error == ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
        if led is None or (error != ErrorCode.NONE and not is_after_append):
            return PartitionProduceResponse(data.index, error, -1)
        try:
            appended = led.log.append_as_leader(data.records or b"", led.leader_epoch, self.wall_ms)
        except (OutOfOrderSequence, ProducerFenced) as refused:
            return PartitionProduceResponse(data.index, REFUSALS[type(refused)], -1)
        except CorruptBatch:
            return PartitionProduceResponse(data.index, ErrorCode.CORRUPT_MESSAGE, -1)
        led.log.high_watermark = led.log.log_end_offset
        return PartitionProduceResponse(data.index, error, -1 if is_after_append else appended.base_offset)

    def on_list_offsets_request(self, source: str, request: ListOffsetsRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        topics = tuple(
            ListOffsetsTopicResponse(topic.name, tuple(self._offset(topic.name, one) for one in topic.partitions))
            for topic in request.topics
        )
        self.reply(source, ListOffsetsResponse(topics=topics))

    def _offset(self, topic: str, asked: ListOffsetsPartition) -> ListOffsetsPartitionResponse:
        led = self.truth.partitions[topic, asked.partition_index]
        error = self.truth.next_error((topic, asked.partition_index))
        if led.leader != self.broker:
            error = ErrorCode.NOT_LEADER_OR_FOLLOWER
        if error != ErrorCode.NONE:
            return ListOffsetsPartitionResponse(asked.partition_index, error)
        if asked.timestamp == -1:
            return ListOffsetsPartitionResponse(asked.partition_index, offset=led.log.high_watermark)
        if asked.timestamp == -2:
            return ListOffsetsPartitionResponse(asked.partition_index, offset=led.log.log_start_offset)
        found = led.log.offset_for_timestamp(asked.timestamp)
        offset = -1 if found is None else found.offset
        return ListOffsetsPartitionResponse(asked.partition_index, offset=offset)

    def on_offset_for_leader_epoch_request(self, source: str, request: OffsetForLeaderEpochRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        topics = tuple(
            OffsetForLeaderTopicResult(topic.topic, tuple(self._end_of(topic.topic, one) for one in topic.partitions))
            for topic in request.topics
        )
        self.reply(source, OffsetForLeaderEpochResponse(topics=topics))

    def _end_of(self, topic: str, asked: OffsetForLeaderPartition) -> EpochEndOffset:
        led = self.truth.partitions[topic, asked.partition]
        if led.leader != self.broker:
            return EpochEndOffset(ErrorCode.NOT_LEADER_OR_FOLLOWER, asked.partition)
        end = led.log.end_offset_for_epoch(asked.leader_epoch)
        return EpochEndOffset(ErrorCode.NONE, asked.partition, end.epoch, end.end_offset)

    def on_fetch_request(self, source: str, request: FetchRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        self._fetch(source, request)

    def _fetch(self, source: str, request: FetchRequest, *, is_parked: bool = False) -> None:
        topics = tuple(
            FetchableTopicResponse(topic.topic, tuple(self._read(topic.topic, one) for one in topic.partitions))
            for topic in request.topics
        )
        is_news = any(
            one.records or one.error_code or one.preferred_read_replica >= 0 for t in topics for one in t.partitions
        )
        if is_news or is_parked:
            self.reply(source, FetchResponse(responses=topics))
        else:
            self.parked[source] = request
            self.set_timer(f"parked:{source}", request.max_wait_ms)

    def on_parked(self, source: str) -> None:
        if source in self.parked:
            self._fetch(source, self.parked.pop(source), is_parked=True)

    def _wake(self) -> None:
        for source in list(self.parked):
            self._fetch(source, self.parked.pop(source), is_parked=True)

    def _read(self, topic: str, asked: FetchPartition) -> PartitionData:
        led = self.truth.partitions[topic, asked.partition]
        error = self.truth.next_error((topic, asked.partition))
        elsewhere = self.truth.read_replica.get((topic, asked.partition), led.leader)
        if self.broker not in (led.leader, elsewhere):
            error = ErrorCode.NOT_LEADER_OR_FOLLOWER
        if error != ErrorCode.NONE:
            return PartitionData(asked.partition, error, -1)
        end, start = led.log.high_watermark, led.log.log_start_offset
        if self.broker != elsewhere:
            return PartitionData(asked.partition, ErrorCode.NONE, end, end, start, preferred_read_replica=elsewhere)
        try:
            data = led.log.read(asked.fetch_offset, asked.partition_max_bytes, end_offset=end)
        except OffsetOutOfRange:
            return PartitionData(asked.partition, ErrorCode.OFFSET_OUT_OF_RANGE, end, -1, start)
        return PartitionData(asked.partition, ErrorCode.NONE, end, end, start, records=data)


class Run:
    """A truth, its brokers, some clients, and what they announced."""

    def __init__(
        self,
        truth: Truth,
        *clients: Node,
        seed: int = 1,
        faults: Iterable[tuple[float, Fault]] = (),
        record: bool = False,
        broker: type[FakeBroker] = FakeBroker,
    ) -> None:
        self.truth, self._broker = truth, broker
        brokers = [broker(number, truth) for number in truth.brokers]
        self.sim = Simulator(
            [*brokers, *clients], seed, faults=faults, record=record, rebuild=self._again, wire=through_the_wire
        )
        self.facts: list[tuple[str, Any]] = []
        self.sim.observers.append(self._observe)
        self.records = 0
        self._outcomes: dict[str, dict[int, Any]] = {}

    def produce(
        self,
        count: int = 1,
        topic: str = "orders",
        node: str = "p1",
        every_ms: float = 0,
        from_ms: float = 0,
        **settings: Any,
    ) -> Self:
        """Let a producer be handed so many records, of values v0, v1 ..."""
        key, partition = settings.get("key"), settings.get("partition")
        for number in range(count):
            arguments = (self.records, topic, key, b"v%d" % self.records, None, partition)
            self.sim.call_at(self.sim.now_ms + from_ms + number * every_ms, node, "produce", *arguments)
            self.records += 1
        return self

    def until_done(self, node: str = "p1") -> Self:
        """Let time pass until every record of the producer has an outcome."""
        self.sim.run(lambda: len(self.outcomes(node)) == self.records)
        return self

    def outcomes(self, node: str = "p1") -> dict[int, Any]:
        """What was said of each record: an offset, or the failure."""
        return self._outcomes.setdefault(node, {})

    def requests(self, kind: type) -> list[tuple[str, Any]]:
        """The requests of one class, and which broker got them."""
        return [(broker, request) for broker, _, request in self.truth.asked if type(request) is kind]

    def _again(self, name: str, storage: MemoryStorage) -> Node:
        return self._broker(int(name[1:]), self.truth)

    def _observe(self, now_ms: float, node: str, fact: Any) -> None:
        self.facts.append((node, fact))
        if not isinstance(fact, (RecordsAcknowledged, RecordsFailed)):
            return
        found = self.outcomes(node)
        for index, record in enumerate(fact.records):
            assert record not in found, f"two outcomes of record {record}"
            if isinstance(fact, RecordsFailed):
                found[record] = fact
            else:
                found[record] = fact.base_offset + index if fact.base_offset >= 0 else -1

    def of(self, kind: type, node: str | None = None) -> list[Any]:
        """The facts of one class."""
        return [fact for who, fact in self.facts if type(fact) is kind and node in (None, who)]


def producer(truth: Truth, name: str = "p1", bootstrap: tuple[str, ...] = (), **settings: Any) -> Producer:
    """A producer that knows the first broker."""
    servers = bootstrap or (f"b{truth.brokers[0]}",)
    client = {key: settings.pop(key) for key in list(settings) if key in ClientConfig.__dataclass_fields__}
    return Producer(name, ClientConfig(servers, **client), ProducerConfig(**settings), REFERENCE)
