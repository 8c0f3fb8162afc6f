"""Which files of this machine a Python needs to start, and which of those a box must not see.

A box runs the interpreter that runs the grader, without its installed packages: no virtual environment, no
site-packages, nobody's home. The graded reference and the checks are packages too, so they are out of reach even
where they were installed straight into the interpreter, or live in a checkout below one of these folders.

Left out: Nix and Guix, whose libraries live in folders of their own. There the first box fails, and says so.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

SYSTEM_LIBRARIES = ("/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64")
LINKER_FILES = ("/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path")
PACKAGE_FOLDERS = ("python*/site-packages", "python*/dist-packages")

FLAGS = ("-s", "-P", "-S", "-B")
"""No user packages, no script folder by itself, no site-packages, no bytecode files. Not -I or -E: the box starts
from an empty environment, and PYTHONHASHSEED has to count."""

ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108  (the box's own)
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",  # glibc reserves 64 MiB of address space for each thread's arena: half the limit in 4
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # the same answer gets the same score tomorrow
    "PYTHONUTF8": "1",
    "TMPDIR": "/tmp",  # noqa: S108
}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python as seen from inside a box; paths are the same inside and outside."""

    executable: Path
    links: tuple[tuple[str, Path], ...]
    """(target, path) of folders that are symbolic links, such as /lib -> usr/lib."""
    visible: tuple[Path, ...]
    """Files and folders to be seen, read-only."""
    hidden: tuple[Path, ...]
    """Folders inside `visible` to be covered."""


def this_interpreter() -> Interpreter:
    """The interpreter that runs this process, or the one its virtual environment was made from."""
    executable = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    libraries = [
        Path(prefix, folder) for prefix in (sys.base_prefix, sys.base_exec_prefix) for folder in ("lib", "lib64")
    ]
    folders = dict.fromkeys([*map(Path, SYSTEM_LIBRARIES), *libraries])
    visible = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
    return Interpreter(
        executable=executable,
        links=tuple((str(folder.readlink()), folder) for folder in folders if folder.is_symlink()),
        visible=(*_outermost(visible), executable, *(Path(file) for file in LINKER_FILES if Path(file).is_file())),
        hidden=tuple(_outermost(_packages(visible))),
    )


def _packages(visible: list[Path]) -> list[Path]:
    """Every folder below `visible` that packages are imported from, the standard library aside."""
    installed = [folder for root in visible for pattern in PACKAGE_FOLDERS for folder in root.glob(pattern)]
    imported = [Path(entry) for entry in (*sys.path, *_our_own()) if entry and Path(entry).name != "lib-dynload"]
    candidates = dict.fromkeys(folder.resolve() for folder in (*installed, *imported) if folder.is_dir())
    library = Path(os.__file__).resolve().parent
    return [folder for folder in candidates if _is_below(folder, visible) and not library.is_relative_to(folder)]


def _our_own() -> list[str]:
    """The checkout or site-packages that holds the grader; beside it lie the checks and the reference."""
    return [str(Path(__file__).resolve().parents[2])]


def _outermost(folders: list[Path]) -> list[Path]:
    return [
        folder for folder in folders if not any(folder.is_relative_to(other) for other in folders if other != folder)
    ]


def _is_below(path: Path, roots: list[Path]) -> bool:
    return any(root in path.parents for root in roots)
