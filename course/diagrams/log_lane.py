"""A topic of one partition: who writes to it, what it holds, and how far each reader has come.

Everything is told by the view; `log_lane` is a pure function of it. A hub that delivers to sinks is the same picture
with other rows: see `hub_lane`.
"""

from __future__ import annotations

from dataclasses import dataclass

from course.diagrams.flights import Road, chips, lines, reader_road, writer_road
from course.diagrams.frames import Picture
from course.diagrams.lane import FOOT, HEIGHT, Values, lane
from course.diagrams.readers import ROW, Reader, rows, wanted
from course.diagrams.shapes import bold_px, box, hinted, label, shorten, text_px, wrap
from course.diagrams.views import FlightView, LogLaneView, WriterView
from course.diagrams.window import LEFT, RIGHT, WIDTH, Window, window

_MARGIN = 16
_PILL = 30  # height of a producer
_AIR = 78  # between producers and the lane: where their messages fly
_LINE = 21  # of the note
_TEXT_PX_MIN = 24  # less room than this is left empty


@dataclass(frozen=True, slots=True)
class Scene:
    """A lane and the clients around it, whatever they are called."""

    topic: str
    start: int
    end: int
    values: Values
    above: str
    writers: tuple[WriterView, ...]
    readers: tuple[Reader, ...]
    flights: tuple[FlightView, ...]
    note: str | None


def log_lane(view: LogLaneView) -> Picture:
    """The picture of a log, its producers above and its readers below."""
    readers = tuple(Reader(c.name, c.position, c.wants, c.lag, c.state) for c in view.cursors)
    return scene(
        Scene(
            view.topic, view.start, view.end, view.values, "producers", view.writers, readers, view.flights, view.note
        )
    )


def scene(view: Scene) -> Picture:
    """The picture of a lane and its clients."""
    shown = window(view.end, tuple(reader.position for reader in view.readers if not reader.gone))
    lane_y = _MARGIN + (_PILL + _AIR if view.writers else 0)
    rows_y = lane_y + HEIGHT + FOOT + 10
    note_y = rows_y + len(view.readers) * ROW + _LINE
    note = wrap(view.note or "", WIDTH - 24)
    roads = _roads(view, lane_y, rows_y, shown)
    elements = (
        *lines(view.flights, roads),
        *_writers(view),
        *lane(lane_y, view.topic, view.start, view.end, view.values, shown),
        *rows(rows_y, lane_y + HEIGHT + FOOT - 4, view.readers, view.end, shown),
        *wanted(lane_y, view.readers, shown),
        *chips(view.flights, roads),
        *(label(8, note_y + i * _LINE, line) for i, line in enumerate(note)),
    )
    bottom = note_y - _LINE + len(note) * _LINE + (8 if note else 0)
    return Picture(WIDTH, bottom, elements)


def _slots(writers: tuple[WriterView, ...]) -> list[tuple[float, float]]:
    """Where each producer stands: left edge and room."""
    room = (RIGHT - LEFT) / max(len(writers), 1)
    return [(LEFT + i * room, room - 10) for i in range(len(writers))]


def _writers(view: Scene) -> tuple[str, ...]:
    if not view.writers:
        return ()
    heading = label(8, _MARGIN + 20, view.above, "m")
    pills = (_pill(x, room, writer) for (x, room), writer in zip(_slots(view.writers), view.writers, strict=True))
    return (heading, *pills)


def _pill(x: float, room: float, writer: WriterView) -> str:
    name = shorten(writer.name, room - 20, bold_px)
    left = room - 30 - bold_px(name)
    text = shorten(writer.text, left) if left > _TEXT_PX_MIN else ""
    width = bold_px(name) + 20 + (text_px(text) + 10 if text else 0)
    drawn = (
        box(x, _MARGIN, width, _PILL, "u", 4),
        label(x + 10, _MARGIN + 20, name, "b"),
        label(x + width - 10, _MARGIN + 20, text, "m r") if text else "",
    )
    whole = (name, text) == (writer.name, writer.text)
    return "".join(drawn) if whole else hinted(f"{writer.name} {writer.text}", *drawn)


def _roads(view: Scene, lane_y: int, rows_y: int, shown: Window) -> dict[str, Road]:
    """The way of each client's messages, by its name."""
    foot = lane_y + HEIGHT + 2
    roads = {
        reader.name: reader_road(i, rows_y, foot, reader.wants[0] if reader.wants else reader.position, shown)
        for i, reader in enumerate(view.readers)
    }
    for (x, _), writer in zip(_slots(view.writers), view.writers, strict=True):
        roads[writer.name] = writer_road(x + 30, _MARGIN + _PILL, lane_y - 2, shown)
    return roads
