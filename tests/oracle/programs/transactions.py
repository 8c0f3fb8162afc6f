"""Transactions: fences, what read_committed sees, and offsets that are committed with records."""

from __future__ import annotations

from typing import Any

from kafkalite.protocol.group_offsets import OffsetFetchRequest, OffsetFetchRequestTopic
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import LATEST, fetch, list_offsets, produce
from tests.oracle.session import Session, batch

TRANSACTIONAL = 0x10


class Producer:
    """A transactional producer that says just what it is told to."""

    def __init__(self, one: Session, name: str, timeout_ms: int = 60_000) -> None:
        self.one, self.id = one, one.name(name)
        one.coordinator(self.id, 1)
        answer = one.quietly(InitProducerIdRequest(self.id, timeout_ms))
        self.producer_id, self.epoch, self.sequence = answer.producer_id, answer.producer_epoch, 0

    def add(self, *topics: str) -> Any:
        """Add partition 0 of each."""
        asked = tuple(AddPartitionsToTxnTopic(topic, (0,)) for topic in topics)
        return self._settled(AddPartitionsToTxnRequest(self.id, self.producer_id, self.epoch, asked))

    def write(self, topic: str, *values: bytes) -> Any:
        """One batch."""
        header = {"producer_id": self.producer_id, "producer_epoch": self.epoch, "base_sequence": self.sequence}
        self.sequence += len(values)
        return self.one.ask(
            produce(topic, batch(*values, attributes=TRANSACTIONAL, **header), transactional_id=self.id)
        )

    def end(self, *, commit: bool) -> Any:
        """End it, and wait until its markers are everywhere (a second end of the same kind says so)."""
        found = self.one.ask(EndTxnRequest(self.id, self.producer_id, self.epoch, commit))
        if found.error_code.name == "NONE":
            self.one.quietly(EndTxnRequest(self.id, self.producer_id, self.epoch, commit))
        return found

    def _settled(self, request: Any) -> Any:
        return self.one.ask(request)


@program
def a_transaction_that_commits(one: Session) -> None:
    topic = one.topic()
    producer = Producer(one, "t")
    producer.add(topic)
    producer.write(topic, b"a", b"b")
    one.ask(fetch(topic, isolation_level=1))
    one.ask(fetch(topic, isolation_level=0))
    one.ask(list_offsets(topic, LATEST, isolation_level=1))
    producer.end(commit=True)
    one.ask(fetch(topic, isolation_level=1))
    one.ask(list_offsets(topic, LATEST, isolation_level=1))


@program
def a_transaction_that_aborts(one: Session) -> None:
    topic = one.topic()
    producer = Producer(one, "t")
    producer.add(topic)
    producer.write(topic, b"a")
    producer.end(commit=False)
    one.ask(fetch(topic, isolation_level=1))
    one.ask(fetch(topic, isolation_level=0))


@program
def two_producers_and_the_last_stable_offset(one: Session) -> None:
    topic = one.topic()
    first, second = Producer(one, "t1"), Producer(one, "t2")
    for producer, value in ((first, b"a"), (second, b"b")):
        producer.add(topic)
        producer.write(topic, value)
    second.end(commit=True)
    one.ask(fetch(topic, isolation_level=1))
    first.end(commit=False)
    one.ask(fetch(topic, isolation_level=1))


@program
def a_zombie_is_fenced(one: Session) -> None:
    topic = one.topic()
    zombie = Producer(one, "t")
    zombie.add(topic)
    zombie.write(topic, b"a")
    answer = one.quietly(InitProducerIdRequest(zombie.id, 60_000))
    one.say("epoch after the zombie's", answer.producer_epoch - zombie.epoch)
    zombie.add(topic)
    zombie.write(topic, b"b")
    one.ask(EndTxnRequest(zombie.id, zombie.producer_id, zombie.epoch, True))
    one.ask(fetch(topic, isolation_level=1))


