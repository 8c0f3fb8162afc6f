"""A reference that loses points: it forgets that the high watermark never goes back."""

from __future__ import annotations


def high_watermark(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """The least end of the maximal ISR."""
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return min(end_offsets[replica] for replica in maximal_isr)
