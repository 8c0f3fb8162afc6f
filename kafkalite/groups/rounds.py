"""The two rounds of a rebalance: members join, then they sync. Who waits already, who is missing, until when.

    joining   all that are known have their rebalance timeout to ask again
    syncing   each asks what is its own; the leader brings the answer; the same timeout again

A group that was empty does not know whom to expect. It waits `initial_rebalance_delay_ms` first, and as long again
whenever somebody came meanwhile, but never longer than the members' rebalance timeout: or a hundred members that start
together would make a hundred generations.

Source: Kafka's InitialDelayedJoin, DelayedJoin, DelayedSync.
"""

from __future__ import annotations

NEVER_MS = float("inf")


class JoinRound:
    """One round of joining; `waiting` are the members that have asked, each with its ticket."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.until_ms = NEVER_MS
        self.is_first = False  # of a group that was empty: it ends by time alone
        self.has_grown = False
        self._delay_ms = self._extension_ms = 0.0

    def begin(self, now_ms: float, timeout_ms: float) -> None:
        """Wait for the members that are known."""
        self.is_first = False
        self.until_ms = now_ms + timeout_ms

    def begin_first(self, now_ms: float, timeout_ms: float, delay_ms: float) -> None:
        """Wait for members that nobody knows yet."""
        self.is_first, self.has_grown = True, False
        self._delay_ms, self._extension_ms = delay_ms, max(timeout_ms - delay_ms, 0.0)
        self.until_ms = now_ms + delay_ms

    def is_over(self, now_ms: float) -> bool:
        """Whether time is up; if somebody came while a first round lasted, it goes on."""
        if now_ms < self.until_ms:
            return False
        if not (self.is_first and self.has_grown and self._extension_ms > 0):
            return True
        delay_ms = min(self._delay_ms, self._extension_ms)
        self.has_grown = False
        self._extension_ms -= delay_ms
        self.until_ms = now_ms + delay_ms
        return False

    def end(self) -> None:
        """It is over."""
        self.until_ms, self.is_first = NEVER_MS, False


class SyncRound:
    """The round of syncing; `waiting` are the members that have asked, each with its ticket."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.until_ms = NEVER_MS
        self.store = 0  # number of the StoreGroup that has what the leader assigned; 0: it has not
        self.assignments: dict[str, bytes] = {}
        self._missing: dict[str, None] = {}

    def begin(self, members: list[str], until_ms: float) -> None:
        """Expect these."""
        self.until_ms = until_ms
        self._missing = dict.fromkeys(members)

    def came(self, member: str) -> None:
        """It has asked, or will not any more."""
        self._missing.pop(member, None)
        if not self._missing:
            self.until_ms = NEVER_MS

    def rename(self, old: str, new: str) -> None:
        """A static member that is missing goes by another id now."""
        if old in self._missing:
            del self._missing[old]
            self._missing[new] = None

    def missing(self, now_ms: float) -> list[str]:
        """Who has not asked although time is up."""
        return list(self._missing) if self.until_ms <= now_ms else []

    def forget(self) -> None:
        """What the leader assigned, or would have, counts no more."""
        self.store, self.assignments = 0, {}
        self._missing = {}
        self.until_ms = NEVER_MS
