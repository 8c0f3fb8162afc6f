"""The tree of znodes: a state machine. A change goes in, an outcome comes out; no clock, no network, no disk.

    /                              a znode has data (small), children, and a Stat that counts what happened to it
    ├── brokers/ids/101            ephemeral: gone with the session that made it
    └── election/n_0000000007      sequential: the parent's count of creations is put behind the name

Every server applies the same changes in the same order, so every server's tree is the same; `digest` says so in one
number, the sum of a checksum of each znode and session, kept as they change.

Left out: ACLs, quotas (so no /zookeeper), containers, znodes that expire.
Source: ZooKeeper's DataTree, DataNode, PrepRequestProcessor (checks), FinalRequestProcessor, DigestCalculator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from kafkalite.coordination.changes import Applied, Change, OpenSession
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ANY_VERSION, CreateFlags, EventType, Stat, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiRequest, MultiResponse

_DIGEST_MASK = (1 << 63) - 1  # a digest is an int64 that is not negative


class Refused(Exception):
    """The tree does not do it; `error` is what the client is told. It never leaves this package."""

    def __init__(self, error: ZooKeeperError) -> None:
        super().__init__(error.name)
        self.error = error


@dataclass(frozen=True, slots=True)
class Znode:
    """What stands at a path. `checksum` covers the path, too."""

    data: bytes | None
    stat: Stat
    checksum: int

    def __deepcopy__(self, memo: dict[int, Any]) -> Znode:
        return self  # frozen, all of it


def znode(path: str, data: bytes | None, stat: Stat) -> Znode:
    """A znode at this path, with its checksum."""
    known = f"{path} {stat.czxid} {stat.mzxid} {stat.version} {stat.cversion} {stat.ephemeral_owner} {stat.pzxid}"
    return Znode(data, stat, crc32(data or b"", crc32(known.encode())))


def parent_of(path: str) -> str:
    """Where the znode hangs.

    >>> parent_of("/brokers/ids/101"), parent_of("/brokers")
    ('/brokers/ids', '/')
    """
    return path[: path.rindex("/")] or "/"


def is_valid(path: str) -> bool:
    """May a znode be called so?

    >>> [is_valid(path) for path in ("/", "/a/b", "a", "/a/", "/a//b", "/a/../b")]
    [True, True, False, False, False, False]
    """
    names = path[1:].split("/")
    return path == "/" or (path[:1] == "/" and "\0" not in path and not {"", ".", ".."}.intersection(names))


class Tree:
    """All znodes and sessions, after the change `zxid`."""

    def __init__(self) -> None:
        self.zxid = 0
        self.digest = 0
        self.sessions: dict[int, int] = {}  # id -> time out in ms
        self.znodes: dict[str, Znode] = {}
        self._children: dict[str, dict[str, None]] = {}  # path -> names
        self._ephemerals: dict[int, dict[str, None]] = {}  # session -> paths
        self._before: list[tuple[str, Znode | None]] = []  # what stood there before the multi that is under way
        self.put("/", znode("/", b"", Stat()))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tree:
        twin = memo[id(self)] = Tree()
        twin.zxid, twin.digest = self.zxid, self.digest
        twin.sessions, twin.znodes = self.sessions.copy(), self.znodes.copy()
        twin._children = {path: names.copy() for path, names in self._children.items()}
        twin._ephemerals = {session: paths.copy() for session, paths in self._ephemerals.items()}
        return twin

    # Changing -------------------------------------------------------------------------------------------------------

    def apply(self, change: Change) -> Applied:
        """Do what the change asks for, or refuse it; either way the tree stands at its zxid then."""
        self.zxid = change.zxid
        self._before.clear()
        events: list[tuple[str, EventType]] = []
        try:
            error, answer = ZooKeeperError.OK, self._do(change, events)
        except Refused as refused:
            error, answer = refused.error, None
        return Applied(change, error, answer, events, self.digest)

    def _do(self, change: Change, events: list[tuple[str, EventType]]) -> Any:
        kind = type(change.request)
        if kind is OpenSession:
            return self.open_session(change.zxid, change.request.timeout_ms)
        if change.session_id not in self.sessions:
            raise Refused(ZooKeeperError.SESSION_EXPIRED)
        if kind is zk.CloseSessionRequest:
            return self._close_session(change, events)
        if kind is MultiRequest:
            return self._all_or_nothing(change, events)
        return _OPERATIONS[kind](self, change, change.request, events)

    def _all_or_nothing(self, change: Change, events: list[tuple[str, EventType]]) -> MultiResponse:
        """Each operation sees what those before it did. If one is refused, what they did is undone."""
        results: list[Any] = []
        for operation in change.request.operations:
            try:
                results.append(_OPERATIONS[type(operation)](self, change, operation, events))
            except Refused as refused:
                events.clear()
                for path, old in reversed(self._before.copy()):
                    self.put(path, old)
                return _failed(len(results), refused.error, len(change.request.operations))
        return MultiResponse(tuple(results))

    def create(self, change: Change, request: Any, events: list[tuple[str, EventType]]) -> Any:
        """Make a znode; its parent counts one more creation."""
        path, parent, flags = self._name(request)
        if path in self.znodes:
            raise Refused(ZooKeeperError.NODE_EXISTS)
        if parent.stat.ephemeral_owner:
            raise Refused(ZooKeeperError.NO_CHILDREN_FOR_EPHEMERALS)
        data, zxid, time_ms = request.data, change.zxid, change.time_ms
        owner = change.session_id if flags & CreateFlags.EPHEMERAL else 0
        stat = Stat(zxid, zxid, time_ms, time_ms, 0, 0, 0, owner, len(data or b""), 0, zxid)
        self.put(path, znode(path, data, stat))
        self._count_child(parent_of(path), zxid, 1)
        events.append((path, EventType.NODE_CREATED))
        events.append((parent_of(path), EventType.NODE_CHILDREN_CHANGED))
        return zk.CreateResponse(path) if type(request) is zk.CreateRequest else zk.Create2Response(path, stat)

    def _name(self, request: Any) -> tuple[str, Znode, int]:
        """The path that a creation makes, the parent, and the flags."""
        path, flags = request.path or "", request.flags
        if not 0 <= flags <= CreateFlags.EPHEMERAL | CreateFlags.SEQUENTIAL:
            raise Refused(ZooKeeperError.UNIMPLEMENTED)
        if not is_valid(path + "0" if flags & CreateFlags.SEQUENTIAL else path):
            raise Refused(ZooKeeperError.BAD_ARGUMENTS)
        if path == "/":
            raise Refused(ZooKeeperError.NODE_EXISTS)
        parent = self._existing(parent_of(path))
        if flags & CreateFlags.SEQUENTIAL:
            path += f"{_creations(parent.stat):010d}"
        return path, parent, flags

    def delete(self, change: Change, request: zk.DeleteRequest, events: list[tuple[str, EventType]]) -> Any:
        """Remove a znode without children."""
        path = request.path or ""
        if path == "/" or not is_valid(path):
            raise Refused(ZooKeeperError.BAD_ARGUMENTS)
        found = self._checked(path, request.version)
        if found.stat.num_children:
            raise Refused(ZooKeeperError.NOT_EMPTY)
        self._remove(path, change.zxid, events)
        return zk.DeleteResponse()

    def _remove(self, path: str, zxid: int, events: list[tuple[str, EventType]]) -> None:
        self.put(path, None)
        self._count_child(parent_of(path), zxid, -1)
        events.append((path, EventType.NODE_DELETED))
        events.append((parent_of(path), EventType.NODE_CHILDREN_CHANGED))

    def set_data(self, change: Change, request: zk.SetDataRequest, events: list[tuple[str, EventType]]) -> Any:
        """New data, if the version is the expected one: compare and set."""
        path, data = request.path or "", request.data
        old = self._checked(path, request.version).stat
        stat = replace(
            old, mzxid=change.zxid, mtime=change.time_ms, version=old.version + 1, data_length=len(data or b"")
        )
        self.put(path, znode(path, data, stat))
        events.append((path, EventType.NODE_DATA_CHANGED))
        return zk.SetDataResponse(stat)

    def check(self, change: Change, request: zk.CheckVersionRequest, events: list[tuple[str, EventType]]) -> Any:
        """Change nothing; refuse if the version is not the expected one."""
        self._checked(request.path or "", request.version)
        return zk.CheckVersionResponse()

    # Reading --------------------------------------------------------------------------------------------------------

    def exists(self, request: zk.ExistsRequest) -> zk.ExistsResponse:
        """Its Stat; Refused with NO_NODE."""
        return zk.ExistsResponse(self._existing(request.path).stat)

    def get_data(self, request: zk.GetDataRequest) -> zk.GetDataResponse:
        """Its data; Refused with NO_NODE."""
        found = self._existing(request.path)
        return zk.GetDataResponse(found.data, found.stat)

    def get_children(self, request: Any) -> zk.GetChildrenResponse | zk.GetChildren2Response:
        """The names of its children, sorted; Refused with NO_NODE."""
        found = self._existing(request.path)
        names = tuple(sorted(self._children.get(request.path, ())))
        if type(request) is zk.GetChildrenRequest:
            return zk.GetChildrenResponse(names)
        return zk.GetChildren2Response(names, found.stat)

    def _existing(self, path: str | None) -> Znode:
        found = self.znodes.get(path or "")
        if found is None:
            raise Refused(ZooKeeperError.NO_NODE)
        return found

    def _checked(self, path: str, version: int) -> Znode:
        found = self._existing(path)
        if version not in {ANY_VERSION, found.stat.version}:
            raise Refused(ZooKeeperError.BAD_VERSION)
        return found

    # Sessions -------------------------------------------------------------------------------------------------------

    def open_session(self, session_id: int, timeout_ms: int) -> None:
        """A session exists from now on."""
        self.sessions[session_id] = timeout_ms
        self._count_in_digest(_session_checksum(session_id, timeout_ms))

    def _close_session(self, change: Change, events: list[tuple[str, EventType]]) -> zk.CloseSessionResponse:
        """The session is gone, and its ephemeral znodes with it."""
        timeout_ms = self.sessions.pop(change.session_id)
        self._count_in_digest(-_session_checksum(change.session_id, timeout_ms))
        for path in sorted(self._ephemerals.get(change.session_id, ())):
            self._remove(path, change.zxid, events)
        return zk.CloseSessionResponse()

    # The one place where znodes come and go -------------------------------------------------------------------------

    def put(self, path: str, new: Znode | None) -> None:
        """Let `new`, or nothing, stand at the path; everything that is derived from the znodes follows."""
        old = self.znodes.get(path)
        self._before.append((path, old))
        if old is not None:
            self._count_in_digest(-old.checksum)
        if new is None:
            self._unlink(path, self.znodes.pop(path))
            return
        self._count_in_digest(new.checksum)
        self.znodes[path] = new
        if old is None:
            self._link(path, new)

    def _link(self, path: str, new: Znode) -> None:
        if path != "/":
            self._children.setdefault(parent_of(path), {})[path[path.rindex("/") + 1 :]] = None
        if new.stat.ephemeral_owner:
            self._ephemerals.setdefault(new.stat.ephemeral_owner, {})[path] = None

    def _unlink(self, path: str, old: Znode) -> None:
        if path != "/":
            _drop(self._children, parent_of(path), path[path.rindex("/") + 1 :])
        if old.stat.ephemeral_owner:
            _drop(self._ephemerals, old.stat.ephemeral_owner, path)

    def _count_child(self, path: str, zxid: int, by: int) -> None:
        """The parent's Stat after a child came (1) or went (-1)."""
        parent = self.znodes[path]
        old = parent.stat
        stat = replace(old, cversion=old.cversion + 1, pzxid=zxid, num_children=old.num_children + by)
        self.put(path, znode(path, parent.data, stat))

    def _count_in_digest(self, by: int) -> None:
        self.digest = (self.digest + by) & _DIGEST_MASK


_OPERATIONS: dict[type, Any] = {
    zk.CreateRequest: Tree.create,
    zk.Create2Request: Tree.create,
    zk.DeleteRequest: Tree.delete,
    zk.SetDataRequest: Tree.set_data,
    zk.CheckVersionRequest: Tree.check,
}


def _drop(index: dict[Any, dict[str, None]], key: Any, name: str) -> None:
    names = index[key]
    del names[name]
    if not names:
        del index[key]


def _creations(stat: Stat) -> int:
    """How many children were ever created. `cversion` counts creations and deletions."""
    return (stat.cversion + stat.num_children) // 2


def _session_checksum(session_id: int, timeout_ms: int) -> int:
    return crc32(f"session {session_id} {timeout_ms}".encode())


def _failed(index: int, error: ZooKeeperError, operations: int) -> MultiResponse:
    """What a multi is told whose operation `index` was refused: those before are undone, those after not tried."""
    undone = [ErrorResponse(ZooKeeperError.OK)] * index
    not_tried = [ErrorResponse(ZooKeeperError.RUNTIME_INCONSISTENCY)] * (operations - index - 1)
    return MultiResponse((*undone, ErrorResponse(error), *not_tried))
