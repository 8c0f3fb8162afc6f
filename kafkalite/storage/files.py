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
_SLICE_BYTES_MIN = 32 * 1024  # less than this is copied into what is sent (protocol.pieces), so it is read at once


class FileStorage:
    """Files below `root`, which is made if it is not there. `close()` when done."""

    def __init__(self, root: Path) -> None:
        self.root = root
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
        target = self.root / path
        temporary = target.with_name(target.name + _TEMPORARY)
        with _storage_errors(path, len(data)):
            target.parent.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # or the new name could stand for an empty file after a power loss
            self._forget(path)
            temporary.replace(target)
            _sync_folder(target.parent)

    def rename(self, path: str, new_path: str) -> None:
        self._forget(path)
        self._forget(new_path)
        target = self.root / new_path
        with _storage_errors(new_path, 0):
            (self.root / path).replace(target)
            _sync_folder(target.parent)

    def delete(self, path: str) -> None:
        self._forget(path)
        target = self.root / path
        with _storage_errors(path, 0):
            if target.exists():
                target.unlink()
                _sync_folder(target.parent)

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
            descriptors = [(path, os.dup(self._open[path])) for path in paths]
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
            self._new.add(path)
            self._written(path)
        return descriptor

    def _forget(self, path: str) -> None:
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)
            del self._sizes[path]
        self._dirty.pop(path, None)
        self._new.discard(path)


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
