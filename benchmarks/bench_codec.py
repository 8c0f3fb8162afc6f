"""The codec beside two others in one run: kio (its reader is native code) and kafka-python.

Microseconds of this process's own time for one message, the least of interleaved rounds, and ratios to ours: absolute
figures move with the machine. A broker reads produce requests and writes produce, fetch and metadata responses; the
other half is shown too, for clients.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the oracles live with the tests

from kafkalite.protocol.fetch import FetchableTopicResponse, FetchResponse, PartitionData
from kafkalite.protocol.metadata import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from kafkalite.protocol.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
    TopicProduceResponse,
)
from kafkalite.protocol.registry import message_codec
from tests.kafkalite.protocol import by_kafka_python, by_kio

ROUNDS = 9
ROUND_S = 0.02

Call = Callable[[], object]


def produce(size: int) -> ProduceRequest:
    """A request with one batch of this many bytes."""
    return ProduceRequest(None, -1, 30_000, (TopicProduceData("orders", (PartitionProduceData(0, bytes(size)),)),))


def metadata() -> MetadataResponse:
    """50 topics of 10 partitions, three replicas each."""
    partitions = tuple(
        MetadataResponsePartition(partition_index=n, leader_id=1, replica_nodes=(1, 2, 3), isr_nodes=(1, 2, 3))
        for n in range(10)
    )
    brokers = tuple(MetadataResponseBroker(n, "localhost", 9092 + n) for n in (1, 2, 3))
    topics = tuple(MetadataResponseTopic(name=f"topic-{n}", partitions=partitions) for n in range(50))
    return MetadataResponse(brokers=brokers, cluster_id="cluster", controller_id=1, topics=topics)


MESSAGES: list[tuple[str, Any, int]] = [
    ("Produce request v9, 16 KB", produce(16_384), 9),
    ("Produce request v9, 1 MB", produce(1_048_576), 9),
    ("Produce response v9", ProduceResponse((TopicProduceResponse("orders", (PartitionProduceResponse(),)),)), 9),
    (
        "Fetch response v11, 1 MB",
        FetchResponse(responses=(FetchableTopicResponse("orders", (PartitionData(records=bytes(1_048_576)),)),)),
        11,
    ),
    ("Metadata response v9, 50 x 10", metadata(), 9),
]


def reading(message: Any, version: int) -> list[Call]:
    """Reading the message's bytes: ours, kio's, kafka-python's."""
    kind = type(message)
    codec = message_codec(kind, version)
    out = bytearray()
    codec.encode(message, out)
    data = bytes(out)
    view = memoryview(data)
    kio_read = by_kio.entity_reader(by_kio.entity_class(kind, version))
    theirs = by_kafka_python.message_class(kind)
    return [lambda: codec.decode(view), lambda: kio_read(data, 0), lambda: theirs.decode(data, version=version)]


def writing(message: Any, version: int) -> list[Call]:
    """Writing the message: ours, kio's, kafka-python's."""
    kind = type(message)
    codec = message_codec(kind, version)
    entity = by_kio.entity_of(message, by_kio.entity_class(kind, version))
    theirs = by_kafka_python.object_of(message, by_kafka_python.message_class(kind))
    return [
        lambda: codec.encode(message, bytearray()),
        lambda: by_kio.encode(entity),
        lambda: theirs.encode(version=version),
    ]


def least_us(calls: list[Call]) -> list[float]:
    """Microseconds of each call, the least of rounds in which all take turns."""
    counts = [max(1, round(ROUND_S / max(timed_s(call, 1), 1e-7))) for call in calls]
    rounds = [[timed_s(call, count) / count for call, count in zip(calls, counts, strict=True)] for _ in range(ROUNDS)]
    return [min(column) * 1e6 for column in zip(*rounds, strict=True)]


def timed_s(call: Call, count: int) -> float:
    """Seconds of this process for `count` calls."""
    began_s = process_time()
    for _ in range(count):
        call()
    return process_time() - began_s


def main() -> None:
    """Print the figures."""
    print(f"codec, microseconds a message, least of {ROUNDS} interleaved rounds; in brackets, times ours")
    for title, calls in (("read", reading), ("write", writing)):
        print(f"  {title:<32} {'ours':>9} {'kio':>18} {'kafka-python':>18}")
        for name, message, version in MESSAGES:
            ours, *others = least_us(calls(message, version))
            row = "".join(f" {other:>9,.1f} ({other / ours:>5.1f})" for other in others)
            print(f"    {name:<30} {ours:>9,.1f} {row}")


if __name__ == "__main__":
    main()
