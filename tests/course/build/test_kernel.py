"""Notebooks run in a fresh kernel: every cell, whatever another did; and a kernel that dies is told."""

from __future__ import annotations

import sys

import nbformat
import pytest
from nbformat import NotebookNode

from course.build import kernel
from course.build.kernel import KernelFailed, run_all


def notebook(*sources: str) -> NotebookNode:
    made: NotebookNode = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    return made


def test_every_cell_is_run_by_this_python_and_an_error_stops_nothing() -> None:
    asked = notebook("import sys; sys.executable", "1 / 0", "import course.build; 'still here'")

    ran = run_all(asked)

    first, second, third = ([output.output_type for output in cell.outputs] for cell in ran.cells)
    assert (["execute_result"], ["error"], ["execute_result"]) == (first, second, third)
    assert repr(sys.executable) == ran.cells[0].outputs[0].data["text/plain"]
    assert [] == asked.cells[0].outputs


def test_a_kernel_that_dies_is_told() -> None:
    with pytest.raises(KernelFailed, match="the kernel died"):
        run_all(notebook("import os; os._exit(3)"))


def test_a_cell_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "CELL_S", 1)

    with pytest.raises(KernelFailed, match="a cell was not done after 1 s"):
        run_all(notebook("while True: pass"))


def test_an_interruption_ends_the_run_and_its_kernel() -> None:
    """Ctrl-C must stop `course build --check`, not become a problem of the chapter."""
    stop = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"

    with pytest.raises(KeyboardInterrupt):
        run_all(notebook(stop))
