"""Fetch: from where, how much, and when it waits."""

from __future__ import annotations

from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import fetch, produce
from tests.oracle.session import Session, batch


@program
def fetch_in_every_version(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a")))
    for version in range(4, 12):
        one.ask(fetch(topic), version)


@program
def fetch_outside_the_log(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b")))
    for offset in (2, 3, -1, 10**12):
        one.ask(fetch(topic, offset))


@program
def fetch_from_what_is_not_there(one: Session) -> None:
    topic = one.topic()
    one.ask(fetch(topic, partition=3))
    one.ask(fetch(one.name("nowhere")))


@program
def fetch_gives_whole_batches_from_before_the_offset(one: Session) -> None:
    topic = one.topic()
    one.ask(produce(topic, batch(b"a", b"b", b"c")))
    one.ask(fetch(topic, 1))


@program
def the_first_batch_comes_even_if_it_is_too_large(one: Session) -> None:
    topic = one.topic()
    for value in (b"a" * 200, b"b" * 200):
        one.ask(produce(topic, batch(value)))
    one.ask(fetch(topic, partition_max_bytes=10))
    one.ask(fetch(topic, max_bytes=10))
    one.ask(fetch(topic, partition_max_bytes=10), 4)


@program
def only_the_first_partition_may_exceed_the_limit(one: Session) -> None:
    topic = one.topic(partitions=2)
    for partition in (0, 1):
        one.ask(produce(topic, batch(b"a" * 200), partition))
    asked = tuple(FetchPartition(partition, -1, 0, -1, 10) for partition in (0, 1))
    one.ask(FetchRequest(max_wait_ms=0, min_bytes=0, max_bytes=10, topics=(FetchTopic(topic, asked),)))


@program
def a_fetch_with_an_older_or_newer_leader_epoch(one: Session) -> None:
    topic = one.topic()
    for epoch in (0, 1, -1):
        one.ask(fetch(topic, leader_epoch=epoch))


@program
def a_fetch_waits_for_what_comes(one: Session) -> None:
    topic, reader = one.topic(), one.connection()
    reader.send(fetch(topic, max_wait_ms=20_000, min_bytes=1))
    one.ask(produce(topic, batch(b"came")))
    one.receive(reader, "FetchRequest that waited")


@program
def a_fetch_waits_no_longer_than_it_says(one: Session) -> None:
    one.ask(fetch(one.topic(), max_wait_ms=50, min_bytes=1))


@program
def a_fetch_session_may_be_declined(one: Session) -> None:
    topic = one.topic()
    response = one.connection()
    response.send(fetch(topic, session_id=77, session_epoch=5))
    found = response.receive()
    one.say("a session nobody has begun", found.error_code.name)


@program
def a_follower_nobody_knows(one: Session) -> None:
    one.ask(fetch(one.topic(), replica_id=999))
