"""A log that never changes a value: every append and every deletion makes a new tuple of (offset, value) pairs."""

from typing import NoReturn

from kafkalite.errors import OffsetOutOfRange


class Log:
    def __init__(self, start: int = 0) -> None:
        self.pairs: tuple[tuple[int, str], ...] = ()
        self.bounds = (start, start)

    def append(self, values: list[str]) -> int:
        first, end = self.bounds
        self.pairs += tuple(zip(range(end, end + len(values)), values, strict=True))
        self.bounds = (first, end + len(values))
        return end

    def read(self, offset: int, max_records: int) -> list[str]:
        first, end = self.bounds
        if offset not in range(first, end + 1):
            self._refuse(offset)
        return [value for at, value in self.pairs if offset <= at < offset + max_records]

    def start(self) -> int:
        return min(self.bounds)

    def end(self) -> int:
        return max(self.bounds)

    def delete_before(self, offset: int) -> int:
        first, end = self.bounds
        if offset > end:
            self._refuse(offset)
        self.pairs = tuple(pair for pair in self.pairs if not pair[0] < offset)
        self.bounds = (max(first, offset), end)
        return self.bounds[0]

    def _refuse(self, offset: int) -> NoReturn:
        raise OffsetOutOfRange(offset, *self.bounds)
