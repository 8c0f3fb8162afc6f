"""A log in a dict: the offset is the key, so nothing ever moves."""

from kafkalite.errors import OffsetOutOfRange


class Log:
    def __init__(self, start: int = 0) -> None:
        self.at: dict[int, str] = {}
        self.first = self.next = start

    def append(self, values: list[str]) -> int:
        base_offset = self.next
        for self.next, value in enumerate(values, start=base_offset):
            self.at[self.next] = value
        self.next = base_offset + len(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if offset != self.next and offset not in self.at:
            raise OffsetOutOfRange(offset, self.first, self.next)
        found: list[str] = []
        while len(found) < max_records and offset in self.at:
            found.append(self.at[offset])
            offset += 1
        return found

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.next

    def delete_before(self, offset: int) -> int:
        if offset > self.next:
            raise OffsetOutOfRange(offset, self.first, self.next)
        self.at = {at: value for at, value in self.at.items() if at >= offset}
        self.first = max(self.first, offset)
        return self.first
