"""A consumer of the smallest broker: ask where the log begins and ends, let the cursor choose, fetch, process, repeat.

Its place in the log is its own; the broker keeps nothing of it. That is why any number of readers share one log, and
why a slow one holds nobody up. Left out: groups and committed offsets (chapters 8 and 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.facts import PartFailed, ReaderMoved, ReaderSought, RecordsProcessed
from kafkalite.node import Node
from kafkalite.parts import CursorPart, Parts
from kafkalite.protocol import one_partition as wire
from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class Habits:
    """How a reader behaves: its pace, how much it takes at once, and when it seeks where."""

    position: int = 0
    max_records: int = 3
    poll_every_ms: float = 10
    work_ms: float = 0  # processing time of one value
    seeks: tuple[tuple[int, int], ...] = ()  # (after that many polls, go to this offset)
    polls_max: int = 40


class Reader(Node):
    """Polls until its habits say enough. Invariant: it never has more than one request without an answer."""

    def __init__(self, name: NodeName, broker: NodeName, parts: Parts, habits: Habits) -> None:
        super().__init__(name)
        self.broker, self.habits, self.polls = broker, habits, 0
        self._parts = parts
        self._cursor: CursorPart | None = None
        self._range = (0, 0)
        self._end = 0

    def on_start(self) -> None:
        try:
            self._cursor = self._parts.cursor(self.habits.position)
        except Exception as error:  # noqa: BLE001 - a part may raise anything; the others must go on
            self._fail(error)
            return
        self.set_timer("poll", self.habits.poll_every_ms)

    def on_poll(self) -> None:
        if self.polls < self.habits.polls_max:
            self.request(self.broker, wire.ListOffsetsRequest())

    def on_list_offsets_response(
        self, source: NodeName, response: wire.ListOffsetsResponse, request: wire.ListOffsetsRequest
    ) -> None:
        self.polls += 1
        if response.error is not ErrorCode.NONE:
            self._wait()
            return
        assert self._cursor is not None, "a reader without a cursor never polls"
        try:
            for after, offset in self.habits.seeks:
                if after == self.polls:
                    self._cursor.seek(offset)
                    self.note(ReaderSought(offset, self._cursor.lag(response.latest)))
            self._range = self._cursor.poll(response.earliest, response.latest, self.habits.max_records)
            lag = self._cursor.lag(response.latest)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            self._wait()
            return
        self._end = response.latest
        self.note(ReaderMoved(self._range[1], response.latest, lag))
        if self._range[0] < self._range[1]:
            self.request(self.broker, wire.FetchRequest(self._range[0], self._range[1] - self._range[0]))
        else:
            self._wait()

    def on_fetch_response(self, source: NodeName, response: wire.FetchResponse, request: wire.FetchRequest) -> None:
        if response.values:
            self.note(RecordsProcessed(request.fetch_offset, response.values))
        self._wait(self.habits.work_ms * len(response.values))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if requests:
            self._wait()

    def _wait(self, work_ms: float = 0) -> None:
        self.set_timer("poll", self.habits.poll_every_ms + work_ms)

    def _fail(self, error: Exception) -> None:
        self.note(PartFailed("cursor", f"{type(error).__name__}: {error}"))
