"""Questions to a cluster that runs, and their answers as lines: topics, groups and how far they are, records.

Each function tells line by line. What is asked for and is not there raises NotThere, whose message says where to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kafkalite.clients.admin_answers import GroupDescription, TopicDescription
from kafkalite.errors import KafkaliteError
from kafkalite.net.client import AdminClient, RecordStream, RequestFailed
from kafkalite.types import TopicPartition

EARLIEST, LATEST = -2, -1  # as in ListOffsets
DEAD = "Dead"  # the state of a group that nobody knows

Tell = Callable[[str], None]


class NotThere(KafkaliteError):
    """A topic, partition, group or offset that was asked for does not exist."""


def run(question: Coroutine[Any, Any, None]) -> None:
    """Ask on a loop of its own."""
    asyncio.run(question)


def table(rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as they need to be.

    >>> print(table([("topic", "partitions"), ("orders", 3)]))
    topic   partitions
    orders  3
    """
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in texts)
    return "\n".join(line.rstrip() for line in lines)


def _ids(brokers: Iterable[int]) -> str:
    return ",".join(map(str, brokers)) or "-"


# Topics ---------------------------------------------------------------------------------------------------------------


async def topics(servers: Sequence[str], timeout_s: float, name: str | None, tell: Tell) -> None:
    """All topics; or where the partitions of one are."""
    async with AdminClient(servers, timeout_s) as admin:
        if name is None:
            found: tuple[TopicDescription, ...] = await admin.ask("list_topics")
            rows = [
                (one.name, len(one.partitions), max((len(p.replicas) for p in one.partitions.values()), default=0))
                for one in sorted(found, key=lambda one: one.name)
            ]
            tell(table([("topic", "partitions", "replicas"), *rows]))
            return
        partitions = (await _topic(admin, name)).partitions
        lines: list[Sequence[object]] = [("partition", "leader", "epoch", "replicas", "in sync", "start", "end")]
        for index, one in sorted(partitions.items()):
            start, end = await _bounds(admin, (name, index)) if one.leader >= 0 else ("-", "-")
            leader = one.leader if one.leader >= 0 else "nobody"
            lines.append((index, leader, one.leader_epoch, _ids(one.replicas), _ids(one.isr), start, end))
        tell(table(lines))


async def _topic(admin: AdminClient, name: str) -> TopicDescription:
    try:
        found: tuple[TopicDescription, ...] = await admin.ask("describe_topic", name)
    except RequestFailed as failure:
        if failure.error not in {"UNKNOWN_TOPIC_OR_PARTITION", "INVALID_TOPIC_EXCEPTION"}:
            raise
        where = ",".join(admin.bootstrap)
        raise NotThere(
            f"there is no topic {name!r}; `python -m kafkalite topics --bootstrap {where}` lists those there are"
        ) from None
    return found[0]


async def _bounds(admin: AdminClient, partition: TopicPartition) -> tuple[str, str]:
    return str(await _offset(admin, partition, EARLIEST)), str(await _offset(admin, partition, LATEST))


async def _offset(admin: AdminClient, partition: TopicPartition, timestamp_ms: int) -> int:
    try:
        found: int = await admin.ask("list_offsets", *partition, timestamp_ms)
    except RequestFailed as failure:
        if failure.error != "REQUEST_TIMED_OUT":
            raise
        topic, index = partition
        raise NotThere(
            f"{topic}-{index} has no leader that answers; `python -m kafkalite topics {topic}` shows who holds it"
        ) from None
    return found


# Groups ---------------------------------------------------------------------------------------------------------------


