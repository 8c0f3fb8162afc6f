"""A submission, read as data: nothing in it is executed, imported, compiled or parsed as Python here.

The file is opened once, without following a link, read once under a size cap, and known by the hash of what was read:
what happens to the file afterwards changes nothing. What comes out is cells, in order, each a kind, a source, and the
names it goes by. Points, roles and tests never come from here; they are the release's (`autograder.manifest`).

    not a plain file, a link, too large, not JSON, a key twice, nested too deeply, not a notebook  ->  BadSubmission

Left out: outputs and attachments, which say nothing about an answer.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOTEBOOK_BYTES_MAX = 5_000_000  # a chapter with its films is under 2 MB; 20 MB of `[],` took 500 MB of memory
CELLS_MAX = 2_000
NAME_LENGTH_MAX = 100
COURSE = "kafkalite-course"
KINDS = frozenset({"code", "markdown", "raw"})


class BadSubmission(Exception):
    """A file that cannot be graded; the message says what was expected, what came, and what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `grade_id` is nbgrader's name for it, `id` the notebook format's; either may be absent or wrong."""

    kind: str
    source: str
    id: str | None = None
    grade_id: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A notebook as it was when it was read, and what it says of itself: which course, chapter and release."""

    file: str
    sha256: str
    size_bytes: int
    course: str | None
    chapter: str | None
    release: str | None
    cells: tuple[Cell, ...]


def read_submission(path: Path) -> Submission:
    """The notebook at `path`. Raises BadSubmission."""
    data = _read(path)
    return parse_notebook(data, path.name)


def parse_notebook(data: bytes, name: str) -> Submission:
    """A notebook's bytes as a submission; `name` is for messages. Raises BadSubmission."""
    content = _content(data, name)
    if content.get("nbformat") != 4 or type(content["nbformat"]) is not int:
        raise BadSubmission(
            f"{name} is not a notebook of format 4: its `nbformat` is {_short(content.get('nbformat'))}. "
            "Open it in JupyterLab and save it there."
        )
    cells = content.get("cells")
    if type(cells) is not list or len(cells) > CELLS_MAX:
        raise BadSubmission(f"{name} is not a notebook: expected a list of at most {CELLS_MAX:,} cells.")
    says = _dict(_dict(content.get("metadata")).get("kafkalite"))
    return Submission(
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        course=_name(says.get("course")),
        chapter=_name(says.get("chapter")),
        release=_name(says.get("release")),
        cells=tuple(_cell(cell, number, name) for number, cell in enumerate(cells, 1)),
    )


# The file ------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    # NONBLOCK: opening a named pipe must not wait for somebody to write into it.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags)
    except OSError as error:
        raise BadSubmission(_cannot_open(path, error)) from None
    try:
        _must_be_plain(path, os.fstat(fd))
        with os.fdopen(os.dup(fd), "rb") as file:
            data = file.read(NOTEBOOK_BYTES_MAX + 1)
    except OSError as error:
        raise BadSubmission(f"{path} cannot be read: {error.strerror}.") from None
    finally:
        os.close(fd)
    if len(data) > NOTEBOOK_BYTES_MAX:
        raise BadSubmission(
            f"{path} is larger than {NOTEBOOK_BYTES_MAX // 1_000_000} MB. Clear its outputs (in JupyterLab: Edit, "
            "Clear Outputs of All Cells), save it, and try again."
        )
    if not data.strip():
        raise BadSubmission(f"{path} is empty; expected a notebook of this course. Was it saved?")
    return data


def _cannot_open(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"There is no {path}; expected a notebook of this course, such as my-notebooks/01_why_a_log.ipynb."
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return f"{path} is a symbolic link; expected the notebook itself. Name the file it leads to."
    return f"{path} cannot be opened: {error.strerror}."


def _must_be_plain(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise BadSubmission(f"{path} is a folder; expected one notebook, a file that ends in .ipynb.")
    if not stat.S_ISREG(status.st_mode):
        raise BadSubmission(f"{path} is not a plain file; expected a notebook.")
    if status.st_nlink != 1:
        raise BadSubmission(
            f"{path} has {status.st_nlink} names (hard links), so it may be somebody else's file. "
            "Copy it and grade the copy."
        )


# The content ---------------------------------------------------------------------------------------------------------


def _content(data: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_key_once, parse_constant=_nothing)
    except UnicodeDecodeError:
        raise BadSubmission(f"{name} is not a notebook: it is not text in UTF-8.") from None
    except RecursionError:
        raise BadSubmission(f"{name} is not a notebook: its JSON is nested too deeply.") from None
    except _KeyTwiceError as error:
        raise BadSubmission(
            f"{name} is ambiguous: the key {_short(str(error))} stands twice in one object, so two programs may read "
            "two notebooks in it. Open it in JupyterLab and save it there."
        ) from None
    except ValueError as error:
        raise BadSubmission(f"{name} is not a notebook: it is not JSON ({_short(str(error))}).") from None
    if type(content) is not dict:
        raise BadSubmission(f"{name} is not a notebook: expected a JSON object, got a {type(content).__name__}.")
    return content


class _KeyTwiceError(ValueError):
    pass


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyTwiceError(next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index])))
    return found


def _nothing(_: str) -> None:
    """NaN and the infinities: no JSON, but Jupyter writes them into outputs, which nobody here reads."""


def _cell(cell: Any, number: int, name: str) -> Cell:
    if type(cell) is not dict or cell.get("cell_type") not in KINDS:
        raise _malformed(number, name, "expected a code, markdown or raw cell")
    source = cell.get("source")
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    if type(source) is not str:
        raise _malformed(number, name, "expected its source as text")
    metadata = _dict(cell.get("metadata"))
    return Cell(
        kind=cell["cell_type"],
        source=source.encode("utf-8", "replace").decode(),  # a lone surrogate cannot be written anywhere
        id=_name(cell.get("id")),
        grade_id=_name(_dict(metadata.get("nbgrader")).get("grade_id")),
        role=_name(_dict(metadata.get("kafkalite")).get("role")),
    )


def _malformed(number: int, name: str, expected: str) -> BadSubmission:
    return BadSubmission(f"{name} is damaged at cell {number}: {expected}. Open it in JupyterLab and save it there.")


def _dict(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _name(value: Any) -> str | None:
    return value if type(value) is str and 0 < len(value) <= NAME_LENGTH_MAX and value.isprintable() else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
