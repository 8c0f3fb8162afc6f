"""Produce: what each `acks` waits for, what is refused before anything happens, and what nobody can tell."""

from __future__ import annotations

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import BatchAppended, DuplicateFound, RequestRefused
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import BreakConnection, Cut, FillDisk, Freeze, Kill, SlowDisk
from tests.kafkalite.replication.rig import Rig, produced


def led_by_1(brokers: int = 3, **config: object) -> Rig:
    rig = Rig(brokers, **config)  # type: ignore[arg-type]
    rig.elect(1)
    rig.run(20)
    return rig


def test_records_get_the_next_offsets_in_the_order_they_came() -> None:
    """T3."""
    rig = led_by_1()
    answers = []
    for values in (("a", "b"), ("c",), ("d", "e", "f")):
        answers.append(rig.produce(*values))
        rig.run(20)

    assert [0, 2, 3] == [produced(answer).base_offset for answer in answers]
    assert ["a", "b", "c", "d", "e", "f"] == rig.values(1)


def test_acks_0_waits_for_nothing_and_can_lose() -> None:
    """P2: nobody answers; the leader dies with the record."""
    rig = led_by_1()
    answer = rig.produce("lost", acks=0)
    rig.run(1.6)
    rig.sim.inject(Kill("b1"))
    rig.elect(2, isr=(2, 3))
    rig.run(1000)

    assert answer.value is None
    assert 1 == len(rig.facts_of(BatchAppended, 1))
    assert [] == rig.values(2)


def test_with_acks_0_an_error_closes_the_connection() -> None:
    """P2: it is all that a broker can say."""
    rig = led_by_1()
    answer = rig.produce("a", acks=0, to=2)
    rig.run(10)

    assert answer.was_lost
    assert ["NOT_LEADER_OR_FOLLOWER"] == [fact.error for fact in rig.facts_of(RequestRefused, 2)]


def test_acks_1_waits_for_the_leader_alone_and_can_lose() -> None:
    """P3."""
    rig = led_by_1()
    rig.sim.inject(Cut("b1", "b2", 100))
    rig.sim.inject(Cut("b1", "b3", 100))
    answer = rig.produce("lost", acks=1)
    rig.run(10)
    rig.sim.inject(Kill("b1"))
    rig.elect(2, isr=(2, 3))
    rig.run(1000)

    assert 0 == produced(answer).base_offset
    assert [] == rig.values(2)


def test_acks_all_waits_for_everyone_in_sync() -> None:
    """P4."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 200))
    answer = rig.produce("kept")
    rig.run(150)

    assert answer.value is None

    rig.run(100)

    assert 0 == produced(answer).base_offset
    assert [["kept"]] * 3 == [rig.values(broker) for broker in rig.replicas]


def test_acks_all_is_all_in_sync_and_not_all_replicas() -> None:
    """P4 (M8)."""
    rig = led_by_1()
    rig.elect(1, isr=(1, 2), to=(1, 2))
    rig.sim.inject(Kill("b3"))
    answer = rig.produce("a")
    rig.run(50)

    assert 0 == produced(answer).base_offset


def test_too_few_in_sync_refuses_before_anything_is_appended_and_only_acks_all() -> None:
    """P4, R6: NOT_ENOUGH_REPLICAS is definite (M9)."""
    rig = led_by_1(settings=TopicSettings(min_insync_replicas=2))
    rig.elect(1, isr=(1,), to=(1,))
    rig.run(5)
    refused, taken = rig.produce("no"), rig.produce("yes", acks=1)
    rig.run(20)

    assert "NOT_ENOUGH_REPLICAS" == refused.error
    assert ErrorCode.NOT_ENOUGH_REPLICAS.definite
    assert 0 == produced(taken).base_offset
    assert ["yes"] == rig.values(1)


def test_min_isr_is_a_floor_and_not_the_number_to_wait_for() -> None:
    """P4 (M9): three in sync, two needed, all three waited for."""
    rig = led_by_1(settings=TopicSettings(min_insync_replicas=2))
    rig.sim.inject(Freeze("b3", 200))
    answer = rig.produce("a")
    rig.run(150)

    assert answer.value is None


def test_whoever_waits_too_long_is_told_so_and_it_may_have_happened() -> None:
    """P4 (M38): a timeout is no failure."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 400))
    answer = rig.produce("a", timeout_ms=100)
    rig.run(150)

    assert "REQUEST_TIMED_OUT" == answer.error
    assert not ErrorCode.REQUEST_TIMED_OUT.definite

    rig.run(500)

    assert [["a"]] * 3 == [rig.values(broker) for broker in rig.replicas]


