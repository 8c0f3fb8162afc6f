"""A cursor as a dataclass."""

from dataclasses import dataclass


@dataclass
class Cursor:
    position: int = 0

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        if self.position < start or self.position > end:
            self.position = start
        begin = self.position
        self.position = end if end - begin < max_records else begin + max_records
        return begin, self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return end - self.position if end > self.position else 0
