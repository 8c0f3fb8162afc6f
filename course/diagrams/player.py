"""The player: a trace as one HTML output, with a slider, keys, and every step in words.

The output holds a still image of one step and the list of all steps in words, and a script that turns the image into
the player. Where scripts do not run (an untrusted notebook, a strict page) the image and the list are what is left:
nothing else was put there. The script is one constant text, `PLAYER_SCRIPT`; data are JSON beside it, never code.

A fragment that many frames share is stored once; a frame is a line of base-36 numbers, runs as "a-f".
Left out: animation between steps beyond a short fade of what is new, and that only for those who want motion.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course.diagrams.figure import image, svg
from course.diagrams.frames import Frame
from course.diagrams.shapes import clean
from course.diagrams.theme import asset, picture_style

__all__ = ["CONTENT_SECURITY_POLICY", "PLAYER_SCRIPT", "PLAYER_STYLE", "WORDS", "Player", "player", "svg"]

PLAYER_SCRIPT = asset("player.js")
PLAYER_STYLE = picture_style() + asset("player.css")

# What the player says of itself: the only words in it that are not the chapter's.
WORDS: dict[str, str] = {
    "first": "first step",
    "back": "one step back",
    "play": "play",
    "pause": "pause",
    "next": "one step on",
    "last": "last step",
    "slider": "step of the run",
    "step": "step",
    "jump": "jump to the next flag",
    "mark": "next flag",
    "twin": "every step in words",
}


def csp_source(text: str) -> str:
    """The source expression that allows exactly this inline script or style in a content security policy."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


# Enough for a page of players, and for nothing else.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; img-src data:; script-src {csp_source(PLAYER_SCRIPT)}; style-src {csp_source(PLAYER_STYLE)}"
)


@dataclass(frozen=True, slots=True)
class Player:
    """A finished player.

    label  what is played, in a few words
    html   the output of a notebook cell: self-contained, and safe whatever the frames say
    text   the same run for a terminal: a line for each step
    """

    label: str
    html: str
    text: str

    def page(self) -> str:
        """A whole HTML page, which forbids itself everything but what the player is made of."""
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width">'
            f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
            f"<title>{escape(self.label)}</title></head>\n"
            f'<body class="kl-page">\n{self.html}\n</body></html>\n'
        )

    def save(self, path: Path | str) -> None:
        """Write `page()` to a file."""
        Path(path).write_text(self.page(), encoding="utf-8")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Jupyter asks for this."""
        del include, exclude  # Jupyter drops what it did not ask for
        return {"text/html": self.html, "text/plain": self.text}


def player(frames: Sequence[Frame], *, start: int = 0, label: str) -> Player:
    """The frames as one output that opens at the frame `start`.

    Raises ValueError if there is no frame, or no frame `start`.
    """
    if not frames:
        raise ValueError(f"player {label!r} got no frames; expected at least one. Did the run take no step?")
    if not 0 <= start < len(frames):
        raise ValueError(f"player {label!r} cannot start at frame {start}; expected 0 to {len(frames) - 1}")
    label = clean(label)
    opened = frames[start]
    steps = "".join(f"<li>{_words(frame)}</li>\n" for frame in frames)
    html = (
        f'<div class="kl kl-player mathjax_ignore tex2jax_ignore" role="group" aria-label="{escape(label)}">\n'
        f"<style>{PLAYER_STYLE}</style>\n"
        f'<p class="kl-now">{_words(opened)}</p>\n'
        f'<div class="kl-stage">{image(opened.picture, f"{label}: {opened.caption}")}</div>\n'
        f'<details class="kl-twin"><summary>{escape(WORDS["twin"])} ({len(frames)})</summary><ol>\n'
        f"{steps}</ol></details>\n"
        f'<script type="application/json" class="kl-data">{_data(frames, start)}</script>\n'
        f"<script>{PLAYER_SCRIPT}</script>\n</div>"
    )
    return Player(label=label, html=html, text=_text(frames, label))


def _words(frame: Frame) -> str:
    """A step in words, as HTML: the same in the list, and above the picture."""
    flag = f" <mark>⚑ {escape(clean(frame.mark))}</mark>" if frame.mark else ""
    title, caption = escape(clean(frame.title)), escape(clean(frame.caption))
    return f"<b>{title}</b> <span>{caption}</span>{flag}"


def _text(frames: Sequence[Frame], label: str) -> str:
    """A line for each step, flagged ones with the reason."""
    steps = (
        f"{i:>4}  {clean(frame.title)}: {clean(frame.caption)}" + (f"  [{clean(frame.mark)}]" if frame.mark else "")
        for i, frame in enumerate(frames, 1)
    )
    return "\n".join((label, *steps))


def _data(frames: Sequence[Frame], start: int) -> str:
    numbers: dict[str, int] = {}
    lines = [_runs(numbers.setdefault(e, len(numbers)) for e in frame.picture.elements) for frame in frames]
    return _inline(
        json.dumps(
            {
                "width": max(frame.picture.width for frame in frames),
                "height": max(frame.picture.height for frame in frames),
                "start": start,
                "words": WORDS,
                "frames": lines,
                "fragments": list(numbers),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
    )


def _inline(data: str) -> str:
    r"""JSON that may stand in a script element: nothing in it ends the script, opens a comment, or ends a line.

    >>> _inline('"</script>"')
    '"<\\/script>"'
    """
    escapes = {
        "</": "<\\/",
        "<!": "\\u003c!",
        "<s": "\\u003cs",
        "<S": "\\u003cS",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
    for dangerous, harmless in escapes.items():
        data = data.replace(dangerous, harmless)
    return data


def _runs(numbers: Iterable[int]) -> str:
    """Numbers in base 36, those that follow each other as a run.

    >>> _runs([0, 1, 2, 40, 7])
    '0-2 14 7'
    """
    runs: list[list[int]] = []
    for value in numbers:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return " ".join(_base36(a) if a == b else f"{_base36(a)}-{_base36(b)}" for a, b in runs)


def _base36(value: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[value] if value < 36 else _base36(value // 36) + digits[value % 36]
