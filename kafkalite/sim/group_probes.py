"""What no good member asks of a coordinator: in another's name, of a generation that is over, of no group at all.

Groups that live are asked only what they must refuse, or what changes nothing. The group "odd" has no members; the
prober commits in it, and has it deleted. What reaches a live group while it is empty may do something (it is deleted,
or waits for a member that never comes), and its members must live with it.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from kafkalite.protocol import group_admin, group_membership, group_offsets
from kafkalite.types import TopicPartition

NOBODY = "nobody-00"
STALE = 10**6  # a generation that no group comes to
ODD = "odd"
METADATA = "x" * 4096  # the longest that may stand beside an offset
SESSION_MS = 1000


class Known(NamedTuple):
    """What the prober knows of a group: a member of it and its generation, as far as it is still true."""

    group: str
    member: str
    generation: int
    instance: str | None
    partitions: tuple[TopicPartition, ...]


def _heartbeat(known: Known, member: str, generation: int, instance: str | None = None) -> Any:
    return group_membership.HeartbeatRequest(known.group, generation, member, instance)


def _join(group: str, *, session_ms: int = SESSION_MS, member: str = "", instance: str | None = None) -> Any:
    protocols = (group_membership.JoinGroupRequestProtocol("none", b""),)
    return group_membership.JoinGroupRequest(group, session_ms, session_ms, member, instance, "odd", protocols)


def _commit(
    group: str,
    partitions: tuple[TopicPartition, ...],
    *,
    generation: int = -1,
    member: str = "",
    instance: str | None = None,
    metadata: str = "",
) -> Any:
    topics = tuple(
        group_offsets.OffsetCommitRequestTopic(
            topic,
            tuple(
                group_offsets.OffsetCommitRequestPartition(index, 0, committed_metadata=metadata)
                for name, index in partitions
                if name == topic
            ),
        )
        for topic in dict.fromkeys(topic for topic, _ in partitions)
    )
    return group_offsets.OffsetCommitRequest(group, generation, member, instance, topics=topics)


def _offsets(group: str, *partitions: TopicPartition) -> Any:
    topics = tuple(group_offsets.OffsetFetchRequestTopics(topic, (index,)) for topic, index in partitions)
    return group_offsets.OffsetFetchRequest(groups=(group_offsets.OffsetFetchRequestGroup(group, topics or None),))


def _forget(group: str, partitions: tuple[TopicPartition, ...]) -> Any:
    topics = tuple(
        group_admin.OffsetDeleteRequestTopic(topic, (group_admin.OffsetDeleteRequestPartition(index),))
        for topic, index in partitions
    )
    return group_admin.OffsetDeleteRequest(group, topics)


def _sync(known: Known, member: str, generation: int) -> Any:
    kind = "consumer", "none"
    return group_membership.SyncGroupRequest(known.group, generation, member, known.instance, *kind)


def _leave(group: str, member: str) -> Any:
    return group_membership.LeaveGroupRequest(group, members=(group_membership.MemberIdentity(member),))


def _find(*groups: str, key: str = "", kind: int = 0) -> Any:
    return group_membership.FindCoordinatorRequest(key, kind, groups)


def draw_group_probe(rng: Random, known: Known) -> Any:
    """A request about groups that is odd in one way."""
    return rng.choice(
        (
            # members
            _heartbeat(known, known.member, STALE, known.instance),
            _heartbeat(known, NOBODY, known.generation),
            _heartbeat(known, NOBODY, known.generation, known.instance),
            _join(known.group),
            _join(known.group, member=NOBODY),
            _join(known.group, member=NOBODY, instance=known.instance),
            _join(known.group, session_ms=1),
            _join(""),
            _sync(known, known.member, STALE),
            _sync(known, NOBODY, known.generation),
            _leave(known.group, NOBODY),
            _leave("nowhere", NOBODY),
            # offsets
            _commit(known.group, known.partitions, generation=STALE, member=known.member),
            _commit(known.group, known.partitions, generation=known.generation, member=NOBODY),
            _commit(known.group, known.partitions, generation=known.generation, member=NOBODY, instance=known.instance),
            _commit(ODD, known.partitions),
            _commit(ODD, known.partitions, metadata=METADATA),
            _commit(ODD, known.partitions[:1], metadata=METADATA + "x"),
            _commit(ODD, (("nowhere", 0),)),
            _offsets(known.group),
            _offsets(known.group, *known.partitions),
            _offsets(ODD),
            # administrators
            _find(known.group),
            _find(known.group, ODD, "nowhere"),
            _find(""),
            _find(key=known.group),
            _find(known.group, kind=7),
            group_admin.DescribeGroupsRequest((known.group, "nowhere")),
            group_admin.ListGroupsRequest(),
            group_admin.DeleteGroupsRequest((known.group,)),
            group_admin.DeleteGroupsRequest(("nowhere",)),
            group_admin.DeleteGroupsRequest((ODD,)),
            _forget(known.group, known.partitions[:1]),
        )
    )
