"""Which files of this machine a Python needs to start, and nothing beside them.

A box runs the interpreter that runs the grader, without its installed packages: no virtual environment, no
site-packages, nobody's home. The graded reference and the checks are packages too, so they stay out of reach even
where they were installed straight into the interpreter, or lie in a folder below the libraries.

Left out: Nix and Guix, whose libraries live in folders of their own. There the first box fails, and says so.
"""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
MULTIARCH = f"{os.uname().machine}-linux-gnu"
LIBC = ("libc.so.6", "ld-musl-*.so.1")
"""Where one of these is, the system's shared libraries are."""
LOADERS = ("ld-linux*.so.*", "ld64.so.*")
LINKER_FILES = ("/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path")
PACKAGE_FOLDERS = ("site-packages", "dist-packages", "python*/site-packages", "python*/dist-packages")
LIBRARIES_ONE_BY_ONE_MAX = 64
"""Conda keeps some hundred libraries beside the interpreter's own; there the folder is mounted, not each of them."""

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


@functools.cache
def this_interpreter() -> Interpreter:
    """The interpreter that runs this process, or the one its virtual environment was made from."""
    executable = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    links = [Path(folder) for folder in LIBRARY_FOLDERS if Path(folder).is_symlink()]
    folders = _outermost([_standard_library(), *_system_libraries(), *_crowded_libraries()])
    files = [executable, *_loaders(), *_own_libraries(), *(Path(name) for name in LINKER_FILES if Path(name).is_file())]
    return Interpreter(
        executable=executable,
        links=tuple((str(folder.readlink()), folder) for folder in links),
        visible=(*folders, *(file for file in dict.fromkeys(files) if not _is_below(file, folders))),
        hidden=tuple(_outermost(_packages(folders))),
    )


def _standard_library() -> Path:
    return Path(os.__file__).resolve().parent


def _system_libraries() -> list[Path]:
    folders = [Path(folder, name) for folder in LIBRARY_FOLDERS for name in (".", MULTIARCH)]
    holding_libc = [folder for folder in folders if any(any(folder.glob(name)) for name in LIBC)]
    if any(any(folder.glob("ld-musl-*")) for folder in holding_libc):
        holding_libc.append(Path("/usr/lib"))  # musl itself is in /lib, the rest is not
    return list(dict.fromkeys(folder.resolve() for folder in holding_libc))


def _loaders() -> list[Path]:
    """The program that loads programs: its path is written into each of them."""
    folders = dict.fromkeys(Path(folder).resolve() for folder in LIBRARY_FOLDERS if Path(folder).is_dir())
    return [loader for folder in folders for name in LOADERS for loader in folder.glob(name)]


def _own_libraries() -> list[Path]:
    """Shared libraries beside the standard library, libpython among them."""
    prefixes = dict.fromkeys(
        Path(prefix, name) for prefix in (sys.base_prefix, sys.base_exec_prefix) for name in ("lib", "lib64")
    )
    return [library for folder in prefixes for library in sorted(folder.glob("lib*.so*")) if library.is_file()]


def _crowded_libraries() -> list[Path]:
    libraries = _own_libraries()
    return list(dict.fromkeys(path.parent for path in libraries)) if len(libraries) > LIBRARIES_ONE_BY_ONE_MAX else []


def _packages(visible: list[Path]) -> list[Path]:
    """Every folder below `visible` that packages are imported from, the standard library aside."""
    installed = [folder for root in visible for pattern in PACKAGE_FOLDERS for folder in root.glob(pattern)]
    imported = [Path(entry) for entry in (*sys.path, *_our_own()) if entry and Path(entry).name != "lib-dynload"]
    candidates = dict.fromkeys(folder.resolve() for folder in (*installed, *imported) if folder.is_dir())
    library = _standard_library()
    return [folder for folder in candidates if _is_below(folder, visible) and not library.is_relative_to(folder)]


def _our_own() -> list[str]:
    """The checkout or site-packages that holds the grader; beside it lie the checks and the reference."""
    return [str(Path(__file__).resolve().parents[2])]


def _outermost(folders: list[Path]) -> list[Path]:
    return list(dict.fromkeys(folder for folder in folders if not any(other in folder.parents for other in folders)))


def _is_below(path: Path, roots: list[Path]) -> bool:
    return any(root in path.parents for root in roots)
