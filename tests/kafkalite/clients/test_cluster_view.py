"""Answers of different age: the newest leader epoch wins."""

from __future__ import annotations

from dataclasses import replace

from kafkalite.clients.cluster_view import ClusterView, PartitionView
from kafkalite.errors import ErrorCode
from kafkalite.protocol.metadata import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)


def answer(*leaders: tuple[int, int], error: ErrorCode = ErrorCode.NONE, brokers: int = 3) -> MetadataResponse:
    """An answer about `orders`: (leader, epoch) of each partition."""
    partitions = tuple(
        MetadataResponsePartition(partition_index=index, leader_id=leader, leader_epoch=epoch)
        for index, (leader, epoch) in enumerate(leaders)
    )
    return MetadataResponse(
        brokers=tuple(MetadataResponseBroker(101 + number, f"b{101 + number}") for number in range(brokers)),
        controller_id=102,
        topics=(MetadataResponseTopic(error, "orders", False, partitions),),
    )


def view(*answers: MetadataResponse) -> ClusterView:
    made = ClusterView()
    for one in answers:
        made.update(one)
    return made


def test_one_answer_tells_all_brokers_and_the_leaders() -> None:
    """D1, D2, B2: connected to one, connected to all."""
    told = view(answer((101, 0), (103, 0)))

    assert {101: "b101", 102: "b102", 103: "b103"} == told.brokers
    assert 102 == told.controller_id
    assert 2 == told.partitions("orders")
    assert PartitionView(103, 0) == told.leader("orders", 1)


def test_an_answer_with_an_older_leader_epoch_is_ignored_by_partition() -> None:
    told = view(answer((101, 5), (101, 5)), answer((102, 4), (103, 6)))

    assert PartitionView(101, 5) == told.leader("orders", 0)
    assert PartitionView(103, 6) == told.leader("orders", 1)


def test_an_answer_from_before_partitions_were_added_takes_none_away() -> None:
    """T8."""
    assert 3 == view(answer((101, 0), (101, 0), (101, 0)), answer((101, 0))).partitions("orders")


def test_a_partition_whose_leader_is_not_alive_has_none() -> None:
    told = view(answer((-1, 3), (103, 0), (102, 0), brokers=2))

    assert [None, None] == [told.leader("orders", index) for index in (0, 1)]
    assert [2] == told.available("orders")


def test_where_no_partition_has_a_leader_all_may_be_chosen() -> None:
    assert [0, 1] == view(answer((-1, 3), (-1, 3))).available("orders")


def test_a_topic_that_is_gone_is_forgotten_and_may_begin_anew() -> None:
    told = view(answer((101, 5)), answer(error=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    gone = (told.partitions("orders"), told.errors["orders"])
    told.update(answer((102, 0)))

    assert (None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) == gone
    assert PartitionView(102, 0) == told.leader("orders", 0)
    assert {} == told.errors


def test_a_topic_that_cannot_be_shown_for_a_moment_is_not_forgotten() -> None:
    told = view(answer((101, 5)), answer(error=ErrorCode.LEADER_NOT_AVAILABLE))

    assert PartitionView(101, 5) == told.leader("orders", 0)


def test_an_answer_of_the_same_leader_epoch_brings_the_newer_isr() -> None:
    told = view(answer((101, 5)))
    partition = MetadataResponsePartition(leader_id=101, leader_epoch=5, replica_nodes=(101, 102), isr_nodes=(101,))
    told.update(replace(answer(), topics=(MetadataResponseTopic(name="orders", partitions=(partition,)),)))

    assert PartitionView(101, 5, (101, 102), (101,)) == told.leader("orders", 0)


def test_which_partitions_are_available_is_told_anew_with_every_answer() -> None:
    told = view(answer((101, 0), (-1, 0)))
    before = told.available("orders")
    told.update(answer((-1, 1), (102, 1)))

    assert ([0], [1]) == (before, told.available("orders"))


def test_who_knows_nothing_believes_nothing() -> None:
    told = ClusterView()

    assert ({}, -1, None, None, []) == (
        told.brokers,
        told.controller_id,
        told.partitions("orders"),
        told.leader("orders", 0),
        told.available("orders"),
    )
