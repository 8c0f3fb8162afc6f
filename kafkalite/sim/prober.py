"""A client that asks what no good client would: stale, malformed, misdirected, impossible. A broker answers, and lives.

It exists so that every error a broker can answer with is answered in every long run, amid whatever else happens there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from kafkalite.broker.one_batch import ZSTD
from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestAnswered
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.node import Node
from kafkalite.protocol import configs, fetch, inter_broker, metadata, offsets, produce, topics, transactions
from kafkalite.sim.network import InVersion
from kafkalite.types import NodeName

TIMEOUT_MS = 2000
BEFORE_ZSTD = 6  # the last version of Produce that does not know it
UNKNOWN_ID = UUID(int=7)  # of no topic


@dataclass(frozen=True, slots=True)
class ShareFetchRequest:
    """Of an API that came after these brokers."""


class Prober(Node):
    """Sends one odd request after another, and notes what it is told."""

    def __init__(self, name: NodeName) -> None:
        super().__init__(name)
        self._numbers: dict[NodeName, list[int]] = {}

    def probe(self, number: int, broker: NodeName, request: Any) -> None:
        """Send a request as it is."""
        self._numbers.setdefault(broker, []).append(number)
        self.request(broker, request, TIMEOUT_MS)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_") and name.endswith("_response"):
            return self._answered
        raise AttributeError(name)

    def _answered(self, source: NodeName, response: Any, request: Any) -> None:
        error = next((error for error in errors_in(response) if error), ErrorCode.NONE)
        self._note(source, request, error)

    def _note(self, broker: NodeName, request: Any, error: ErrorCode) -> None:
        api = type(request.message if isinstance(request, InVersion) else request).__name__.removesuffix("Request")
        self.note(RequestAnswered(self._numbers[broker].pop(0), api, error.name, ""))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for request in requests:
            self._note(peer, request, ErrorCode.NETWORK_EXCEPTION)


def errors_in(message: Any) -> list[ErrorCode]:
    """Every error code in a message, wherever it stands."""
    found: list[ErrorCode] = []
    for field in fields(message):
        value = getattr(message, field.name)
        if isinstance(value, ErrorCode):
            found.append(value)
        elif isinstance(value, tuple):
            found += [error for item in value if is_dataclass(item) for error in errors_in(item)]
        elif is_dataclass(value):
            found += errors_in(value)
    return found


def _batch(key: bytes | None = b"probe", size: int = 5, **header: int) -> bytes:
    return encode_batch([Record(key, b"x" * size, timestamp_ms=1_700_000_000_000)], **header)


@cache
def _large_batch() -> bytes:
    return _batch(size=1_100_000)


def _produce(topic: str, partition: int, records: bytes, acks: int = -1) -> produce.ProduceRequest:
    data = produce.PartitionProduceData(partition, records)
    return produce.ProduceRequest(None, acks, 500, (produce.TopicProduceData(topic, (data,)),))


def _fetch(topic: str, partition: int, **how: int) -> fetch.FetchRequest:
    one = fetch.FetchPartition(partition, partition_max_bytes=1000, **how)
    return fetch.FetchRequest(topics=(fetch.FetchTopic(topic, (one,)),))


def _list_offsets(topic: str, partition: int, epoch: int, timestamp: int = -1) -> offsets.ListOffsetsRequest:
    one = offsets.ListOffsetsPartition(partition, epoch, timestamp)
    return offsets.ListOffsetsRequest(-1, 0, (offsets.ListOffsetsTopic(topic, (one,)),))


def _create(name: str, partitions: int = 1, replicas: int = 1, **more: Any) -> topics.CreateTopicsRequest:
    return topics.CreateTopicsRequest((topics.CreatableTopic(name, partitions, replicas, **more),), 1000)


def _delete_records(topic: str, partition: int, offset: int) -> topics.DeleteRecordsRequest:
    one = topics.DeleteRecordsPartition(partition, offset)
    return topics.DeleteRecordsRequest((topics.DeleteRecordsTopic(topic, (one,)),), 1000)


def _order(controller_epoch: int, broker_epoch: int) -> inter_broker.LeaderAndIsrRequest:
    """An order without content: whoever obeyed it would do nothing."""
    return inter_broker.LeaderAndIsrRequest(101, controller_epoch, broker_epoch)


def _corrupt(batch: bytes) -> bytes:
    return batch[:-1] + bytes([batch[-1] ^ 1])


def draw_probe(rng: Random, topic: str, partition: int) -> Any:
    """A request that is odd in one way; the topic and its partition exist, the rest may not."""
    producer_id = 10**9
    return rng.choice(
        (
            # produce
            _produce(topic, partition, _batch(), acks=5),
            _produce("nowhere", partition, _batch()),
            _produce(topic, 999, _batch()),
            _produce(topic, partition, _corrupt(_batch())),
            _produce(topic, partition, _large_batch()),
            InVersion(BEFORE_ZSTD, _produce(topic, partition, _batch(attributes=ZSTD))),
            _produce("compacted", 0, _batch(key=None)),
            *(2 * [_produce(topic, partition, _batch(producer_id=producer_id, producer_epoch=1, base_sequence=0), 1)]),
            *(2 * [_produce(topic, partition, _batch(producer_id=producer_id, producer_epoch=0, base_sequence=0), 1)]),
            _produce(topic, partition, _batch(producer_id=producer_id, producer_epoch=1, base_sequence=9), 1),
            # fetch, offsets
            _fetch(topic, partition, fetch_offset=10**12),
            _fetch(topic, partition, current_leader_epoch=10**6),
            _fetch(topic, partition, current_leader_epoch=0),
            fetch.FetchRequest(session_id=7, session_epoch=3),
            _fetch("nowhere", 0),
            _list_offsets(topic, partition, 10**6),
            _list_offsets(topic, partition, -1, timestamp=1_700_000_000_000),
            _list_offsets(topic, partition, -1),
            _list_offsets(topic, partition, -1),
            metadata.MetadataRequest((metadata.MetadataRequestTopic(topic),), False),
            ShareFetchRequest(),
            metadata.MetadataRequest((metadata.MetadataRequestTopic("nowhere"),), False),
            *(2 * [metadata.MetadataRequest(None, False)]),  # of every topic there is
            offsets.OffsetForLeaderEpochRequest(
                -1, (offsets.OffsetForLeaderTopic(topic, (offsets.OffsetForLeaderPartition(partition, 10**6, 3),)),)
            ),
            _delete_records(topic, partition, 10**12),
            # topics
            _create(topic),
            _create("not a name!"),
            _create("many-copies", replicas=99),
            _create("no-partitions", partitions=0),
            _create("odd-brokers", -1, -1, assignments=(topics.CreatableReplicaAssignment(0, (101, 101)),)),
            _create("odd-setting", configs=(topics.CreatableTopicConfig("segment.bytes", "many"),)),
            topics.CreatePartitionsRequest((topics.CreatePartitionsTopic(topic, 1, None),), 1000),
            topics.DeleteTopicsRequest(
                (topics.DeleteTopicState("nowhere"),), topic_names=("nowhere",), timeout_ms=1000
            ),
            topics.DeleteTopicsRequest((topics.DeleteTopicState(None, UNKNOWN_ID),), timeout_ms=1000),
            configs.DescribeConfigsRequest((configs.DescribeConfigsResource(resource_type=99, resource_name="x"),)),
            # what only a controller, a coordinator or a broker may say
            _order(0, 2**62),
            _order(1, 1),
            inter_broker.ControlledShutdownRequest(101, 1),
            inter_broker.ControlledShutdownRequest(999, -1),
            *(3 * [transactions.InitProducerIdRequest(None, 60_000)]),
            transactions.InitProducerIdRequest("some-transaction", 60_000),
        )
    )
