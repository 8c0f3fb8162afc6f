"""Runs of the smallest cluster under faults: fine with the reference, and wrong where a part is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kafkalite.clients.cursor import Cursor
from kafkalite.log.memory import Log
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.smallest import play_smallest

SEEDS = range(1, 101)
FACTS = {"LogOpened", "RecordsAppended", "LogStartAdvanced", "ReaderMoved", "ReaderSought", "RecordsProcessed"}


class CountsTwice(Log):
    """Its offsets go on one too far."""

    def append(self, values: list[str]) -> int:
        return super().append(values) + 1


class Pops(Log):
    """Who reads takes away."""

    def read(self, offset: int, max_records: int) -> list[str]:
        values = super().read(offset, max_records)
        if values:
            self.delete_before(offset + len(values))
        return values[::-1]


class Repeats(Cursor):
    """It goes on at the last one it has read."""

    def poll(self, earliest: int, latest: int, max_records: int) -> tuple[int, int]:
        first, end = super().poll(earliest, latest, max_records)
        self.seek(max(first, end - 1))
        return first, end


def test_nothing_goes_wrong_and_everything_happens() -> None:
    reached: Counter[str] = Counter()
    for seed in SEEDS:
        log = play_smallest(seed)
        assert [] == log.problems, f"seed {seed}"
        reached += log.coverage.reached

    assert FACTS == reached.keys()


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (replace(REFERENCE, log=CountsTwice), "what is appended begins at"),
        (replace(REFERENCE, log=Pops), "stands"),
        (replace(REFERENCE, cursor=Repeats), "is handed"),
    ],
    ids=["counts twice", "pops", "repeats"],
)
def test_a_wrong_part_is_seen(parts: Parts, says: str) -> None:
    assert any(says in problem for seed in SEEDS for problem in play_smallest(seed, parts).problems)
