"""A server's front: what it says to its clients. Reads are answered from its own tree; writes go through the leader.

    ConnectRequest          a new session is a change; an old one goes on if the leader says that it has not expired,
                            and if this server is not behind what the client has seen
    reads                   at once, and the watch is set in the same moment
    writes                  answered when this server has applied the change, so the client reads its own writes here
    sync                    answered when this server has applied what the leader had proposed by then

One request of a connection is in the works at a time, so replies come in order. A watch's event leaves before the reply
to anything that was done after its cause.

Left out: authentication, read-only mode. Source: ZooKeeper's FinalRequestProcessor, ZooKeeperServer, NIOServerCnxn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafkalite.coordination.changes import Applied, Change, OpenSession
from kafkalite.coordination.sessions import password_of
from kafkalite.coordination.tree import Refused
from kafkalite.coordination.watches import CHILDREN, DATA, Watches
from kafkalite.facts import WatchFired
from kafkalite.node import Component
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import NodeName

if TYPE_CHECKING:
    from kafkalite.coordination.server import ZooKeeperServer

_CXID_MAX = 0x7FFFFFFF
_EXPIRED = zk.ConnectResponse(0, 0, 0, bytes(16))
_PONG = zk.PingResponse()


@dataclass(slots=True)
class Connection:
    """A client's connection. `cxid` is our number for its request in the works, if that has to wait; 0: none."""

    session_id: int = 0  # 0: not yet
    cxid: int = 0
    request: Any = None


