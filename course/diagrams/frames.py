"""What a picture is, and what a player shows: plain values, so that a test can compare them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing: its size in SVG units, and its elements from the back to the front.

    Joined, the elements are well-formed SVG content. One that has not changed has the same text in the next frame:
    a player stores equal texts once, and shows what is new by what is not.
    """

    width: int
    height: int
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a run, drawn and said.

    title    where and when: "step 12 · 41.2 ms · broker"
    caption  one sentence of plain text: what happened at this step
    mark     why one would jump here ("rule broken here"): a flag beside the slider
    """

    picture: Picture
    caption: str
    title: str
    mark: str | None = None
