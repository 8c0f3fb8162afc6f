"""A notebook in JupyterLab, as a person uses it: find a cell, write in it, run it, read what it shows.

Cells are found by what the notebook says of them (nbgrader's grade id), read from the file, never by where they stand
in the chapter. Nothing here sleeps: every step waits until the page shows what comes of it. A run is over when its own
number is beside the cell, `[7]:`, and not merely some number, which might be of the run before.

Text is read from the document, not from the screen: JupyterLab leaves unpainted what is scrolled away, and scrolling
is its own business. That something can be seen is what clicking on it shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

PATIENCE_MS = 90_000  # for what takes a second or two on an idle machine; only a fault meets it

KERNEL_IS_IDLE = re.compile(r"^Python 3 .*\| Idle$")

Cell = dict[str, Any]


@dataclass(slots=True)
class NotebookPage:
    """An open notebook. A failure or a warning on the page ends the wait for a run: there may be none after it.

    path  its file
    runs  how many cells the kernel has run: the number that JupyterLab puts beside the last of them
    """

    page: Page
    path: Path
    runs: int = 0

    def open(self, url: str) -> None:
        """Open the page at this address, and wait until all cells are there and the kernel is."""
        self.page.goto(url)
        self._ready()

    def reload(self) -> None:
        """Load the page anew, as after closing the browser; the kernel lives on."""
        self.page.reload()
        self._ready()

    def on_disk(self) -> list[Cell]:
        """The cells as the file has them."""
        cells: list[Cell] = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        return cells

    def source(self, grade_id: str) -> str:
        """A cell's source as the file has it."""
        return "".join(self.on_disk()[self._index(grade_id)]["source"])

    def cell(self, grade_id: str) -> Locator:
        """The cell that nbgrader knows by this id."""
        return self._at(self._index(grade_id))

    def code(self) -> Iterator[Locator]:
        """All cells that can be run."""
        return (self._at(i) for i, cell in enumerate(self.on_disk()) if cell["cell_type"] == "code")

    def selected(self) -> str | None:
        """Which cell JupyterLab has selected, by its place."""
        return self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index")

    def write(self, grade_id: str, source: str) -> None:
        """Put this source into a code cell in place of what is there."""
        self.cell(grade_id).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(source)

    def run(self, grade_id: str) -> Locator:
        """Run a code cell with Shift+Enter; returns what it shows once the run is over."""
        cell = self.cell(grade_id)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.runs += 1
        self._has_run(cell, self.runs)
        return cell.locator(".jp-Cell-outputArea")

    def run_all(self) -> None:
        """*Run All Cells*, from the menu; over when every code cell has its number."""
        self.page.get_by_role("menubar").get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menu").get_by_role("menuitem", name="Run All Cells", exact=True).click()
        for cell in self.code():
            self.runs += 1
            self._has_run(cell, self.runs)

    def hide_files(self) -> None:
        """Give the notebook the room of the list of files beside it: Ctrl+B."""
        self.page.keyboard.press("ControlOrMeta+B")
        self.page.locator("#jp-left-stack").wait_for(state="hidden")

    def save(self) -> None:
        """Ctrl+S, which does nothing if nothing has changed; over when the server has written the file."""
        with self.page.expect_response(_is_a_save, timeout=PATIENCE_MS) as saved:
            self.page.keyboard.press("ControlOrMeta+S")
        assert saved.value.ok, f"not saved: {saved.value.status} {saved.value.status_text}"

    def _ready(self) -> None:
        self._at(len(self.on_disk()) - 1).wait_for(state="attached", timeout=PATIENCE_MS)
        # Not the sign beside the kernel's name: that one is idle, too, before there is a kernel, and what is run then
        # is lost without a word.
        self.page.locator("#jp-main-statusbar").get_by_text(KERNEL_IS_IDLE).wait_for(timeout=PATIENCE_MS)

    def _index(self, grade_id: str) -> int:
        """Raises ValueError if the notebook has not exactly one such cell."""
        (index,) = (
            i
            for i, cell in enumerate(self.on_disk())
            if grade_id == cell["metadata"].get("nbgrader", {}).get("grade_id")
        )
        return index

    def _at(self, index: int) -> Locator:
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')

    def _has_run(self, cell: Locator, number: int) -> None:
        prompt = cell.locator(".jp-InputArea-prompt").get_by_text(f"[{number}]:", exact=True)
        failure = self.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]')
        prompt.or_(failure).first.wait_for(state="attached", timeout=PATIENCE_MS)


def _is_a_save(response: Response) -> bool:
    return response.request.method == "PUT" and "/api/contents/" in response.url
