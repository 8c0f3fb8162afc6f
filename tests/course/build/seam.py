"""The seam's chapter, whole or with something changed, for tests of the build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from course.chapters import catalog
from course.chapters.catalog import Chapter

PACKAGE = "tests.course.build.chapters.ch90_seam"
FAKE_LAB = """class lab:
    grading = hint = staticmethod(lambda *args, **named: None)

    @staticmethod
    def check(check_id, answer):
        {check}
"""


def seam() -> Chapter:
    """The chapter as it is."""
    return catalog.chapter(PACKAGE)


def with_text(folder: Path, *changes: tuple[str, str]) -> Chapter:
    """The chapter with its text changed: each pair is what stands there, once, and what stands there instead."""
    text = seam().text.read_text(encoding="utf-8")
    for old, new in changes:
        assert 1 == text.count(old), f"{old!r} stands {text.count(old)} times in the text"
        text = text.replace(old, new)
    (folder / "chapter.md").write_text(text, encoding="utf-8")
    return replace(seam(), folder=folder)


def with_lab(folder: Path, check: str) -> Chapter:
    """The chapter whose lab is a fake, with this body of `check`."""
    return with_text(folder, (f'lab = course.chapter("{PACKAGE}")', FAKE_LAB.format(check=check)))


def with_exercise(**changes: Any) -> Chapter:
    """The chapter with its first exercise changed."""
    first, *others = seam().exercises
    return replace(seam(), exercises=(replace(first, **changes), *others))
