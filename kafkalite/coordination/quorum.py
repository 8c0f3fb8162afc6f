"""How many servers decide. Everything the ensemble promises rests on this one number.

Two majorities of the same servers always share one of them: so what one majority has written down, the next majority
knows, and two leaders cannot both be followed by one.

Left out: weights, groups and observers. Source: ZooKeeper's QuorumMaj, FastLeaderElection (the order of votes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


def quorum(servers: int) -> int:
    """The least number of servers that is more than half of them.

    Four servers survive one failure, as three do: the fourth only adds one that has to agree.

    >>> [(servers, quorum(servers), servers - quorum(servers)) for servers in (1, 2, 3, 4, 5)]
    [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2)]
    """
    return servers // 2 + 1


def committed_zxid(acknowledged: Iterable[int], needed: int) -> int:
    """The last change that `needed` servers have on their disks; -1 if there are not so many servers.

    Each server is named by the last change it has acknowledged; it has all those before it, too.

    >>> committed_zxid([7, 5, 9], needed=2)
    7
    """
    ranked = sorted(acknowledged, reverse=True)
    return ranked[needed - 1] if len(ranked) >= needed else -1


class Vote(NamedTuple):
    """For a server, and why: compared from left to right."""

    epoch: int  # of the leader whose history it has
    zxid: int  # where that history ends
    server: int  # its place in the ensemble


def elected(votes: Mapping[int, Vote], needed: int) -> Vote | None:
    """The vote that `needed` servers have cast, if any; `votes[i]` is what server i votes for.

    >>> elected({0: Vote(1, 7, 2), 1: Vote(1, 5, 1), 2: Vote(1, 7, 2)}, needed=2)
    Vote(epoch=1, zxid=7, server=2)
    """
    cast = list(votes.values())
    return next((vote for vote in sorted(set(cast), reverse=True) if cast.count(vote) >= needed), None)
