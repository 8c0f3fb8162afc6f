"""Which offsets of a log are in the picture, and where.

A lane has room for eleven records and the slot of the next one. A longer log is shown by its tail; if a reader is
further behind than that, by two panels, one around the reader furthest behind and one at the tail, with a break
between them that says how many records it hides. Panels move in pages of three, so that most steps move nothing.

    |   0   1   2   3   4  ... +49  54  55  56  57  58 (59)
            ^ the slow reader                           end
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT = 130  # where the first slot begins; names stand left of it
PITCH = 47  # one slot: room for a word such as "order"
SLOTS = 12  # eleven records and the next
RIGHT = LEFT + SLOTS * PITCH
WIDTH = 720

_PAGE = 3
_BEHIND = 5  # records in the left panel of two; one slot is the break, six are the tail


@dataclass(frozen=True, slots=True)
class Panel:
    """The offsets [first, last) side by side from `slot`."""

    slot: int
    first: int
    last: int

    @property
    def origin(self) -> int:
        """Where offset 0 would stand: add `offset * PITCH`."""
        return LEFT + (self.slot - self.first) * PITCH


@dataclass(frozen=True, slots=True)
class Window:
    """One or two panels, left to right, that end with the slot of the next offset."""

    panels: tuple[Panel, ...]

    @property
    def hidden_before(self) -> int:
        """How many offsets lie left of the picture."""
        return self.panels[0].first

    @property
    def gap(self) -> Panel | None:
        """The offsets that the break hides, and its slot; None if there is no break."""
        if len(self.panels) == 1:
            return None
        behind, tail = self.panels
        return Panel(behind.slot + behind.last - behind.first, behind.last, tail.first)

    def left(self, offset: int) -> float:
        """The left edge of an offset's slot. One that is hidden is put where it is hidden, one beyond the end there."""
        first = self.panels[0]
        if offset < first.first:
            return LEFT - PITCH / 2
        for panel in self.panels:
            if panel.first <= offset <= panel.last and (panel is self.panels[-1] or offset < panel.last):
                return panel.origin + offset * PITCH
        if offset > self.panels[-1].last:
            return min(self.panels[-1].origin + offset * PITCH, RIGHT - PITCH)
        assert self.gap is not None
        return LEFT + self.gap.slot * PITCH

    def middle(self, offset: int) -> float:
        """The middle of an offset's slot."""
        return self.left(offset) + PITCH / 2


def window(end: int, positions: tuple[int, ...]) -> Window:
    """What to show of a log that ends at `end`, with readers at these positions.

    >>> window(5, (0, 3)).panels
    (Panel(slot=0, first=0, last=5),)
    >>> window(60, (3, 60)).gap
    Panel(slot=5, first=8, last=57)
    """
    end = max(end, 0)
    if end < SLOTS:
        return Window((Panel(0, 0, end),))
    base = _page_up(end - SLOTS + 1)
    behind = max(min(positions, default=base), 0)
    if behind >= base:
        return Window((Panel(0, base, end),))
    first = behind // _PAGE * _PAGE
    tail = _page_up(end - (SLOTS - _BEHIND - 2))
    return Window((Panel(0, first, first + _BEHIND), Panel(_BEHIND + 1, tail, end)))


def _page_up(offset: int) -> int:
    """The first page boundary not below the offset."""
    return -(-offset // _PAGE) * _PAGE
