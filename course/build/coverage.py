"""Which cell teaches a claim, and which exercise practises it: read off the notebooks' metadata and the exercises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from course.build import text
from course.chapters.catalog import Chapter
from course.checks.model import Exercise, Written


@dataclass(frozen=True, slots=True)
class Coverage:
    """One claim: the cells that teach it (`chapter: heading`), the cells and exercises that practise it."""

    claim: str
    taught: tuple[str, ...]
    practised: tuple[str, ...]


def coverage(chapters: Iterable[Chapter]) -> list[Coverage]:
    """Every claim that the chapters promise, teach or practise, in order of its id. Raises BuildError."""
    taught: dict[str, list[str]] = {}
    practised: dict[str, list[str]] = {}
    for chapter in chapters:
        written = text.read(chapter.text)
        for claim in written.claims:
            taught.setdefault(claim, [])
        heading = ""
        for cell in written.cells:
            heading = _heading(cell) or heading
            for claim in cell.claims:
                where = taught if cell.is_markdown else practised
                where.setdefault(claim, []).append(f"{chapter.name}: {heading}")
        asked: tuple[Exercise | Written, ...] = (*chapter.exercises, *chapter.written)
        for one in asked:
            for claim in one.claims:
                practised.setdefault(claim, []).append(f"{chapter.name}: {one.id}")
    claims = sorted({*taught, *practised}, key=lambda claim: (claim[0], int(claim[1:])))
    return [Coverage(one, tuple(taught.get(one, ())), tuple(practised.get(one, ()))) for one in claims]


def _heading(cell: text.TextCell) -> str | None:
    """The first heading of a markdown cell, without its marks."""
    if not cell.is_markdown:
        return None
    return next((line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")), None)
