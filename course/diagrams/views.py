"""What the pictures of a topic and its clients are told: plain facts of one moment, nothing about drawing.

A chapter folds a trace into these. Every text may be a learner's output, every number a learner's mistake: a position
beyond the end, or below zero, is drawn as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LEAVES, ARRIVES = 0.2, 0.8  # `progress` of a message about which no more is known


class FlightKind(StrEnum):
    """What a message in flight is."""

    PRODUCE = "produce"
    FETCH = "fetch"
    REPLY = "reply"
    ERROR = "error"


class SinkState(StrEnum):
    """What a sink of the hub is doing."""

    IDLE = "idle"
    BUSY = "busy"
    FROZEN = "frozen"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class WriterView:
    """A producer: its name, and a few words on what it is doing."""

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class CursorView:
    """A reader of the log.

    position  the next offset it will read
    wants     the offsets it asks for, [from, to)
    lag       how many records it has yet to read; None if it does not say
    state     a few words: "polling", "asleep"
    """

    name: str
    position: int
    wants: tuple[int, int] | None = None
    lag: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class SinkView:
    """A system that the hub delivers to.

    position       the next offset it is owed
    holding        the offsets it is working on, [from, to)
    busy_until_ms  when it will be done, where that is known
    """

    name: str
    position: int
    state: SinkState = SinkState.IDLE
    holding: tuple[int, int] | None = None
    busy_until_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FlightView:
    """A message between a client and the topic.

    src, dst  names; one of them a writer, a reader or a sink of the picture, the other may be anything (the broker)
    progress  how far it has come, from 0 to 1; `LEAVES` or `ARRIVES` where no more is known
    """

    src: str
    dst: str
    label: str
    kind: FlightKind
    progress: float = LEAVES


@dataclass(frozen=True, slots=True)
class LogLaneView:
    """A topic with one partition, who writes to it, and who reads it.

    start, end  the log holds the offsets [start, end); `end` is the next to be written
    values      what the records say: by offset, or in order from `start`
    note        a sentence under the picture
    """

    topic: str
    start: int
    end: int
    values: Mapping[int, str] | tuple[str, ...] = field(default_factory=dict)
    cursors: tuple[CursorView, ...] = ()
    writers: tuple[WriterView, ...] = ()
    flights: tuple[FlightView, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class HubLaneView:
    """A topic between sources and sinks, in place of a pipe from each to each; see `LogLaneView`."""

    topic: str
    start: int
    end: int
    values: Mapping[int, str] | tuple[str, ...] = field(default_factory=dict)
    sinks: tuple[SinkView, ...] = ()
    sources: tuple[WriterView, ...] = ()
    flights: tuple[FlightView, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PipesView:
    """Systems that make data and systems that want it, before and after there is a topic between them."""

    sources: tuple[str, ...]
    sinks: tuple[str, ...]
    topic: str
