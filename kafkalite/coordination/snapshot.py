"""Snapshots: the whole tree in one file, so that a server need not apply its whole history when it begins again.

A snapshot is taken between two changes, so it is the tree exactly after its zxid. (ZooKeeper takes it while the tree
changes, and heals it with the log: *fuzzy*.) It also brings a server up to date that is too far behind the leader.

Source: ZooKeeper's FileSnap.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from kafkalite.coordination.tree import Tree, znode
from kafkalite.coordination.txn_log import FOLDER
from kafkalite.protocol.codec import codec
from kafkalite.protocol.schema import Bytes, Int32, Int64, JuteString
from kafkalite.protocol.zookeeper import Stat
from kafkalite.storage import Storage, StorageError

PATH = f"{FOLDER}/snapshot"


class CorruptSnapshot(StorageError):
    """The snapshot is not what was written. It is replaced as a whole, so the disk or a person changed it."""


@dataclass(frozen=True, slots=True)
class _Session:
    """A session, with its time out."""

    session_id: Int64 = 0
    timeout_ms: Int32 = 0


@dataclass(frozen=True, slots=True)
class _Znode:
    """A znode, with its path."""

    path: JuteString = ""
    data: Bytes | None = None
    stat: Stat = Stat()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All of a tree."""

    zxid: Int64 = 0
    sessions: tuple[_Session, ...] = ()
    znodes: tuple[_Znode, ...] = ()


_SNAPSHOT = codec(_Snapshot, 0, flexible=False)


def encode_tree(tree: Tree) -> bytes:
    """The tree as bytes."""
    out = bytearray()
    sessions = tuple(_Session(session_id, timeout_ms) for session_id, timeout_ms in tree.sessions.items())
    znodes = tuple(_Znode(path, found.data, found.stat) for path, found in tree.znodes.items())
    _SNAPSHOT.encode(_Snapshot(tree.zxid, sessions, znodes), out)
    return bytes(out)


def decode_tree(data: bytes) -> Tree:
    """The tree in these bytes; its digest is worked out anew.

    >>> decode_tree(encode_tree(Tree())).digest == Tree().digest
    True
    """
    found = _SNAPSHOT.decode(data)
    tree = Tree()
    tree.zxid = found.zxid
    for session in found.sessions:
        tree.open_session(session.session_id, session.timeout_ms)
    for one in found.znodes:
        tree.put(one.path, znode(one.path, one.data, one.stat))
    return tree


def write_snapshot(storage: Storage, tree: bytes) -> None:
    """Put an encoded tree on the disk, in place of the one before."""
    storage.replace(PATH, crc32(tree).to_bytes(4, "big") + tree)


def read_snapshot(storage: Storage) -> Tree:
    """The tree that was written; an empty one if none was. Raises CorruptSnapshot."""
    data = storage.read(PATH, 0, storage.size(PATH))
    if not data:
        return Tree()
    if crc32(data[4:]) != int.from_bytes(data[:4], "big"):
        raise CorruptSnapshot(f"{PATH}: expected checksum {data[:4].hex()}, and its {len(data)} bytes have another")
    return decode_tree(data[4:])
