"""ListOffsets, OffsetForLeaderEpoch, DeleteRecords: where things are."""

from __future__ import annotations

from kafkalite.protocol.offsets import OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic
from kafkalite.protocol.topics import DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import EARLIEST, LATEST, fetch, list_offsets, produce
from tests.oracle.session import Session, batch


@program
def the_ends_of_a_log(one: Session) -> None:
    topic = one.topic()
    for _ in range(2):
        one.ask(list_offsets(topic, EARLIEST))
        one.ask(list_offsets(topic, LATEST))
        one.ask(produce(topic, batch(b"a", b"b")))


@program
def list_offsets_in_every_version(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b")))
    for version in range(1, 7):
        one.ask(list_offsets(topic, LATEST), version)
        one.ask(list_offsets(topic, 1001), version)


@program
def an_offset_by_its_time(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b", b"c", times=(1000, 3000, 2000))))
    one.ask(produce(topic, batch(b"d", b"e", times=(2500, 4000))))
    for time_ms in (0, 1000, 1001, 2000, 2001, 3000, 3001, 4000, 4001):
        one.ask(list_offsets(topic, time_ms))


@program
def offsets_of_what_is_not_there(one: Session) -> None:
    one.ask(list_offsets(one.topic(), LATEST, partition=9))
    one.ask(list_offsets(one.name("nowhere"), LATEST))


@program
def the_end_of_a_leader_epoch(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b")))
    for current, asked in ((0, 0), (-1, 0), (-1, 5), (3, 0), (-1, -1)):
        partitions = (OffsetForLeaderPartition(0, current, asked),)
        one.ask(OffsetForLeaderEpochRequest(-1, (OffsetForLeaderTopic(topic, partitions),)))


@program
def records_are_deleted_up_to_an_offset(one: Session) -> None:
    topic = one.topic()
    for value in (b"a", b"b", b"c"):
        one.ask(produce(topic, batch(value)))
    for offset in (1, 9, 0, -1):
        asked = (DeleteRecordsTopic(topic, (DeleteRecordsPartition(0, offset),)),)
        one.ask(DeleteRecordsRequest(asked, 5000))
        one.ask(list_offsets(topic, EARLIEST))
    one.ask(fetch(topic, 0))
    one.ask(produce(topic, batch(b"d")))
