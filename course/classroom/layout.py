"""The folder of an nbgrader course: laid out once for a cohort, then kept.

    DIR/ README.md nbgrader_config.py secret gradebook.db exchange/ source/<assignment>/<assignment>.ipynb

Laying it out again adds the chapters that are missing and touches nothing that is there: not the secrets, not the
gradebook, not a notebook or a setting that was edited. A notebook of another release stops it before anything is
written, because submissions are graded against the release they were made from. Each file appears whole or not at all.

Others on the same machine may walk through the folder to the exchange, and may read nothing else in it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import course
from course.build import as_text, instructor_notebook, release_id
from course.chapters.catalog import Chapter
from course.classroom import CannotTeach
from course.classroom.settings import CONFIG, Settings, settings_of
from course.classroom.texts import README_MARK, config_text, readme_text

SECRET_BYTES = 32
# nbgrader makes these when it needs them; made beforehand they can be for the teacher alone.
PRIVATE_FOLDERS = ("source", "release", "submitted", "autograded", "feedback")
HIDDEN_SECRET = re.compile(r"lab\.grading\(secret=(['\"])([0-9a-f]+)\1")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What was done: the files that are new, those that were written anew, and sentences for the teacher."""

    settings: Settings
    written: tuple[str, ...]
    rewritten: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: str  # in the course folder
    content: str
    mode: int = 0o600
    overwrite: bool = False


def lay_out(
    folder: Path,
    chapters: Sequence[Chapter],
    *,
    course_id: str | None = None,
    exchange: Path | None = None,
    force: bool = False,
) -> LaidOut:
    """Lay out the course in that folder, or add to it what is missing.

    `force` writes config and notebooks anew where they differ from what the course makes; secrets and gradebook stay.
    Raises CannotTeach before anything is written, or if the folder cannot be written; BuildError if a chapter cannot
    be built.
    """
    _refuse_what_is_no_place(folder)
    found = settings_of(folder)
    settings = _chosen(found, course_id, exchange) if found is None or force else found
    settings.check()
    files = [_notebook(folder, chapter, force=force) for chapter in chapters]
    files += [
        _File(CONFIG, config_text(settings), 0o644, overwrite=force),
        _readme(folder, settings, chapters),
        _File("secret", secrets.token_hex(SECRET_BYTES) + "\n"),
        _File("gradebook.db", ""),  # empty it is a valid new database, and nobody else can read it
    ]
    remarks = _remarks(folder, found, _chosen(found, course_id, exchange), force=force)
    folders = [*PRIVATE_FOLDERS, *(["exchange"] if settings.exchange is None else [])]
    try:
        written, rewritten = _put(folder, files, folders)
    except OSError as error:
        raise CannotTeach(
            f"Cannot write the course to {folder}: {error.strerror or error}. "
            "Name a folder you may write to, on a disk with room."
        ) from error
    return LaidOut(settings, tuple(written), tuple(rewritten), remarks)


# What is there already -----------------------------------------------------------------------------------------------


def _refuse_what_is_no_place(folder: Path) -> None:
    home = Path(course.__file__).resolve().parent.parent
    for own in ("kafkalite", "course", "autograder", "notebooks", "tests", ".git"):
        if folder.resolve().is_relative_to(home / own):
            raise CannotTeach(
                f"{folder} is inside {home / own}, which belongs to the course: an update would take your gradebook "
                "and secrets away. Name a folder of your own."
            )
    if folder.exists() and not folder.is_dir():
        raise CannotTeach(f"Expected a folder at {folder}, but it is a file. Name another folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONFIG).exists():
        raise CannotTeach(
            f"{folder} is not empty and holds no {CONFIG}, so it is not a course. "
            "Name a new folder, or that of a course."
        )


def _chosen(found: Settings | None, course_id: str | None, exchange: Path | None) -> Settings:
    settings = found or Settings()
    if course_id is not None:
        settings = replace(settings, course_id=course_id)
    if exchange is not None:
        settings = replace(settings, exchange=exchange.expanduser().resolve())
    return settings


def _remarks(folder: Path, found: Settings | None, wanted: Settings, *, force: bool) -> tuple[str, ...]:
    if found is None or force or found == wanted:
        return ()
    remark = (
        f"{folder / CONFIG} is kept as it is: course id {found.course_id}, exchange {found.exchange_in(folder)}. "
        "Edit it, or run this again with --force."
    )
    return (remark,)


def _notebook(folder: Path, chapter: Chapter, *, force: bool) -> _File:
    """The instructor's notebook: with a new secret, or where there is one already, with the secret it has."""
    path = Path("source", chapter.name, f"{chapter.name}.ipynb")
    secret = secrets.token_hex(SECRET_BYTES)
    if (folder / path).exists():
        kept = _read(folder / path)
        _refuse_another_release(folder / path, kept, chapter)
        if force:
            secret = _hidden_secret(folder / path, kept)
    return _File(str(path), as_text(instructor_notebook(chapter, secret=secret)), overwrite=force)


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_bytes())
        if isinstance(notebook, dict) and isinstance(notebook.get("cells"), list):
            return notebook
        reason = "it is JSON, but not a notebook"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
    raise CannotTeach(
        f"{path} cannot be read as a notebook ({reason}). It held this assignment's secret: bring it back from a copy. "
        "If there is none, move it away and run this again; the cases that grading adds will then be others."
    )


