"""A reference that is right, and needs what the box does not offer; it shows only when it is called."""

from __future__ import annotations


def high_watermark(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """The high watermark."""
    import os  # noqa: PLC0415 - the point of it

    os.getpid()
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return max(previous, min(end_offsets[replica] for replica in maximal_isr))
