"""What depends on the version of a request, or on what its client calls itself: told in the header, not in the message.

In the simulator nobody has a header: every request there is of the newest version.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.node import Received, Send
from kafkalite.protocol.api_versions import ApiVersionsRequest
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from kafkalite.protocol.group_admin import DescribeGroupsRequest
from kafkalite.protocol.group_membership import JoinGroupRequest, SyncGroupRequest
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.sim.cluster import Cluster

from .asker import Member
from .test_groups import JOIN, A, cluster_of

STRANGER = JoinGroupRequest("g", 10_000, 10_000, "nobody", protocol_type="consumer", protocols=JOIN.protocols)


def asked(cluster: Cluster, broker: str, request: Any, version: int | None, client_id: str | None = None) -> list[Any]:
    """What that broker answers at once."""
    node = cluster.sim.nodes[broker]
    received = Received("127.0.0.1:5000", request, version, client_id)
    effects = node.handle(received, cluster.sim.now_ms)
    return [one.message for one in effects if isinstance(one, Send) and one.to == "127.0.0.1:5000"]


def with_coordinator(group: str = "g") -> tuple[Cluster, str]:
    cluster = cluster_of(brokers=1)
    return cluster, Member(cluster, "m1").coordinator(group)


@pytest.mark.parametrize("version", [0, 3])
def test_a_new_member_that_speaks_an_old_version_is_let_in_at_once(version: int) -> None:
    """KIP-394 came with version 4: an older client would take MEMBER_ID_REQUIRED for a failure."""
    cluster, coordinator = with_coordinator()

    assert [] == asked(cluster, coordinator, JOIN, version), "it waits for the round to end"


@pytest.mark.parametrize("version", [4, 9, None])
def test_a_new_member_that_speaks_a_newer_one_is_told_its_id_first(version: int | None) -> None:
    cluster, coordinator = with_coordinator()

    [answer] = asked(cluster, coordinator, JOIN, version, "reader")

    assert ErrorCode.MEMBER_ID_REQUIRED == answer.error_code
    assert answer.member_id.startswith("reader-")


@pytest.mark.parametrize(("version", "nothing"), [(0, ""), (6, ""), (7, None), (None, None)])
def test_no_assignor_is_null_where_that_can_be_said(version: int | None, nothing: str | None) -> None:
    cluster, coordinator = with_coordinator()

    [answer] = asked(cluster, coordinator, STRANGER, version)

    assert (ErrorCode.UNKNOWN_MEMBER_ID, nothing) == (answer.error_code, answer.protocol_name)


@pytest.mark.parametrize(("version", "error"), [(4, "UNKNOWN_MEMBER_ID"), (5, "INCONSISTENT_GROUP_PROTOCOL")])
def test_who_syncs_says_what_it_takes_the_protocol_to_be_from_version_5_on(version: int, error: str) -> None:
    """KIP-559."""
    cluster, coordinator = with_coordinator()
    asked(cluster, coordinator, JOIN, 9)  # there is such a group

    [answer] = asked(cluster, coordinator, SyncGroupRequest("g", 1, "nobody"), version)

    assert error == answer.error_code.name


def test_a_described_member_has_its_clients_name_and_host() -> None:
    cluster, coordinator = with_coordinator()
    asked(cluster, coordinator, replace(JOIN), 3, "reader")
    cluster.run_for(10)

    [described] = asked(cluster, coordinator, DescribeGroupsRequest(("g",)), None)[0].groups

    assert [("reader", "/127.0.0.1")] == [(one.client_id, one.client_host) for one in described.members]


@pytest.mark.parametrize(("version", "error"), [(6, "UNSUPPORTED_COMPRESSION_TYPE"), (7, "NONE")])
def test_zstd_is_taken_from_version_7_of_produce_on(version: int, error: str) -> None:
    """KIP-110."""
    cluster = cluster_of(brokers=1)
    data = PartitionProduceData(0, encode_batch([Record(None, b"not looked at")], attributes=4))

    [answer] = asked(cluster, "b101", ProduceRequest(None, 1, 1000, (TopicProduceData(A, (data,)),)), version)

    assert error == answer.responses[0].partition_responses[0].error_code.name


@pytest.mark.parametrize(("level", "aborted"), [(0, None), (1, ())])
def test_who_reads_uncommitted_is_told_no_list_of_aborted_transactions(level: int, aborted: Any) -> None:
    cluster = cluster_of(brokers=1)
    topics = (FetchTopic(A, (FetchPartition(0, -1, 0, -1, 1000),)),)

    [answer] = asked(cluster, "b101", FetchRequest(isolation_level=level, topics=topics), None)

    assert aborted == answer.responses[0].partitions[0].aborted_transactions


def test_a_fetch_session_that_nobody_began_is_not_found() -> None:
    """KIP-227: it says only what has changed since, so it cannot be answered as if it were whole."""
    cluster = cluster_of(brokers=1)

    [answer] = asked(cluster, "b101", FetchRequest(session_id=7, session_epoch=3), None)

    assert ErrorCode.FETCH_SESSION_ID_NOT_FOUND == answer.error_code


@pytest.mark.parametrize(
    ("version", "name", "error"),
    [(3, "librdkafka", 0), (3, "no name!", 42), (3, "", 42), (2, "", 0), (None, "", 0)],
)
def test_a_client_that_says_its_name_says_one_that_metrics_can_have(version: int | None, name: str, error: int) -> None:
    """KIP-511."""
    cluster = cluster_of(brokers=1)

    [answer] = asked(cluster, "b101", ApiVersionsRequest(name, "2.16.1"), version)

    assert (error, error == 0) == (answer.error_code, bool(answer.api_keys))
