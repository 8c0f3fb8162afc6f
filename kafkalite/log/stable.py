"""Up to where nothing is open: what a reader that wants only committed transactions may see.

    offset   0    1    2    3    4    5    6
             a    T1   b    T2   C1   c    T2       T1, T2: records of transactions; C1: the marker that commits T1
                            ^ last stable offset 3: T2 is open, so nobody knows whether 3 counts

A marker counts once it is below the high watermark: until then it may be lost, and with it the decision's place here.

Source: Kafka's UnifiedLog.fetchLastStableOffsetMetadata, ProducerStateManager.firstUnstableOffset; KIP-98.
"""

from __future__ import annotations


def last_stable_offset(transactions: list[tuple[int, int | None]], high_watermark: int) -> int:
    """The first offset of a transaction that is not decided below the high watermark; the watermark if there is none.

    `transactions` are pairs of a first offset and the marker's, None for one that is open.

    >>> last_stable_offset([(1, 4), (3, None)], high_watermark=7)
    3
    >>> last_stable_offset([(1, 4)], 4), last_stable_offset([(1, 4)], 5), last_stable_offset([(8, None)], 5)
    (1, 5, 5)
    """
    undecided = [first for first, marker in transactions if marker is None or marker >= high_watermark]
    return min([*undecided, high_watermark])
