"""What a learner's `import` finds in the box: what is there, and stand-ins for what is not.

The standard library is there, as it is beside the learner; an answer that leans on a part of it that is not on the
list is refused when it is opened, by the same walk as in the notebook. Not there are installed packages, the course,
and all of kafkalite but its words: whoever imports those and does not use them loses nothing.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from autograder.worker.stand_ins import Stage, StandInModule

OURS = ("kafkalite", "course", "autograder")


class Imports:
    """`import`, as the learner's cells and functions meet it."""

    def __init__(self, is_allowed: Callable[[str], bool], stage: Stage) -> None:
        self._is_allowed, self._stage = is_allowed, stage
        self._modules: dict[str, StandInModule] = {}
        self._real_import = builtins.__import__

    def install(self) -> None:
        """From here on. What is imported already stays as it is for those who have it."""
        builtins.__import__ = self._import
        sys.meta_path.append(_OurAbsentModules(self))  # `kafkalite.Log` is imported by kafkalite itself

    def stand_in(self, name: str) -> StandInModule:
        """The stand-in for a module, and those for the packages above it."""
        if name not in self._modules:
            self._modules[name] = StandInModule(name, self._stage)
            above, _, last = name.rpartition(".")
            if above:
                setattr(self._module(above), last, self._modules[name])
        return self._modules[name]

    def _module(self, name: str) -> ModuleType:
        return self.stand_in(name) if self._is_absent(name) else importlib.import_module(name)

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - as Python calls it
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        # The standard library's own imports may fail, and rely on it: `try: import _winapi`.
        is_learners = level == 0 and (globals or {}).get("__name__") == "__main__"
        if not is_learners or not self._is_absent(name):
            return self._real_import(name, globals, locals, fromlist or (), level)
        found = self.stand_in(name)
        if fromlist:
            return found
        top = name.partition(".")[0]
        return self.stand_in(top) if self._is_absent(top) else self._real_import(top, globals, locals, (), 0)

    def _is_absent(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top in OURS:
            return name == "course" or not self._is_allowed(name)
        return top not in sys.modules and importlib.util.find_spec(top) is None


class _OurAbsentModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds our own packages' modules that the image does not hold, whoever asks; it is asked last."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in OURS:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._imports.stand_in(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""
