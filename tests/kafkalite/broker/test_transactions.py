"""Transactions on real brokers, asked for in raw requests: what a coordinator allows, decides and remembers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafkalite.broker.transaction_coordinator import TransactionCoordinator
from kafkalite.errors import ErrorCode
from kafkalite.facts import LastStableOffsetAdvanced, MarkerWritten, TransactionFenced, TransactionTurned
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.protocol.inter_broker import WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest
from kafkalite.protocol.offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kafkalite.protocol.transactions import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    EndTxnRequest,
    InitProducerIdRequest,
)
from kafkalite.sim.cluster import Cluster
from kafkalite.transactions.transaction import EPOCH_MAX

from .transacting import Transactor, cluster_of, error_of

A0, B1 = ("A", 0), ("B", 1)
NONE = ErrorCode.NONE


def begun(cluster: Cluster, name: str = "t", node: str = "p1", **settings: Any) -> Transactor:
    """A producer with its id."""
    producer = Transactor(cluster, name, node, **settings)
    assert NONE is producer.init()
    return producer


def states(cluster: Cluster, name: str = "t") -> list[str]:
    return [one.state for one in cluster.facts(TransactionTurned) if one.transactional_id == name]


def coordinator_of(cluster: Cluster, producer: Transactor) -> TransactionCoordinator:
    found = cluster.sim.nodes[producer.coordinator()].components["transactions"]
    assert isinstance(found, TransactionCoordinator)
    return found


def test_all_of_a_transaction_is_seen_once_it_is_committed_and_nothing_before() -> None:
    """KIP-98: two partitions become readable together, by one decision."""
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    assert NONE is producer.add(A0, B1)
    assert [NONE, NONE] == [producer.write(A0, b"a", b"b"), producer.write(B1, b"c")]
    assert ([], [], [b"a", b"b"]) == (producer.values(A0), producer.values(B1), producer.values(A0, 0))

    assert NONE is producer.commit()
    cluster.run_for(500)

    assert ([b"a", b"b"], [b"c"]) == (producer.values(A0), producer.values(B1))
    assert ["Empty", "Ongoing", "PrepareCommit", "CompleteCommit"] == states(cluster)
    markers = cluster.facts(MarkerWritten)
    assert [("A", 0, 2, True), ("B", 1, 1, True)] == [(*one[:3], one[5]) for one in map(astuple, markers)]


def astuple(marker: MarkerWritten) -> tuple[Any, ...]:
    return tuple(getattr(marker, name) for name in MarkerWritten.__slots__)


def test_nothing_of_an_aborted_transaction_is_ever_seen_and_what_follows_is() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    for values, end in [((b"no", b"never"), producer.abort), ((b"yes",), producer.commit)]:
        assert [NONE, NONE] == [producer.add(A0), producer.write(A0, *values)]
        assert NONE is end()

    cluster.run_for(500)

    assert [b"yes"] == producer.values(A0)
    assert [b"no", b"never", b"yes"] == producer.values(A0, 0)
    answer = producer.fetch(A0)
    assert [(0, 0)] == [(one.producer_id, one.first_offset) for one in answer.aborted_transactions or ()]
    assert (5, 5) == (answer.last_stable_offset, answer.high_watermark)


def test_an_open_transaction_holds_back_those_who_want_what_is_committed_also_behind_it() -> None:
    """The last stable offset: the first offset of a transaction still open."""
    cluster = cluster_of(brokers=1)
    slow, fast = begun(cluster, "slow", "p1"), begun(cluster, "fast", "p2")
    for one in (slow, fast):
        assert [NONE, NONE] == [one.add(A0), one.write(A0, one.name.encode())]
    assert NONE is fast.commit()
    cluster.run_for(500)

    answer = slow.fetch(A0)

    assert (0, 3, b"") == (answer.last_stable_offset, answer.high_watermark, answer.records)
    asked = ListOffsetsTopic("A", (ListOffsetsPartition(0, timestamp=-1),))
    ends = [
        slow.member.ask(slow.leader(A0), ListOffsetsRequest(-1, level, (asked,))).topics[0].partitions[0].offset
        for level in (0, 1)
    ]
    assert [3, 0] == ends, "LATEST is the watermark, or what is stable"
    assert NONE is slow.commit()
    cluster.run_for(500)
    assert [b"slow", b"fast"] == slow.values(A0)
    assert [(0, 4)] == [(one.was, one.offset) for one in cluster.facts(LastStableOffsetAdvanced)]


def test_what_was_deleted_of_an_open_transaction_holds_nobody_back_there() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    assert [NONE, NONE] == [producer.add(A0), producer.write(A0, b"a", b"b", b"c")]

    cluster.admin().delete_records("A", 0, 2)

    answer = producer.fetch(A0, 2)
    assert (2, 2, 3) == (answer.log_start_offset, answer.last_stable_offset, answer.high_watermark)


# Zombies -------------------------------------------------------------------------------------------------------------


def test_a_producer_that_begins_again_fences_the_one_before_and_aborts_what_it_left_open() -> None:
    cluster = cluster_of(brokers=1)
    zombie = begun(cluster, node="p1")
    assert [NONE, NONE] == [zombie.add(A0), zombie.write(A0, b"left open")]
    heir = Transactor(cluster, node="p2")
    request = InitProducerIdRequest("t", 60_000)

    first = heir.member.ask(heir.coordinator(), request)
    assert NONE is heir.init()

    assert ErrorCode.CONCURRENT_TRANSACTIONS == first.error_code, "until the abort is complete"
    assert (zombie.producer_id, zombie.epoch + 2) == (heir.producer_id, heir.epoch), "one epoch more for the abort"
    assert ["Empty", "Ongoing", "PrepareAbort", "CompleteAbort", "Empty"] == states(cluster)
    assert ["init"] == [one.reason for one in cluster.facts(TransactionFenced)]
    fenced = [zombie.add(B1), zombie.add_offsets("g"), zombie.commit(), zombie.abort()]
    assert {ErrorCode.PRODUCER_FENCED} == {*fenced}
    assert ErrorCode.INVALID_PRODUCER_EPOCH is zombie.write(A0, b"of a zombie")
    assert [] == heir.values(A0)


def test_a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() -> None:
    cluster = cluster_of(brokers=1)
    late = begun(cluster, timeout_ms=5000)
    assert [NONE, NONE] == [late.add(A0), late.write(A0, b"late")]
    cluster.run_for(4000)
    assert ["Empty", "Ongoing"] == states(cluster)

    cluster.run_for(12_000)

    assert ["Empty", "Ongoing", "PrepareAbort", "CompleteAbort"] == states(cluster)
    assert ["timeout"] == [one.reason for one in cluster.facts(TransactionFenced)]
    assert (ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH) == (late.commit(), late.write(A0, b"more"))
    assert late.fetch(A0).high_watermark == late.fetch(A0).last_stable_offset, "it holds nobody back any more"
    assert NONE is late.init()
    assert 2 == late.epoch


def test_a_producer_may_ask_for_its_next_epoch_in_its_own_name_and_a_zombie_may_not() -> None:
    """KIP-360."""
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    zombie = Transactor(cluster, node="p2")
    zombie.producer_id, zombie.epoch = producer.producer_id, producer.epoch

    for _ in range(2):  # the answer may be lost, and it asks again
        assert NONE is producer.init(producer_id=0, producer_epoch=0)
        assert (0, 1) == (producer.producer_id, producer.epoch)
    assert NONE is producer.init(producer_id=0, producer_epoch=1)

    assert ErrorCode.PRODUCER_FENCED is zombie.init(producer_id=0, producer_epoch=0)


def test_when_epochs_run_out_the_transactional_id_gets_a_new_producer_id() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    topic = coordinator_of(cluster, producer).topic
    fold = topic.loaded[topic.index_of("t")]
    fold.transactions["t"] = replace(fold.transactions["t"], epoch=EPOCH_MAX - 2)

    epochs = []
    for _ in range(2):
        assert NONE is producer.init()
        epochs.append((producer.producer_id, producer.epoch))

    assert [(0, EPOCH_MAX - 1), (1, 0)] == epochs
    assert [NONE, NONE, NONE] == [producer.add(A0), producer.write(A0, b"x"), producer.commit()]


def test_a_late_transaction_is_fenced_once_however_long_that_takes_to_write() -> None:
    cluster = cluster_of(brokers=3, transaction_abort_timed_out_transaction_cleanup_interval_ms=500)
    late = begun(cluster, timeout_ms=1000)
    assert NONE is late.add(A0)
    for name in cluster.brokers:
        if name != late.coordinator():
            cluster.freeze(name, 8000)

    cluster.run_for(12_000)

    assert 1 == len(cluster.facts(TransactionFenced))
    assert ["Empty", "Ongoing", "PrepareAbort", "CompleteAbort"] == states(cluster)


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (InitProducerIdRequest("", 1000), ErrorCode.INVALID_REQUEST),
        (InitProducerIdRequest("t", 0), ErrorCode.INVALID_TRANSACTION_TIMEOUT),
        (InitProducerIdRequest("t", 900_001), ErrorCode.INVALID_TRANSACTION_TIMEOUT),
        (EndTxnRequest("nobody", 0, 0, True), ErrorCode.INVALID_PRODUCER_ID_MAPPING),
        (EndTxnRequest("t", 1, 0, True), ErrorCode.INVALID_PRODUCER_ID_MAPPING),
        (EndTxnRequest("t", 0, 1, True), ErrorCode.PRODUCER_FENCED),
        (EndTxnRequest("t", 0, 0, True), ErrorCode.INVALID_TXN_STATE),
        (EndTxnRequest("t", 0, 0, False), ErrorCode.INVALID_TXN_STATE),
    ],
)
def test_a_coordinator_refuses_what_makes_no_sense(request_: Any, error: ErrorCode) -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)

    assert error == producer.member.ask(producer.coordinator(), request_).error_code


def test_an_end_that_is_asked_for_again_is_answered_as_the_first_time_and_the_other_end_refused() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    for end, other in [(producer.commit, producer.abort), (producer.abort, producer.commit)]:
        assert [NONE, NONE] == [producer.add(A0), end()]
        cluster.run_for(200)

        assert (NONE, ErrorCode.INVALID_TXN_STATE) == (end(), other())


def test_partitions_are_added_all_or_none() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    topics = (AddPartitionsToTxnTopic("A", (0, 9)), AddPartitionsToTxnTopic("nowhere", (0,)))

    answer = producer.member.ask(producer.coordinator(), AddPartitionsToTxnRequest("t", 0, 0, topics))

    told = [
        (topic.name, one.partition_index, one.partition_error_code)
        for topic in answer.results_by_topic_v3_and_below
        for one in topic.results_by_partition
    ]
    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert [("A", 0, ErrorCode.OPERATION_NOT_ATTEMPTED), ("A", 9, unknown), ("nowhere", 0, unknown)] == told
    assert ["Empty"] == states(cluster)


def test_a_partition_that_is_added_again_changes_nothing() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)

    assert [NONE, NONE, NONE] == [producer.add(A0, B1), producer.add(A0), producer.add(A0, ("A", 1))]

    partitions = [len(one.partitions) for one in cluster.facts(TransactionTurned)]
    assert [0, 2, 3] == partitions, "the second was not even written down"


def test_while_a_change_is_being_written_another_has_to_wait() -> None:
    cluster = cluster_of(brokers=3)
    producer = begun(cluster)
    coordinator = producer.coordinator()
    other = Transactor(cluster, node="p2")
    first = producer.member.send(coordinator, producer.add_request(A0))
    other.producer_id, other.epoch = producer.producer_id, producer.epoch

    second = error_of(other.member.ask(coordinator, other.add_request(B1)))

    assert {ErrorCode.CONCURRENT_TRANSACTIONS, NONE} == {second, error_of(producer.member.answer(first))}


def test_a_producer_that_begins_while_a_change_is_being_written_has_to_wait_for_it() -> None:
    cluster = cluster_of(brokers=3)
    producer, heir = begun(cluster), Transactor(cluster, node="p2")
    coordinator = producer.coordinator()
    for name in cluster.brokers:
        if name != coordinator:
            cluster.freeze(name, 500)
    added = producer.member.send(coordinator, producer.add_request(A0))
    cluster.run_for(100)
    asked = heir.member.send(coordinator, InitProducerIdRequest("t", 60_000))

    errors = [error_of(producer.member.answer(added)), error_of(heir.member.answer(asked))]

    assert [NONE, ErrorCode.CONCURRENT_TRANSACTIONS] == errors
    assert [] == cluster.facts(TransactionFenced)
    assert ["Empty", "Ongoing"] == states(cluster)


def test_a_broker_that_does_not_coordinate_an_id_says_so() -> None:
    cluster = cluster_of(brokers=3)
    producer = begun(cluster)
    other = next(name for name in cluster.brokers if name != producer.coordinator())

    for request in (
        InitProducerIdRequest("t", 1000),
        producer.add_request(A0),
        producer.end_request(is_commit=True),
    ):
        assert ErrorCode.NOT_COORDINATOR == error_of(producer.member.ask(other, request))
    answer = producer.member.ask(other, FindCoordinatorRequest("t", 1))
    assert producer.coordinator() == answer.host


# Markers -------------------------------------------------------------------------------------------------------------


def test_a_leader_takes_no_marker_of_an_older_coordinator_or_for_an_older_producer() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)

    def told(coordinator_epoch: int, epoch: int, topic: str = "A") -> ErrorCode:
        marker = WritableTxnMarker(7, epoch, True, (WritableTxnMarkerTopic(topic, (0,)),), coordinator_epoch)
        answer = producer.member.ask("b101", WriteTxnMarkersRequest((marker,)))
        return ErrorCode.of(answer.markers[0].topics[0].partitions[0].error_code)

    assert [NONE, NONE] == [told(3, 1), told(3, 1)]
    assert ErrorCode.TRANSACTION_COORDINATOR_FENCED is told(2, 1)
    assert ErrorCode.INVALID_PRODUCER_EPOCH is told(4, 0)
    assert ErrorCode.UNKNOWN_TOPIC_OR_PARTITION is told(3, 1, "nowhere")
    assert () == producer.member.ask("b101", WriteTxnMarkersRequest()).markers


def test_a_partition_that_was_deleted_needs_no_marker() -> None:
    cluster = cluster_of(brokers=1)
    producer = begun(cluster)
    assert [NONE, NONE, NONE] == [producer.add(A0, B1), producer.write(A0, b"a"), producer.write(B1, b"b")]
    cluster.admin().delete_topic("A")

    assert NONE is producer.commit()
    cluster.run_for(1000)

    assert "CompleteCommit" == states(cluster)[-1]
    assert [b"b"] == producer.values(B1)


# Time ----------------------------------------------------------------------------------------------------------------


def test_a_transactional_id_that_nobody_uses_is_forgotten_unless_it_is_in_a_transaction() -> None:
    cluster = cluster_of(
        brokers=1,
        transactional_id_expiration_ms=20_000,
        transaction_remove_expired_transaction_cleanup_interval_ms=5000,
    )
    idle, busy = begun(cluster, "idle", "p1"), begun(cluster, "busy", "p2")
    assert NONE is busy.add(A0)

    cluster.run_for(30_000)

    assert ["Empty", "Dead"] == states(cluster, "idle")
    assert ["Empty", "Ongoing"] == states(cluster, "busy")
    assert ErrorCode.INVALID_PRODUCER_ID_MAPPING is idle.add(A0)
    cluster.kill("b101").restart("b101")
    assert ErrorCode.INVALID_PRODUCER_ID_MAPPING is idle.add(A0), "nor does it come back"
    assert NONE is busy.commit()
    assert NONE is idle.init()
    assert (1000, 0) == (idle.producer_id, idle.epoch), "of the broker's next block"
