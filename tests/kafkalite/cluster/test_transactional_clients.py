"""Transactional producers and read_committed consumers on real brokers, driven as a person drives them."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import RecordsPolled, TransactionFailed
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed

ONE_BROKER = {
    "transaction_state_log_num_partitions": 1,
    "transaction_state_log_replication_factor": 1,
    "transaction_state_log_min_isr": 1,
    "offsets_topic_num_partitions": 1,
    "offsets_topic_replication_factor": 1,
    "group_initial_rebalance_delay_ms": 0,
}


def cluster_of(**how: Any) -> Cluster:
    return Cluster(brokers=1, broker=ONE_BROKER, **how).topic("orders", 2)


def test_a_consumer_moves_past_markers_and_says_so() -> None:
    """T3: offsets have gaps, and a reader is at the end all the same."""
    cluster = cluster_of()
    consumer = cluster.consumer(isolation_level="read_committed").assign(("orders", 0, 0))
    producer = cluster.transactional_producer(linger_ms=0).init()
    for value in (b"one", b"two"):
        producer.begin().send("orders", value, partition=0).result()
        producer.commit()
    cluster.run_for(1000)

    assert [(0, b"one"), (2, b"two")] == [(one.offset, one.value) for one in consumer.records]
    assert 4 == cluster.view.positions["c1", "orders", 0]
    assert 4 == cluster.facts(RecordsPolled, "c1")[-1].position


def test_a_committed_reader_begins_at_the_last_stable_offset_where_another_begins_at_the_end() -> None:
    cluster = cluster_of()
    producer = cluster.transactional_producer(linger_ms=0).init().begin()
    producer.send("orders", b"open", partition=0).result()
    levels = {"careful": "read_committed", "hasty": "read_uncommitted"}
    for name, level in levels.items():
        cluster.consumer(name, isolation_level=level).assign(("orders", 0, -1))
    cluster.run_for(500)

    assert {"careful": 0, "hasty": 1} == {name: cluster.view.positions[name, "orders", 0] for name in levels}


def test_offsets_of_a_transaction_count_when_it_commits() -> None:
    cluster = cluster_of()
    producer = cluster.transactional_producer().init()
    producer.begin().send_offsets("billing", {("orders", 0): 5}).abort()
    assert cluster.committed("billing", "orders") is None

    producer.begin().send_offsets("billing", {("orders", 0): 7}).commit()
    cluster.run_for(500)

    assert 7 == cluster.committed("billing", "orders")


def test_offsets_in_the_name_of_a_generation_that_is_over_spoil_the_transaction() -> None:
    """KIP-447."""
    cluster = cluster_of()
    cluster.member("c1", "billing", "orders", auto_offset_reset="earliest")
    cluster.run_until(lambda: bool(cluster.view.reads.get("c1")), "a member")
    producer = cluster.transactional_producer().init().begin()
    producer.send_offsets("billing", {("orders", 0): 5}, 99, "c1")
    cluster.run_for(500)

    assert [("UNKNOWN_MEMBER_ID", False)] == [(fact.error, fact.is_fatal) for fact in cluster.facts(TransactionFailed)]
    with pytest.raises(RequestFailed, match="commit_transaction in state 'abortable error'"):
        producer.commit()
    producer.abort().begin().send_offsets("billing", {("orders", 0): 5}).abort()


def test_what_cannot_be_asked_now_is_refused_with_the_state() -> None:
    cluster = cluster_of()
    producer = cluster.transactional_producer()

    with pytest.raises(RequestFailed, match="begin_transaction in state 'uninitialized'"):
        producer.begin()
    producer.init()
    with pytest.raises(RequestFailed, match="commit_transaction in state 'ready'"):
        producer.commit()
    with pytest.raises(RequestFailed, match="init_transactions in state 'ready'"):
        producer.init()


def test_a_fenced_producer_says_so_and_may_have_committed() -> None:
    cluster = cluster_of()
    first = cluster.transactional_producer("p1").init().begin()
    first.send("orders", b"one", partition=0)
    cluster.transactional_producer("p2").init()

    with pytest.raises(RequestFailed, match="PRODUCER_FENCED; it may have happened"):
        first.commit()


def test_a_client_that_is_restarted_knows_nothing_of_its_earlier_life() -> None:
    cluster = cluster_of()
    producer = cluster.producer("p1", linger_ms=0)
    producer.send("orders", b"one", partition=0).result()
    cluster.kill("p1").restart("p1")

    assert 1 == producer.send("orders", b"two", partition=0).result()
    twin = cluster.at(len(cluster.steps))
    assert 2 == twin.producer("p1").send("orders", b"three", partition=0).result()


def test_reading_waits_for_the_end_of_what_is_open() -> None:
    cluster = cluster_of()
    producer = cluster.transactional_producer(linger_ms=0, transaction_timeout_ms=5000).init().begin()
    producer.send("orders", b"open", partition=0).result()
    cluster.kill("p1")

    assert [b"open"] == cluster.values("orders", 0)
    assert [] == cluster.values("orders", 0, "read_committed")
    assert cluster.now_ms > 5000, "the coordinator has aborted it"


def test_a_program_writes_where_the_key_says_and_else_into_the_partition_of_the_same_number() -> None:
    cluster = cluster_of().topic("made", 2)
    writer = cluster.producer("writer", linger_ms=0)
    for number in range(2):
        writer.send("orders", b"plain%d" % number, partition=number).result()
        writer.send("orders", b"keyed%d" % number, key=b"alice", partition=number).result()
    cluster.pipeline("copy", source="orders", target="made", linger_ms=0).cluster.run_for(5000)
    places = {value: number for number in range(2) for value in cluster.values("made", number)}

    assert (0, 1) == (places[b"plain0"], places[b"plain1"])
    assert places[b"keyed0"] == places[b"keyed1"]
