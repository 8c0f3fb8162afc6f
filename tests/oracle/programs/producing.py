"""Produce: what is acknowledged, what is refused, and what an idempotent producer is told."""

from __future__ import annotations

import time

from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.transactions import InitProducerIdRequest
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import Session, batch


@program
def produce_and_fetch(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b")))
    one.ask(produce(topic, batch(b"c", key=b"k")))
    one.ask(fetch(topic))
    one.ask(fetch(topic, 2))


@program
def produce_with_each_acks(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"all"), acks=-1))
    one.ask(produce(topic, batch(b"leader"), acks=1))
    one.ask(produce(topic, batch(b"two"), acks=2))
    one.ask(fetch(topic))


@program
def produce_in_every_version(one: Session) -> None:
    topic = one.topic()
    for version in range(3, 10):
        one.ask(produce(topic, batch(b"v%d" % version)), version)


@program
def produce_to_what_is_not_there(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a"), partition=7))
    one.ask(produce("no/such topic", batch(b"a")))


@program
def a_batch_with_a_wrong_crc(one: Session) -> None:
    topic, data = one.topic(), bytearray(batch(b"a"))
    data[-1] ^= 1
    one.ask(produce(topic, bytes(data)))
    one.ask(fetch(topic))


@program
def a_batch_of_an_old_format(one: Session) -> None:
    topic, data = one.topic(), bytearray(batch(b"a"))
    data[16] = 1
    one.ask(produce(topic, bytes(data)))


@program
def two_batches_at_once(one: Session) -> None:
    one.ask(produce(one.topic(), batch(b"a") + batch(b"b")))


@program
def no_batch_at_all(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, b""))


@program
def no_records_at_all(one: Session) -> None:
    one.ask(produce(one.topic(), None))


@program
def a_batch_that_is_cut_off(one: Session) -> None:
    one.ask(produce(one.topic(), batch(b"a", b"b")[:-3]))


@program
def a_batch_that_is_too_large(one: Session) -> None:
    topic = one.topic(max_message_bytes="500")
    one.ask(produce(topic, batch(b"x" * 600)))
    one.ask(produce(topic, batch(b"x" * 300)))


@program
def without_a_key_on_a_compacted_topic(one: Session) -> None:
    topic = one.topic(cleanup_policy="compact")
    one.ask(produce(topic, batch(b"a")))
    one.ask(produce(topic, batch(b"a", key=b"k")))


@program
def times_given_by_the_broker(one: Session) -> None:
    topic = one.topic(message_timestamp_type="LogAppendTime")
    response = one.ask(produce(topic, batch(b"a")))
    one.say("has a time", response.responses[0].partition_responses[0].log_append_time_ms > 0)


@program
def sequences_of_an_idempotent_producer(one: Session) -> None:
    topic = one.topic()
    producer_id = one.quietly(InitProducerIdRequest(None, 60_000)).producer_id
    header = {"producer_id": producer_id, "producer_epoch": 0}
    for sequence in (0, 2, 2, 5, 0):  # two records each: in order, again, a gap, the first one again
        one.ask(produce(topic, batch(b"x", b"y", base_sequence=sequence, **header)))
    one.ask(fetch(topic))


@program
def the_sixth_batch_back_is_no_duplicate_any_more(one: Session) -> None:
    topic = one.topic()
    producer_id = one.quietly(InitProducerIdRequest(None, 60_000)).producer_id
    for sequence in (0, 1, 2, 3, 4, 5, 1, 0):
        one.ask(produce(topic, batch(b"x", producer_id=producer_id, producer_epoch=0, base_sequence=sequence)))


@program
def an_idempotent_producer_nobody_has_met_begins_anywhere(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"x", producer_id=10**9, producer_epoch=3, base_sequence=7)))
    one.ask(produce(topic, batch(b"x", producer_id=10**9, producer_epoch=2, base_sequence=8)))
    one.ask(produce(topic, batch(b"x", producer_id=10**9, producer_epoch=4, base_sequence=1)))
    one.ask(produce(topic, batch(b"x", producer_id=10**9, producer_epoch=4, base_sequence=0)))


@program
def several_partitions_of_which_some_are_refused(one: Session) -> None:
    topic, other = one.topic(partitions=3), one.topic()
    damaged = batch(b"a")[:-1] + b"x"
    first = tuple(PartitionProduceData(*each) for each in ((2, batch(b"a")), (0, damaged), (9, batch(b"b"))))
    second = (PartitionProduceData(0, batch(b"c")),)
    data = (TopicProduceData(topic, first), TopicProduceData(other, second))
    answer = one.quietly(ProduceRequest(None, -1, 10_000, data))
    one.say(
        "outcomes",
        sorted(
            (each.name, part.index, part.error_code.name, part.base_offset)
            for each in answer.responses
            for part in each.partition_responses
        ),
    )


@program
def a_record_of_tomorrow(one: Session) -> None:
    tomorrow_ms = int(time.time() * 1000) + 86_400_000
    one.ask(produce(one.topic(), batch(b"a", times=(tomorrow_ms,))))


@program
def a_record_without_a_time(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", times=(-1,))))
    one.ask(fetch(topic))


@program
def a_control_batch_of_a_client(one: Session) -> None:
    topic = one.topic()
    for attributes in (0x20, 0x30, 0x08):
        one.ask(produce(topic, batch(b"a", attributes=attributes)))


@program
def batches_that_contradict_themselves(one: Session) -> None:
    topic = one.topic()
    records = [Record(None, b"v", 1000, (), offset) for offset in (0, 3)]
    one.ask(produce(topic, encode_batch(records)))
    one.ask(produce(topic, encode_batch([])))
    one.ask(produce(topic, batch(b"a", producer_id=10**9, producer_epoch=0, base_sequence=-1)))
    one.ask(produce(topic, batch(b"a", base_offset=0, leader_epoch=77)))
    one.ask(fetch(topic))
