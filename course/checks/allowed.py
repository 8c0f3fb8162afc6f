"""What an answer may import: one list, enforced alike beside the learner and in the box. Standard library only.

`refusal` walks what an answer can reach by name, and says kindly what it must not lean on: the reference itself, or a
package that the box does not have. It guards honest people against a surprise at grading; against the others stands
the box, where the reference is simply absent. So a name made up while the answer runs is not looked for here.

This file is copied into the box, so it may import nothing of ours.
"""

from __future__ import annotations

import dis
import functools
import io
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

MODULES = frozenset(
    [
        "__future__",
        "abc",
        "array",
        "base64",
        "binascii",
        "bisect",
        "builtins",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "inspect",
        "itertools",
        "json",
        "keyword",
        "math",
        "numbers",
        "operator",
        "pprint",
        "random",
        "re",
        "statistics",
        "string",
        "struct",
        "sys",
        "textwrap",
        "time",
        "traceback",
        "types",
        "typing",
        "unicodedata",
        "warnings",
        "weakref",
        "zlib",
        "kafkalite",
        "kafkalite.errors",
        "kafkalite.types",
        "course",
    ]
)
"""Top-level names allow their submodules too, except for our own: there only the words and the errors."""

OURS = frozenset({"kafkalite", "course", "autograder"})


def is_allowed(module: str) -> bool:
    """May an answer import this module?

    >>> is_allowed("collections.abc"), is_allowed("kafkalite.types"), is_allowed("kafkalite.log.memory")
    (True, True, False)
    """
    top = module.partition(".")[0]
    return (module if top in OURS else top) in MODULES


def refusal(name: str, answer: Any) -> str | None:
    """Why this answer cannot be accepted, in a sentence for the learner; None if it can."""
    module = refused_module(answer)
    return None if module is None else sentence(name, module)


def refused_module(answer: Any) -> str | None:
    """The first module found that this answer uses and may not use; None if there is none.

    Looks at the answer, its base classes, methods and default arguments, and at everything these name in their
    module, function by function. Instances and containers are looked at by their type only.
    """
    for found in _reachable(answer, set()):
        module = _module_of(found)
        if module is not None and not is_allowed(module):
            return module
    return None


def sentence(name: str, module: str) -> str:
    """What to say of an answer that uses that module."""
    if module == "__import__":
        return f"`{name}` calls `__import__`; write an `import` statement, so that one can see what it needs."
    if module.partition(".")[0] == "course" and not module.startswith("course.chapters"):
        return f"`{name}` uses {module}, which is a tool of the notebook and not there when an answer is graded."
    if module.partition(".")[0] in OURS:
        return (
            f"`{name}` uses {module}, which holds the reference solution. Handing in the reference teaches nothing, "
            "so it scores 0; write your own, the hints are there to help."
        )
    return (
        f"`{name}` uses {module}, which answers may not import. They may use the standard library's "
        "data modules (collections, dataclasses, itertools, bisect, ...), kafkalite.types and kafkalite.errors."
    )


class _Import(str):
    """A module that is imported inside a function."""

    __slots__ = ()


def _module_of(found: Any) -> str | None:
    """The module that this needs; None if it is the learner's own, or sure to be there."""
    if isinstance(found, _Import):
        return str(found)
    if isinstance(found, types.ModuleType):
        return found.__name__
    if isinstance(found, io.TextIOBase):
        return None  # `from sys import stderr`: a stream of the notebook or of the box
    has_home = isinstance(found, type | types.FunctionType | types.BuiltinFunctionType)
    module = getattr(found if has_home else type(found), "__module__", None)
    return module if isinstance(module, str) and not _is_unspecific(module) else None


def _is_unspecific(module: str) -> bool:
    # What lives in the notebook is in `__main__`; `_bisect` and its like are the insides of allowed modules; the
    # methods of a namedtuple are in a module of no file; a kept wrong answer stands in for a learner's.
    return module.startswith(("_", "namedtuple_")) or module.endswith(".wrong_answers")


def _reachable(found: Any, seen: set[int]) -> Iterator[Any]:
    if id(found) in seen:
        return
    seen.add(id(found))
    yield found
    if isinstance(found, types.FunctionType):
        parts: Iterable[Any] = _parts_of_function(found)
    elif isinstance(found, type):
        parts = _parts_of_class(found)
    else:
        parts = [part for kind, names in _WRAPPERS if isinstance(found, kind) for part in _attributes(found, names)]
    for part in parts:
        yield from _reachable(part, seen)


_WRAPPERS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (staticmethod, ("__func__",)),
    (classmethod, ("__func__",)),
    (types.MethodType, ("__func__", "__self__")),
    (property, ("fget", "fset", "fdel")),
    (functools.partial, ("func",)),
    (functools.cached_property, ("func",)),
    (type(functools.cache(len)), ("__wrapped__",)),
)
"""What stands around a function, and where in it the function is."""


def _attributes(found: Any, names: Iterable[str]) -> Iterator[Any]:
    return (getattr(found, name) for name in names if getattr(found, name, None) is not None)


def _parts_of_class(found: type) -> Iterator[Any]:
    if not _is_given(found.__module__):
        yield from found.__mro__[1:]
        yield from list(vars(found).values())


def _parts_of_function(function: types.FunctionType) -> Iterator[Any]:
    # By its globals: a wrapper made by the library (a dataclass's __repr__) has the name of the learner's own module.
    if not _is_given(str(function.__globals__.get("__name__", ""))):
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        yield from _named(function.__code__, function.__globals__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a cell that is not filled yet
            continue


def _is_given(module: str) -> bool:
    """The standard library's own functions and classes may use what they like; those of the learner are looked into."""
    return module.partition(".")[0] in sys.stdlib_module_names - {"__main__"} or module in MODULES


def _is_library(module: types.ModuleType) -> bool:
    return is_allowed(module.__name__) and module.__name__.partition(".")[0] not in OURS


def _named(code: types.CodeType, names: dict[str, Any]) -> Iterator[Any]:
    """What this code names: globals, modules it imports, and attributes of modules (`kafkalite.log.memory.Log`)."""
    imported: dict[str, Any] = {}  # local names of modules
    here: Any = None  # what the instructions so far have put where the next one takes it from
    for instruction in dis.get_instructions(code):
        operation, name = instruction.opname, instruction.argval
        if operation in ("LOAD_GLOBAL", "LOAD_NAME") and name == "__import__":
            yield _Import(name)  # what it imports is known only when it runs
        if operation == "IMPORT_NAME":
            yield _Import(name)
            here = sys.modules.get(name)
        elif operation == "IMPORT_FROM" and here is not None:
            yield getattr(here, name, None)  # and the next one comes from the same module
        elif operation.startswith("STORE_FAST") and isinstance(here, types.ModuleType):
            imported[name] = sys.modules.get(here.__name__.partition(".")[0])  # `import a.b` names a
        elif operation not in ("CACHE", "PUSH_NULL", "EXTENDED_ARG"):
            here = _loaded(operation, name, here, imported if operation.startswith("LOAD_FAST") else names)
        yield here
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant, names)


def _loaded(operation: str, name: Any, here: Any, names: dict[str, Any]) -> Any:
    if operation.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST")):
        return names.get(name) if isinstance(name, str) else None
    if operation in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(here, types.ModuleType):
        found = getattr(here, name, None)
        # What a library holds may be used, wherever it came from (`sys.stderr` is the notebook's), but for modules.
        return found if isinstance(found, types.ModuleType) or not _is_library(here) else None
    return None
