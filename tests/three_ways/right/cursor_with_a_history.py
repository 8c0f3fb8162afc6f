"""A cursor that keeps everywhere it has been; it stands at the last of these places."""

from typing import NamedTuple


class Range(NamedTuple):
    first: int
    past: int


class Cursor:
    def __init__(self, position: int = 0) -> None:
        self.places = [position]

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        here = self.places[-1]
        wanted = Range(here, here + max_records) if start <= here <= end else Range(start, start + max_records)
        self.places.append(min(wanted.past, end))
        return (wanted.first, self.places[-1])

    def seek(self, offset: int) -> None:
        self.places.append(offset)

    def lag(self, end: int) -> int:
        return len(range(self.places[-1], end))
