"""How long to wait before trying again: longer each time, and never at the same moment as everyone else.

Source: ExponentialBackoff (KIP-580).
"""

from __future__ import annotations

JITTER = 0.2  # a hundred clients of a broker that comes back must not come back together


def backoff_ms(failures: int, least_ms: float, most_ms: float, draw: float) -> float:
    """The wait after so many failures in a row, from 1; `draw` is a fresh random number, 0 <= draw < 1.

    >>> [backoff_ms(failures, 100, 1000, draw=0.5) for failures in (1, 2, 3, 9)]
    [100.0, 200.0, 400.0, 1000.0]
    """
    waited_ms: float = min(most_ms, least_ms * 2.0 ** min(failures - 1, 30))
    return waited_ms * (1 - JITTER + 2 * JITTER * draw)
