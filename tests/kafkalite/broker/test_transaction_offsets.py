"""Offsets in a transaction: they count when it commits, and only from members and producers that are up to date."""

from __future__ import annotations

from kafkalite.errors import ErrorCode
from kafkalite.facts import OffsetsCommitted, OffsetsPending
from kafkalite.protocol.group_admin import ListGroupsRequest
from kafkalite.protocol.group_offsets import OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics
from kafkalite.protocol.transactions import (
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from kafkalite.sim.cluster import Cluster

from .asker import Member
from .test_groups import joined
from .transacting import LOST, NO_ANSWER, Transactor, cluster_of, error_of

GROUP = 0
NONE = ErrorCode.NONE


class Committer(Transactor):
    """A transactional producer that commits offsets of group g, too."""

    def offsets(self, offset: int, member: str = "", generation: int = -1, partition: int = 0) -> ErrorCode:
        topic = TxnOffsetCommitRequestTopic("A", (TxnOffsetCommitRequestPartition(partition, offset),))
        asked = TxnOffsetCommitRequest(self.name, "g", self.producer_id, self.epoch, generation, member, None, (topic,))
        while True:
            answer = self.member.ask(self.coordinator("g", GROUP), asked)
            if answer != LOST and error_of(answer) not in NO_ANSWER:
                return error_of(answer)
            self.cluster.run_for(50)

    def committed(self, *, stable: bool = False) -> int | ErrorCode:
        """Where the group is in A-0; with `stable` only if no open transaction is about to move it."""
        asked = OffsetFetchRequestGroup("g", (OffsetFetchRequestTopics("A", (0,)),))
        request = OffsetFetchRequest(groups=(asked,), require_stable=stable)
        while True:
            answer = self.member.ask(self.coordinator("g", GROUP), request)
            if answer != LOST and answer.groups[0].error_code not in NO_ANSWER:
                break
            self.cluster.run_for(50)
        one = answer.groups[0].topics[0].partitions[0]
        return ErrorCode.of(one.error_code) if one.error_code else int(one.committed_offset)


def begun(cluster: Cluster) -> Committer:
    one = Committer(cluster)
    assert [NONE, NONE] == [one.init(), one.add_offsets("g")]
    return one


def test_offsets_count_from_the_commit_on_and_who_wants_stable_ones_waits_for_it() -> None:
    """KIP-447: a new owner of the partition must not begin where the old one's transaction is about to end."""
    cluster = cluster_of(brokers=3)
    one = begun(cluster)

    assert NONE is one.offsets(5)
    before = one.committed(), one.committed(stable=True)
    assert NONE is one.commit()
    cluster.run_for(500)

    assert (-1, ErrorCode.UNSTABLE_OFFSET_COMMIT) == before
    assert (5, 5) == (one.committed(), one.committed(stable=True))
    assert [OffsetsPending("g", one.producer_id, (("A", 0, 5),))] == cluster.facts(OffsetsPending)
    assert [OffsetsCommitted("g", -1, "", (("A", 0, 5),))] == cluster.facts(OffsetsCommitted)


def test_offsets_of_an_aborted_transaction_never_count() -> None:
    cluster = cluster_of(brokers=1)
    one = begun(cluster)
    assert [NONE, NONE] == [one.offsets(5), one.abort()]
    cluster.run_for(500)

    assert (-1, -1) == (one.committed(), one.committed(stable=True))
    assert [NONE, NONE, NONE] == [one.add_offsets("g"), one.offsets(3), one.commit()]
    cluster.run_for(500)
    assert 3 == one.committed()


def test_offsets_are_unstable_from_the_moment_they_are_in_the_leaders_log() -> None:
    """Not only once they are replicated: by then the new owner would have read the old ones."""
    cluster = cluster_of(brokers=3)
    one = begun(cluster)
    coordinator = one.coordinator("g", GROUP)
    other = Committer(cluster, node="p2")
    for name in cluster.brokers:
        if name != coordinator:
            cluster.cut(name, coordinator, 1500)
    topic = TxnOffsetCommitRequestTopic("A", (TxnOffsetCommitRequestPartition(0, 5),))
    one.member.send(coordinator, TxnOffsetCommitRequest("t", "g", one.producer_id, one.epoch, topics=(topic,)))
    cluster.run_for(20)

    found = other.committed(stable=True)

    assert [] == cluster.facts(OffsetsPending), "not replicated yet"
    assert ErrorCode.UNSTABLE_OFFSET_COMMIT is found


def test_a_member_of_an_older_generation_commits_nothing_in_a_transaction_either() -> None:
    cluster = cluster_of(brokers=1)
    one = begun(cluster)
    member = joined(Member(cluster, "m1"), one.coordinator("g", GROUP))

    assert ErrorCode.ILLEGAL_GENERATION is one.offsets(5, member, generation=0)
    assert ErrorCode.UNKNOWN_MEMBER_ID is one.offsets(5, "somebody", generation=1)
    assert NONE is one.offsets(5, member, generation=1)
    assert NONE is one.offsets(6), "who is no member at all is not asked for a generation"


def test_a_producer_that_another_has_replaced_commits_no_offsets() -> None:
    """Once its successor has written there, the log fences it."""
    cluster = cluster_of(brokers=1)
    zombie = begun(cluster)
    assert NONE is zombie.offsets(5)
    heir = Committer(cluster, node="p2")
    assert NONE is heir.init()

    assert ErrorCode.INVALID_PRODUCER_EPOCH is zombie.offsets(6)
    assert -1 == heir.committed(stable=True)


def test_odd_offsets_are_refused_one_by_one() -> None:
    cluster = cluster_of(brokers=1, offset_metadata_max_bytes=3)
    one = begun(cluster)
    topic = TxnOffsetCommitRequestTopic(
        "A",
        (
            TxnOffsetCommitRequestPartition(0, 5, -1, "long"),
            TxnOffsetCommitRequestPartition(9, 5),
            TxnOffsetCommitRequestPartition(1, 5, -1, None),
        ),
    )
    request = TxnOffsetCommitRequest("t", "g", one.producer_id, one.epoch, topics=(topic,))

    answer = one.member.ask(one.coordinator("g", GROUP), request)

    expected = [ErrorCode.OFFSET_METADATA_TOO_LARGE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, NONE]
    assert expected == [each.error_code for each in answer.topics[0].partitions]
    nobodys = TxnOffsetCommitRequest("t", "", one.producer_id, one.epoch, topics=(topic,))
    assert ErrorCode.INVALID_GROUP_ID == error_of(one.member.ask("b101", nobodys))


def test_the_next_coordinator_of_the_group_knows_what_is_pending_and_the_marker_finds_it() -> None:
    cluster = cluster_of(brokers=3, seed=2)
    one = begun(cluster)
    assert NONE is one.offsets(5)
    cluster.kill(one.coordinator("g", GROUP))

    assert ErrorCode.UNSTABLE_OFFSET_COMMIT is one.committed(stable=True)
    assert NONE is one.commit()
    cluster.run_until(lambda: bool(cluster.facts(OffsetsCommitted)), "the marker")

    assert 5 == one.committed(stable=True)
    listed = one.member.ask(one.coordinator("g", GROUP), ListGroupsRequest())
    assert ["g"] == [group.group_id for group in listed.groups], "which is all that it knows of the group"
