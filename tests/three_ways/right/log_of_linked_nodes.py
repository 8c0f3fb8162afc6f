"""A log of linked nodes, and a base class that has the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

from kafkalite import errors


class Node:
    __slots__ = ("next", "value")

    def __init__(self, value: str | None = None) -> None:
        self.value, self.next = value, None

    next: Node | None
    value: str | None


class Bounded:
    def __init__(self, start: int = 0) -> None:
        self._bounds = {"start": start, "end": start}

    def start(self) -> int:
        return self._bounds["start"]

    def end(self) -> int:
        return self._bounds["end"]

    def _refuse_unless(self, inside: bool, offset: int) -> None:
        if not inside:
            raise errors.OffsetOutOfRange(offset, **self._bounds)


class Log(Bounded):
    def __init__(self, start: int = 0) -> None:
        super().__init__(start)
        self._before_first = self._last = Node()

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        for value in values:
            self._last.next = Node(value)
            self._last = self._last.next
            self._bounds["end"] += 1
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        self._refuse_unless(self.start() <= offset <= self.end(), offset)
        return [value for at, value in self._walk() if offset <= at < offset + max_records]

    def delete_before(self, offset: int) -> int:
        self._refuse_unless(offset <= self.end(), offset)
        while self.start() < offset:
            assert self._before_first.next is not None
            self._before_first = self._before_first.next
            self._bounds["start"] += 1
        return self.start()

    def _walk(self) -> Iterator[tuple[int, str]]:
        node, at = self._before_first.next, self.start()
        while node is not None:
            assert node.value is not None
            yield at, node.value
            node, at = node.next, at + 1
