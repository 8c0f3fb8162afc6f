"""Colours by meaning, for light and dark pages: the one place a picture's colour may come from.

Every colour is a CSS variable (`--kl-record`), so one picture follows JupyterLab's theme, VS Code's, or else the
system's. A colour never stands alone: whatever it says is said again by a shape, a hatch, a letter or a word.
`PAIRS` lists what is drawn on what, with the contrast WCAG asks of it; a test computes every one of them.

Left out: choosing colours by hand. A picture names a meaning through a class of `picture.css`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

TEXT = 4.5  # WCAG 2.2 AA, 1.4.3: text
GRAPHIC = 3.0  # WCAG 2.2 AA, 1.4.11: shapes one needs to see to understand


@dataclass(frozen=True, slots=True)
class Colour:
    """One meaning in both themes, as `#rrggbb`."""

    light: str
    dark: str


COLOURS: dict[str, Colour] = {
    # the page
    "paper": Colour("#ffffff", "#15181d"),
    "track": Colour("#f4f6f8", "#1c2027"),  # where the log will grow
    "ink": Colour("#1c2128", "#e7eaee"),
    "muted": Colour("#57606a", "#a3acb8"),
    "hairline": Colour("#d5dae0", "#343b45"),  # decoration only: nothing is read from it
    # records
    "record": Colour("#e3ecf8", "#253449"),
    "record-edge": Colour("#5f7690", "#7f97b4"),
    "ghost": Colour("#7d8792", "#7a8490"),  # deleted: hatched and dashed as well
    # replicas
    "leader": Colour("#0a5cad", "#74b8ff"),
    "follower": Colour("#5a6472", "#a8b2bf"),
    "committed": Colour("#11693f", "#5fd39a"),
    "uncommitted": Colour("#8a5a00", "#e5b95c"),
    # what moves, and what goes wrong
    "message": Colour("#3d4753", "#c3cad3"),
    "fault": Colour("#9a4a00", "#ffab6b"),
    "wrong": Colour("#b3202c", "#ff8f8f"),
    "right": Colour("#11693f", "#5fd39a"),
    # readers, told apart by their letters too; hues that stay apart for the colour-blind
    "cursor-0": Colour("#0a5cad", "#74b8ff"),
    "cursor-1": Colour("#a83f00", "#ffa46b"),
    "cursor-2": Colour("#74379f", "#cda5ff"),
    "cursor-3": Colour("#00695c", "#5bd2bd"),
    "cursor-4": Colour("#ad1f66", "#ff92c4"),
    "cursor-5": Colour("#665c00", "#d9cc55"),
}

CURSOR_COLOURS = sum(name.startswith("cursor-") for name in COLOURS)

# What is drawn, on what, and the contrast it needs.
PAIRS: tuple[tuple[str, str, float], ...] = (
    *((ink, paper, TEXT) for ink in ("ink", "muted") for paper in ("paper", "track", "record")),
    *((name, "paper", TEXT) for name in ("leader", "follower", "committed", "uncommitted", "message", "fault")),
    *((name, "paper", TEXT) for name in ("wrong", "right")),
    *((f"cursor-{i}", on, TEXT) for i in range(CURSOR_COLOURS) for on in ("paper", "track")),  # and letters cut out
    *((f"cursor-{i}", "record", GRAPHIC) for i in range(CURSOR_COLOURS)),
    *((edge, on, GRAPHIC) for edge in ("record-edge", "ghost") for on in ("paper", "track")),
    ("record-edge", "record", GRAPHIC),
)


def contrast(one: str, other: str) -> float:
    """How far apart two `#rrggbb` colours are, from 1 (the same) to 21 (black on white): WCAG's contrast ratio.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG's relative luminance, in [0, 1]."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def variables() -> str:
    """The palette as CSS: the system's choice first, then whatever theme the page around the picture declares."""
    light = ";".join(f"--kl-{name}:{colour.light}" for name, colour in COLOURS.items())
    dark = ";".join(f"--kl-{name}:{colour.dark}" for name, colour in COLOURS.items())
    on_light = '[data-jp-theme-light="true"] .kl,body.vscode-light .kl'
    on_dark = '[data-jp-theme-light="false"] .kl,body.vscode-dark .kl'
    return (
        f".kl{{{light};color-scheme:light}}\n"
        f"@media (prefers-color-scheme:dark){{.kl{{{dark};color-scheme:dark}}}}\n"
        f"{on_light}{{{light};color-scheme:light}}\n"
        f"{on_dark}{{{dark};color-scheme:dark}}\n"
    )


@cache
def picture_style() -> str:
    """The stylesheet of every picture: the palette, then the classes that fragments use."""
    return variables() + asset("picture.css")


def asset(name: str) -> str:
    """A file that lies beside this module, without the comments a browser has no use for."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    while (opened := text.find("/*")) >= 0:
        text = text[:opened].rstrip() + text[text.index("*/", opened) + 2 :]
    return text.lstrip()
