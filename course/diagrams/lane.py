"""The lane: a log as a row of numbered cells, with what was deleted, where it starts, and the slot of the next record.

. . . . +---+---+---+ - - +
/ / / / | c | d | e | next         deleted records are ghosts: dashed, hatched, empty
. . . . +---+---+---+ - - +
  0   1   2   3   4    5           offsets
        start          end
"""

from __future__ import annotations

from collections.abc import Mapping

from course.diagrams.shapes import bold_px, box, hinted, label, mono_px, moved, number, path, shorten, text_px
from course.diagrams.window import LEFT, PITCH, RIGHT, Panel, Window

HEIGHT = 42  # of a cell: two lines
FOOT = 46  # offsets and flags under the cells

_BASELINE = HEIGHT // 2 + 5
_LINE = 17
_OFFSETS = HEIGHT + 18
_FLAGS = HEIGHT + 36
_NAME_PX = LEFT - 14
_CELL_PX = PITCH - 6

Values = Mapping[int, str] | tuple[str, ...]


def lane(y: float, topic: str, start: int, end: int, values: Values, window: Window) -> tuple[str, ...]:
    """The elements of a lane whose cells begin at height y."""
    return (
        box(LEFT, y, RIGHT - LEFT, HEIGHT, "t"),
        *_heading(y, topic, start, end),
        *(
            element
            for panel in window.panels
            for element in moved(panel.origin, y, _panel(panel, start, _by_offset(values, start)))
        ),
        *_break(y, window),
        _next(y, window),
        *_flags(y, start, window),
    )


def _heading(y: float, topic: str, start: int, end: int) -> tuple[str, ...]:
    return (
        label(8, y + 15, shorten(topic, _NAME_PX, bold_px), "b"),
        label(8, y + 34, shorten(f"[{start}, {end})", _NAME_PX, mono_px), "n m"),
    )


def _by_offset(values: Values, start: int) -> Mapping[int, str]:
    return values if isinstance(values, Mapping) else dict(enumerate(values, start))


def _panel(panel: Panel, start: int, values: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(
        _record(offset, values.get(offset, "")) if offset >= start else _ghost(offset)
        for offset in range(panel.first, panel.last)
    )


def _record(offset: int, value: str) -> str:
    x = offset * PITCH
    cell = path(f"M{x} 0h{PITCH}v{HEIGHT}h-{PITCH}z", "c")
    lines = _in_cell(value)
    first = _BASELINE - (len(lines) - 1) * _LINE / 2
    text = "".join(label(x + PITCH / 2, first + i * _LINE, line, "x") for i, line in enumerate(lines))
    drawn = cell + text + _offset(offset)
    return drawn if " ".join(lines) == value else hinted(value, drawn)


def _in_cell(value: str) -> list[str]:
    """The value in one line, or two; a word too long for its line keeps its end, which tells `order-17` from 18."""
    words = value.split()
    lines = [value] if text_px(value) <= _CELL_PX or len(words) < 2 else [words[0], " ".join(words[1:])]
    return [shorten(line, _CELL_PX, tail=2) for line in lines if line]


def _ghost(offset: int) -> str:
    x, hatch = offset * PITCH, ""
    for start in range(x - HEIGHT + 13, x + PITCH, 15):
        into, out = max(x - start, 0), min(x + PITCH - start, HEIGHT)
        hatch += f"M{start + into} {HEIGHT - into}l{out - into}-{out - into}"
    return path(hatch, "e") + path(f"M{x} 0h{PITCH}v{HEIGHT}h-{PITCH}z", "g") + _offset(offset)


def _offset(offset: int) -> str:
    return label(offset * PITCH + PITCH / 2, _OFFSETS, str(offset), "n m x")


def _next(y: float, window: Window) -> str:
    """The slot of the next record: empty, dashed, and already numbered."""
    end = window.panels[-1].last
    x = window.middle(end)
    return (
        box(x - PITCH / 2 + 1, y + 1, PITCH - 2, HEIGHT - 2, "z")
        + label(x, y + _BASELINE, "next", "m x")
        + label(x, y + _OFFSETS, str(end), "n b x")
    )


def _break(y: float, window: Window) -> tuple[str, ...]:
    """The sign that records are left out, and how many."""
    gap = window.gap
    if gap is None:
        if not window.hidden_before:
            return ()
        return (label(LEFT - 4, y + _OFFSETS, f"… +{window.hidden_before}", "m r"),)
    x = LEFT + gap.slot * PITCH
    zig = "l7 16-7 16 7 16"
    return (
        box(x, y - 1, PITCH, HEIGHT + 2, "p"),
        path(f"M{x + 11} {y - 3:g}{zig}M{x + 29} {y - 3:g}{zig}", "s"),
        label(x + PITCH / 2, y + _OFFSETS, f"+{gap.last - gap.first}", "m x"),
    )


def _flags(y: float, start: int, window: Window) -> tuple[str, ...]:
    """Where the log starts and ends, in words under the offsets, haloed because messages pass behind them."""
    end = window.panels[-1].last
    if start == end:
        return (label(window.middle(end), y + _FLAGS, "start = end", "b x y"),)
    end_flag = label(window.middle(end), y + _FLAGS, "end", "b x y")
    if not any(panel.first <= start < panel.last for panel in window.panels):
        return (end_flag,)
    x = window.left(start)
    return (
        path(f"M{number(x)} {y - 6:g}v{HEIGHT + 6}", "s"),
        label(window.middle(start), y + _FLAGS, "start", "b x y"),
        end_flag,
    )
