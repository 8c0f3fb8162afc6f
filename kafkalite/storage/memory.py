"""Storage in memory, for the simulator: a copy costs one small object a file, and a power loss can be acted out.

Copy-on-write by the append-only trick: copies share one buffer and each knows its own size. Whoever appends to a
buffer that is longer than its own size copies it first, because another holds the rest.

    original   size 5  ─┐
                        ├─ buffer  a b c d e        the copy appends f: its size is the buffer's length, in place
    copy       size 6  ─┘          a b c d e f      the original appends g: 5 is not 6, so it copies a b c d e first

Left out: corruption of bytes that were synced (bit rot). Tests flip bytes by hand.
"""

from __future__ import annotations

from random import Random
from typing import Any

from kafkalite.storage import Buffer, DiskFull

_Mark = dict[str, tuple[int, int, int]]  # path -> serial, truncations, size


class _File:
    """One file: its content now, and what of it is on the disk."""

    __slots__ = ("buffer", "disk", "serial", "size", "truncations")

    def __init__(self, serial: int) -> None:
        self.serial = serial  # two files that had the same path at different times are told apart
        self.buffer, self.size = bytearray(), 0
        self.disk = -1  # so many of its bytes were synced; -1: not even its name
        self.truncations = 0  # a mark from before a truncation is out of date

    def copy(self) -> _File:
        twin = _File(self.serial)
        twin.buffer, twin.size, twin.disk, twin.truncations = self.buffer, self.size, self.disk, self.truncations
        return twin

    @property
    def is_dirty(self) -> bool:
        return self.disk < self.size

    def truncate(self, size: int) -> None:
        self.size = self.disk = size
        self.truncations += 1

    def after_power_loss(self, rng: Random) -> bytes | None:
        """What the disk may hold: what was synced, and part of what was appended since."""
        if self.disk < 0 and rng.random() < 0.25:
            return None
        synced = max(0, self.disk)
        return bytes(self.buffer[:synced]) + torn(bytes(self.buffer[synced : self.size]), rng)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def torn(data: bytes, rng: Random) -> bytes:
    """What is left of an append that the power loss cut: a prefix, and sometimes zeros where the size got ahead."""
    cut = rng.randint(0, len(data))
    zeros = rng.randint(0, len(data) - cut) if rng.random() < 0.5 else 0
    return data[:cut] + bytes(zeros)


