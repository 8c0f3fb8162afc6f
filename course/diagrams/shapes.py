"""SVG fragments and the text in them: what every picture is drawn with.

A fragment quotes attributes with ' (JSON then needs no escapes), carries no id and no style attribute (several
pictures share a page; a strict content security policy allows no inline style), and uses whole numbers where it can.

Text may be a learner's output. It comes in through `clean`, which leaves nothing that could break an XML parser, the
line it stands on, or the reading direction of its neighbours; it goes out through `label`, which escapes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from html import escape

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
FONT_PX = 15  # the one size of small text: 12 px and more where a picture is shown 600 px wide
MONO_PX = 0.603 * FONT_PX  # one column of monospace: exact for DejaVu Sans Mono, the widest of the list

# How wide the printable ASCII characters are in DejaVu Sans, the widest of the fonts asked for, in hundredths of the
# font's size. A box sized for it has room in any other.
_WIDTHS = (  # noqa: SIM905 - a table reads better than 95 quoted numbers
    "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53 "
    "100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50 "
    "50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84"
).split()
_WIDTH = {chr(32 + i): int(hundredths) / 100 for i, hundredths in enumerate(_WIDTHS)}
_BOLD = 1.13  # how much wider bold is


def clean(text: str) -> str:
    r"""The text on one line, with every character that XML forbids or that is unsafe to show replaced by one sign.

    >>> clean("a\nb")
    'a b'
    """
    return "".join(_safe(character) for character in text)


def _safe(character: str) -> str:
    if character.isspace():  # line and paragraph separators too, which end a line in JavaScript
        return " "
    # Cc control, Cs lone surrogate (no encoding has it), Cf format (turns text around, or hides), Cn not a character
    if unicodedata.category(character) in {"Cc", "Cs", "Cf", "Cn", "Co"} and character != "\N{ZERO WIDTH JOINER}":
        return REPLACEMENT
    return character


def columns(text: str) -> int:
    """How many columns of monospace the text takes: two for a wide character (Korean, say), one for any other."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def mono_px(text: str) -> float:
    """The width of the text in monospace."""
    return columns(text) * MONO_PX


def text_px(text: str, *, bold: bool = False) -> float:
    """The width of the text in the pictures' sans-serif, rather too much than too little."""
    ems = sum(_WIDTH.get(character, 1.0 if columns(character) > 1 else 0.8) for character in text)
    return ems * FONT_PX * (_BOLD if bold else 1)


def bold_px(text: str) -> float:
    """The width of the text in bold."""
    return text_px(text, bold=True)


def shorten(text: str, px_max: float, measure: Callable[[str], float] = text_px, tail: int = 0) -> str:
    """The text, or its beginning, an ellipsis and its last `tail` characters, in at most so many px.

    >>> shorten("notification", 70)
    'notifica…'
    >>> shorten("order-17", 44, tail=2)
    'o…17'
    """
    narrowest_px = 4  # no character is narrower: what lies beyond cannot fit, however long the text is
    head = clean(text[: int(px_max) // narrowest_px + 2])
    if len(text) <= len(head) and measure(head) <= px_max:
        return head
    end = "…" + clean(text[len(text) - tail :])
    kept = len(head)
    while kept and measure(head[:kept] + end) > px_max:
        kept -= 1
    return head[:kept] + end


def wrap(text: str, px_max: float) -> list[str]:
    """The text in lines of at most so many px, broken between words; a longer word is shortened."""
    lines: list[str] = []
    for word in clean(text).split():
        if lines and text_px(f"{lines[-1]} {word}") <= px_max:
            lines[-1] += " " + word
        else:
            lines.append(shorten(word, px_max))
    return lines


def number(value: float) -> str:
    """A coordinate, short: at most one decimal.

    >>> number(3.0), number(3.14)
    ('3', '3.1')
    """
    return f"{value:.1f}".removesuffix(".0")


def label(x: float, y: float, text: str, classes: str = "") -> str:
    """A line of text with its baseline at y; classes of `picture.css` say weight, colour and alignment."""
    named = f" class='{classes}'" if classes else ""
    return f"<text x='{number(x)}' y='{number(y)}'{named}>{escape(clean(text))}</text>"


def path(d: str, classes: str) -> str:
    """A path; `d` is SVG's path data."""
    return f"<path class='{classes}' d='{d}'/>"


def box(x: float, y: float, width: float, height: float, classes: str, radius: float = 0) -> str:
    """A rectangle, its corners rounded by `radius`."""
    rounded = f" rx='{number(radius)}'" if radius else ""
    at = f"x='{number(x)}' y='{number(y)}' width='{number(width)}' height='{number(height)}'"
    return f"<rect class='{classes}' {at}{rounded}/>"


def disc(x: float, y: float, radius: float, classes: str) -> str:
    """A circle."""
    return f"<circle class='{classes}' cx='{number(x)}' cy='{number(y)}' r='{number(radius)}'/>"


def grouped(classes: str, *fragments: str) -> str:
    """One fragment of several, in the colour that a class such as `k0` sets."""
    return f"<g class='{classes}'>{''.join(fragments)}</g>"


def hinted(hint: str, *fragments: str) -> str:
    """One fragment that shows the whole of a shortened text when pointed at."""
    return f"<g>{''.join(fragments)}<title>{escape(clean(hint))}</title></g>"


def moved(x: float, y: float, fragments: tuple[str, ...], classes: str = "") -> tuple[str, ...]:
    """The fragments, shifted together and each still an element of its own.

    A long log scrolls, and a message flies, by changing this one opening element; what is in it keeps its text, and so
    is stored once however many frames show it.
    """
    named = f" class='{classes}'" if classes else ""
    return (f"<g{named} transform='translate({number(x)} {number(y)})'>", *fragments, "</g>")
