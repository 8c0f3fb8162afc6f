"""The high watermark's rule: which records can no longer be lost, so that consumers may see them.

Source: Partition.maybeIncrementLeaderHW in Apache Kafka 3.7 (KAFKA-15583, KIP-497). Left out: who may join the ISR,
see `isr`.
"""

from __future__ import annotations


def high_watermark(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """The first offset that some replica of the maximal ISR does not have yet; it never retreats.

    `end_offsets` has the log end offset of every replica, by broker id. While the committed `isr` has fewer members
    than `min(min_isr, replication factor)`, the watermark stays where it was.

    >>> high_watermark({1: 5, 2: 3, 3: 9}, frozenset({1, 2}), frozenset({1, 2}), previous=2, min_isr=1)
    3
    """
    # offset    0   1   2   3   4
    # leader 1  a   b   c   d   e     end 5
    # broker 2  a   b   c   .   .     end 3  ->  high watermark 3: d and e may still be lost
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return max(previous, min(end_offsets[replica] for replica in maximal_isr))


def readable_end(log_end: int, high_watermark: int) -> int:
    """A consumer may read what lies below this offset, whatever `acks` it was written with.

    What the leader has above the watermark may be lost with the leader; a consumer that had seen it would have seen
    what never was. A replica may also hear of a watermark before it has the records.

    >>> readable_end(log_end=5, high_watermark=3)
    3
    """
    return min(log_end, high_watermark)