class MemoryStorage:
    """Files in memory. `copy.deepcopy` is cheap: nothing is copied until one of the two writes.

    >>> storage = MemoryStorage()
    >>> storage.append("orders-0/00000000000000000000.log", b"abc", b"de")
    0
    >>> storage.append("orders-0/00000000000000000000.log", b"f")
    5
    >>> storage.read("orders-0/00000000000000000000.log", 1, 3)
    b'bcd'
    """

    def __init__(self, capacity_bytes: int | None = None) -> None:
        """`capacity_bytes` may be changed at any time; a fault fills the disk by lowering it."""
        self.capacity_bytes = capacity_bytes
        self.used_bytes = 0
        self._files: dict[str, _File] = {}
        self._folders: dict[str, set[str]] = {}
        self._discarded: list[tuple[str, _File]] = []  # a power loss may bring the last of them back
        self._serial = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> MemoryStorage:
        twin = memo[id(self)] = MemoryStorage(self.capacity_bytes)
        twin.used_bytes, twin._serial = self.used_bytes, self._serial
        twin._files = {path: file.copy() for path, file in self._files.items()}
        twin._folders = {folder: names.copy() for folder, names in self._folders.items()}
        twin._discarded = [(path, file.copy()) for path, file in self._discarded]
        return twin

    # The port -------------------------------------------------------------------------------------------------------

    def names(self, folder: str = "") -> list[str]:
        return sorted(self._folders.get(folder, ()))

    def folders(self) -> list[str]:
        return sorted(folder for folder, names in self._folders.items() if folder and names)

    def size(self, path: str) -> int:
        file = self._files.get(path)
        return file.size if file else 0

    def read(self, path: str, position: int, length: int) -> bytes:
        file = self._files.get(path)
        if file is None:
            return b""
        return bytes(memoryview(file.buffer)[position : min(position + length, file.size)])

    def slice(self, path: str, position: int, length: int) -> bytes:
        return self.read(path, position, length)

    def append(self, path: str, *parts: Buffer) -> int:
        file = self._files.get(path) or self._create(path)
        size = file.size
        needed_bytes = sum(map(len, parts))
        self._need(path, needed_bytes)
        if len(file.buffer) != size:  # a copy, or a truncated past, holds the rest of this buffer
            file.buffer = file.buffer[:size]
        for part in parts:
            file.buffer += part
        file.size = size + needed_bytes
        self.used_bytes += needed_bytes
        return size

    def truncate(self, path: str, size: int) -> None:
        file = self._files.get(path)
        if file is not None and size < file.size:
            self.used_bytes -= file.size - size
            file.truncate(size)

    def replace(self, path: str, data: Buffer) -> None:
        self._need(path, len(data))  # for a moment the old one and the new one are both there
        self._forget(path)
        self._put(path, data)
        self._outlast(_folder(path))

    def write(self, path: str, data: Buffer) -> None:
        self._need(path, len(data))
        self._forget(path)
        self.append(path, data)

    def settle(self, path: str) -> None:
        folder = _folder(path)
        files = {name: self._files[f"{folder}/{name}" if folder else name] for name in self._folders.get(folder, ())}
        settled = self._files.get(path)
        if any(file.disk < 0 for file in files.values()) or (settled is not None and settled.is_dirty):
            self._outlast(folder)
        for file in files.values():
            file.disk = max(file.disk, file.size if file is settled else 0)

    def unsynced(self, path: str) -> None:
        """Nothing to do: memory knows what was not synced, and a process that is killed does not take that along."""

    def _put(self, path: str, data: Buffer) -> None:
        file = self._create(path)
        file.buffer += data
        file.size = file.disk = len(data)
        self.used_bytes += file.size

    def rename(self, path: str, new_path: str) -> None:
        data = self.read(path, 0, self.size(path))
        self.delete(path, new_path)
        self._put(new_path, data)

    def delete(self, *paths: str) -> None:
        for path in paths:
            if path in self._files:
                self._forget(path)
                self._outlast(_folder(path))

    def discard(self, *paths: str) -> None:
        self._discarded += [(path, self._files[path]) for path in paths if path in self._files]
        for path in paths:
            self._forget(path)

    def _outlast(self, folder: str) -> None:
        """The folder's names are on the disk: what was discarded there does not come back any more."""
        if self._discarded:
            self._discarded = [(path, file) for path, file in self._discarded if _folder(path) != folder]

    def _forget(self, path: str) -> None:
        file = self._files.pop(path, None)
        if file is not None:
            self.used_bytes -= file.size
            self._folders[_folder(path)].discard(path.rpartition("/")[2])

    def mark(self) -> _Mark:
        return {path: (file.serial, file.truncations, file.size) for path, file in self._files.items() if file.is_dirty}

    def sync(self, mark: _Mark | None = None) -> None:
        for path, (serial, truncations, size) in (self.mark() if mark is None else mark).items():
            file = self._files.get(path)
            if file is not None and (serial, truncations) == (file.serial, file.truncations):
                if file.disk < 0:
                    self._outlast(_folder(path))  # with a new name its folder is synced
                file.disk = max(file.disk, size)

    # What only memory can do ----------------------------------------------------------------------------------------

    def power_loss(self, rng: Random) -> None:
        """Become what the machine finds after losing power: what was synced, and for each file some of the rest."""
        discarded, self._discarded = self._discarded, []
        back = discarded[rng.randint(0, len(discarded)) :] if discarded else []
        files = dict(back) | self._files
        for path in sorted(files):
            found = files[path].after_power_loss(rng)
            self._forget(path)
            if found is not None:
                self._put(path, found)

    def _create(self, path: str) -> _File:
        self._serial += 1
        file = self._files[path] = _File(self._serial)
        self._folders.setdefault(_folder(path), set()).add(path.rpartition("/")[2])
        return file

    def _need(self, path: str, needed_bytes: int) -> None:
        if self.capacity_bytes is not None and self.used_bytes + needed_bytes > self.capacity_bytes:
            raise DiskFull(path, needed_bytes, max(0, self.capacity_bytes - self.used_bytes))
