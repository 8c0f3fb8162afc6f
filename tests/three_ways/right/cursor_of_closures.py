"""A cursor whose position lives in a closure: each method is a function over the same cell."""


class Cursor:
    def __init__(self, position: int = 0) -> None:
        at = position

        def poll(start: int, end: int, max_records: int) -> tuple[int, int]:
            nonlocal at
            first = at if at in range(start, end + 1) else start
            at = first + min(max_records, end - first)
            return first, at

        def seek(offset: int) -> None:
            nonlocal at
            at = offset

        self.poll = poll
        self.seek = seek
        self.lag = lambda end: (end - at) * (end > at)
