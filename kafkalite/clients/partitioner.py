"""Which partition a record goes to: the producer decides, so every producer of a topic had better decide alike.

    key given     the same key, the same partition, as long as the topic gets no more partitions
    no key        any partition: stay on one until a batch is full, then draw another (KIP-794)

Staying is what makes batches: a record at a time to each partition in turn (`RoundRobin`, as up to 2.3) makes as many
small batches as there are partitions. Left out: drawing slow brokers less often (the adaptive half of KIP-794), and the
partitioner of 2.4, which drew anew whenever a batch was sent, so that slow partitions got more (KIP-480).

Source: Utils.murmur2, BuiltInPartitioner, RoundRobinPartitioner.
"""

from __future__ import annotations

import struct

_MASK = 0xFFFF_FFFF
_SEED, _M = 0x9747_B28C, 0x5BD1_E995
_WORDS = struct.Struct("<I")


def murmur2(data: bytes) -> int:
    """Kafka's hash of a key: Austin Appleby's MurmurHash2 with Kafka's seed, as a signed 32 bit number like Java's.

    >>> murmur2(b"abc"), murmur2(b"foobar")
    (479470107, -790332482)
    """
    hashed = _SEED ^ len(data)
    whole = len(data) & ~3
    for (word,) in _WORDS.iter_unpack(memoryview(data)[:whole]):
        mixed = word * _M & _MASK
        mixed = (mixed ^ mixed >> 24) * _M & _MASK
        hashed = (hashed * _M & _MASK) ^ mixed
    if whole < len(data):
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    hashed = (hashed ^ hashed >> 13) * _M & _MASK
    hashed ^= hashed >> 15
    return hashed - (1 << 32) if hashed >> 31 else hashed


def partition_for(key: bytes | None, partitions: int) -> int | None:
    """The partition of a key among so many, counted from 0; None for no key: any partition will do.

    An empty key is a key. The sign bit is masked off; `abs` would put half of the keys elsewhere than Java does.

    >>> [partition_for(key, 8) for key in (b"foobar", b"", None)]
    [6, 1, None]
    """
    return None if key is None else (murmur2(key) & 0x7FFF_FFFF) % partitions


class StickyPartitioner:
    """Stays on a partition until `batch_bytes` went there, then draws another: each partition gets as many bytes.

    A record that would go beyond opens the next partition's batch. So a stay is one batch and no crumb behind it;
    Kafka counts afterwards, and waits with the change for a batch to fill.

    >>> sticky = StickyPartitioner(batch_bytes=100)
    >>> [sticky.partition([0, 1, 2, 3], 40, draw) for draw in (0.5, 0.9, 0.9, 0.0)]
    [2, 2, 3, 3]
    """

    def __init__(self, batch_bytes: int) -> None:
        self._batch_bytes = batch_bytes
        self._current = -1
        self._sent_bytes = 0

    def partition(self, available: list[int], size_bytes: int, draw: float, /) -> int:
        """Where the next record without a key goes, which takes so many bytes.

        `available` are the partitions with a leader, of all of them if none has one; `draw` is a fresh random number,
        0 <= draw < 1.
        """
        is_full = self._sent_bytes + size_bytes > self._batch_bytes
        if is_full or self._current not in available:
            self._current, self._sent_bytes = available[int(draw * len(available))], 0
        self._sent_bytes += size_bytes
        return self._current


class RoundRobin:
    """Each record to the next partition: what producers did up to 2.3, and what many still draw on the board.

    >>> robin = RoundRobin(100)
    >>> [robin.partition([0, 1, 2], 40, 0.7) for _ in range(4)]
    [0, 1, 2, 0]
    """

    def __init__(self, batch_bytes: int) -> None:
        self._turn = -1

    def partition(self, available: list[int], size_bytes: int, draw: float, /) -> int:
        """Where the next record without a key goes; as `StickyPartitioner.partition`."""
        self._turn += 1
        return available[self._turn % len(available)]
