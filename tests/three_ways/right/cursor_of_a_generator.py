"""A cursor whose position is a generator's local variable: it is told what to do and yields what came of it."""

from collections.abc import Generator
from typing import Any


def wander(position: int) -> Generator[Any, tuple[str, tuple[int, ...]], None]:
    reply: Any = None
    while True:
        order, numbers = yield reply
        if order == "seek":
            (position,), reply = numbers, None
        elif order == "lag":
            reply = max(0, numbers[0] - position)
        else:
            start, end, max_records = numbers
            first = start if position < start else position if position <= end else start
            position = min(end, first + max_records)
            reply = (first, position)


class Cursor:
    def __init__(self, position: int = 0) -> None:
        self._wander = wander(position)
        next(self._wander)

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        answer: tuple[int, int] = self._wander.send(("poll", (start, end, max_records)))
        return answer

    def seek(self, offset: int) -> None:
        self._wander.send(("seek", (offset,)))

    def lag(self, end: int) -> int:
        answer: int = self._wander.send(("lag", (end,)))
        return answer
