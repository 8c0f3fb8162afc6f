"""Runs a notebook's cells with nothing but what the box offers. A script: `python -I -S box_driver.py < job.json`.

Stands alone, because where it runs nothing of ours can be imported but what lies beside it.
"""

from __future__ import annotations

import builtins
import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any

MARK = "\n--- box_driver ---\n"  # cells may print; the report is what comes after


class Inert(types.ModuleType):
    """Stands where `course` would be: whatever is done with it gives it again."""

    def __getattr__(self, name: str) -> Inert:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **kwargs: object) -> Inert:
        return self

    def __getitem__(self, key: object) -> Inert:
        return self


def main() -> None:
    """Read the job, run its cells, write the report: a list of (where, what is wrong)."""
    sys.path.insert(0, str(Path(__file__).parent))
    allowed = importlib.import_module("allowed")  # it lies beside this script only when that is run
    job = json.load(sys.stdin)
    sys.modules["course"] = Inert("course")
    answers = sys.modules["__main__"] = types.ModuleType("__main__")
    builtins.__import__ = _guarded(allowed, vars(answers))
    report = []
    for name, source in job["cells"]:
        try:
            exec(compile(source, f"<{name}>", "exec", dont_inherit=True), vars(answers))  # noqa: S102 - the chapter's own
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the report is about
            report.append((f"cell {name}", f"{type(error).__name__}: {error}"))
    for name in job["names"]:
        refused = allowed.refusal(name, vars(answers)[name]) if name in vars(answers) else None
        if refused:
            report.append((name, refused))
    sys.stdout.write(MARK + json.dumps(report))


def _guarded(allowed: Any, answers: dict[str, Any]) -> Any:
    """`__import__` that refuses the cells what answers may not import; the library's own imports go on."""
    plain_import = builtins.__import__

    def guarded(name: str, importer: Any = None, *more: Any, **named: Any) -> Any:
        importer = named.get("globals", importer)
        if importer is answers and not allowed.is_allowed(name):
            raise ImportError(allowed.sentence("the cell", name))
        return plain_import(name, *(() if "globals" in named else (importer,)), *more, **named)

    return guarded


if __name__ == "__main__":
    main()
