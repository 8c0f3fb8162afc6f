"""The storage port: where a node's bytes rest. A log or a ZooKeeper server is given one and never opens a file itself.

    memory     `kafkalite.storage.memory`: copy-on-write, so a node can be snapshotted; knows what a power loss does
    files      `kafkalite.storage.files`: a real folder

The port is synchronous and small; its errors are exceptions. What is on the disk for good is said in two ways:

- `append` reaches the page cache. What it wrote survives the process (`kill`); of the machine (`power`) only what was
  synced survives, and perhaps some prefix of the rest: torn, padded with zeros, each file for itself. Waiting for a
  sync is an effect: a node says `Flush(token)`, its driver takes `mark()`, later calls `sync(mark)`, and tells the
  node `Flushed(token)`.
- `truncate`, `replace`, `rename` and `delete` are atomic, in order, and on the disk when they return. They are for
  small files (checkpoints, snapshots) and rare moments (retention, compaction, a follower that diverged).
- `write` and `discard` are for small files and old ones in the middle of heavy traffic, and wait for nothing. What is
  written is on the disk with the next sync, or when somebody who is about to discard what it stands for says `settle`.
  Of what is discarded, the last may be back after a power loss.

A path is `folder/name` or a bare `name`. A file that does not exist is empty: reading it gives nothing, appending
makes it. Left out: several disks for one broker (JBOD), sendfile.
"""

from __future__ import annotations

from typing import Any, Protocol

from kafkalite.errors import KafkaliteError

Buffer = bytes | bytearray | memoryview
Mark = Any  # what `mark` gives is for the same storage's `sync` alone


class StorageError(KafkaliteError):
    """The disk did not do what it was asked. A broker that meets one takes its logs offline."""


class DiskFull(StorageError):
    """No room for these bytes; the file is as it was before.

    >>> raise DiskFull(path="orders-0/00000000000000000000.log", needed_bytes=61, free_bytes=12)
    Traceback (most recent call last):
        ...
    kafkalite.storage.DiskFull: no room for 61 bytes in orders-0/00000000000000000000.log: 12 bytes are free
    """

    def __init__(self, path: str = "", needed_bytes: int = 0, free_bytes: int = 0) -> None:
        super().__init__(path, needed_bytes, free_bytes)
        self.path, self.needed_bytes, self.free_bytes = path, needed_bytes, free_bytes

    def __str__(self) -> str:
        return f"no room for {self.needed_bytes} bytes in {self.path}: {self.free_bytes} bytes are free"


class Slice:
    """Bytes of a file that nobody has read yet: `bytes()` reads them, and raises StorageError if they are gone by then.

    Whoever sends them on reads them one slice after the other, and the memory for one is enough for all.
    """

    __slots__ = ("_length", "_path", "_position", "_storage")

    def __init__(self, storage: Storage, path: str, position: int, length: int) -> None:
        self._storage, self._path, self._position, self._length = storage, path, position, length

    def __len__(self) -> int:
        return self._length

    def __bytes__(self) -> bytes:
        found = self._storage.read(self._path, self._position, self._length)
        if len(found) != self._length:
            raise StorageError(
                f"{self._path} was to have {self._length} bytes from {self._position} on; {len(found)} are there: "
                f"it was cut or deleted before they were read"
            )
        return found


class Storage(Protocol):
    """Files by path. `0 <= position <= size(path)` always; nothing is ever overwritten in place."""

    def names(self, folder: str = "") -> list[str]:
        """The names of the files in a folder, sorted; those without a folder by default."""
        ...

    def folders(self) -> list[str]:
        """The folders that hold a file, sorted."""
        ...

    def size(self, path: str) -> int:
        """The file's length in bytes; 0 if there is none."""
        ...

    def read(self, path: str, position: int, length: int) -> bytes:
        """At most `length` bytes from `position` on; fewer at the end of the file."""
        ...

    def slice(self, path: str, position: int, length: int) -> bytes | Slice:
        """The same bytes, for whoever has them sent within this step; where that saves something, not read yet."""
        ...

    def append(self, path: str, *parts: Buffer) -> int:
        """Put the parts, one after the other, at the end; return the position of the first byte.

        Raises StorageError (DiskFull); then nothing was appended.
        """
        ...

    def truncate(self, path: str, size: int) -> None:
        """Forget what stands at `size` and behind. What stands before it is synced, too."""
        ...

    def replace(self, path: str, data: Buffer) -> None:
        """Make `data` the whole content: after a crash the file is the old one or the new one, never between."""
        ...

    def write(self, path: str, data: Buffer) -> None:
        """Make `data` the whole content, to be synced with the next sync; until then power may leave part of it."""
        ...

    def settle(self, path: str) -> None:
        """Bring a small file to the disk, if there is one, and before that the names of all files in its folder."""
        ...

    def unsynced(self, path: str) -> None:
        """Whoever wrote the file, if there is one, may not have synced it (they were killed): the next sync is to."""
        ...

    def rename(self, path: str, new_path: str) -> None:
        """Give a file that was `replace`d another name in its folder, in place of what had that name."""
        ...

    def delete(self, *paths: str) -> None:
        """Forget the files that are there, one after the other in this order."""
        ...

    def discard(self, *paths: str) -> None:
        """The same, but a power loss may bring the last ones back, until something else in their folder lasts."""
        ...

    def mark(self) -> Mark:
        """What has been written so far, to be handed to `sync`."""
        ...

    def sync(self, mark: Mark | None = None) -> None:
        """Bring to the disk what was written before `mark`; without one, everything."""
        ...
