"""How far a follower goes back, on the examples of the KIPs and on drawn histories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.log.epochs import Epochs, EpochStart, end_offset_for, truncated_from_end
from kafkalite.replication.truncation import truncate_to

History = list[tuple[int, int]]  # of each offset: the epoch it was written in, and what was written


@pytest.mark.parametrize(
    ("follower_epochs", "follower_end", "leader_answer", "expected"),
    [
        ([(0, 0)], 2, (0, 2), (2, True)),  # KIP-101, scenario 1: what the watermark had not reached is kept
        ([(0, 0), (1, 1)], 2, (0, 1), (1, True)),  # KIP-101, scenario 2: its epoch 1 was nobody else's
        ([(1, 0), (3, 2)], 5, (2, 4), (2, False)),  # KIP-279: the answer is an epoch it never saw
        ([(1, 0)], 2, (1, 2), (2, True)),  # ... and its second question
        ([(1, 0), (3, 2), (4, 3)], 5, (2, 9), (2, False)),  # two epochs that the leader does not know
        ([(2, 0)], 3, (2, 9), (3, True)),  # the leader has more of the same epoch
        ([(5, 10)], 20, (3, 10), (10, True)),  # all it has came later than what the leader remembers
        ([(5, 10)], 20, (3, 4), (4, True)),  # ... and begins above it: its log is emptied
    ],
)
def test_a_follower_goes_back_to_where_the_histories_part(
    follower_epochs: list[tuple[int, int]],
    follower_end: int,
    leader_answer: tuple[int, int],
    expected: tuple[int, bool],
) -> None:
    """R4."""
    assert expected == truncate_to(follower_epochs, follower_end, leader_answer)


def epochs_of(history: History) -> Epochs:
    starts: dict[int, int] = {}
    for offset, (epoch, _) in enumerate(history):
        starts.setdefault(epoch, offset)
    return tuple(EpochStart(*one) for one in starts.items())


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, History]:
    """Two logs as leaders and crashes leave them: of one epoch, all who have a record at an offset have the same."""
    logs: list[History] = [[], [], []]
    for epoch in range(draw(st.integers(1, 6))):
        leader = draw(st.integers(0, 2))
        for n in range(draw(st.integers(0, 3))):
            logs[leader].append((epoch, n))
        for follower in range(3):
            if follower != leader and draw(st.booleans()):
                common = agreed(logs[follower], logs[leader])
                copied = draw(st.integers(common, len(logs[leader])))
                logs[follower] = logs[leader][:copied]
    return logs[0], logs[1]


def agreed(one: History, other: History) -> int:
    """How many records from the beginning on are the same."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@given(histories())
def test_after_truncation_the_follower_has_nothing_that_the_leader_has_not_and_lost_nothing_else(
    drawn: tuple[History, History],
) -> None:
    """R4: KIP-101 and KIP-279 on logs that up to six leaders wrote."""
    leader, follower = drawn
    epochs, end = epochs_of(follower), len(follower)
    for _round in range(10):
        if not epochs:
            break
        answer = end_offset_for((*epochs_of(leader), EpochStart(100, len(leader))), epochs[-1].epoch, len(leader))
        end, is_done = truncate_to([tuple(entry) for entry in epochs], end, (answer.epoch, answer.end_offset))  # type: ignore[misc]
        epochs = truncated_from_end(epochs, end)
        if is_done:
            break
    else:
        pytest.fail("ten questions, and no end")

    assert end == agreed(leader, follower)
