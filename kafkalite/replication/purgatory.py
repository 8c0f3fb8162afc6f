"""Where requests wait: a produce for its acknowledgements, a fetch for bytes, for an offset or until their time is up.

    parked      under every partition it waits for
    checked     in the same step in which one of them changed; if it is ready, it is answered in that step
    timed out   answered with what there is then
    dropped     when its connection is gone: there is nobody to answer

One timer serves all that is parked. It is not set again when something leaves early; it then finds nothing to do.

Source: Kafka's DelayedOperationPurgatory. Left out: the timing wheel; what is parked is in the thousands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Protocol

from kafkalite.node import Component, Node
from kafkalite.types import NodeName, TopicPartition

EARLY_MS = 0.001  # a timer that fires by a rounding error too early is on time
STALE_MAX = 1000  # deadlines kept of what has left already, before they are thrown away


class Parked(Protocol):
    """A request that waits."""

    peer: NodeName

    def is_ready(self) -> bool:
        """Whether it can be answered now: what it waits for is there, or never will be."""
        ...

    def finish(self) -> None:
        """Answer it with what there is. Called once."""
        ...


class Purgatory(Component):
    """The requests of one kind that wait."""

    def __init__(self, node: Node, label: str) -> None:
        super().__init__(node, label)
        self._parked: dict[int, tuple[Parked, tuple[TopicPartition, ...]]] = {}
        self._under: dict[TopicPartition, dict[int, Parked]] = {}
        self._deadlines: list[tuple[float, int]] = []  # a heap; also of some that have left
        self._timer_ms = float("inf")
        self._serial = 0

    def __len__(self) -> int:
        return len(self._parked)

    def park(self, request: Parked, partitions: Iterable[TopicPartition], wait_ms: float) -> None:
        """Let a request wait, at most so long; whoever parks it has seen that it is not ready."""
        self._serial = serial = self._serial + 1
        keys = tuple(partitions)
        self._parked[serial] = request, keys
        for key in keys:
            self._under.setdefault(key, {})[serial] = request
        if len(self._deadlines) > STALE_MAX + 2 * len(self._parked):
            self._deadlines = [one for one in self._deadlines if one[1] in self._parked]
            heapify(self._deadlines)
        deadline_ms = self.node.now_ms + wait_ms
        heappush(self._deadlines, (deadline_ms, serial))
        self._set_timer(deadline_ms)

    def check(self, partition: TopicPartition) -> None:
        """Something about the partition has changed: answer what is ready now."""
        waiting = self._under.get(partition)
        if waiting:
            for serial in [serial for serial, request in waiting.items() if request.is_ready()]:
                self._release(serial)

    def on_expire(self) -> None:
        self._timer_ms = float("inf")
        due_ms = self.node.now_ms + EARLY_MS
        while self._deadlines and (self._deadlines[0][0] <= due_ms or self._deadlines[0][1] not in self._parked):
            self._release(heappop(self._deadlines)[1])
        if self._deadlines:
            self._set_timer(self._deadlines[0][0])

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        for serial in [serial for serial, (request, _) in self._parked.items() if request.peer == peer]:
            self._forget(serial)

    def _release(self, serial: int) -> None:
        request = self._forget(serial)
        if request is not None:
            request.finish()

    def _forget(self, serial: int) -> Parked | None:
        request, keys = self._parked.pop(serial, (None, ()))
        for key in keys:
            waiting = self._under[key]
            del waiting[serial]
            if not waiting:
                del self._under[key]
        return request

    def _set_timer(self, deadline_ms: float) -> None:
        if deadline_ms < self._timer_ms:
            self._timer_ms = deadline_ms
            self.set_timer("expire", deadline_ms - self.node.now_ms)


class Purgatories:
    """The three places to wait in."""

    def __init__(self, node: Node) -> None:
        self.acks = Purgatory(node, "acks")  # produce requests, for the high watermark
        self.fetches = Purgatory(node, "fetches")  # for bytes, or for the watermark to uncover them
        self.deletes = Purgatory(node, "deletes")  # DeleteRecords, for the log start of every live replica

    def check(self, partition: TopicPartition) -> None:
        """Whatever waits for the partition may be ready: its watermark moved, or it is led from elsewhere now."""
        self.acks.check(partition)
        self.fetches.check(partition)
        self.deletes.check(partition)
