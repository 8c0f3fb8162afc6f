"""A picture that stands still: SVG text, and the output of a notebook cell.

An SVG in a notebook's HTML would be dropped when the notebook is reopened untrusted; an image with the SVG inside
its address is kept. So that is what `Figure` is, and what a player shows until its script runs.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course.diagrams.frames import Picture
from course.diagrams.shapes import clean, number
from course.diagrams.theme import picture_style


def svg(picture: Picture, title: str) -> str:
    """The picture as a document of its own, with its colours; `title` is what a screen reader says of it."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' class='kl' viewBox='0 0 {picture.width} {picture.height}' "
        f"width='{picture.width}' height='{picture.height}' role='img'>"
        f"<title>{escape(clean(title))}</title><style>{picture_style()}</style>"
        f"<rect class='p' width='{picture.width}' height='{picture.height}' rx='6'/>"
        f"{''.join(picture.elements)}</svg>"
    )


def image(picture: Picture, title: str, classes: str = "kl-image") -> str:
    """The picture as one `<img>`, which survives JupyterLab's sanitizer and needs no script."""
    data = base64.b64encode(svg(picture, title).encode()).decode()
    alternative = escape(clean(title))
    return (
        f'<img class="{classes}" alt="{alternative}" width="{number(picture.width)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """A still picture as the last value of a cell.

    title  what the picture shows, in a sentence: what is read aloud, and what a terminal prints
    """

    picture: Picture
    title: str

    @property
    def html(self) -> str:
        """The figure as an output of a notebook."""
        return image(self.picture, self.title)

    def save(self, path: Path | str) -> None:
        """Write the SVG to a file."""
        Path(path).write_text(svg(self.picture, self.title), encoding="utf-8")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Jupyter asks for this: the picture, and the sentence for where no picture can be."""
        del include, exclude  # Jupyter drops what it did not ask for
        return {"text/html": self.html, "text/plain": clean(self.title)}
