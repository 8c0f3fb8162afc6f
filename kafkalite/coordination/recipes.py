"""Elections made of znodes: what a candidate does next, decided from what it has read. Pure functions; no recipe asks.

The race (Kafka's /controller): everybody tries to create one ephemeral znode and watches it. Simple, and its winner is
nobody's choice; when it goes, all are told, and all race again: a *herd*.

    /controller  101            102, 103, 104 watch it

The line: everybody creates an ephemeral sequential znode and watches only the one before its own. When one goes, one
other is told.

    /line/c-0000000004          who is first leads
    /line/c-0000000005          watches ...4
    /line/c-0000000007          watches ...5

Either way a candidate whose connection broke while it created does not know whether it did. It reads, and recognises
its own: by the session that owns it, or by a mark in its name.

Left out: locks, barriers and queues, which are made the same way. Source: ZooKeeper's recipes; Kafka's
KafkaController.elect; Curator's protected creations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

RACE, LEAD, WATCH, JOIN = "RACE", "LEAD", "WATCH", "JOIN"


class Step(NamedTuple):
    """What a candidate does next: RACE or JOIN (create its znode), LEAD, or WATCH this path."""

    action: str
    path: str = ""


def race(path: str, owner: int, me: int) -> Step:
    """What to do who has read that the znode belongs to session `owner` (0: it is not there), and is session `me`.

    >>> race("/controller", 0, me=7), race("/controller", 7, me=7), race("/controller", 8, me=7)
    (Step(action='RACE', path='/controller'), Step(action='LEAD', path=''), Step(action='WATCH', path='/controller'))
    """
    if not owner:
        return Step(RACE, path)
    return Step(LEAD) if owner == me else Step(WATCH, path)


def stand_in_line(path: str, children: Iterable[str], mark: str) -> Step:
    """What to do who has read these children of `path`, and put `mark` before the number in its own one's name.

    >>> stand_in_line("/line", ["b-0000000005", "a-0000000004"], mark="b-")
    Step(action='WATCH', path='/line/a-0000000004')
    >>> stand_in_line("/line", ["b-0000000005"], mark="b-"), stand_in_line("/line", [], mark="b-")
    (Step(action='LEAD', path=''), Step(action='JOIN', path='/line/b-'))
    """
    line = sorted(children, key=number_of)
    mine = next((place for place, name in enumerate(line) if name.startswith(mark)), None)
    if mine is None:
        return Step(JOIN, f"{path}/{mark}")
    return Step(WATCH, f"{path}/{line[mine - 1]}") if mine else Step(LEAD)


def number_of(name: str) -> int:
    """The number that ZooKeeper put behind a sequential znode's name.

    >>> number_of("c-0000000012")
    12
    """
    return int(name[-10:])
