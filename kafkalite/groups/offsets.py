"""How far groups have come: the committed offsets, those of transactions still open, and when they are forgotten.

An offset belongs to a group and a partition: two groups on one topic are each as far as they are (C6, M27), and the
data is stored once. It is the next offset to read (M31).

Source: Kafka's GroupMetadata. Left out: transactions of KIP-890.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafkalite.groups.states import State
from kafkalite.types import CommittedOffset, TopicPartition


class Offsets:
    """The bookmarks of all groups of one coordinator.

    >>> offsets = Offsets()
    >>> offsets.commit("dashboard", ("A", 0), CommittedOffset(7))
    >>> offsets.fetch("dashboard", ("A", 0)).offset, offsets.fetch("notify", ("A", 0))
    (7, None)
    """

    def __init__(self) -> None:
        self._committed: dict[str, dict[TopicPartition, CommittedOffset]] = {}

    def commit(self, group: str, partition: TopicPartition, committed: CommittedOffset) -> None:
        """The group is to go on from there."""
        self._committed.setdefault(group, {})[partition] = committed

    def forget(self, group: str, partition: TopicPartition) -> None:
        """The group has no bookmark there."""
        found = self._committed.get(group, {})
        found.pop(partition, None)
        if not found:
            self._committed.pop(group, None)

    def fetch(self, group: str, partition: TopicPartition) -> CommittedOffset | None:
        """Where the group is to go on; None if it never said."""
        return self._committed.get(group, {}).get(partition)

    def partitions(self, group: str) -> list[TopicPartition]:
        """Where the group has bookmarks, in order."""
        return sorted(self._committed.get(group, {}))

    def groups(self) -> list[str]:
        """Which groups have any, in order."""
        return sorted(self._committed)


class PendingOffsets:
    """Offsets that transactions have written and not yet decided (KIP-98); by producer id.

    They count from the marker on, unless something written later counts already.
    """

    def __init__(self) -> None:
        self._pending: dict[int, dict[tuple[str, TopicPartition], tuple[int, CommittedOffset]]] = {}
        self._counts_from: dict[tuple[str, TopicPartition], int] = {}  # where in the log stands what counts now

    def write(self, producer_id: int, group: str, partition: TopicPartition, at: int, one: CommittedOffset) -> None:
        """A transaction wrote this, at that place of the log."""
        self._pending.setdefault(producer_id, {})[group, partition] = at, one

    def counts(self, group: str, partition: TopicPartition, at: int) -> None:
        """What stands at that place of the log counts, without any transaction."""
        self._counts_from[group, partition] = at

    def end(self, producer_id: int, *, is_commit: bool) -> list[tuple[str, TopicPartition, CommittedOffset]]:
        """The transaction is decided; return what counts from now on."""
        found = []
        for key, (at, committed) in self._pending.pop(producer_id, {}).items():
            if is_commit and at > self._counts_from.get(key, -1):
                self._counts_from[key] = at
                found.append((*key, committed))
        return found

    def is_stable(self, group: str, partition: TopicPartition) -> bool:
        """Whether no open transaction is about to move this bookmark (KIP-447)."""
        return not any((group, partition) in written for written in self._pending.values())

    def of_group(self, group: str) -> bool:
        """Whether any open transaction is about to move a bookmark of this group."""
        return any(one == group for written in self._pending.values() for one, _ in written)


def expired(
    committed: Mapping[TopicPartition, CommittedOffset],
    now_ms: int,
    retention_ms: int,
    *,
    state: State = State.EMPTY,
    since_ms: int = -1,
    subscribed: frozenset[str] | None = None,
    is_simple: bool = False,
) -> list[TopicPartition]:
    """Which bookmarks are to be forgotten (KIP-211): nobody has used them for so long.

    A group that has become empty at `since_ms` keeps all until `retention_ms` after that. One that is stable keeps
    those of topics it is subscribed to, however old; others count from their commit. So do all of a group without
    members whose partitions are assigned by hand (`is_simple`).
    """
    if not is_simple and state is not State.EMPTY and (state is not State.STABLE or subscribed is None):
        return []
    is_deserted = not is_simple and state is State.EMPTY
    in_use = frozenset() if is_deserted or is_simple or subscribed is None else subscribed

    def is_expired(one: CommittedOffset) -> bool:
        if one.expire_ms >= 0:
            return now_ms >= one.expire_ms
        return now_ms - (since_ms if is_deserted and since_ms >= 0 else one.commit_ms) >= retention_ms

    return [partition for partition, one in committed.items() if partition[0] not in in_use and is_expired(one)]
