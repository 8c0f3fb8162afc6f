"""A reference with something of every kind that mutants change."""

from __future__ import annotations


def changed(a: int, b: int, c: bool, d: list[int]) -> int:
    """Nothing sensible."""
    if a < b and not c:
        a += 1
    b = min(a, b)
    d = sorted(d)[a : len(d)]
    d.insert(a, b)
    for one in d:
        if one == a:
            break
    else:
        raise ValueError(a + b)
    return a