def _refuse_another_release(path: Path, notebook: dict[str, Any], chapter: Chapter) -> None:
    recorded = notebook.get("metadata", {})
    for key in ("kafkalite", "release"):
        recorded = recorded.get(key) if isinstance(recorded, dict) else None
    if recorded != (ours := release_id(chapter)):
        raise CannotTeach(
            f"{path} is of release {recorded or 'unknown'}, and the course installed here makes release {ours}. "
            "A cohort's release is frozen: go on with the version of the course that this folder was laid out with, "
            "or lay out a new folder for the next cohort. Nothing was changed."
        )


def _hidden_secret(path: Path, notebook: dict[str, Any]) -> str:
    for cell in notebook["cells"]:
        found = HIDDEN_SECRET.search("".join(cell.get("source", "")))
        if found:
            return found[2]
    raise CannotTeach(
        f"{path} has no secret in its check cells any more, and a new one would change the cases that grading adds. "
        "Bring it back from a copy, or move it away and run this again without --force."
    )


def _readme(folder: Path, settings: Settings, chapters: Sequence[Chapter]) -> _File:
    there = {path.parent.name for path in folder.glob("source/*/*.ipynb")} | {chapter.name for chapter in chapters}
    releases = {name: _release_of(folder, name) for name in there} | {c.name: release_id(c) for c in chapters}
    readme = folder / "README.md"
    ours = not readme.exists() or README_MARK in readme.read_text(encoding="utf-8", errors="replace")
    return _File("README.md", readme_text(folder, settings, releases), 0o644, overwrite=ours)


def _release_of(folder: Path, name: str) -> str:
    path = folder / "source" / name / f"{name}.ipynb"
    recorded = _read(path).get("metadata", {}).get("kafkalite", {}) if path.exists() else {}
    return str(recorded.get("release", "not of this course"))


# Writing -------------------------------------------------------------------------------------------------------------


def _put(folder: Path, files: Sequence[_File], folders: Sequence[str]) -> tuple[list[str], list[str]]:
    """Write all files aside, then give them their names; a folder that is new appears in one step, complete."""
    is_new = not folder.exists()
    beside = folder.parent if is_new else folder
    beside.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".course-teach.", suffix=".part", dir=beside))
    try:
        for file in files:
            _write(stage / file.path, file)
        if is_new:
            _make_folders(stage, folders)
            stage.chmod(0o711)
            stage.rename(folder)
            return [file.path for file in files], []
        _make_folders(folder, folders)
        return _move(stage, folder, files)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _write(path: Path, file: _File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # a secret is never readable, not even now
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(file.content)
    path.chmod(file.mode)


def _make_folders(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        made = folder / name
        if name == "exchange" and not made.exists():
            made.mkdir()
            made.chmod(0o777)  # nbgrader asks for this: students' submissions come in here
        elif name != "exchange":
            made.mkdir(exist_ok=True)
            made.chmod(0o700)


def _move(stage: Path, folder: Path, files: Sequence[_File]) -> tuple[list[str], list[str]]:
    written, rewritten = [], []
    for file in files:
        source, target = stage / file.path, folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(target):
            source.rename(target)
            written.append(file.path)
        elif file.overwrite and source.read_bytes() != target.read_bytes():
            source.replace(target)
            rewritten.append(file.path)
    return written, rewritten
