"""A request that went wrong as a whole is answered by an error in every place its response has for one."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.protocol import fetch, group_membership, group_offsets, metadata, produce, topics
from kafkalite.protocol.refusals import refusal
from kafkalite.protocol.registry import ENTRIES, through_the_wire

ERROR = ErrorCode.UNKNOWN_SERVER_ERROR


def test_every_partition_of_a_produce_request_is_refused() -> None:
    data = tuple(produce.PartitionProduceData(index, b"") for index in (0, 2))

    response = refusal(produce.ProduceRequest(topic_data=(produce.TopicProduceData("a", data),)), 9, ERROR)

    [topic] = response.responses
    assert ("a", [(0, ERROR, -1), (2, ERROR, -1)]) == (
        topic.name,
        [(one.index, one.error_code, one.base_offset) for one in topic.partition_responses],
    )


def test_every_partition_of_a_fetch_request_is_refused() -> None:
    asked = (fetch.FetchTopic("a", (fetch.FetchPartition(1), fetch.FetchPartition(3))),)

    [topic] = refusal(fetch.FetchRequest(topics=asked), 4, ERROR).responses

    assert ("a", [(1, ERROR), (3, ERROR)]) == (
        topic.topic,
        [(one.partition_index, one.error_code) for one in topic.partitions],
    )


def test_every_partition_of_a_commit_is_refused() -> None:
    asked = (group_offsets.OffsetCommitRequestTopic("a", (group_offsets.OffsetCommitRequestPartition(1, 5),)),)

    [topic] = refusal(group_offsets.OffsetCommitRequest("g", topics=asked), 8, ERROR).topics

    assert ("a", [(1, ERROR)]) == (topic.name, [(one.partition_index, one.error_code) for one in topic.partitions])


def test_every_topic_of_a_creation_is_refused() -> None:
    asked = (topics.CreatableTopic("a", 1, 1), topics.CreatableTopic("b", 1, 1))

    response = refusal(topics.CreateTopicsRequest(asked), 7, ERROR)

    assert [("a", ERROR), ("b", ERROR)] == [(one.name, one.error_code) for one in response.topics]


def test_a_response_with_one_error_says_it() -> None:
    assert ERROR == refusal(group_membership.HeartbeatRequest("g"), 4, ERROR).error_code


@pytest.mark.parametrize(
    ("request_", "version"),
    [(metadata.MetadataRequest(), 9), (group_offsets.OffsetFetchRequest("g"), 1)],
    ids=["nowhere", "not in this version"],
)
def test_where_there_is_no_place_for_an_error_there_is_no_response(request_: object, version: int) -> None:
    assert refusal(request_, version, ERROR) is None


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.api.name)
def test_every_refusal_can_be_sent_in_the_version_that_was_asked(entry: object) -> None:
    first, last = entry.api.versions  # type: ignore[attr-defined]  # an Entry; the parameter is only named so
    for version in range(first, last + 1):
        response = refusal(entry.request(), version, ERROR)  # type: ignore[attr-defined]
        assert response is None or through_the_wire(response, version) is not None
