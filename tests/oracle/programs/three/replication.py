"""What a follower says, and what is acknowledged while too few are in sync."""

from __future__ import annotations

from kafkalite.log.batch import split
from kafkalite.protocol.reassignment import PREFERRED
from tests.oracle.cluster_session import A, B, C, ClusterSession
from tests.oracle.programs.registry import program_of_three
from tests.oracle.programs.saying import EARLIEST, LATEST, fetch, list_offsets, produce
from tests.oracle.programs.three.asking import delete_records, elect, end_of_epoch, move
from tests.oracle.programs.three.waiting import end_at, wait_for_end
from tests.oracle.session import batch

FROM_THE_LEADER_ALONE, FROM_ANY_REPLICA = 10, 11  # versions of Fetch (KIP-392)
REFUSED = -1  # the end that a broker tells who serves nobody


@program_of_three
def three_replicas_acknowledge(one: ClusterSession) -> None:
    topic = one.placed((A, B, C), min_insync_replicas="2")
    for acks in (-1, 1, -1):
        one.ask_of(A, produce(topic, batch(b"a", b"b"), acks=acks))
    wait_for_end(one, topic, 6, A)
    one.ask_of(A, fetch(topic))
    one.ask_of(A, list_offsets(topic, LATEST))


@program_of_three
def what_a_follower_refuses(one: ClusterSession) -> None:
    """So does a broker that holds no replica."""
    topic = one.placed((A, B))
    one.ask_of(A, produce(topic, batch(b"a")))
    for broker in (B, C):
        for acks in (-1, 1):
            one.ask_of(broker, produce(topic, batch(b"b"), acks=acks))
        for version in (4, FROM_THE_LEADER_ALONE):
            one.ask_of(broker, fetch(topic), version)
        for time_ms in (LATEST, EARLIEST, 1000):
            one.ask_of(broker, list_offsets(topic, time_ms))
        one.ask_of(broker, end_of_epoch(topic, 0))
        one.ask_of(broker, delete_records(topic, 1))
    one.ask_of(C, fetch(topic), FROM_ANY_REPLICA)


@program_of_three
def a_consumer_may_read_from_a_follower(one: ClusterSession) -> None:
    topic = one.placed((A, B))
    one.ask_of(A, produce(topic, batch(b"a", b"b")))
    one.until(lambda: end_at(one, B, topic) in (2, REFUSED), "the follower knows that both are committed")
    for offset, epoch in ((0, -1), (1, -1), (2, -1), (9, -1), (0, 0), (0, 5)):
        request = fetch(topic, offset, leader_epoch=epoch)
        [found] = one.quietly_of(B, request, FROM_ANY_REPLICA).responses[0].partitions
        read = [found.error_code.name, found.high_watermark, len(list(split(found.records or b"")))]
        one.say(f"from {offset}, in epoch {epoch}", " ".join(map(str, read)))


@program_of_three
def fewer_in_sync_than_there_must_be(one: ClusterSession) -> None:
    topic = one.placed((A, B, C), min_insync_replicas="2")
    one.ask_of(A, produce(topic, batch(b"three")))
    one.stop(C)
    one.wait_until(topic, leader=A, isr=(A, B))
    one.ask_of(A, produce(topic, batch(b"two")))
    one.stop(B)
    one.wait_until(topic, leader=A, isr=(A,))
    one.ask_of(A, produce(topic, batch(b"one")))
    one.ask_of(A, produce(topic, batch(b"the leader alone"), acks=1))
    one.ask_of(A, fetch(topic, 2))
    one.ask_of(A, list_offsets(topic, LATEST))
    one.start(B)
    one.until(lambda: one.is_acknowledged(topic, data=batch(b"two again")), "the second one is in sync again")
    wait_for_end(one, topic, 4, A)
    one.ask_of(A, fetch(topic, 2))


@program_of_three
def records_are_deleted_from_all_replicas(one: ClusterSession) -> None:
    topic = one.placed((A, B, C))
    for value in (b"a", b"b", b"c"):
        one.ask_of(A, produce(topic, batch(value)))
    wait_for_end(one, topic, 3, A)
    one.ask_of(A, delete_records(topic, 2))
    one.ask_controller(move(topic, (B, A, C)))
    one.until(lambda: [B, A, C] == list(one.partition(A, topic).replica_nodes), "it is another one's to lead")
    one.ask_controller(elect(PREFERRED, topic))
    one.wait_until(topic, leader=B)
    one.ask_of(B, list_offsets(topic, EARLIEST))
    one.ask_of(B, fetch(topic, 1))
    one.ask_of(B, fetch(topic, 2))
