"""OffsetCommit and OffsetFetch: what a group has remembered."""

from __future__ import annotations

from kafkalite.protocol.group_offsets import OffsetFetchRequest, OffsetFetchRequestGroup
from tests.oracle.programs.groups import begun
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import commit, fetch_offsets
from tests.oracle.session import Session


@program
def commits_without_members(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    one.coordinator(group)
    one.ask(fetch_offsets(group, topic), 7)
    one.ask(commit(group, topic, 5, metadata="note"))
    one.ask(commit(group, topic, 3))
    one.ask(fetch_offsets(group, topic), 7)
    one.ask(fetch_offsets(group), 7)


@program
def offset_commit_in_every_version(one: Session) -> None:
    topic = one.topic()
    for version in range(1, 9):
        group = one.name(f"g{version}")
        one.coordinator(group)
        one.ask(commit(group, topic, version), version)
        one.ask(fetch_offsets(group, topic), 7)


@program
def offset_commit_of_the_first_version(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    one.coordinator(group)
    one.ask(commit(group, topic, 5), 0)
    one.ask(fetch_offsets(group, topic), 1)


@program
def offset_fetch_in_every_version(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    one.coordinator(group)
    one.ask(commit(group, topic, 5))
    for version in range(1, 8):
        one.ask(fetch_offsets(group, topic, one.name("nowhere")), version)
    one.ask(OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group, None),)), 8)


@program
def commits_of_members(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    member, generation = begun(one, group)
    one.ask(commit(group, topic, 5, generation, member))
    one.ask(commit(group, topic, 6, generation - 1, member))
    one.ask(commit(group, topic, 6, generation + 1, member))
    one.ask(commit(group, topic, 6, generation, "nobody"))
    one.ask(commit(group, topic, 6))
    one.ask(fetch_offsets(group, topic), 7)


@program
def commits_for_what_is_not_there(one: Session) -> None:
    group = one.name("g")
    one.coordinator(group)
    one.ask(commit(group, one.name("nowhere"), 5))
    one.ask(fetch_offsets(group, one.name("nowhere")), 7)


@program
def a_note_that_is_too_long(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    one.coordinator(group)
    one.ask(commit(group, topic, 5, metadata="x" * 5000))


@program
def a_commit_with_a_generation_in_a_group_that_nobody_joined(one: Session) -> None:
    topic, group = one.topic(), one.name("g")
    one.coordinator(group)
    one.ask(commit(group, topic, 5, 3, "somebody"))
