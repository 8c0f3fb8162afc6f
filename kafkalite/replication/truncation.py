"""How far a follower must go back before it may copy from a leader: to where their histories part, found by epochs.

The high watermark is no guide: a follower's lags behind its leader's, so what it would cut off may be committed, and
what it would keep may differ (KIP-101).

    offset     0   1   2   3   4   5                        epoch and offset it began at
    leader     a1  b1  c2  d2  e4                           (1, 0) (2, 2) (4, 4)
    follower   a1  b1  x3  y3  z3                           (1, 0) (3, 2)

    asks "where does 3 end?"      leader: "the last I know up to 3 is 2, it ends at 4"
    The follower never saw epoch 2, so all it has above its own epoch 1 is wrong: it goes back to 2, and asks about 1.
    Stopping at 4, as before KIP-279, would keep x3 and y3 where the leader has c2 and d2.

Source: Kafka's AbstractFetcherThread.getOffsetTruncationState; KIP-101, KIP-279.
"""

from __future__ import annotations


def truncate_to(
    follower_epochs: list[tuple[int, int]], follower_end: int, leader_answer: tuple[int, int]
) -> tuple[int, bool]:
    """The offset to truncate to, and whether that is all; if it is not, ask the leader about the last epoch left.

    `follower_epochs` are pairs of an epoch and the offset it began at, rising. `leader_answer` is the largest epoch
    the leader knows, up to the one it was asked about, and the offset where that epoch ends.

    >>> truncate_to([(1, 0), (3, 2)], follower_end=5, leader_answer=(2, 4))
    (2, False)
    >>> truncate_to([(1, 0)], follower_end=2, leader_answer=(1, 2))
    (2, True)
    """
    leader_epoch, leader_end = leader_answer
    own_epoch = max((epoch for epoch, _ in follower_epochs if epoch <= leader_epoch), default=leader_epoch)
    own_end = min((start for epoch, start in follower_epochs if epoch > leader_epoch), default=follower_end)
    if own_epoch != leader_epoch:
        return own_end, False
    return min(own_end, leader_end), True
