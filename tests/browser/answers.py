"""What the learner of the browser tests types: a log that is right, and one with a slip in one line."""

from __future__ import annotations

RIGHT = '''
class Log:
    """Values in the order they came, each at the next offset."""

    def __init__(self, start: int = 0) -> None:
        self.first = start
        self.values: list[str] = []

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        skip = offset - self.first
        return self.values[skip : skip + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        while self.first < offset:
            del self.values[0]
            self.first += 1
        return self.first
'''.strip()

# `append` returns the offset of the last value of the batch, where the first one's is asked for.
WRONG = RIGHT.replace("return base_offset", "return self.end() - 1")
