"""What the tests in JupyterLab share: a learner's open notebook, and the screenshots of the README."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.course_learn import course_learn
from tests.browser.notebook_page import PATIENCE_MS, NotebookPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
COLOURS_MAX = 256  # of a screenshot: nothing is seen of it, and the file is a third as big

Keep = Callable[[str, "Locator | Page"], None]


@contextmanager
def chapter(browser: Browser, place: Path) -> Iterator[NotebookPage]:
    """`course learn` on a new folder, its first chapter open; in the end, nothing must have gone wrong in the page.

    Nothing may be asked of any other machine either: the course works where there is no network.
    """
    wrong: list[str] = []
    with course_learn(place) as lab:
        context = browser.new_context(viewport={"width": 1100, "height": 800}, color_scheme="light")
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda request: wrong.append(request.url) if _is_elsewhere(request.url, lab.origin) else None
        )
        notebook = NotebookPage(page, lab.notebook)
        notebook.open(lab.url)
        yield notebook
        context.close()
    assert [] == wrong


def _is_elsewhere(url: str, origin: str) -> bool:
    return not url.startswith((f"{origin}/", "data:", "blob:"))


@pytest.fixture
def new_chapter(browser: Browser, tmp_path: Path) -> Iterator[NotebookPage]:
    """A learner's first chapter, as it is on the first day."""
    with chapter(browser, tmp_path) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def run_chapter(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookPage]:
    """The same after *Run All Cells*, with nothing written; saved."""
    with chapter(browser, tmp_path_factory.mktemp("learner")) as notebook:
        notebook.run_all()
        notebook.save()
        yield notebook


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Take a screenshot; with REWRITE_SCREENSHOTS=1 in the environment it becomes the README's, else it is let go."""

    def taken(name: str, what: Locator | Page) -> None:
        what.screenshot(path=tmp_path / name, animations="disabled", caret="hide")
        if os.environ.get("REWRITE_SCREENSHOTS"):
            IMAGES.mkdir(parents=True, exist_ok=True)
            _shrink(tmp_path / name, IMAGES / name)

    return taken


def _shrink(taken: Path, kept: Path) -> None:
    from PIL import Image  # noqa: PLC0415 - only who rewrites screenshots needs it

    few = Image.open(taken).convert("RGB").quantize(COLOURS_MAX, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(kept, optimize=True)
