"""Storage in a real folder. Every file that is used stays open, as in Kafka: that is what partitions cost.

Left out: snapshots. A node on files cannot be copied, and says so.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafkalite.storage import Buffer, DiskFull, Slice, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEMPORARY = ".tmp"  # a replacement under way; one that is found at the start was never finished
_LARGE_BYTES = 1 << 20  # deleted together
_SLICE_BYTES_MIN = 32 * 1024  # less than this is copied into what is sent (protocol.pieces), so it is read at once


class FileStorage:
    """Files below `root`, which is made if it is not there. `close()` when done."""

    def __init__(self, root: Path, aside: Callable[[Callable[[], None]], object] | None = None) -> None:
        """`aside` is handed what nobody waits for, to be called in any thread; without it, it is called at once."""
        self.root = root
        self._aside = aside or _at_once
        self._open: dict[str, int] = {}  # path -> descriptor
        self._sizes: dict[str, int] = {}  # of the open ones; nobody else writes here
        self._dirty: dict[str, int] = {}  # path -> the number of the last write to it
        self._writes = 0
        self._new: set[str] = set()  # dirty, and so is the folder that names them
        with _storage_errors("", 0):
            root.mkdir(parents=True, exist_ok=True)
            for leftover in root.rglob("*" + _TEMPORARY):
                leftover.unlink()

    def __deepcopy__(self, memo: dict[int, Any]) -> FileStorage:
        raise StorageError(
            f"a node whose storage is the folder {self.root} cannot be snapshotted; run it on MemoryStorage"
        )

    @property
    def open_files(self) -> int:
        """How many files are held open."""
        return len(self._open)

    def close(self) -> None:
        """Let go of every file. Nothing is synced."""
        for descriptor in self._open.values():
            os.close(descriptor)
        for kept in (self._open, self._sizes, self._dirty, self._new):
            kept.clear()

    # The port -------------------------------------------------------------------------------------------------------

    def names(self, folder: str = "") -> list[str]:
        found = self.root / folder
        return sorted(entry.name for entry in found.iterdir() if entry.is_file()) if found.is_dir() else []

    def folders(self) -> list[str]:
        return sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and any(entry.iterdir()))

    def size(self, path: str) -> int:
        found = self._sizes.get(path)
        return self._sizes[path] if found is None and self._descriptor(path) is not None else found or 0

    def read(self, path: str, position: int, length: int) -> bytes:
        descriptor = self._descriptor(path)
        if descriptor is None:
            return b""
        with _storage_errors(path, 0):
            return os.pread(descriptor, length, position)

    def slice(self, path: str, position: int, length: int) -> bytes | Slice:
        return Slice(self, path, position, length) if length >= _SLICE_BYTES_MIN else self.read(path, position, length)

    def append(self, path: str, *parts: Buffer) -> int:
        descriptor = self._open.get(path)
        if descriptor is None:
            descriptor = self._descriptor(path, create=True)
            assert descriptor is not None
        position = self._sizes[path]
        needed_bytes = sum(map(len, parts))
        try:
            with _storage_errors(path, needed_bytes):
                _write_all(descriptor, parts, position, needed_bytes)
        except StorageError:
            os.ftruncate(descriptor, position)  # what was written of it, if anything, must not be met by a reader
            raise
        self._sizes[path] = position + needed_bytes
        self._written(path)
        return position

    def truncate(self, path: str, size: int) -> None:
        descriptor = self._descriptor(path)
        if descriptor is not None and size < self._sizes[path]:
            with _storage_errors(path, 0):
                os.ftruncate(descriptor, size)
            self._sizes[path] = size
            self._written(path)
            self.sync({path: self._dirty[path]})

    def replace(self, path: str, data: Buffer) -> None:
        with _storage_errors(path, len(data)):
            target = self._put(path, data, is_lasting=True)
            _sync_folder(target.parent)

    def write(self, path: str, data: Buffer) -> None:
        with _storage_errors(path, len(data)):
            self._put(path, data, is_lasting=False)
        self.unsynced(path)

    def _put(self, path: str, data: Buffer, *, is_lasting: bool) -> Path:
        target = self.root / path
        temporary = target.with_name(target.name + _TEMPORARY)
        target.parent.mkdir(exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if is_lasting:
                os.fsync(file.fileno())  # or the new name could stand for an empty file after a power loss
        self._close(path)
        return temporary.replace(target)

    def settle(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if path not in self._dirty and not any(new.rpartition("/")[0] == folder for new in self._new):
            return
        target = self.root / path
        with _storage_errors(path, 0):
            _sync_folder(target.parent)
            if target.exists():
                _sync_file(target)

    def unsynced(self, path: str) -> None:
        if (self.root / path).exists():
            self._new.add(path)
            self._written(path)

    def rename(self, path: str, new_path: str) -> None:
        self._close(path)
        self._close(new_path)
        target = self.root / new_path
        with _storage_errors(new_path, 0):
            (self.root / path).replace(target)
            _sync_folder(target.parent)

    def delete(self, *paths: str) -> None:
        for folder in sorted(self._unlinked(paths)):
            with _storage_errors(str(folder), 0):
                _sync_folder(folder)

    def discard(self, *paths: str) -> None:
        self._unlinked(paths)

    def _unlinked(self, paths: tuple[str, ...]) -> set[Path]:
        """Unlink what is there of these, and say where that was."""
        opened: list[int] = []
        folders: set[Path] = set()
        try:
            for path in paths:
                opened += self._released(path)
                target = self.root / path
                with _storage_errors(path, 0):
                    if target.exists():
                        target.unlink()
                        folders.add(target.parent)
        finally:
            # The bytes go when nobody has the file open any more, and many of them take a while to go.
            if sum(os.fstat(descriptor).st_size for descriptor in opened) < _LARGE_BYTES:
                _close_all(opened)
            else:
                self._aside(partial(_close_all, opened))
        return folders

    def mark(self) -> dict[str, int]:
        return dict(self._dirty)

    def sync(self, mark: Any = None) -> None:
        marked: dict[str, int] = self.mark() if mark is None else mark
        self.begin_sync(marked)()
        self.synced(marked)

    # For a driver that does not wait for the disk -------------------------------------------------------------------

    def begin_sync(self, mark: dict[str, int]) -> Callable[[], None]:
        """What to run, in any thread, to bring to the disk what was written before `mark`; then say `synced(mark)`.

        Files may be written, replaced and deleted meanwhile.
        """
        paths = [path for path in sorted(mark) if path in self._dirty]
        folders = sorted({(self.root / path).parent for path in paths if path in self._new})
        with _storage_errors("", 0):
            descriptors = [(path, self._another(path)) for path in paths]
        return partial(_sync, descriptors, folders)

    def synced(self, mark: dict[str, int]) -> None:
        """It is on the disk; what was written since is not meant."""
        for path, write in mark.items():
            self._new.discard(path)
            if self._dirty.get(path) == write:
                del self._dirty[path]

    def _written(self, path: str) -> None:
        self._writes += 1
        self._dirty[path] = self._writes

    # Descriptors ----------------------------------------------------------------------------------------------------

    def _descriptor(self, path: str, *, create: bool = False) -> int | None:
        """The file's descriptor, opened if need be; None if there is no such file and none is to be made."""
        descriptor = self._open.get(path)
        if descriptor is not None:
            return descriptor
        target = self.root / path
        is_new = not target.exists()
        if is_new and not create:
            return None
        with _storage_errors(path, 0):
            target.parent.mkdir(exist_ok=True)
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._sizes[path] = os.fstat(descriptor).st_size
        self._open[path] = descriptor
        if is_new:
            self.unsynced(path)
        return descriptor

    def _another(self, path: str) -> int:
        """A descriptor of its own for a file that is there; it does not become one of those that are held open."""
        descriptor = self._open.get(path)
        return os.open(self.root / path, os.O_RDONLY | os.O_CLOEXEC) if descriptor is None else os.dup(descriptor)

    def _close(self, path: str) -> None:
        for descriptor in self._released(path):
            os.close(descriptor)

    def _released(self, path: str) -> list[int]:
        """The descriptor, if it is open, which is the caller's to close; what is known of the file is forgotten."""
        self._dirty.pop(path, None)
        self._new.discard(path)
        self._sizes.pop(path, None)
        descriptor = self._open.pop(path, None)
        return [] if descriptor is None else [descriptor]


@contextmanager
def _storage_errors(path: str, needed_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(path, needed_bytes, 0) from error
        raise StorageError(f"{path or 'the folder'}: {error.strerror or error}") from error


def _write_all(descriptor: int, parts: tuple[Buffer, ...], position: int, length: int) -> None:
    written = os.pwritev(descriptor, parts, position)
    if written < length:  # a signal, or the last of the disk: the next attempt goes on or says why not
        rest = memoryview(b"".join(parts))
        while written < length:
            written += os.pwrite(descriptor, rest[written:], position + written)


def _sync(descriptors: list[tuple[str, int]], folders: list[Path]) -> None:
    try:
        for path, descriptor in descriptors:
            with _storage_errors(path, 0):
                os.fsync(descriptor)
        for folder in folders:
            with _storage_errors(str(folder), 0):
                _sync_folder(folder)
    finally:
        for _, descriptor in descriptors:
            os.close(descriptor)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_sync_folder = _sync_file  # a folder is a file of names


def _at_once(work: Callable[[], None]) -> None:
    work()


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
