"""Memory that the system has at hand when something is timed, whoever then uses it.

A machine that is a guest gives memory that was free for some seconds back to its host, and gets it again page by page,
at first use. That costs ten times what it costs to write to it. Who writes files meets this with every page; who goes
round in the same few megabytes never does: so what is compared would be the host, and not what is served. Here some
memory is held and in use all the time, and is let go just before something is timed: it is what the system then gives.

Where no host takes memory back this changes nothing. Left out: what a cold page costs; `bench_net` says that.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

PAGE_BYTES = mmap.PAGESIZE
SHARE = 4  # at most one part in so many of all the memory there is


class WarmMemory:
    """So many MB, held but for the moments when something is timed."""

    def __init__(self, mb: int) -> None:
        self._pages = min(mb * 1_000_000 // PAGE_BYTES, os.sysconf("SC_PHYS_PAGES") // SHARE)
        self._held = mmap.mmap(-1, self._pages * PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Pages of 2 MB come and go faster, and are not mixed with what the host has taken.
        self._held.madvise(mmap.MADV_HUGEPAGE)
        self._take()

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """Let others have it, as long as this lasts."""
        self._held.madvise(mmap.MADV_DONTNEED)
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._held[::PAGE_BYTES] = bytes(self._pages)  # a page is there once it was written to
