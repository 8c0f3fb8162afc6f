"""Faults a run can be given, as values: a schedule of them is data, so a run can be replayed from its seed.

Left out until the cluster needs them: crash and restart, loss of power, clock skew, full disks, one-way cuts.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class BreakConnection:
    """Break the connection of two nodes once. Both are told; what was under way may or may not have arrived."""

    one: NodeName
    other: NodeName


@dataclass(frozen=True, slots=True)
class SlowLink:
    """Messages from `source` to `to` take `factor` times as long, from now on."""

    source: NodeName
    to: NodeName
    factor: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """The node does nothing for `for_ms`, like a long garbage collection; then it meets everything that waited."""

    node: NodeName
    for_ms: float


Fault = BreakConnection | SlowLink | Freeze
