"""A log in a deque, from whose left end retention takes."""

from collections import deque
from itertools import islice

from kafkalite.errors import OffsetOutOfRange


class Log:
    def __init__(self, start: int = 0) -> None:
        self._kept: deque[str] = deque()
        self._next = start

    def append(self, values: list[str]) -> int:
        self._next += len(values)
        self._kept.extend(values)
        return self._next - len(values)

    def read(self, offset: int, max_records: int) -> list[str]:
        skip = offset - self.start()
        if skip < 0 or skip > len(self._kept):
            raise OffsetOutOfRange(offset, self.start(), self.end())
        return list(islice(self._kept, skip, skip + max_records))

    def start(self) -> int:
        return self._next - len(self._kept)

    def end(self) -> int:
        return self._next

    def delete_before(self, offset: int) -> int:
        if offset > self._next:
            raise OffsetOutOfRange(offset, self.start(), self.end())
        while self._kept and self.start() < offset:
            self._kept.popleft()
        return self.start()
