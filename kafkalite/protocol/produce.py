"""Produce: how records reach a partition's leader.

Left out: topic ids (version 13), and the new leader that a refusal names (version 10, KIP-951).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Error, Int16, Int32, Int64, Records, String, since

# Produce · key 0 · v3-9 · advertised from 0
# v3 KIP-98 transactions, record batches v2 · v5 log start offset · v7 zstd (KIP-110) · v8 errors by record (KIP-467)
# v9 flexible (KIP-482)
# librdkafka turns compression off, silently, where version 0 is not offered (KAFKA-18659). So 0-2 are advertised, as
# Apache Kafka does, and refused.
PRODUCE = Api("Produce", key=0, versions=(3, 9), flexible_since=9, advertised_since=0)


@dataclass(frozen=True, slots=True)
class ProduceRequest:
    """Append these batches, each to its partition.

    >>> from kafkalite.protocol.registry import message_codec
    >>> batch = PartitionProduceData(index=0, records=b"batch")
    >>> out = bytearray()
    >>> request = ProduceRequest(acks=-1, timeout_ms=1_000, topic_data=(TopicProduceData("logs", (batch,)),))
    >>> message_codec(ProduceRequest, 3).encode(request, out)
    >>> out.hex(" ", -4)  # no transactional id (null), acks, timeout, 1 topic, its name, 1 partition, its records
    'ffffffff 000003e8 00000001 00046c6f 67730000 00010000 00000000 00056261 746368'
    >>> message_codec(ProduceRequest, 9).encode(request, flexible := bytearray())
    >>> flexible.hex(" ", -4)  # lengths and counts are one byte and one more; 00 ends each structure
    '00ffff00 0003e802 056c6f67 73020000 00000662 61746368 000000'
    """

    transactional_id: String | None = None
    acks: Int16 = 0  # 0: no response; 1: the leader has it; -1: all in sync have it
    timeout_ms: Int32 = 0
    topic_data: tuple[TopicProduceData, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicProduceData:
    """What goes to one topic."""

    name: String = ""
    partition_data: tuple[PartitionProduceData, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionProduceData:
    """The batches for one partition. Kafka accepts exactly one batch since message format 2."""

    index: Int32 = 0
    records: Records | None = None


@dataclass(frozen=True, slots=True)
class ProduceResponse:
    """Where each partition's records went. There is no response at all to acks=0."""

    responses: tuple[TopicProduceResponse, ...] = ()
    throttle_time_ms: Int32 = 0


@dataclass(frozen=True, slots=True)
class TopicProduceResponse:
    """The outcome for one topic."""

    name: String = ""
    partition_responses: tuple[PartitionProduceResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionProduceResponse:
    """The outcome for one partition."""

    index: Int32 = 0
    error_code: Error = ErrorCode.NONE
    base_offset: Int64 = 0  # of the first record; -1 with an error
    log_append_time_ms: Int64 = -1  # -1 when the producer's timestamps are kept
    log_start_offset: Annotated[Int64, since(5)] = -1
    record_errors: Annotated[tuple[BatchIndexAndErrorMessage, ...], since(8)] = ()
    error_message: Annotated[String | None, since(8)] = None


@dataclass(frozen=True, slots=True)
class BatchIndexAndErrorMessage:
    """A record that is at fault for its whole batch's refusal (KIP-467)."""

    batch_index: Int32 = 0
    batch_index_error_message: String | None = None
