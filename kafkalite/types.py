"""The words parts speak: frozen values that cross between a part and its cluster, and over a pipe, unchanged.

Every dataclass here is plain data (see `kafkalite.plain`). Left out: messages on the wire (`protocol`), and what
nodes announce (`facts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

Offset = int  # a place in one partition: of a record, or of the next record to be written
NodeName = str


@dataclass(frozen=True, slots=True)
class Published:
    """A source put a value into the topic."""

    value: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A sink connected, or connected again: it has nothing in hand, and wants every value from `offset` on."""

    sink: str
    offset: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A sink has finished what it was handed last and can take more."""

    sink: str


@dataclass(frozen=True, slots=True)
class Left:
    """A sink's connection is gone. What it was handed last may or may not have arrived."""

    sink: str


@dataclass(frozen=True, slots=True)
class Hand:
    """Hand `values`, the first of them at `offset`, to one sink."""

    sink: str
    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """All a topic knows: its values, each sink's next offset, and the sinks that wait for something to do.

    A sink is in `positions` while it is subscribed, and in `idle` while it has nothing in hand.
    """

    values: tuple[str, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
