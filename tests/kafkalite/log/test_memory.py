"""The in-memory log does what a plain list with an offset would do, whatever is asked of it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.memory import Log

_values = st.lists(st.sampled_from("abc"), max_size=4)


class LogAgainstAList(RuleBasedStateMachine):
    """The model: every value ever appended, by offset, and the offset below which they are forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.log, self.first, self.start, self.appended = Log(), 0, 0, list[str]()

    @property
    def end(self) -> int:
        return self.first + len(self.appended)

    @initialize(start=st.integers(0, 1000))
    def opens(self, start: int) -> None:
        self.log, self.first, self.start = Log(start), start, start

    @rule(values=_values)
    def appends(self, values: list[str]) -> None:
        expected = self.end
        self.appended += values

        assert expected == self.log.append(values)

    @rule(at=st.integers(-2, 12), max_records=st.integers(0, 6))
    def reads(self, at: int, max_records: int) -> None:
        offset = self.start + at
        if self.start <= offset <= self.end:
            place = offset - self.first
            assert self.appended[place : place + max_records] == self.log.read(offset, max_records)
        else:
            with pytest.raises(OffsetOutOfRange):
                self.log.read(offset, max_records)

    @rule(at=st.integers(-3, 8))
    def deletes(self, at: int) -> None:
        offset = self.start + at
        if offset > self.end:
            with pytest.raises(OffsetOutOfRange):
                self.log.delete_before(offset)
        else:
            self.start = max(self.start, offset)
            assert self.start == self.log.delete_before(offset)

    @invariant()
    def knows_where_it_begins_and_ends(self) -> None:
        assert (self.start, self.end) == (self.log.start(), self.log.end())


TestLogAgainstAList = LogAgainstAList.TestCase


def test_what_was_read_cannot_be_changed_through_the_result() -> None:
    """Records are immutable: a reader gets a copy."""
    log = Log()
    log.append(["a"])
    log.read(0, 1).append("b")

    assert ["a"] == log.read(0, 9)


def test_what_was_appended_cannot_be_changed_through_the_argument() -> None:
    log, batch = Log(), ["a"]
    log.append(batch)
    batch[0] = "b"

    assert ["a"] == log.read(0, 9)