def test_a_retry_is_found_and_told_its_first_offset() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(20)
    first = rig.produce("b", "c", sequence=0)
    rig.run(20)
    again = rig.produce("b", "c", sequence=0)
    rig.run(20)

    assert [1, 1] == [produced(first).base_offset, produced(again).base_offset]
    assert [(7, 0, 1)] == [(f.producer_id, f.base_sequence, f.base_offset) for f in rig.facts_of(DuplicateFound)]
    assert ["a", "b", "c"] == rig.values(1)


def test_a_retry_waits_for_its_old_offset_as_the_original_did() -> None:
    """Answering at once would acknowledge what may still be lost; waiting for a new offset would wait for ever."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 300))
    rig.produce("a", sequence=0, timeout_ms=50)
    rig.run(60)
    again = rig.produce("a", sequence=0)
    rig.run(100)

    assert 1 == len(rig.facts_of(DuplicateFound))
    assert again.value is None

    rig.run(200)

    assert 0 == produced(again).base_offset


def test_a_retry_is_found_by_the_next_leader_too() -> None:
    """R4: what is known of producers follows from the log, which is copied."""
    rig = led_by_1()
    rig.produce("a", sequence=0)
    rig.run(600)
    rig.elect(2)
    rig.run(20)
    again = rig.produce("a", sequence=0)
    rig.run(600)

    assert 0 == produced(again).base_offset
    assert ["a"] == rig.values(2)


def test_too_few_in_sync_is_said_before_a_retry_is_looked_for() -> None:
    """So NOT_ENOUGH_REPLICAS is definite only if every attempt got it."""
    rig = led_by_1(settings=TopicSettings(min_insync_replicas=2))
    rig.produce("a", sequence=0)
    rig.run(20)
    rig.elect(1, isr=(1,), to=(1,))
    rig.run(5)
    again = rig.produce("a", sequence=0)
    rig.run(5)

    assert "NOT_ENOUGH_REPLICAS" == again.error
    assert ["a"] == rig.values(1)


def test_a_gap_in_the_sequences_is_refused() -> None:
    rig = led_by_1()
    rig.produce("a", sequence=0)
    answer = rig.produce("c", sequence=2)
    rig.run(20)

    assert "OUT_OF_ORDER_SEQUENCE_NUMBER" == answer.error
    assert "known are epoch 0 and last sequence 0" in str(produced(answer).error_message)


@pytest.mark.parametrize(
    ("settings", "records", "error"),
    [
        (LogConfig(), b"", "INVALID_RECORD"),
        (LogConfig(), b"x" * 80, "INVALID_RECORD"),
        (LogConfig(), encode_batch([Record(None, b"v")]) * 2, "INVALID_RECORD"),  # one batch, no more
        (LogConfig(), encode_batch([Record(None, b"v")])[:-1], "INVALID_RECORD"),
        (LogConfig(), encode_batch([Record(None, b"v")], attributes=7), "INVALID_RECORD"),  # no such compression
        (LogConfig(), encode_batch([Record(None, b"v")])[:-1] + b"x", "CORRUPT_MESSAGE"),
        (LogConfig(max_message_bytes=70), encode_batch([Record(None, b"v" * 99)]), "MESSAGE_TOO_LARGE"),
        (LogConfig(compact=True), encode_batch([Record(None, b"v")]), "INVALID_RECORD"),
        (LogConfig(), encode_batch([Record(None, b"v")], attributes=0x20), "INVALID_RECORD"),  # a control batch
    ],
)
def test_what_is_no_batch_for_this_log_is_refused_and_says_why(settings: LogConfig, records: bytes, error: str) -> None:
    rig = led_by_1(settings=TopicSettings(settings))
    data = PartitionProduceData(0, records)
    answer = rig.ask(1, ProduceRequest(None, -1, 100, (TopicProduceData("t", (data,)),)))
    rig.run(20)

    assert error == answer.error
    assert produced(answer).error_message
    assert -1 == produced(answer).base_offset


def test_a_refusal_by_the_log_says_where_the_log_begins_and_which_records_are_at_fault() -> None:
    """KIP-467. What is refused unread says neither."""
    rig = led_by_1(settings=TopicSettings(LogConfig(compact=True)))
    records = [Record(key, b"v", 0, (), place) for place, key in enumerate((b"k", None, b"k", None))]
    found = []
    for data in (encode_batch(records), b""):
        answer = rig.ask(1, ProduceRequest(None, -1, 100, (TopicProduceData("t", (PartitionProduceData(0, data),)),)))
        rig.run(20)
        found.append((produced(answer).log_start_offset, [one.batch_index for one in produced(answer).record_errors]))

    assert [(0, [1, 3]), (-1, [])] == found
    assert [] == rig.values(1)


def test_acks_2_is_no_such_thing() -> None:
    rig = led_by_1()
    answer = rig.produce("a", acks=2)
    rig.run(20)

    assert "INVALID_REQUIRED_ACKS" == answer.error


def test_a_partition_that_is_nowhere_is_unknown_and_one_that_is_elsewhere_has_another_leader() -> None:
    """P6: the one makes a client wait, the other look for the leader."""
    rig = Rig(2)
    rig.leader = 1
    data = PartitionProduceData(5, b"")
    nowhere = rig.ask(1, ProduceRequest(None, -1, 100, (TopicProduceData("t", (data,)),)))
    elsewhere = rig.produce("a")
    rig.run(20)

    assert ["UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER"] == [nowhere.error, elsewhere.error]


def test_the_error_of_one_partition_does_not_hold_up_the_others() -> None:
    rig = led_by_1()
    good = PartitionProduceData(0, encode_batch([Record(None, b"v")]))
    bad = PartitionProduceData(5, encode_batch([Record(None, b"v")]))
    answer = rig.ask(1, ProduceRequest(None, -1, 1000, (TopicProduceData("t", (bad, good)),)))
    rig.run(20)

    errors = [one.error_code.name for one in answer.value.responses[0].partition_responses]
    assert ["UNKNOWN_TOPIC_OR_PARTITION", "NONE"] == errors


def test_a_request_whose_connection_is_gone_is_not_answered_and_not_kept() -> None:
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 300))
    answer = rig.produce("a")
    rig.run(20)
    rig.sim.inject(BreakConnection("c", "b1"))
    rig.run(5)

    assert answer.was_lost
    assert not rig.broker(1).replicas.waiting.acks

    rig.run(500)

    assert ["a"] == rig.values(3)


def test_a_full_disk_takes_the_replicas_offline_and_the_broker_lives_on() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(600)
    rig.sim.inject(FillDisk("b1", 10, 60_000))
    waiting = rig.fetch(1, max_wait_ms=1000, min_bytes=1)
    rig.run(5)
    answers = [rig.produce("b"), rig.produce("c", acks=1)]
    rig.run(5)

    assert ["KAFKA_STORAGE_ERROR"] * 3 == [answer.error for answer in (*answers, waiting)]
    assert not ErrorCode.KAFKA_STORAGE_ERROR.definite

    rig.elect(2, isr=(2, 3))
    rig.run(20)

    assert "KAFKA_STORAGE_ERROR" == rig.broker(1).answers[-1].partition_errors[0].error_code.name


def test_with_log_append_time_the_answer_says_it_and_the_followers_have_the_same_bytes() -> None:
    rig = led_by_1(settings=TopicSettings(LogConfig(log_append_time=True)))
    answer = rig.produce("a")
    rig.run(50)

    assert produced(answer).log_append_time_ms > 1_700_000_000_000
    assert 1 == len({fact.crc for fact in rig.facts_of(BatchAppended)})


@pytest.mark.parametrize("acks", [1, -1])
def test_with_a_flush_for_every_message_an_acknowledged_record_survives_a_power_loss(acks: int) -> None:
    """`flush.messages=1`: what the page cache has is not acknowledged (M18)."""
    rig = led_by_1(1, log_flush_interval_messages=1)
    answer = rig.produce("a", acks=acks)
    rig.run(1.6)

    assert 1 == rig.log(1).log_end_offset
    assert answer.value is None
    assert 0 == rig.log(1).high_watermark

    rig.run(5)

    assert 0 == produced(answer).base_offset
    assert 1 == rig.log(1).recovery_point


def test_with_a_flush_for_every_message_a_follower_acknowledges_what_is_on_its_disk() -> None:
    rig = led_by_1(2, log_flush_interval_messages=1)
    rig.sim.inject(SlowDisk("b2", 50))
    answer = rig.produce("a")
    rig.run(20)

    assert [1, 1] == [rig.log(broker).log_end_offset for broker in rig.replicas]
    assert answer.value is None

    rig.run(50)

    assert 0 == produced(answer).base_offset
    assert [1, 1] == [rig.log(broker).recovery_point for broker in rig.replicas]