class Front(Component):
    """The connections of a server's clients."""

    def __init__(self, server: ZooKeeperServer) -> None:
        super().__init__(server, "front")
        self.server = server
        self.watches = Watches()
        self._connections: dict[NodeName, Connection] = {}
        self._clients: dict[int, NodeName] = {}  # session -> connection
        self._waiting: dict[int, NodeName] = {}  # cxid -> connection
        self._cxid = 0

    def close(self) -> None:
        """We serve nobody any more: clients are to try another server."""
        for peer in list(self._connections):
            self._hang_up(peer)

    def waiting_sessions(self) -> list[int]:
        """Sessions with a request in the works: their clients live, and cannot say so meanwhile."""
        return [self._connections[peer].session_id for peer in self._waiting.values()]

    # The session ----------------------------------------------------------------------------------------------------

    def on_connect_request(self, source: NodeName, request: zk.ConnectRequest) -> None:
        """Begin a session or go on with one."""
        if not self.server.is_serving or request.last_zxid_seen > self.server.history.tree.zxid:
            self.server.disconnect(source)  # it has seen more than we have: another server will do
            return
        connection = self._connections[source] = Connection()
        if not request.session_id:
            config = self.server.config
            timeout_ms = max(config.min_session_timeout_ms, min(request.time_out, config.max_session_timeout_ms))
            self._submit(source, connection, OpenSession(timeout_ms))
        elif request.passwd == password_of(request.session_id):
            self.server.revalidate(request.session_id, self._wait(source, connection, request))
        else:
            self._tell_expired(source)

    def revalidated(self, session_id: int, cxid: int, timeout_ms: int) -> None:
        """The leader has said whether the session goes on."""
        source = self._take_waiting(cxid)
        if source is None:
            return
        if not timeout_ms:
            self._tell_expired(source)
        else:
            self._welcome(source, session_id, timeout_ms)

    def _welcome(self, source: NodeName, session_id: int, timeout_ms: int) -> None:
        before = self._clients.get(session_id)
        if before is not None:
            self._hang_up(before)
        self._clients[session_id] = source
        self._connections[source].session_id = session_id
        self.server.reply(source, zk.ConnectResponse(0, timeout_ms, session_id, password_of(session_id)))

    def _tell_expired(self, source: NodeName) -> None:
        self.server.reply(source, _EXPIRED)
        self._hang_up(source)

    def session_moved(self, session_id: int) -> None:
        """Its client has turned up at another server."""
        if session_id in self._clients:
            self._hang_up(self._clients[session_id])

    def on_ping_request(self, source: NodeName, request: zk.PingRequest) -> None:
        """The client lives."""
        if self._is_known(source):
            self.server.reply(source, Reply(0, self.server.history.tree.zxid, ZooKeeperError.OK, _PONG))

    def _is_known(self, source: NodeName) -> bool:
        connection = self._connections.get(source)
        if connection is None or not connection.session_id:
            self._hang_up(source)
            return False
        self.server.touch(connection.session_id)
        return True

    # Reading and watching -------------------------------------------------------------------------------------------

    def on_get_data_request(self, source: NodeName, request: zk.GetDataRequest) -> None:
        """What does it hold?"""
        self._read(source, request, self.server.history.tree.get_data, DATA)

    def on_get_children_request(self, source: NodeName, request: zk.GetChildrenRequest) -> None:
        """Which children has it?"""
        self._read(source, request, self.server.history.tree.get_children, CHILDREN)

    def on_get_children2_request(self, source: NodeName, request: zk.GetChildren2Request) -> None:
        """Which children has it, and what is known of it?"""
        self._read(source, request, self.server.history.tree.get_children, CHILDREN)

    def on_exists_request(self, source: NodeName, request: zk.ExistsRequest) -> None:
        """Is it there? This watch is also set if it is not."""
        self._read(source, request, self.server.history.tree.exists, DATA, watches_nothing=True)

    def _read(self, source: NodeName, request: Any, read: Any, kind: str, *, watches_nothing: bool = False) -> None:
        if not self._is_known(source):
            return
        try:
            error, answer = ZooKeeperError.OK, read(request)
        except Refused as refused:
            error, answer = refused.error, None
        if request.watch and (answer is not None or watches_nothing):
            self.watches.add(kind, request.path, source)
        self.server.reply(source, Reply(0, self.server.history.tree.zxid, error, answer))

    def on_set_watches(self, source: NodeName, request: zk.SetWatches) -> None:
        """Watch these again; what has changed meanwhile fires at once."""
        if not self._is_known(source):
            return
        for kind, paths, event_of in (
            (DATA, request.data_watches, self._data_event),
            (DATA, request.exist_watches, self._exist_event),
            (CHILDREN, request.child_watches, self._child_event),
        ):
            for path in paths or ():
                event = event_of(path, request.relative_zxid)
                if event is None:
                    self.watches.add(kind, path, source)
                else:
                    self._tell(source, path, event)
        self.server.reply(source, Reply(0, self.server.history.tree.zxid, ZooKeeperError.OK, zk.SetWatchesResponse()))

    def _data_event(self, path: str, seen_zxid: int) -> EventType | None:
        found = self.server.history.tree.znodes.get(path)
        if found is None:
            return EventType.NODE_DELETED
        return EventType.NODE_DATA_CHANGED if found.stat.mzxid > seen_zxid else None

    def _exist_event(self, path: str, seen_zxid: int) -> EventType | None:
        return EventType.NODE_CREATED if path in self.server.history.tree.znodes else None

    def _child_event(self, path: str, seen_zxid: int) -> EventType | None:
        found = self.server.history.tree.znodes.get(path)
        if found is None:
            return EventType.NODE_DELETED
        return EventType.NODE_CHILDREN_CHANGED if found.stat.pzxid > seen_zxid else None

    def _tell(self, client: NodeName, path: str, event: EventType) -> None:
        self.server.note(WatchFired(self._connections[client].session_id, path, event.name))
        self.server.send(client, zk.WatcherEvent(event, path=path))

    # Writing --------------------------------------------------------------------------------------------------------

    def on_write(self, source: NodeName, request: Any) -> None:
        """Any request that changes the tree, or checks a version."""
        if self._is_known(source):
            self._submit(source, self._connections[source], request)

    on_create_request = on_create2_request = on_delete_request = on_set_data_request = on_write
    on_check_version_request = on_multi_request = on_close_session_request = on_write

    def on_sync_request(self, source: NodeName, request: zk.SyncRequest) -> None:
        """Catch up with the leader, then answer."""
        if self._is_known(source):
            self.server.ask_sync(self._wait(source, self._connections[source], request))

    def synced(self, cxid: int) -> None:
        """We have caught up."""
        source = self._take_waiting(cxid)
        if source is not None:
            path = self._connections[source].request.path
            zxid = self.server.history.tree.zxid
            self.server.reply(source, Reply(0, zxid, ZooKeeperError.OK, zk.SyncResponse(path)))

    def _submit(self, source: NodeName, connection: Connection, request: Any) -> None:
        cxid = self._wait(source, connection, request)
        self.server.submit(Change(0, 0, connection.session_id, self.server.place, cxid, request))

    def _wait(self, source: NodeName, connection: Connection, request: Any) -> int:
        """A number for the request, by which its outcome is recognised."""
        # It begins anywhere, so that an outcome meant for an earlier life of this server is no one's.
        self._cxid = (self._cxid or self.server.random.getrandbits(31)) % _CXID_MAX + 1
        connection.cxid, connection.request = self._cxid, request
        self._waiting[self._cxid] = source
        return self._cxid

    def _take_waiting(self, cxid: int) -> NodeName | None:
        source = self._waiting.pop(cxid, None)
        if source is not None:
            self._connections[source].cxid = 0
        return source

    def applied(self, applied: Applied) -> None:
        """A change is committed: tell who watches, then who asked."""
        for path, event in applied.events:
            for client in self.watches.fire(path, event):
                self._tell(client, path, event)
        change = applied.change
        if change.origin == self.server.place:
            self._answer(applied)
        if type(change.request) is zk.CloseSessionRequest and change.session_id in self._clients:
            self._hang_up(self._clients[change.session_id])

    def _answer(self, applied: Applied) -> None:
        change = applied.change
        source = self._take_waiting(change.cxid)
        if source is None:
            return  # its connection broke: it does not know the outcome
        if type(change.request) is OpenSession:
            self._welcome(source, change.zxid, change.request.timeout_ms)
        else:
            self.server.reply(source, Reply(0, change.zxid, applied.error, applied.answer))

    # Connections that end -------------------------------------------------------------------------------------------

    def _hang_up(self, peer: NodeName) -> None:
        self.server.disconnect(peer)
        self._forget(peer)

    def _forget(self, peer: NodeName) -> None:
        connection = self._connections.pop(peer, None)
        if connection is None:
            return
        self.watches.forget(peer)
        self._waiting.pop(connection.cxid, None)
        if self._clients.get(connection.session_id) == peer:
            del self._clients[connection.session_id]

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """A client is gone; its session lives on for a while."""
        self._forget(peer)
