"""What an answer may import: one list, enforced alike beside the learner and in the box. Standard library only.

`refusal` walks what an answer can reach by name, and says kindly what it must not lean on: the reference itself, or a
package that the box does not have. It guards honest people against a surprise at grading; against the others stands
the box, where the reference is simply absent.

This file is copied into the box, so it may import nothing of ours.
"""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator
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
"""Top-level names allow their submodules too, except for kafkalite: there only the words and the errors."""

_KAFKALITE = frozenset({"kafkalite", "kafkalite.errors", "kafkalite.types"})


def is_allowed(module: str) -> bool:
    """May an answer import this module?

    >>> is_allowed("collections.abc"), is_allowed("kafkalite.types"), is_allowed("kafkalite.log.memory")
    (True, True, False)
    """
    top = module.partition(".")[0]
    return module in _KAFKALITE if top == "kafkalite" else top in MODULES


def refusal(name: str, answer: Any) -> str | None:
    """Why this answer cannot be accepted, in a sentence for the learner; None if it can.

    Looks at the answer, its base classes and methods, and at everything these name in their module, function by
    function. Instances and containers that live in globals are looked at by their type only.
    """
    for found in _reachable(answer, set()):
        module = _module_of(found)
        if module is not None and not is_allowed(module):
            return sentence(name, module)
    return None


def sentence(name: str, module: str) -> str:
    """What to say of an answer that uses that module."""
    if module.partition(".")[0] == "kafkalite":
        return (
            f"`{name}` uses {module}, which holds the reference solution. Handing in the reference teaches nothing, "
            "so it scores 0; write your own, the hints are there to help."
        )
    return (
        f"`{name}` uses {module}, which answers may not import. They may use the standard library's "
        "data modules (collections, dataclasses, itertools, bisect, ...), kafkalite.types and kafkalite.errors."
    )


def _module_of(found: Any) -> str | None:
    if isinstance(found, _Import):
        return found.module
    if isinstance(found, types.ModuleType):
        return found.__name__
    module = getattr(found if isinstance(found, type | types.FunctionType) else type(found), "__module__", None)
    # What lives in the notebook is the learner's own; builtins and C helpers of allowed modules are fine.
    return module if isinstance(module, str) and module.partition(".")[0] == "kafkalite" else None


class _Import(str):
    """A module that is imported inside a function."""

    __slots__ = ()

    @property
    def module(self) -> str:
        return str(self)


def _reachable(found: Any, seen: set[int]) -> Iterator[Any]:  # noqa: C901 - a table of what can be walked, one branch each
    if id(found) in seen:
        return
    seen.add(id(found))
    yield found
    if isinstance(found, staticmethod | classmethod):
        yield from _reachable(found.__func__, seen)
    elif isinstance(found, property):
        for part in (found.fget, found.fset):
            if part is not None:
                yield from _reachable(part, seen)
    elif isinstance(found, types.FunctionType):
        yield from _reachable_from_function(found, seen)
    elif isinstance(found, type) and found.__module__ not in ("builtins", "kafkalite.types", "kafkalite.errors"):
        for base in found.__mro__[1:]:
            yield from _reachable(base, seen)
        for member in list(vars(found).values()):
            if isinstance(member, types.FunctionType | staticmethod | classmethod | property | type):
                yield from _reachable(member, seen)


def _reachable_from_function(function: types.FunctionType, seen: set[int]) -> Iterator[Any]:
    module = function.__module__ or ""
    if is_allowed(module) and module.partition(".")[0] != "course":
        return  # the standard library's own functions may use what they like
    for name in _names(function.__code__):
        if isinstance(name, _Import):
            yield name
        elif name in function.__globals__:
            yield from _reachable(function.__globals__[name], seen)
    for cell in function.__closure__ or ():
        try:
            yield from _reachable(cell.cell_contents, seen)
        except ValueError:  # a cell that is not filled yet
            continue


def _names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield _Import(instruction.argval)
        elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