@program
def a_second_beginning_bumps_the_epoch(one: Session) -> None:
    producer = Producer(one, "t")
    answer = one.ask(InitProducerIdRequest(producer.id, 60_000))
    one.say("bumped", answer.producer_epoch - producer.epoch)
    one.ask(InitProducerIdRequest(producer.id, 60_000, answer.producer_id, answer.producer_epoch))
    one.ask(InitProducerIdRequest(producer.id, 60_000, producer.producer_id, producer.epoch))


@program
def ends_of_transactions_that_are_refused(one: Session) -> None:
    topic = one.topic()
    producer = Producer(one, "t")
    producer.end(commit=True)
    producer.add(topic)
    one.ask(EndTxnRequest(producer.id, producer.producer_id, producer.epoch + 1, True))
    one.ask(EndTxnRequest(producer.id, producer.producer_id + 1, producer.epoch, True))
    producer.end(commit=True)
    producer.end(commit=False)


@program
def a_transaction_timeout_that_is_too_long(one: Session) -> None:
    one.coordinator(one.name("t"), 1)
    one.ask(InitProducerIdRequest(one.name("t"), 10**9))
    one.ask(InitProducerIdRequest(one.name("t"), 0))


@program
def partitions_that_are_not_there(one: Session) -> None:
    producer = Producer(one, "t")
    producer.add(one.name("nowhere"), one.topic())


@program
def offsets_in_a_transaction(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    producer = Producer(one, "t")
    one.coordinator(group)
    for commit in (True, False):
        one.ask(AddOffsetsToTxnRequest(producer.id, producer.producer_id, producer.epoch, group))
        partition = TxnOffsetCommitRequestPartition(0, 5 if commit else 9)
        topics = (TxnOffsetCommitRequestTopic(topic, (partition,)),)
        one.ask(TxnOffsetCommitRequest(producer.id, group, producer.producer_id, producer.epoch, topics=topics))
        asked = (OffsetFetchRequestTopic(topic, (0,)),)
        one.ask(OffsetFetchRequest(group, asked, require_stable=True), 7)
        one.ask(OffsetFetchRequest(group, asked), 7)
        producer.end(commit=commit)
        one.quietly(OffsetFetchRequest(group, asked, require_stable=True), 7)
        one.ask(OffsetFetchRequest(group, asked), 7)


@program
def a_members_offsets_in_a_transaction_are_fenced(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    producer = Producer(one, "t")
    one.coordinator(group)
    one.ask(AddOffsetsToTxnRequest(producer.id, producer.producer_id, producer.epoch, group))
    topics = (TxnOffsetCommitRequestTopic(topic, (TxnOffsetCommitRequestPartition(0, 5),)),)
    ids = (producer.id, group, producer.producer_id, producer.epoch)
    one.ask(TxnOffsetCommitRequest(*ids, generation_id=4, member_id="nobody", topics=topics))
    producer.end(commit=False)


@program
def aborted_transactions_are_listed_for_the_range(one: Session) -> None:
    topic = one.topic()
    producer = Producer(one, "t")
    for commit in (False, True, False):
        producer.add(topic)
        producer.write(topic, b"x", b"y")
        producer.end(commit=commit)
    for offset in (0, 2, 3, 6, 8):
        one.ask(fetch(topic, offset, isolation_level=1))


@program
def a_transaction_that_times_out(one: Session) -> None:
    """Its coordinator aborts it, with an epoch in its markers that fences whoever began it."""
    topic = one.topic()
    slow = Producer(one, "t", timeout_ms=4000)  # time enough to write
    slow.add(topic)
    slow.write(topic, b"a")

    def is_over() -> bool:
        end: int = one.quietly(list_offsets(topic, LATEST, isolation_level=1)).topics[0].partitions[0].offset
        return end >= 2

    one.until(is_over, "the transaction is aborted")
    one.ask(fetch(topic, isolation_level=1))
    slow.write(topic, b"b")
    slow.add(topic)
    one.ask(EndTxnRequest(slow.id, slow.producer_id, slow.epoch, True))
    answer = one.quietly(InitProducerIdRequest(slow.id, 60_000))
    one.say("epochs later", answer.producer_epoch - slow.epoch)
