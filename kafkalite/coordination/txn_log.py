"""The transaction log: changes on the disk, in order, before anybody is told that they are there.

    txn.log.100000001     changes from that zxid on (hexadecimal), until a snapshot made a new file begin

An entry is a length, a checksum and a change; numbers are big-endian. A power loss may tear the last entries: whatever
is not whole is cut off when the server begins again. It was never acknowledged, for that waits for the sync.

The latest changes are also kept in memory, for servers that are a little behind.

Left out: preallocated files, several disks. Source: ZooKeeper's FileTxnLog, ZKDatabase.committedLog.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

from kafkalite.storage import Storage, StorageError

FOLDER = "zookeeper"
KEPT_MAX = 500  # changes in memory behind the last snapshot; a server further behind gets the snapshot itself
_PREFIX = "txn.log."
_HEADER = Struct(">II")


class CorruptLog(StorageError):
    """A file of the log that had been synced is not what was written."""


class Entry(NamedTuple):
    """A change in the log: its number, its bytes, and where they stand."""

    zxid: int
    data: bytes
    path: str
    position: int


class _Entries(list[Entry]):
    """Entries never change, so a copy of the node shares them."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Entries:
        return _Entries(self)


class TxnLog:
    """The changes after `base_zxid`, oldest first; `last_zxid` is the last one, or `base_zxid` if there is none."""

    def __init__(self, storage: Storage, base_zxid: int) -> None:
        """Read what the storage holds; changes up to `base_zxid` are in the snapshot already."""
        self._storage = storage
        self.base_zxid = base_zxid
        self._entries = _Entries()
        self._path = ""  # where the next change goes; empty: into a new file
        paths = [f"{FOLDER}/{name}" for name in storage.names(FOLDER) if name.startswith(_PREFIX)]
        for path in paths:
            self._read(path, is_last=path == paths[-1])

    @property
    def last_zxid(self) -> int:
        return self._entries[-1].zxid if self._entries else self.base_zxid

    def append(self, zxid: int, data: bytes) -> None:
        """Write the change; it is on the disk after the next sync. Raises StorageError, and nothing was written."""
        assert zxid > self.last_zxid, f"change {zxid:#x} cannot stand behind {self.last_zxid:#x}"
        path = self._path or f"{FOLDER}/{_PREFIX}{zxid:016x}"
        position = self._storage.append(path, _HEADER.pack(len(data), crc32(data)), data)
        self._path = path
        self._entries.append(Entry(zxid, data, path, position))

    def after(self, zxid: int) -> list[Entry]:
        """The changes behind this one, which is not before `base_zxid`."""
        return self._entries[self._index_after(zxid) :]

    def up_to(self, zxid: int) -> int:
        """The last change that is not behind this one."""
        index = self._index_after(zxid)
        return self._entries[index - 1].zxid if index else self.base_zxid

    def truncate(self, zxid: int) -> None:
        """Forget every change behind this one, here and on the disk."""
        forgotten = self.after(zxid)
        if not forgotten:
            return
        first = forgotten[0]
        del self._entries[-len(forgotten) :]
        for path in sorted({entry.path for entry in forgotten if entry.path != first.path}):
            self._storage.delete(path)
        self._storage.truncate(first.path, first.position)
        self._path = first.path

    def snapshot_taken(self, zxid: int) -> None:
        """Everything up to this change is in a snapshot: begin a new file, delete those that nobody needs."""
        self._storage.sync()  # or a power loss could tear the old file and leave the new one: a hole
        self._path = ""
        needed = {entry.path for entry in self.after(zxid)}
        for name in self._storage.names(FOLDER):
            if name.startswith(_PREFIX) and f"{FOLDER}/{name}" not in needed:
                self._storage.delete(f"{FOLDER}/{name}")
        surplus = self._index_after(zxid) - KEPT_MAX
        if surplus > 0:
            self.base_zxid = self._entries[surplus - 1].zxid
            del self._entries[:surplus]

    def reset(self, zxid: int) -> None:
        """A leader's snapshot takes the place of all there was."""
        self._entries.clear()
        self.base_zxid = zxid
        self.snapshot_taken(zxid)

    def _index_after(self, zxid: int) -> int:
        return bisect_right(self._entries, zxid, key=_zxid_of)

    def _read(self, path: str, *, is_last: bool) -> None:
        size = self._storage.size(path)
        data = self._storage.read(path, 0, size)
        position = 0
        while position + _HEADER.size <= size:
            length, checksum = _HEADER.unpack_from(data, position)
            end = position + _HEADER.size + length
            change = data[position + _HEADER.size : end]
            if not length or end > size or crc32(change) != checksum:
                break
            zxid = int.from_bytes(change[:8], "big")
            if zxid > self.base_zxid:
                self._entries.append(Entry(zxid, change, path, position))
            position = end
        if position < size:
            if not is_last:
                raise CorruptLog(
                    f"{path}: expected a whole change at byte {position} of {size}, and newer files follow"
                )
            self._storage.truncate(path, position)
        self._path = path


def _zxid_of(entry: Entry) -> int:
    return entry.zxid
