"""A log that keeps batches whole and finds one by bisection, as a broker's index does."""

import bisect
from dataclasses import dataclass, field

from kafkalite.errors import OffsetOutOfRange


@dataclass
class Batch:
    base_offset: int
    values: list[str]

    @property
    def past(self) -> int:
        return self.base_offset + len(self.values)


@dataclass
class Log:
    first: int = 0
    batches: list[Batch] = field(default_factory=list)
    past: int = field(init=False)

    def __post_init__(self) -> None:
        self.past = self.first

    def append(self, values: list[str]) -> int:
        batch = Batch(self.past, list(values))
        if values:
            self.batches.append(batch)
            self.past = batch.past
        return batch.base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        self._check(offset, self.first)
        found: list[str] = []
        index = bisect.bisect_right([batch.base_offset for batch in self.batches], offset) - 1
        for batch in self.batches[max(0, index) :]:
            skip = max(0, offset - batch.base_offset)
            found += batch.values[skip:]
        return found[:max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.past

    def delete_before(self, offset: int) -> int:
        self._check(offset, offset)
        # A batch is dropped when all of it is old; the start may come to lie inside one.
        self.first = max(self.first, offset)
        self.batches = [batch for batch in self.batches if batch.past > self.first]
        return self.first

    def _check(self, offset: int, lowest: int) -> None:
        if not lowest <= offset <= self.past:
            raise OffsetOutOfRange(offset, self.first, self.past)
