"""A learner's own copy of the notebooks: laid out once, never overwritten.

The released notebooks are the course's; what a learner opens is a copy in a folder of their own. Laying it out again
adds the chapters that are missing and touches nothing that is there: answers survive every run and every update.
A copy that cannot be what the release holds (another release, another course, not a notebook) is kept and reported.

    released            folder before       folder after
    01.ipynb  r2        01.ipynb  r1        01.ipynb  r1     kept: of another release
    02.ipynb  r2                            02.ipynb  r2     copied

Left out: merging a new release into an old copy. Starting JupyterLab is in `course.lab_server`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

HERE = Path(__file__).resolve().parent


class CannotLearn(Exception):
    """The folder or the release cannot be used; the message says what was expected, what came, and what to do."""


class Outcome(Enum):
    """What became of one chapter's notebook."""

    COPIED = "copied"
    KEPT = "kept"
    KEPT_OTHER_RELEASE = "kept, of another release"
    KEPT_OTHER_COURSE = "kept, not of this course"
    KEPT_UNREADABLE = "kept, not readable as a notebook"


@dataclass(frozen=True, slots=True)
class Placed:
    """One notebook in the learner's folder; `remark` is a sentence for the learner, or empty."""

    path: Path
    outcome: Outcome
    remark: str = ""


def released_notebooks(package: Path = HERE) -> Path:
    """The folder of released notebooks: inside the installed package, or beside it in a checkout.

    Raises CannotLearn where neither holds a notebook.
    """
    candidates = (package / "notebooks", package.parent / "notebooks")
    for folder in candidates:
        if any(folder.glob("*.ipynb")):
            return folder
    raise CannotLearn(
        f"No released notebooks: expected .ipynb files in {candidates[0]} (an installed course) or {candidates[1]} "
        "(a checkout). Reinstall the course, or in a checkout bring notebooks/ back with git."
    )


def lay_out(released: Path, folder: Path) -> list[Placed]:
    """Copy every notebook of `released` that `folder` lacks, in order of name; overwrite nothing.

    Each copy appears whole or not at all, so an interruption leaves nothing half-written.
    Raises CannotLearn if `folder` belongs to the course itself, is not a folder, or cannot be written.
    """
    _refuse_the_courses_own(folder, released)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_place(source, folder / source.name) for source in sorted(released.glob("*.ipynb"))]
    except (FileExistsError, NotADirectoryError) as error:
        raise CannotLearn(
            f"Expected a folder at {folder}, but {error.filename or folder} is a file. Name another folder."
        ) from error
    except OSError as error:
        raise CannotLearn(
            f"Cannot write your notebooks to {folder}: {error.strerror or error}. "
            "Name a folder you may write to, on a disk with room."
        ) from error


def _refuse_the_courses_own(folder: Path, released: Path) -> None:
    """A learner's answers must not land where an update or a `git checkout` would take them away."""
    target = folder.resolve()
    checkout = HERE.parent
    own = (released, *(checkout / name for name in ("kafkalite", "course", "autograder", "notebooks", "tests", ".git")))
    for place in own:
        if target.is_relative_to(place.resolve()):
            raise CannotLearn(
                f"{folder} is inside {place}, which belongs to the course: an update would replace your answers. "
                "Name a folder of your own, for example my-notebooks."
            )


def _place(source: Path, target: Path) -> Placed:
    if not os.path.lexists(target) and _copy_whole(source, target):
        return Placed(target, Outcome.COPIED)
    return _look_at_kept(source, target)


def _copy_whole(source: Path, target: Path) -> bool:
    """Write the copy under another name, then give it its own; False if something took the name meanwhile."""
    with _temporary_beside(target) as temporary:
        temporary.write_bytes(source.read_bytes())
        try:
            os.link(temporary, target)  # unlike a rename on POSIX, a link never replaces a file
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links: a USB stick, some network shares
            if os.path.lexists(target):
                return False
            temporary.rename(target)
    return True


@contextlib.contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _look_at_kept(source: Path, target: Path) -> Placed:
    fresh_copy = f"To get a fresh copy, rename yours and run this again; {target.name} is kept as it is."
    try:
        release = _release_of(target)
    except (OSError, ValueError, RecursionError) as error:
        remark = f"{target.name} cannot be read as a notebook ({_first_line(error)}). {fresh_copy}"
        return Placed(target, Outcome.KEPT_UNREADABLE, remark)
    if release is None:
        remark = f"{target.name} is not a notebook of this course: it records no release. {fresh_copy}"
        return Placed(target, Outcome.KEPT_OTHER_COURSE, remark)
    released = _release_of(source)
    if release != released:
        remark = f"{target.name} is of release {release}; the course now holds {released}. {fresh_copy}"
        return Placed(target, Outcome.KEPT_OTHER_RELEASE, remark)
    return Placed(target, Outcome.KEPT)


def _release_of(notebook: Path) -> str | None:
    """The release recorded in the metadata (`kafkalite.release`), None if there is none; ValueError if not JSON."""
    content = json.loads(notebook.read_bytes())
    for key in ("metadata", "kafkalite", "release"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) else None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
