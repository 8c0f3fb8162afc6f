"""The modules of this repository as data: what the architecture tests walk over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kafkalite", "course", "autograder")


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file and its dotted name; `is_package` for an `__init__.py`."""

    name: str
    path: Path
    is_package: bool

    def parse(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `module` is absolute; `name` is what is taken from it, None for a plain `import`."""

    module: str
    name: str | None
    line: int


def modules(*packages: str) -> list[Module]:
    """Every module below the named top-level folders, in order of path."""
    return [_module(path) for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path, is_package)


def imports(tree: ast.Module, importer: str, *, is_package: bool) -> Iterator[Import]:
    """Every import anywhere in `tree`, also inside functions and under TYPE_CHECKING; relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, importer, is_package=is_package)
            yield from (Import(source, alias.name, node.lineno) for alias in node.names)


def _absolute(node: ast.ImportFrom, importer: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    steps_up = node.level - 1 if is_package else node.level
    parts = importer.split(".")
    base = parts[: len(parts) - steps_up]
    return ".".join([*base, *([node.module] if node.module else [])])
