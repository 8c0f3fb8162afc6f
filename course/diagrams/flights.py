"""Messages in flight: a line from where it left to where it goes, and a chip on it that says what it carries.

A chip's triangle points up for what goes up the picture and down for what comes down; an error has a cross, and its
line is dashed as a reply's is. Producers stand above the lane, so they send down; readers stand below, so they ask up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from course.diagrams.readers import ROAD, ROW, colour
from course.diagrams.shapes import box, grouped, hinted, label, moved, number, path, shorten, text_px
from course.diagrams.views import FlightKind, FlightView
from course.diagrams.window import LEFT, PITCH, RIGHT, Window

CHIP = 24  # height of a chip

_LABEL_PX = 260
_ANSWERS = (FlightKind.REPLY, FlightKind.ERROR)


@dataclass(frozen=True, slots=True)
class Road:
    """The way between a client and the lane.

    above     the client stands above the lane
    colour    the class that sets its colour
    client_x, client_y, lane_x, lane_y  its two ends
    """

    above: bool
    colour: str
    client_x: float
    client_y: float
    lane_x: float
    lane_y: float

    @property
    def d(self) -> str:
        """The way as path data: a curve down from above; along the row and up, from below."""
        x, y, to_x, to_y = (number(v) for v in (self.client_x, self.client_y, self.lane_x, self.lane_y))
        if self.above:
            bend = number((self.client_y + self.lane_y) / 2)
            return f"M{x} {y}C{x} {bend} {to_x} {bend} {to_x} {to_y}"
        turn = number(min(8, max(self.lane_x - self.client_x, 0)))
        return f"M{x} {y}H{number(self.lane_x - float(turn))}q{turn} 0 {turn}-{turn}V{to_y}"

    def at(self, progress: float) -> tuple[float, float]:
        """The middle of a chip that has come so far from the client, from 0 to 1."""
        t = min(max(progress, 0.0), 1.0)
        if not self.above:
            return self.client_x + t * (self.lane_x - self.client_x), self.client_y
        t = 0.15 + t / 2  # a chip keeps off the client and off the letters on the lane; heads show the ends
        # The cubic curve of `d`: both of its handles are vertical, at half the height.
        ease = t * t * (3 - 2 * t)
        bow = 0.5 * 3 * t * (1 - t) + t**3
        return self.client_x + ease * (self.lane_x - self.client_x), self.client_y + bow * (self.lane_y - self.client_y)


def lines(views: tuple[FlightView, ...], roads: dict[str, Road]) -> tuple[str, ...]:
    """The ways of all messages: drawn first, so that they pass behind whatever they cross."""
    return tuple(_line(flight) for flight in _known(views, roads))


def chips(views: tuple[FlightView, ...], roads: dict[str, Road]) -> tuple[str, ...]:
    """The messages themselves, on their ways and beside each other: drawn last."""
    taken: list[_Box] = []
    elements: list[str] = []
    for flight in _known(views, roads):
        text = shorten(flight.view.label, _LABEL_PX)
        width = round(text_px(text)) + 33
        free = next((place for place in _places(flight, width) if not any(map(place.meets, taken))), None)
        free = free or next(_places(flight, width))  # covering another chip is all that is left
        taken.append(free)
        elements += moved(free.left, free.y, (_chip(text, width, flight),), flight.colour)
    return tuple(elements)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A message on its road; it `asks` if its client sent it, or else comes back to the client."""

    view: FlightView
    road: Road
    asks: bool

    @property
    def colour(self) -> str:
        return "ke" if self.view.kind is FlightKind.ERROR else self.road.colour


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a chip lies: its left edge, its middle height, its width."""

    left: int
    y: int
    width: int

    def meets(self, other: _Box) -> bool:
        """Whether two chips would cover each other, or nearly."""
        apart = self.left >= other.left + other.width + 4 or other.left >= self.left + self.width + 4
        return not apart and abs(self.y - other.y) < CHIP


def _places(flight: _Flight, width: int) -> Iterator[_Box]:
    """Where a chip may lie, the best place first: always on its own way, or it would seem to be another's."""
    come = flight.view.progress if flight.asks else 1 - flight.view.progress
    for step in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8):
        x, y = flight.road.at(come + step / 8)
        for left_of_way in (0.5, 0.12, 0.88):
            yield _Box(round(min(max(x - width * left_of_way, LEFT + 12), RIGHT - width)), round(y), width)
    for beside in range(LEFT + 12, RIGHT - width, 8) if not flight.road.above else ():
        yield _Box(beside, round(flight.road.client_y), width)


def _known(views: tuple[FlightView, ...], roads: dict[str, Road]) -> list[_Flight]:
    """The messages with the road of their client, be it where they come from or where they go."""
    return [
        _Flight(view, roads[name], asks)
        for view in views
        for name, asks in ((view.src, True), (view.dst, False))
        if name in roads
    ]


def _line(flight: _Flight) -> str:
    road = flight.road
    if flight.asks:
        x, y = road.lane_x, road.lane_y
        turn = "l-5-8h10z" if road.above else "l-5 8h10z"
    else:
        x, y = road.client_x, road.client_y
        turn = "l-5 8h10z" if road.above else "l8-5v10z"
    head = path(f"M{number(x)} {number(y)}{turn}", "f")
    return grouped(flight.colour, path(road.d, "q" if flight.view.kind in _ANSWERS else "l"), head)


def _chip(text: str, width: int, flight: _Flight) -> str:
    """A chip, drawn around the middle of its left edge."""
    if flight.view.kind is FlightKind.ERROR:
        mark = path("M10-4l8 8m0-8l-8 8", "l")
    else:
        up = flight.asks != flight.road.above
        mark = path("M9 4h10l-5-9z" if up else "M9-4h10l-5 9z", "f")
    drawn = (box(0, -CHIP / 2, width, CHIP, "o", CHIP / 2), mark, label(24, 5, text))
    return "".join(drawn) if text == flight.view.label else hinted(flight.view.label, *drawn)


def reader_road(index: int, rows_y: float, lane_foot: float, offset: int, window: Window) -> Road:
    """From a reader's name along its row, and up to the offset that the message is about."""
    y = rows_y + index * ROW + ROAD
    return Road(False, colour(index), LEFT + 4, y, window.left(offset) + 6, lane_foot)


def writer_road(x: float, y: float, lane_y: float, window: Window) -> Road:
    """From under a producer's name down to the slot of the next record."""
    end = window.panels[-1].last
    return Road(True, "kw", x, y, window.left(end) + PITCH / 2, lane_y)
