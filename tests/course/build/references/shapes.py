"""References of every shape that the build must keep or refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


def undocumented(
    first: dict[str, int],
    last: int = 3,
) -> int:
    # this comment gives the solution away
    if first:
        return last
    return 0  # as does this one
    # and this one


def only_documented() -> None:
    """There is nothing more to it."""


def on_one_line() -> int: return 1  # fmt: skip


@dataclass
class Counter:
    """Counts.

    >>> Counter(3).add(2)
    5
    """

    LIMIT: ClassVar[int] = 10
    count: int = 0

    @property
    def left(self) -> int:
        """How many there may still be."""
        return self.LIMIT - self.count

    def add(self, more: int) -> int:
        """Count more of them."""

        def capped(value: int) -> int:
            return min(value, self.LIMIT)

        self.count = capped(self.count + more)
        return self.count

    def reset(self) -> None:
        """Begin again."""
        self.count = 0


NUMBER = 7
