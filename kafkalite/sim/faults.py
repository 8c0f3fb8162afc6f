"""Faults a run can be given, as values: a schedule of them is data, so a run can be replayed from its seed."""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class BreakConnection:
    """Break all connections of two nodes once. Both are told; what was under way may or may not have arrived."""

    one: NodeName
    other: NodeName


@dataclass(frozen=True, slots=True)
class SlowLink:
    """Messages from `source` to `to` take `factor` times as long, from now on; 1 heals it."""

    source: NodeName
    to: NodeName
    factor: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing goes from `source` to `to` for `for_ms`; what is sent meanwhile arrives then, if still wanted."""

    source: NodeName
    to: NodeName
    for_ms: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """The node does nothing for `for_ms`, like a long garbage collection; then it meets everything that waited."""

    node: NodeName
    for_ms: float


@dataclass(frozen=True, slots=True)
class Kill:
    """The process dies: its memory is gone, its files are as it wrote them, its connections are closed."""

    node: NodeName


@dataclass(frozen=True, slots=True)
class KillAfter:
    """The process dies when it has sent so many more messages, and is about to send the next."""

    node: NodeName
    messages: int


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """The machine dies: files keep what was synced and perhaps some of the rest, and nobody is told."""

    node: NodeName


@dataclass(frozen=True, slots=True)
class LoseDisk:
    """The machine dies and its disk with it: the node comes back with nothing."""

    node: NodeName


@dataclass(frozen=True, slots=True)
class Restart:
    """A dead node begins again, on the storage it left. One that lives is left alone."""

    node: NodeName


@dataclass(frozen=True, slots=True)
class SkewClock:
    """The node's wall clock jumps, forward or back; its timers do not."""

    node: NodeName
    by_ms: float


@dataclass(frozen=True, slots=True)
class FillDisk:
    """The node's disk has no more than `free_bytes` left, for `for_ms`."""

    node: NodeName
    free_bytes: int
    for_ms: float


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """The node's syncs take `factor` times as long, from now on; 1 heals it."""

    node: NodeName
    factor: float


Fault = (
    BreakConnection
    | SlowLink
    | Cut
    | Freeze
    | Kill
    | KillAfter
    | PowerLoss
    | LoseDisk
    | Restart
    | SkewClock
    | FillDisk
    | SlowDisk
)
