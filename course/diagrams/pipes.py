"""Pipes against log: what n sources and m sinks cost to connect, without a topic and with one.

Left, a pipe from each source to each sink, n x m; right, one pipe each to a topic, n + m. The layout is by hand:
two columns need no library, and stay where they are when a name is added.
"""

from __future__ import annotations

from course.diagrams.frames import Picture
from course.diagrams.shapes import box, grouped, hinted, label, number, path, shorten
from course.diagrams.views import PipesView
from course.diagrams.window import WIDTH

_HALF = WIDTH / 2
_MARGIN = 10
_NAME = 104  # width of a system
_HIGH = 30
_STEP = 44
_TOP = 78
_CELL = 18  # of the topic's little lane, which runs from top to bottom
_CELLS = 6


def pipes(view: PipesView) -> Picture:
    """The picture of both ways, side by side, with the counts written."""
    n, m = len(view.sources), len(view.sinks)
    height = _TOP + max(n, m, 3) * _STEP + 6
    elements = (
        *_title(_MARGIN, "a pipe from each to each", f"{n} × {m} = {n * m} pipes"),
        *_title(_HALF + _MARGIN, f"one topic: {shorten(view.topic, 200)}", f"{n} + {m} = {n + m} pipes"),
        path(f"M{number(_HALF)} 14V{height - 14}", "h"),
        *_each_to_each(view, height),
        *_through_a_topic(view, height),
    )
    return Picture(WIDTH, height, elements)


def _title(x: float, words: str, count: str) -> tuple[str, ...]:
    return (label(x, 28, words, "m"), label(x, 54, count, "big"))


def _ys(count: int, height: int) -> list[float]:
    """The middles of so many systems, spread about the middle of the picture."""
    middle = (_TOP + height) / 2
    return [middle + (i - (count - 1) / 2) * _STEP for i in range(count)]


def _columns(view: PipesView, x: float, height: int) -> tuple[str, ...]:
    right = x + _HALF - 2 * _MARGIN - _NAME
    return (
        *(_system(x, y, name) for name, y in zip(view.sources, _ys(len(view.sources), height), strict=True)),
        *(_system(right, y, name) for name, y in zip(view.sinks, _ys(len(view.sinks), height), strict=True)),
    )


def _system(x: float, y: float, name: str) -> str:
    short = shorten(name, _NAME - 10)
    drawn = (
        box(x, y - _HIGH / 2, _NAME, _HIGH, "u", 4),
        label(x + _NAME / 2, y + 5, short, "x"),
    )
    return "".join(drawn) if short == name else hinted(name, *drawn)


def _pipe(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    curve = f"M{number(x)} {number(y)}C{number(middle)} {number(y)} {number(middle)} {number(to_y)} "
    return path(f"{curve}{number(to_x - 7)} {number(to_y)}", "l") + path(f"M{number(to_x)} {number(to_y)}l-8-4v8z", "f")


def _each_to_each(view: PipesView, height: int) -> tuple[str, ...]:
    left, right = _MARGIN + _NAME, _HALF - _MARGIN - _NAME
    lines = (
        grouped("kw", _pipe(left, y, right, to_y))
        for y in _ys(len(view.sources), height)
        for to_y in _ys(len(view.sinks), height)
    )
    return (*lines, *_columns(view, _MARGIN, height))


def _through_a_topic(view: PipesView, height: int) -> tuple[str, ...]:
    """All sources append at the end of the topic; each sink reads at a place of its own."""
    x = _HALF + _MARGIN
    left, right = x + _NAME, WIDTH - _MARGIN - _NAME
    middle, top = (left + right) / 2, (_TOP + height) / 2 - _CELLS * _CELL / 2
    cells = [top + (i + 0.5) * _CELL for i in range(_CELLS)]
    newest = _CELLS - 2
    lines = (
        *(grouped("kw", _pipe(left, y, middle - _CELL, cells[-1])) for y in _ys(len(view.sources), height)),
        *(
            grouped("kw", _pipe(middle + _CELL, cells[min(newest, i * _CELLS // len(view.sinks))], right, y))
            for i, y in enumerate(_ys(len(view.sinks), height))
        ),
    )
    return (*lines, *_topic(middle, top), *_columns(view, x, height))


def _topic(x: float, top: float) -> tuple[str, ...]:
    """A little log, its newest record at the bottom and the next slot dashed."""
    cells = (box(x - _CELL, top + i * _CELL, 2 * _CELL, _CELL, "c") for i in range(_CELLS - 1))
    return (*cells, box(x - _CELL, top + (_CELLS - 1) * _CELL, 2 * _CELL, _CELL, "z"))
