"""Who leads is told by each broker; leaders that stop, come back and are elected."""

from __future__ import annotations

from kafkalite.protocol.metadata import DescribeClusterRequest
from kafkalite.protocol.reassignment import PREFERRED, UNCLEAN
from kafkalite.protocol.transactions import InitProducerIdRequest
from tests.oracle.cluster_session import A, B, C, ClusterSession
from tests.oracle.programs.registry import program_of_three
from tests.oracle.programs.saying import LATEST, fetch, list_offsets, produce
from tests.oracle.programs.three.asking import elect, end_of_epoch, metadata
from tests.oracle.programs.three.waiting import wait_for_end, wait_for_home
from tests.oracle.session import batch


@program_of_three
def who_leads_is_told_by_each(one: ClusterSession) -> None:
    topic = one.placed((A, B, C), (B, C, A), (C, B, A), (B, A, C))
    for version in (0, 1, 5, 7, 9):
        one.ask_each(metadata(topic), version)
    one.ask_each(DescribeClusterRequest())


@program_of_three
def a_leader_that_stops_and_leads_again(one: ClusterSession) -> None:
    topic = one.placed((A, B, C))
    one.ask_of(A, produce(topic, batch(b"a")))
    one.ask_controller(elect(PREFERRED, topic))
    one.stop(A)
    one.wait_until(topic, leader=B, isr=(B, C))
    one.ask_each(metadata(topic))
    one.ask_of(B, produce(topic, batch(b"b", b"c")))
    _ask_of_epochs(one, topic)
    one.start(A)
    one.wait_until(topic, leader=B)
    one.ask_of(A, produce(topic, batch(b"d")))
    one.ask_controller(elect(UNCLEAN, topic))
    wait_for_home(one, topic)
    one.ask_controller(elect(PREFERRED, topic))
    one.wait_until(topic, leader=A, isr=(A, B, C))
    one.ask_each(metadata(topic))
    one.ask_of(A, produce(topic, batch(b"e")))
    wait_for_end(one, topic, 4, A)
    one.ask_of(A, fetch(topic))
    one.ask_of(B, produce(topic, batch(b"f")))


def _ask_of_epochs(one: ClusterSession, topic: str) -> None:
    """Where the first leader's ended, and who knows too little or too much."""
    wait_for_end(one, topic, 3, B)
    epoch = one.partition(B, topic).leader_epoch
    for asked in range(-1, epoch + 3):
        one.ask_of(B, end_of_epoch(topic, asked))
    for current in (0, epoch, epoch + 1):
        one.ask_of(B, end_of_epoch(topic, 0, current))
        one.ask_of(B, fetch(topic, 2, leader_epoch=current))
    one.ask_of(B, list_offsets(topic, LATEST))


@program_of_three
def sequences_outlive_a_leader(one: ClusterSession) -> None:
    """It drops dead; whoever leads next knows what it has written for whom."""
    topic = one.placed((A, B, C))
    producer_id = one.quietly(InitProducerIdRequest(None, 60_000)).producer_id
    header = {"producer_id": producer_id, "producer_epoch": 0}
    for sequence in (0, 2):
        one.ask_of(A, produce(topic, batch(b"x", b"y", base_sequence=sequence, **header)))
    one.kill(A)
    one.wait_until(topic, leader=B, isr=(B, C))
    for sequence in (2, 0, 4, 8, 6):  # the last one again, the first one, the next, a gap, the next
        one.ask_of(B, produce(topic, batch(b"x", b"y", base_sequence=sequence, **header)))
    wait_for_end(one, topic, 8, B)
    one.ask_of(B, fetch(topic))


@program_of_three
def whoever_is_left_is_not_in_sync(one: ClusterSession) -> None:
    """Nobody leads until an unclean election says so, and what was acknowledged by one alone is lost."""
    topic = one.placed((A, B))
    one.ask_of(A, produce(topic, batch(b"on both")))
    one.stop(B)
    one.wait_until(topic, leader=A, isr=(A,))
    one.ask_of(A, produce(topic, batch(b"on one"), acks=1))
    one.kill(A)
    one.start(B)
    one.wait_until(topic, leader=-1, epoch=2)
    one.ask_each(metadata(topic))
    one.ask_of(B, produce(topic, batch(b"to nobody")))
    one.ask_of(B, fetch(topic), 10)
    one.ask_controller(elect(PREFERRED, topic))
    one.ask_controller(elect(UNCLEAN, topic))
    one.wait_until(topic, leader=B, isr=(B,))
    one.ask_each(metadata(topic))
    one.ask_of(B, produce(topic, batch(b"instead")))
    wait_for_end(one, topic, 2, B)
    one.ask_of(B, fetch(topic))
    one.start(A)
    wait_for_home(one, topic)
    one.wait_until(topic, leader=A, isr=(A, B))
    wait_for_end(one, topic, 2, A)
    one.ask_of(A, fetch(topic))
    one.ask_each(metadata(topic))
