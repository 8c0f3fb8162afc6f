"""The stage of `high_watermark`: one partition's replicas as they go on, fall behind, join and leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from course.checks.plug import Plug, Returned
from kafkalite.sim.simulator import Step


@dataclass(frozen=True, slots=True)
class PartitionState:
    """How a partition stands when its leader asks for the high watermark: ends by broker id, and who is in sync."""

    end_offsets: tuple[tuple[int, int], ...]
    isr: frozenset[int]
    maximal_isr: frozenset[int]


@dataclass(frozen=True, slots=True)
class PartitionCase:
    """States of one partition, one after another. Each is asked with the high watermark of the one before."""

    name: str
    states: tuple[PartitionState, ...]
    min_isr: int = 1
    high_watermark: int = 0


def play_partition(case: PartitionCase, plug: Plug) -> Sequence[Step]:
    """Ask the answer after every state. What it says becomes `previous`, unless it says nothing usable."""
    previous = case.high_watermark
    for state in case.states:
        previous = _ask(plug, state, previous, case.min_isr)
    return ()


def _ask(plug: Plug, state: PartitionState, previous: int, min_isr: int) -> int:
    try:
        plug(dict(state.end_offsets), state.isr, state.maximal_isr, previous, min_isr)
    except Exception:  # noqa: BLE001 - an answer may raise anything; the call is recorded and the partition goes on
        return previous
    outcome: Any = plug.calls[-1].outcome
    return outcome.value if isinstance(outcome, Returned) else previous
