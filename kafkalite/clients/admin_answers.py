"""What an administrator is told: of each response the error, and in a line what else it says.

Every request of `admin` is about one thing, so every response has one outcome in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.protocol.configs import DescribeConfigsResponse
from kafkalite.protocol.metadata import DescribeClusterResponse
from kafkalite.protocol.offsets import ListOffsetsResponse
from kafkalite.protocol.topics import (
    CreatePartitionsResponse,
    CreateTopicsResponse,
    DeleteRecordsResponse,
    DeleteTopicsResponse,
)
from kafkalite.types import address

Outcome = tuple[ErrorCode, str]


def outcome_of(response: Any) -> Outcome:
    """The error, and what the administrator is told."""
    error, answer = _OUTCOMES[type(response)](response)
    return ErrorCode.of(error), answer


def _created(response: CreateTopicsResponse) -> Outcome:
    one = response.topics[0]
    shape = f"{one.num_partitions} partitions, {one.replication_factor} replicas" if one.num_partitions > 0 else ""
    return one.error_code, one.error_message or shape


def _deleted(response: DeleteTopicsResponse) -> Outcome:
    return response.responses[0].error_code, response.responses[0].error_message or ""


def _grown(response: CreatePartitionsResponse) -> Outcome:
    return response.results[0].error_code, response.results[0].error_message or ""


def _forgotten(response: DeleteRecordsResponse) -> Outcome:
    one = response.topics[0].partitions[0]
    return one.error_code, str(one.low_watermark)


def _found(response: ListOffsetsResponse) -> Outcome:
    one = response.topics[0].partitions[0]
    return one.error_code, str(one.offset)


def _cluster(response: DescribeClusterResponse) -> Outcome:
    brokers = " ".join(f"{one.broker_id}={address(one.host, one.port)}" for one in response.brokers)
    said = f"cluster {response.cluster_id}, controller {response.controller_id}, brokers {brokers}"
    return response.error_code, response.error_message or said


def _settings(response: DescribeConfigsResponse) -> Outcome:
    one = response.results[0]
    return one.error_code, one.error_message or " ".join(f"{setting.name}={setting.value}" for setting in one.configs)


_OUTCOMES: dict[type, Callable[[Any], Outcome]] = {
    CreateTopicsResponse: _created,
    DeleteTopicsResponse: _deleted,
    CreatePartitionsResponse: _grown,
    DeleteRecordsResponse: _forgotten,
    ListOffsetsResponse: _found,
    DescribeClusterResponse: _cluster,
    DescribeConfigsResponse: _settings,
}
