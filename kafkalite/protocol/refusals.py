"""The answer to a request that went wrong as a whole: what it asked, and an error for each part of it.

Where a response has no place for such an error there is no answer; then the connection is closed instead.

Source: Kafka's AbstractRequest.getErrorResponse.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.protocol.fetch import FetchableTopicResponse, FetchRequest, FetchResponse, PartitionData
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from kafkalite.protocol.produce import (
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from kafkalite.protocol.registry import entry_of, through_the_wire
from kafkalite.protocol.topics import CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse


def refusal(request: Any, version: int, error: ErrorCode) -> Any:
    """The response to a request of that version that says `error` throughout; None if it cannot say so."""
    match request:
        case ProduceRequest():
            return ProduceResponse(
                tuple(
                    TopicProduceResponse(
                        topic.name,
                        tuple(PartitionProduceResponse(one.index, error, -1) for one in topic.partition_data),
                    )
                    for topic in request.topic_data
                )
            )
        case FetchRequest():
            return FetchResponse(
                responses=tuple(
                    FetchableTopicResponse(
                        topic.topic, tuple(PartitionData(one.partition, error, -1) for one in topic.partitions)
                    )
                    for topic in request.topics
                )
            )
        case OffsetCommitRequest():
            return OffsetCommitResponse(
                topics=tuple(
                    OffsetCommitResponseTopic(
                        topic.name,
                        tuple(OffsetCommitResponsePartition(one.partition_index, error) for one in topic.partitions),
                    )
                    for topic in request.topics
                )
            )
        case CreateTopicsRequest():
            return CreateTopicsResponse(
                topics=tuple(CreatableTopicResult(topic.name, error_code=error) for topic in request.topics)
            )
    return _by_its_error_code(request, version, error)


def _by_its_error_code(request: Any, version: int, error: ErrorCode) -> Any:
    kind = entry_of(type(request)).response
    if "error_code" not in (field.name for field in fields(kind)):
        return None
    response = kind(error_code=error)
    # In some versions the field is not there, or another has taken its place.
    return response if through_the_wire(response, version).error_code == error else None
