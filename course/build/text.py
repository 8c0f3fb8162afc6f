"""A chapter's text as cells: MyST Markdown read by jupytext, each cell with its role and the line it begins at.

The text says where things stand and in which words; points, rules and solutions are not written in it but named, and
come from the chapter's objects. So what is read here is refused early where it names nothing: every cell's metadata is
checked against the table `KEYS`, because a mistyped key would otherwise just be a cell that means nothing.
Left out: what the names stand for (`notebook`), and facts in prose (`placeholders`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupytext.myst import myst_to_notebook

from course.build.errors import BuildError

TEXT, WRITTEN = "text", "written"
SETUP, LAB, SOLUTION, CHECK = "setup", "lab", "solution", "check"

# role -> the keys its metadata must have, and those it may have
KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    TEXT: (frozenset(), frozenset({"claims", "name"})),
    WRITTEN: (frozenset({"written"}), frozenset()),
    SETUP: (frozenset({"name"}), frozenset()),
    LAB: (frozenset(), frozenset({"claims", "name"})),
    SOLUTION: (frozenset({"exercise"}), frozenset()),
    CHECK: (frozenset({"check"}), frozenset()),
}
MARKDOWN_ROLES = (TEXT, WRITTEN)
CODE_ROLES = (SETUP, LAB, SOLUTION, CHECK)
CLAIM = re.compile(r"[A-Z]\d{1,2}")
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class TextCell:
    """One cell as the chapter's text has it. `named` is the metadata beside the role; `where` is `file:line`."""

    role: str
    source: str
    named: Mapping[str, Any]
    tags: tuple[str, ...]
    where: str
    lines: tuple[tuple[int, str], ...]  # the source's lines with their numbers in the file

    @property
    def is_markdown(self) -> bool:
        """It is shown, not run."""
        return self.role in MARKDOWN_ROLES

    @property
    def claims(self) -> tuple[str, ...]:
        """The claim ids this cell teaches."""
        return tuple(self.named.get("claims", ()))


@dataclass(frozen=True, slots=True)
class ChapterText:
    """A chapter's text: the claim ids its head promises, and its cells in order."""

    claims: tuple[str, ...]
    cells: tuple[TextCell, ...]


def read(path: Path) -> ChapterText:
    """The text in that file. Raises BuildError, which names file and line."""
    file = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(file, f"expected the chapter's text, and it cannot be read: {error.strerror}") from None
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except Exception as error:  # noqa: BLE001 - jupytext lets its JSON and YAML parsers' own errors through
        raise BuildError(file, f"is not MyST Markdown as jupytext reads it: {error}") from None
    lines = text.splitlines()
    starts = notebook.metadata.pop("source_map")
    cells = [_cell(file, lines, start, cell) for start, cell in zip(starts, notebook.cells, strict=True)]
    return ChapterText(_head(file, notebook.metadata), tuple(cells))


def _head(file: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    head = metadata.get("kafkalite", {})
    if not isinstance(head, Mapping) or set(head) != {"claims"}:
        raise BuildError(
            f"{file}:1", "the text must begin with a head that lists its claims: `kafkalite: {claims: [...]}`"
        )
    return _claims(f"{file}:1", head["claims"])


def _cell(file: str, lines: list[str], start: int, cell: Any) -> TextCell:
    numbered = tuple(_numbered(lines, start, cell.source))
    # A code cell's line is that of its fence; a markdown cell's is its first line that is not blank.
    line = start if cell.cell_type == "code" else numbered[0][0]
    where = f"{file}:{line}"
    named = dict(cell.metadata.pop("kafkalite", {}))
    tags = tuple(cell.metadata.pop("tags", ()))
    if cell.metadata:
        raise BuildError(
            where, f"metadata may be `kafkalite` and `tags`; this cell also has {', '.join(cell.metadata)}"
        )
    if cell.cell_type not in ("markdown", "code"):
        raise BuildError(where, f"expected a markdown or a code cell, and this is a {cell.cell_type} cell")
    role = named.pop("role", TEXT if cell.cell_type == "markdown" else None)
    roles = MARKDOWN_ROLES if cell.cell_type == "markdown" else CODE_ROLES
    if role not in roles:
        raise BuildError(
            where, f"a {cell.cell_type} cell's `role` is one of {', '.join(roles)}; this one's is {role!r}"
        )
    _check_keys(where, role, named)
    found = TextCell(role, cell.source, named, tags, where, numbered)
    _check_body(found)
    return found


def _numbered(lines: list[str], start: int, source: str) -> Iterator[tuple[int, str]]:
    """The lines of the source with their numbers in the file, from 1. Blank lines at its ends are not in the source."""
    wanted = source.splitlines()
    for at in range(start, len(lines) - len(wanted) + 1):
        if lines[at : at + len(wanted)] == wanted:
            yield from enumerate(wanted, at + 1)
            return
    yield from ((start + 1, line) for line in wanted)  # indented in the file: near is near enough


def _check_keys(where: str, role: str, named: Mapping[str, Any]) -> None:
    must, may = KEYS[role]
    missing, unknown = sorted(must - named.keys()), sorted(named.keys() - must - may)
    if missing:
        raise BuildError(where, f"a {role} cell must say `{missing[0]}`")
    if unknown:
        raise BuildError(where, f"a {role} cell may say {_listed(must | may)}; this one says `{unknown[0]}`")
    if "claims" in named:
        _claims(where, named["claims"])
    if "name" in named and not (isinstance(named["name"], str) and NAME.fullmatch(named["name"])):
        raise BuildError(where, f"a name is up to 40 letters, digits, `-` and `_`; this one is {named['name']!r}")


def _check_body(cell: TextCell) -> None:
    if cell.role in (SOLUTION, CHECK) and cell.source.strip():
        raise BuildError(cell.where, f"a {cell.role} cell has no body: the build writes it, so that it cannot go stale")
    if cell.role in (SETUP, LAB, WRITTEN) and not cell.source.strip():
        raise BuildError(cell.where, f"a {cell.role} cell must have a body")


def _claims(where: str, claims: Any) -> tuple[str, ...]:
    good = isinstance(claims, list) and all(isinstance(one, str) and CLAIM.fullmatch(one) for one in claims)
    if not good:
        raise BuildError(where, f'`claims` must be a list of claim ids such as ["K1", "T3"]; it is {claims!r}')
    return tuple(claims)


def _listed(keys: frozenset[str]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys)) or "nothing more"
