"""Cells of a notebook, run in one namespace without IPython: its magics are left out, each with a note.

Python is asked first: only a line that Python itself cannot read is looked at as a magic, so a `%` that goes on an
expression stays what it is. Left out: top-level `await`, and the magics themselves; of `%%time` and its like the cell
below is run, because in the notebook it is.
"""

from __future__ import annotations
import __future__

import builtins
import linecache
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

from autograder.worker.output import TooMuchPrinted
from autograder.worker.watch import CELL, Endless, Watch

RUN_THE_REST = frozenset({"time", "capture", "prun"})
"""Cell magics whose cell is Python and leaves its names behind."""
RUN_THE_LINE = frozenset({"time", "prun"})
"""Line magics that run what follows them."""
NOTES_MAX = 20

_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag

_LINE_MAGIC = re.compile(r"(?P<indent>\s*)(?P<target>[\w\s,.\[\]]+=\s*)?(?P<magic>[%!]{1,2}\S*)(?P<rest>.*)")
_HELP = re.compile(r"(?P<indent>\s*)(\?{1,2}\s*\S+|[\w.%]+\s*\?{1,2})\s*;?\s*$")


@dataclass(frozen=True, slots=True)
class CellEnd:
    """How a cell ended: `ok`, `error`, `timeout` or `output`, and what there is to say about it."""

    how: str
    error: str = ""
    message: str = ""
    notes: list[str] = field(default_factory=list)


class Notebook:
    """The namespace that cells run in: the module `__main__`, as in a kernel."""

    def __init__(self, error_name: Callable[[BaseException], tuple[str, str]], get_ipython: Any) -> None:
        self._error_name = error_name
        self._flags = 0  # a `from __future__ import` holds for the cells that follow, as in IPython
        main = ModuleType("__main__")
        sys.modules["__main__"] = main
        self.names: dict[str, Any] = main.__dict__
        self.names.update(__builtins__=builtins, In=[""], Out={}, get_ipython=get_ipython)
        vars(builtins)["display"] = _display_nothing

    def run(self, number: int, source: str, watch: Watch, limit_s: float) -> CellEnd:
        """Run one cell; whatever it does, say how it ended. MemoryError is let through: it ends the worker."""
        notes: list[str] = []
        try:
            code = self._compile(f"{CELL}{number}>", source, notes)
            watch.call(exec, (code, self.names), limit_s)
        except MemoryError:
            raise
        except Endless as endless:
            return CellEnd("timeout", message=str(endless), notes=notes)
        except TooMuchPrinted:
            return CellEnd("output", notes=notes)
        except BaseException as error:  # noqa: BLE001 - SystemExit too: it ends the cell and nothing else
            name, message = self._error_name(error)
            return CellEnd("error", name, message, notes)
        return CellEnd("ok", notes=notes)

    def _compile(self, filename: str, source: str, notes: list[str]) -> CodeType:
        source = without_magics(source, notes)
        # Tracebacks and inspect.getsource look here.
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        code: CodeType = compile(source, filename, "exec", flags=self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        return code


def without_magics(source: str, notes: list[str]) -> str:
    r"""The same cell with IPython's own lines replaced by nothing, each told in `notes`. What is no Python stays.

    >>> without_magics("%matplotlib inline\nx = 1", [])
    'pass\nx = 1'
    """
    lines = _without_cell_magic(source.splitlines(), notes)
    for _ in range(len(lines)):
        try:
            compile("\n".join(lines), CELL, "exec", dont_inherit=True)
            break
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or (python := _as_python(lines[at])) is None:
                break
            _note(notes, lines[at])
            lines[at] = python
        except ValueError:  # a null character
            break
    return "\n".join(lines)


def _without_cell_magic(lines: list[str], notes: list[str]) -> list[str]:
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None or not lines[first].startswith("%%"):
        return lines
    _note(notes, lines[first])
    if lines[first][2:].split(maxsplit=1)[:1] not in [[name] for name in RUN_THE_REST]:
        return []
    return [*lines[:first], "", *lines[first + 1 :]]


def _as_python(line: str) -> str | None:
    if found := _HELP.fullmatch(line):
        return f"{found['indent']}pass"
    if not (found := _LINE_MAGIC.fullmatch(line)):
        return None
    if found["magic"].lstrip("%") in RUN_THE_LINE and found["rest"].strip():
        return found["indent"] + (found["target"] or "") + found["rest"].strip()
    return found["indent"] + (f"{found['target']}None" if found["target"] else "pass")


def _note(notes: list[str], line: str) -> None:
    if len(notes) < NOTES_MAX:
        notes.append(f"not run when graded: {line.strip()[:80]}")


def _display_nothing(*_: Any, **__: Any) -> None:
    """What `display` does in the box, where nobody looks."""