async def groups(servers: Sequence[str], timeout_s: float, name: str | None, tell: Tell) -> None:
    """All groups; or who is in one, and how far it is."""
    async with AdminClient(servers, timeout_s) as admin:
        if name is None:
            brokers: dict[int, str] = await admin.ask("describe_cluster")
            rows = [
                (one.group, one.state, one.protocol_type or "-", broker)
                for broker in sorted(brokers)
                for one in await admin.ask("list_groups", broker)
            ]
            tell(table([("group", "state", "protocol", "coordinator"), *sorted(rows)]))
            return
        group: GroupDescription = await admin.ask("describe_group", name)
        committed: dict[TopicPartition, int] = await admin.ask("group_offsets", name)
        if group.state == DEAD and not committed:
            where = ",".join(servers)
            raise NotThere(
                f"there is no group {name!r}; `python -m kafkalite groups --bootstrap {where}` lists those there are"
            )
        await _describe(admin, group, committed, tell)


async def _describe(
    admin: AdminClient, group: GroupDescription, committed: dict[TopicPartition, int], tell: Tell
) -> None:
    tell(f"{group.group}: {group.state}, {len(group.members)} members, assigned by {group.strategy or 'nobody'}")
    members = [(one.member, one.instance or "-", one.client_host, len(one.partitions)) for one in group.members]
    if members:
        tell("\n" + table([("member", "instance", "host", "partitions"), *members]))
    readers = {partition: one.member for one in group.members for partition in one.partitions}
    rows = []
    for partition in sorted({*readers, *committed}):
        try:
            start, end = await _offset(admin, partition, EARLIEST), await _offset(admin, partition, LATEST)
        except (RequestFailed, NotThere):  # the topic is gone, or nobody leads it
            start = end = -1
        at = committed.get(partition)
        lag = end - (start if at is None else at)
        known = (end, lag) if end >= 0 else ("-", "-")
        rows.append((*partition, "-" if at is None else at, *known, readers.get(partition, "-")))
    if rows:
        tell("\n" + table([("topic", "partition", "committed", "end", "lag", "read by"), *rows]))


# Records --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: `start` is an offset, "earliest" or "latest"."""

    topic: str
    partition: int | None = None
    start: str | int = "earliest"
    count: int | None = None
    is_followed: bool = False


async def read(servers: Sequence[str], timeout_s: float, wanted: Wanted, tell: Tell) -> None:
    """Records, partition by partition in order, until those that are there now are read; or for ever."""
    async with AdminClient(servers, timeout_s) as admin:
        partitions = sorted((await _topic(admin, wanted.topic)).partitions)
        if wanted.partition is not None and wanted.partition not in partitions:
            raise NotThere(f"{wanted.topic} has partitions 0 to {partitions[-1]}; there is no {wanted.partition}")
        chosen = partitions if wanted.partition is None else [wanted.partition]
        starts, ends = {}, {}
        for partition in ((wanted.topic, index) for index in chosen):
            first, end = await _offset(admin, partition, EARLIEST), await _offset(admin, partition, LATEST)
            starts[partition] = _start_in(partition, wanted.start, first, end)
            ends[partition] = end
    left = wanted.count
    async with RecordStream(servers, timeout_s) as stream:
        async for one in stream.read(starts, None if wanted.is_followed else ends):
            tell(f"{one.partition}\t{one.offset}\t{_text(one.key)}\t{_text(one.value)}")
            left = None if left is None else left - 1
            if left == 0:
                break


def _start_in(partition: TopicPartition, start: str | int, first: int, end: int) -> int:
    if isinstance(start, str):
        return first if start == "earliest" else end
    if not first <= start <= end:
        topic, index = partition
        raise NotThere(f"{topic}-{index} has offsets from {first} on and ends at {end}; there is no offset {start}")
    return start


def _text(data: bytes | None) -> str:
    r"""Bytes in one line, without a tab in it.

    >>> _text(b"a\tb"), _text(None), _text(b"\xff")
    ('a\\tb', 'null', '\\xff')
    """
    if data is None:
        return "null"
    text = data.decode(errors="backslashreplace")
    return text.translate({9: "\\t", 10: "\\n", 13: "\\r"})
