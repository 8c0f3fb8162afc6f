"""A cursor whose position is a property; polling is seeking to where the range ends."""


class Cursor:
    __slots__ = ("__position",)

    def __init__(self, position: int = 0) -> None:
        self.seek(position)

    @property
    def position(self) -> int:
        return self.__position

    def seek(self, offset: int) -> None:
        self.__position = offset

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        if not start <= self.position <= end:
            self.seek(start)
        polled = (self.position, min(end, self.position + max_records))
        self.seek(polled[1])
        return polled

    def lag(self, end: int) -> int:
        return max(end, self.position) - self.position
