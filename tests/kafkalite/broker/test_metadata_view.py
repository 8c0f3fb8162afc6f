"""The view of the cluster, replaced as a whole."""

from __future__ import annotations

from kafkalite.broker.metadata_view import LEADER_DURING_DELETE, MetadataView
from kafkalite.errors import ErrorCode
from kafkalite.protocol.inter_broker import (
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)
from kafkalite.protocol.metadata import MetadataResponseBroker, MetadataResponsePartition


def broker(id_: int) -> UpdateMetadataBroker:
    return UpdateMetadataBroker(id_, (UpdateMetadataEndpoint(0, f"b{id_}", "PLAINTEXT"),), rack=f"r{id_ % 2}")


def partition(index: int, leader: int, replicas: tuple[int, ...] = (101, 102, 103)) -> UpdateMetadataPartitionState:
    return UpdateMetadataPartitionState(index, 1, leader, leader_epoch=4, isr=replicas, replicas=replicas)


def update(
    *topics: UpdateMetadataTopicState, brokers: tuple[int, ...] = (101, 102, 103), epoch: int = 1
) -> UpdateMetadataRequest:
    return UpdateMetadataRequest(102, epoch, 40, topics, tuple(broker(one) for one in brokers))


ORDERS = UpdateMetadataTopicState("orders", (partition(0, 101), partition(1, 102)))


def test_every_broker_knows_every_broker_and_who_leads_what() -> None:
    """B2, D2."""
    view = MetadataView().updated(update(ORDERS))

    assert [101, 102] == [one.leader_id for one in view.topic_answer("orders").partitions]
    expected = tuple(MetadataResponseBroker(id_, f"b{id_}", 0, f"r{id_ % 2}") for id_ in (101, 102, 103))
    assert expected == view.broker_answers()
    assert "b103" == view.address_of(103)


def test_an_update_replaces_the_brokers_and_of_the_topics_only_what_it_names() -> None:
    view = MetadataView().updated(update(ORDERS))

    after = view.updated(update(UpdateMetadataTopicState("orders", (partition(0, 103),)), brokers=(102, 103)))

    assert [103, 102] == [one.leader_id for one in after.topic_answer("orders").partitions]
    assert [102, 103] == [one.node_id for one in after.broker_answers()]
    assert [101, 102] == [one.leader_id for one in view.topic_answer("orders").partitions], "the old view is unchanged"


def test_a_leader_that_is_not_alive_is_no_leader() -> None:
    view = MetadataView().updated(update(ORDERS, brokers=(102, 103)))

    assert (
        MetadataResponsePartition(
            ErrorCode.LEADER_NOT_AVAILABLE, 0, -1, 4, (101, 102, 103), (101, 102, 103), offline_replicas=(101,)
        )
        == view.topic_answer("orders").partitions[0]
    )


def test_a_topic_that_is_deleted_is_forgotten_with_its_last_partition() -> None:
    view = MetadataView().updated(update(ORDERS))
    half = view.updated(update(UpdateMetadataTopicState("orders", (partition(0, LEADER_DURING_DELETE),))))
    gone = half.updated(update(UpdateMetadataTopicState("orders", (partition(1, LEADER_DURING_DELETE),))))

    assert [1] == [one.partition_index for one in half.topic_answer("orders").partitions]
    assert {} == gone.topics


def test_answers_are_in_order_whatever_the_order_they_were_told_in() -> None:
    backwards = UpdateMetadataTopicState("__consumer_offsets", (partition(1, 102), partition(0, 101)))
    view = MetadataView().updated(update(backwards, brokers=(103, 101, 102)))

    answer = view.topic_answer("__consumer_offsets")

    assert [101, 102, 103] == [one.node_id for one in view.broker_answers()]
    assert [101, 102, 103] == [one.broker_id for one in view.cluster_answers()]
    assert [0, 1] == [one.partition_index for one in answer.partitions]
    assert (ErrorCode.NONE, "__consumer_offsets", True) == (answer.error_code, answer.name, answer.is_internal)
    assert not MetadataView().updated(update(ORDERS)).topic_answer("orders").is_internal


def test_a_controller_that_is_not_among_the_living_is_not_named() -> None:
    view = MetadataView().updated(update(brokers=(101, 103)))

    assert -1 == view.living_controller()
