"""CRC32C (Castagnoli), the checksum of a record batch: how a torn or flipped batch is told from a whole one.

Python's `zlib.crc32` is another polynomial, so this is a table of our own, which takes two bytes at a step. The driver
for sockets (kafkalite.net.checksums) gives an accelerated one to `use`, if the `crc32c` package is installed: that is a
thousand times faster.

In a simulation all who look at a batch live in one process: its producer, its leader, each follower and each reader ask
for the sum of the same bytes within moments. So the sums of short data that were asked for last are remembered.

Source: RFC 3720, appendix B.4; the reflected polynomial is 0x82F63B78.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import lru_cache

from kafkalite.storage import Buffer

POLYNOMIAL = 0x82F63B78

SHORT_BYTES = 1024  # up to this, a sum is remembered,
REMEMBERED = 4096  # and so many are

_table = array("L")


def crc32c_by_table(data: Buffer) -> int:
    """The CRC32C of `data`.

    >>> hex(crc32c_by_table(b"123456789"))
    '0xe3069283'
    """
    return _of_short(bytes(data)) if len(data) <= SHORT_BYTES else _of(data)


def _of(data: Buffer) -> int:
    table = _table or _fill_table()
    view = memoryview(data)
    even = len(view) & ~1
    pairs = array("H", bytes(view[:even]))
    if sys.byteorder == "big":
        pairs.byteswap()
    crc = 0xFFFFFFFF
    for pair in pairs:
        crc = table[(crc ^ pair) & 0xFFFF] ^ (crc >> 16)
    if even < len(view):
        # A lone byte is a step of eight bits: the same table, entered as if the other eight bits were shifted out.
        crc = table[((crc ^ view[even]) & 0xFF) << 8] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


_of_short = lru_cache(REMEMBERED)(_of)


def _fill_table() -> array[int]:
    for index in range(1 << 16):
        crc = index
        for _ in range(16):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        _table.append(crc)
    return _table


_chosen: Callable[[Buffer], int] = crc32c_by_table


def use(function: Callable[[Buffer], int]) -> None:
    """Compute with `function` from now on, in the whole process. It must be CRC32C: a known value is asked of it."""
    global _chosen  # noqa: PLW0603 - one slot for the process, filled before anything runs
    if (found := function(b"123456789")) != 0xE3069283:
        raise ValueError(f"{function!r} is not CRC32C: it says {found:#x} of b'123456789'; expected 0xe3069283")
    _chosen = function


def crc32c(data: Buffer) -> int:
    """The CRC32C of `data`, by the fastest means there is."""
    return _chosen(data)
