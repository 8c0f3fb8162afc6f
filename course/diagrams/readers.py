"""Who reads the lane: a row each, with a pointer to the next offset and a bracket over what is still to be read.

             | a | b | c | d | e | next
    (A) web          ^A -----------|  lag 3
    polling

A reader is known by a letter and a colour, and by its row.
"""

from __future__ import annotations

from dataclasses import dataclass

from course.diagrams.lane import HEIGHT
from course.diagrams.shapes import bold_px, box, disc, grouped, hinted, label, number, path, shorten
from course.diagrams.theme import CURSOR_COLOURS
from course.diagrams.window import LEFT, PITCH, RIGHT, WIDTH, Window

ROW = 56  # one reader
ROAD = 40  # where in its row its messages travel

_NAME_X = 30
_BRACKET = 15  # height of the bracket in its row


@dataclass(frozen=True, slots=True)
class Reader:
    """One row, whatever is reading.

    wants  the offsets asked for or in work, [from, to)
    still  nothing moves here: the row is hatched
    gone   no longer there: the name is struck through, and it has no pointer
    """

    name: str
    position: int
    wants: tuple[int, int] | None = None
    lag: int | None = None
    state: str = ""
    still: bool = False
    gone: bool = False


def letter(index: int) -> str:
    """A, B, .. Z, AA, AB: a reader's sign.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    return ("" if index < 26 else letter(index // 26 - 1)) + chr(ord("A") + index % 26)


def colour(index: int) -> str:
    """The class that sets a reader's colour. Colours come round again; letters do not."""
    return f"k{index % CURSOR_COLOURS}"


def wanted(y: float, readers: tuple[Reader, ...], window: Window) -> tuple[str, ...]:
    """A frame with the reader's letter around the offsets it asks for, on a lane at height y. Frames that meet nest."""
    asking = [
        (i, *reader.wants) for i, reader in enumerate(readers) if reader.wants and reader.wants[0] < reader.wants[1]
    ]
    frames: list[str] = []
    for rank, (index, first, last) in enumerate(asking):
        depth = sum(1 for _, other, beyond in asking[rank + 1 :] if other < last and first < beyond)
        out = 3 * depth - 1
        x, right = window.left(first) - out, min(window.left(last - 1) + PITCH, RIGHT) + out
        tab = x + 1 + 18 * depth
        frames.append(
            grouped(
                colour(index),
                box(x, y - out, right - x, HEIGHT + 2 * out, "w", 3),
                path(f"M{number(tab)} {number(y - out)}v-17h18v17z", "f"),
                label(tab + 9, y - out - 3, letter(index), "i"),
            )
        )
    return tuple(frames)


def rows(y: float, foot: float, readers: tuple[Reader, ...], end: int, window: Window) -> tuple[str, ...]:
    """The rows from height y down; pointers reach up to `foot`, where the lane ends."""
    placed = [(y + index * ROW, index, reader) for index, reader in enumerate(readers)]
    pointing = [(top, index, reader) for top, index, reader in placed if not reader.gone]
    elements: list[str] = []
    for top, index, reader in placed:
        elements += (*_ground(top, reader), _who(top, index, reader), *_what(top, reader))
    for top, index, reader in pointing:
        elements.append(_riser(top, foot, index, reader, window))
    for top, index, reader in pointing:  # last, so that nobody's line crosses another's letter
        elements += _pointer(top, index, reader, end, window)
    return tuple(elements)


def _ground(top: float, reader: Reader) -> tuple[str, ...]:
    line = path(f"M8 {top - 6:g}H{RIGHT}", "h")
    return (line, path(_hatch(top - 2, top + ROW - 10), "h")) if reader.still else (line,)


def _hatch(top: float, bottom: float) -> str:
    """Slanted lines across the row, cut at its ends."""
    high = bottom - top
    lines = []
    for x in range(LEFT - int(high // 16) * 16, RIGHT, 16):
        into, out = max(LEFT - x, 0), min(RIGHT - x, high)
        lines.append(f"M{number(x + into)} {number(bottom - into)}l{number(out - into)}-{number(out - into)}")
    return "".join(lines)


def _who(top: float, index: int, reader: Reader) -> str:
    name = shorten(reader.name, LEFT - 2 - _NAME_X, bold_px)
    badge = grouped(colour(index), disc(17, top + 11, 10, "f"), label(17, top + 16.4, letter(index), "i"))
    text = label(_NAME_X, top + 16, name, "m v" if reader.gone else "b")
    return badge + text if name == reader.name else hinted(reader.name, badge, text)


def _what(top: float, reader: Reader) -> tuple[str, ...]:
    if not reader.state:
        return ()
    text = shorten(reader.state, LEFT - 12)
    drawn = label(8, top + 38, text, "m")
    return (drawn if text == reader.state else hinted(reader.state, drawn),)


def _riser(top: float, foot: float, index: int, reader: Reader, window: Window) -> str:
    """The dotted line from a pointer up to the lane."""
    return grouped(
        colour(index), path(f"M{number(window.middle(reader.position))} {number(top - 2)}V{number(foot)}", "d")
    )


def _pointer(top: float, index: int, reader: Reader, end: int, window: Window) -> tuple[str, ...]:
    """The house-shaped pointer below the next offset, and the bracket of the lag."""
    x = window.middle(reader.position)
    house = path(f"M{number(x)} {number(top - 2)}l10 9v17h-20v-17z", "f")
    pointer = grouped(colour(index), house, label(x, top + 19, letter(index), "i"))
    return (*_lag(top, x + 10, index, reader, end, window), pointer)


def _lag(top: float, x: float, index: int, reader: Reader, end: int, window: Window) -> tuple[str, ...]:
    right = window.left(end)
    bracket: tuple[str, ...] = ()
    if 0 <= reader.position < end:
        line = path(f"M{number(x)} {number(top + _BRACKET)}H{number(right)}m0-6v12", "l")
        bracket = (grouped(colour(index), line),)
    if reader.lag is None:
        return bracket
    words = f"lag {reader.lag}"
    at = max(right, x) + 4
    # One too long for the margin is set over the end of its bracket instead.
    where = (at, "j y") if at + bold_px(words) <= WIDTH else (WIDTH - 2, "j y r")
    return (*bracket, grouped(colour(index), label(where[0], top + 20, words, where[1])))
