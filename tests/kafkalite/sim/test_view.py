"""The view knows what the newest leader knows; whoever was deposed and has not heard of it is not asked."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import BecameLeader, HighWatermarkAdvanced, OffsetsCommitted, OffsetsFetched
from kafkalite.sim.view import View

ORDERS = ("orders", 0)


def leads(epoch: int, end: int) -> BecameLeader:
    return BecameLeader(*ORDERS, epoch, end, (1, 2), (1, 2))


def watermark(was: int, now: int, epoch: int, *, is_leader: bool = True) -> HighWatermarkAdvanced:
    return HighWatermarkAdvanced(*ORDERS, was, now, epoch, is_leader)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ([("b1", watermark(0, 3, 0))], 3),
        ([("b1", leads(0, 0)), ("b1", watermark(0, 3, 0))], 3),
        ([("b1", leads(0, 0)), ("b1", watermark(0, 3, 0)), ("b2", watermark(0, 2, 0, is_leader=False))], 3),
        ([("b1", leads(0, 0)), ("b2", leads(1, 5)), ("b2", watermark(0, 5, 1))], 5),
        ([("b1", leads(0, 0)), ("b2", leads(1, 5)), ("b2", watermark(0, 5, 1)), ("b1", watermark(2, 3, 0))], 5),
        ([("b1", leads(0, 0)), ("b2", leads(1, 0)), ("b1", watermark(0, 3, 0))], 0),
        ([("b1", leads(0, 0)), ("b1", watermark(0, 3, 0)), ("b2", leads(1, 2))], 2),
    ],
    ids=[
        "a leader, before its leadership is known",
        "a leader",
        "a follower is not asked",
        "the next leader",
        "a deposed leader, late and lower",
        "a deposed leader, late and higher",
        "a leader that has less, after an unclean election",
    ],
)
def test_the_high_watermark_is_that_of_the_newest_leader(told: list[tuple[str, Any]], known: int) -> None:
    view = View()

    for node, fact in told:
        view.observe(0.0, node, fact)

    assert known == view.high_watermarks[ORDERS]


def test_a_coordinator_that_knows_of_a_later_commit_is_believed() -> None:
    """Whoever took it may have died before it said so; one that knows less may be deposed."""
    view = View()
    view.observe(0.0, "b1", OffsetsCommitted("g", 1, "m1", ((*ORDERS, 3),)))

    view.observe(1.0, "b2", OffsetsFetched("g", ((*ORDERS, 5),)))
    view.observe(2.0, "b1", OffsetsFetched("g", ((*ORDERS, 3),)))
    assert {ORDERS: 5} == view.committed["g"]

    view.observe(3.0, "b2", OffsetsFetched("other", ((*ORDERS, -1),)))
    assert "other" not in view.committed
