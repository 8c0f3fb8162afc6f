"""What coordinators and members announce, as lines of text; the others are in `telling`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kafkalite import facts
from kafkalite.types import TopicPartition

RUN_MIN = 3


def partitions_text(partitions: Iterable[TopicPartition]) -> str:
    """Partitions, in one line; of three or more in a row the first and the last.

    >>> partitions_text([("A", 0), ("A", 2), ("B", 1)]), partitions_text([])
    ('A-0, A-2, B-1', 'nothing')
    >>> partitions_text([("A", 0), ("A", 1), ("B", 1), ("B", 2), ("B", 3), ("B", 5)])
    'A-0, A-1, B-1 to 3, B-5'
    """
    runs: list[list[TopicPartition]] = []
    for one in partitions:
        if runs and runs[-1][-1] == (one[0], one[1] - 1):
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(map(_run, runs)) or "nothing"


def _run(run: list[TopicPartition]) -> str:
    if len(run) >= RUN_MIN:
        return f"{run[0][0]}-{run[0][1]} to {run[-1][1]}"
    return ", ".join(f"{topic}-{partition}" for topic, partition in run)


def short(member: str) -> str:
    """A member without the long tail of its id, which is chance.

    >>> short("c1-0123456789abcdef0123456789abcdef")
    'c1'
    """
    return member.rpartition("-")[0] or member


def _stabilized(fact: facts.GroupStabilized) -> str:
    told = "; ".join(f"{short(member)} reads {partitions_text(owned)}" for member, owned in fact.assignment)
    return f"group {fact.group}, generation {fact.generation}: {told}"


def _offsets(offsets: Iterable[tuple[str, int, int]]) -> str:
    return ", ".join(f"{topic}-{partition} at {offset}" for topic, partition, offset in sorted(offsets)) or "nothing"


def _count(groups: tuple[str, ...]) -> str:
    return "1 group" if len(groups) == 1 else f"{len(groups)} groups"


def _revoked(fact: facts.PartitionsRevoked) -> str:
    return f"{'has lost' if fact.is_lost else 'gives up'} {partitions_text(fact.partitions)}"


def _rebalancing(fact: facts.GroupRebalancing) -> str:
    words = " ".join(map(short, fact.reason.split(" ")))
    return f"group {fact.group} prepares a rebalance: {words}"


GROUP_LINES: dict[type, Callable[[Any], str]] = {
    facts.CoordinatorLoaded: lambda f: f"coordinates {_count(f.groups)} of __consumer_offsets-{f.partition}",
    facts.CoordinatorUnloaded: lambda f: f"coordinates no groups of __consumer_offsets-{f.partition} any more",
    facts.GroupRebalancing: _rebalancing,
    facts.GroupStabilized: _stabilized,
    facts.GroupEmptied: lambda f: f"group {f.group} is empty",
    facts.MemberJoined: lambda f: (
        f"{short(f.member)} is in generation {f.generation} of group {f.group}{', and leads' if f.is_leader else ''}"
    ),
    facts.MemberLeft: lambda f: f"{short(f.member)} leaves group {f.group}",
    facts.MemberExpired: lambda f: f"{short(f.member)} is out of group {f.group}: {f.reason}",
    facts.MemberFenced: lambda f: f"{f.instance} is back in group {f.group}; its old member id is fenced",
    facts.GroupRequestRefused: lambda f: f"refuses {f.api} of {short(f.member) or 'somebody'} for {f.group}: {f.error}",
    facts.OffsetsCommitted: lambda f: f"group {f.group} has committed {_offsets(f.offsets)}",
    facts.OffsetsFetched: lambda f: f"tells how far group {f.group} is: {_offsets(f.offsets)}",
    facts.OffsetsExpired: lambda f: f"forgets the offsets of group {f.group} in {partitions_text(f.partitions)}",
    facts.GroupDeleted: lambda f: f"forgets group {f.group}",
    facts.PartitionsAssigned: lambda f: f"reads {partitions_text(f.partitions)} from now on",
    facts.PartitionsRevoked: _revoked,
    facts.PollProcessed: lambda f: f"is done with what it was handed: it stands at {_offsets(f.positions)}",
    facts.CommitAnswered: lambda f: f"is told that {_offsets(f.offsets)} is committed: {f.error}",
    facts.MembershipFailed: lambda f: f"is no member of group {f.group}, and gives up: {f.error}",
}

# Told only if asked for.
GROUP_DETAILS = frozenset(
    {
        facts.CoordinatorLoaded,
        facts.CoordinatorUnloaded,
        facts.MemberJoined,
        facts.GroupRequestRefused,
        facts.OffsetsCommitted,
        facts.OffsetsFetched,
        facts.CommitAnswered,
        facts.PartitionsAssigned,
        facts.PartitionsRevoked,
        facts.PollProcessed,
    }
)
