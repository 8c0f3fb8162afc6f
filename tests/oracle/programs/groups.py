"""JoinGroup, SyncGroup, Heartbeat, LeaveGroup: a group's life."""

from __future__ import annotations

import time
from typing import Any

from kafkalite.protocol.group_admin import DeleteGroupsRequest, DescribeGroupsRequest
from kafkalite.protocol.group_membership import HeartbeatRequest, LeaveGroupRequest, MemberIdentity
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import join, sync
from tests.oracle.session import PATIENCE_S, Session


def begun(one: Session, group: str, **more: Any) -> tuple[str, int]:
    """A group with one member, which has its assignment: the member and the generation."""
    one.coordinator(group)
    member = one.ask(join(group, **more)).member_id
    joined = one.ask(join(group, member, **more))
    one.ask(sync(group, joined.generation_id, member, {member: b"share"}))
    return member, joined.generation_id


def until_rebalance(one: Session, group: str, generation: int, member: str) -> None:
    """Until a member would learn that it is to join again."""
    asking = one.connection()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        asking.send(HeartbeatRequest(group, generation, member))
        if asking.receive().error_code.name == "REBALANCE_IN_PROGRESS":
            return
        time.sleep(0.01)
    raise AssertionError("no rebalance began")


@program
def a_group_of_one(one: Session) -> None:
    group = one.name("g")
    member, generation = begun(one, group)
    one.ask(HeartbeatRequest(group, generation, member))
    one.ask(LeaveGroupRequest(group, member, ()), 2)
    one.ask(HeartbeatRequest(group, generation, member))


@program
def join_group_in_every_version(one: Session) -> None:
    for version in range(10):
        group = one.name(f"g{version}")
        one.coordinator(group)
        found = one.ask(join(group), version)
        if found.generation_id < 0:
            one.ask(join(group, found.member_id), version)


@program
def joins_that_are_refused(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    one.ask(join(group, session_timeout_ms=1))
    one.ask(join(group, session_timeout_ms=10**9))
    one.ask(join(group, "a member nobody knows"))
    one.ask(join(""))
    begun(one, group)
    one.ask(join(group, "", "another assignor"))
    one.ask(join(group, protocol_type="connect"))


@program
def the_second_member_makes_the_first_join_again(one: Session) -> None:
    group, other = one.name("g"), one.connection()
    first, generation = begun(one, group)
    second = one.ask(join(group), on=other).member_id
    other.send(join(group, second))
    until_rebalance(one, group, generation, first)
    joined = one.ask(join(group, first))
    one.receive(other, "JoinGroupRequest of the second")
    generation = joined.generation_id
    other.send(sync(group, generation, second))
    one.ask(sync(group, generation, first, {first: b"half", second: b"other half"}))
    one.receive(other, "SyncGroupRequest of the second")
    one.ask(HeartbeatRequest(group, generation - 1, first))
    one.ask(HeartbeatRequest(group, generation, second))


@program
def the_assignor_all_members_know(one: Session) -> None:
    group, other = one.name("g"), one.connection()
    one.coordinator(group)
    first = one.ask(join(group, "", "sticky", "range")).member_id
    generation = one.ask(join(group, first, "sticky", "range")).generation_id
    second = one.ask(join(group, "", "range", "roundrobin"), on=other).member_id
    other.send(join(group, second, "range", "roundrobin"))
    until_rebalance(one, group, generation, first)
    one.ask(join(group, first, "sticky", "range"))
    one.receive(other, "JoinGroupRequest of the second")


@program
def heartbeats_and_syncs_that_are_refused(one: Session) -> None:
    group = one.name("g")
    member, generation = begun(one, group)
    one.ask(HeartbeatRequest(group, generation + 1, member))
    one.ask(HeartbeatRequest(group, generation, "nobody"))
    one.ask(HeartbeatRequest(one.name("another group"), 1, member))
    one.ask(sync(group, generation + 1, member))
    one.ask(sync(group, generation, "nobody"))
    one.ask(sync(group, generation, member, protocol_name="another assignor"))
    one.ask(sync(group, generation, member, protocol_type="connect"))
    one.ask(sync(group, generation, member, protocol_name=None))
    one.ask(sync(group, generation, member, protocol_type=None))
    for version in range(6):
        one.ask(sync(group, generation, member), version)


@program
def a_static_member_comes_back(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    first = one.ask(join(group, group_instance_id="i"))
    one.ask(sync(group, first.generation_id, first.member_id, {first.member_id: b"share"}, group_instance_id="i"))
    again = one.ask(join(group, group_instance_id="i"))
    one.ask(sync(group, again.generation_id, again.member_id, group_instance_id="i"))
    one.ask(HeartbeatRequest(group, again.generation_id, first.member_id, "i"))
    one.ask(HeartbeatRequest(group, again.generation_id, again.member_id, "i"))
    one.ask(LeaveGroupRequest(group, "", (MemberIdentity("", "i"), MemberIdentity("", "nobody"))), 4)


@program
def leaving_a_group_one_is_not_in(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    one.ask(LeaveGroupRequest(group, "nobody", ()), 2)
    begun(one, group)
    one.ask(LeaveGroupRequest(group, "nobody", ()), 2)
    one.ask(LeaveGroupRequest(group, "", (MemberIdentity("nobody"),)), 4)


@program
def a_group_is_described_and_deleted(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    one.ask(DescribeGroupsRequest((group,)))
    member, _ = begun(one, group)
    one.ask(DescribeGroupsRequest((group,)))
    one.ask(DeleteGroupsRequest((group, one.name("nowhere"))))
    one.ask(LeaveGroupRequest(group, member, ()), 2)
    one.ask(DescribeGroupsRequest((group,)))
    one.ask(DeleteGroupsRequest((group,)))
    one.ask(DescribeGroupsRequest((group,)))


@program
def joining_again_with_nothing_new(one: Session) -> None:
    """Who follows is told the same again; if the leader asks, there is a new generation."""
    group = one.name("g")
    member, _ = begun(one, group)
    again = one.ask(join(group, member))
    one.ask(join(group, member))
    one.ask(sync(group, again.generation_id, member, {member: b"new share"}))
    one.ask(sync(group, again.generation_id, member))
    one.ask(HeartbeatRequest(group, again.generation_id, member))


@program
def a_group_of_something_else(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    member = one.ask(join(group, protocol_type="connect")).member_id
    joined = one.ask(join(group, member, protocol_type="connect"))
    one.ask(sync(group, joined.generation_id, member, {member: b"task"}, protocol_type="connect"))
    one.ask(DescribeGroupsRequest((group,)))


@program
def assignments_for_somebody_unknown(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    member = one.ask(join(group)).member_id
    joined = one.ask(join(group, member))
    one.ask(sync(group, joined.generation_id, member, {"nobody": b"share"}))
