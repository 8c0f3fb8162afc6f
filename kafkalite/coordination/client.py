"""ZooKeeperClient: the component through which a node talks to the coordination service.

    asks      sent in order, answered in order, each exactly once; while there is no connection, they wait
    session   lives as long as some server hears of it in time; a client without connection cannot know that it expired,
              and is told by the next server that it finds
    watches   one-shot; set again after a reconnection, together with what was seen last, so no change is missed

A connection that breaks leaves asks without an answer: CONNECTION_LOSS says that they may have happened.

Left out: chroots, authentication, read-only servers. Source: ZooKeeper's ClientCnxn, StaticHostProvider.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from kafkalite.node import Component, Node
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import MultiResponse, Reply
from kafkalite.types import NodeName, channel

RECONNECT_MAX_MS = 1000.0  # a server that refuses is not asked again sooner than a random moment up to this

Then = Callable[..., None]  # then(reply, request, *arguments)


class Listener(Protocol):
    """Who is told what happens to the session."""

    def on_session_established(self) -> None:
        """There is a session: the first, or a new one after the last has expired."""
        ...

    def on_session_expired(self) -> None:
        """The session is gone, with its ephemeral znodes and all watches. A new one will be opened."""
        ...

    def on_znode_event(self, path: str, event: EventType) -> None:
        """A watch fired, and is gone."""
        ...


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request, and who waits for its reply."""

    request: Any
    then: Then
    arguments: tuple[Any, ...]
    is_sure: bool  # repeated after a lost connection


class ZooKeeperClient(Component):
    """A session with the coordination service. A node can have more than one, by label."""

    def __init__(
        self, node: Node, servers: Sequence[NodeName], session_timeout_ms: int, listener: Listener, label: str = "zk"
    ) -> None:
        """`servers` are the nodes of the ensemble; nothing happens before `start()`."""
        super().__init__(node, label)
        self._servers, self._listener = list(servers), listener
        self._timeout_ms = self._asked_timeout_ms = session_timeout_ms
        self.session_id = 0
        self._password = b""
        self._last_zxid = 0
        self._next_server = 0
        self._heard_ms = 0.0
        self._peer: NodeName = ""  # the connection there is, or is being made
        self.is_connected = False
        self.is_closed = False
        self._queued: deque[_Ask] = deque()  # to be sent
        self._sent: deque[_Ask] = deque()  # to be answered
        self._data_watches: dict[str, None] = {}
        self._exist_watches: dict[str, None] = {}
        self._child_watches: dict[str, None] = {}

    # What a node says to it -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Find a server and open a session."""
        self.node.random.shuffle(self._servers)  # so that not all clients go to the same one
        self.on_connect()

    def ask(self, request: Any, then: Then, *arguments: Any) -> None:
        """Call the bound method `then(reply, request, *arguments)` once, in the order of asking.

        `reply.error` is CONNECTION_LOSS if the connection broke meanwhile: it may have happened; SESSION_EXPIRED if the
        session is gone. A multi that failed carries the error of the operation that was refused.
        """
        self._ask(_Ask(request, then, arguments, is_sure=False))

    def ask_surely(self, request: Any, then: Then, *arguments: Any) -> None:
        """As `ask`, repeated after each lost connection until it is answered or the session expires.

        For reads, and for writes whose caller can tell that they had happened already.
        """
        self._ask(_Ask(request, then, arguments, is_sure=True))

    def close(self) -> None:
        """End the session, so that its ephemeral znodes go at once; nothing can be asked any more."""
        self.ask(zk.CloseSessionRequest(), self._closed)

    def _ask(self, ask: _Ask) -> None:
        assert not self.is_closed, f"{self.node.name} asks after its session was closed: {ask.request}"
        if self.is_connected:
            self._send(ask)
        else:
            self._queued.append(ask)

    def _send(self, ask: _Ask) -> None:
        self._sent.append(ask)
        self.node.request(self._peer, ask.request)

    # The connection -------------------------------------------------------------------------------------------------

    def on_connect(self) -> None:
        """Try the next server."""
        self._peer = channel(self._servers[self._next_server % len(self._servers)], "zk")
        self._next_server += 1
        request = zk.ConnectRequest(0, self._last_zxid, self._asked_timeout_ms, self.session_id, self._password)
        self.node.request(self._peer, request, self._timeout_ms / len(self._servers))

    def on_connect_response(self, source: NodeName, response: zk.ConnectResponse, request: zk.ConnectRequest) -> None:
        """A server has the session, a new one or the old one, or says that it has expired."""
        if source != self._peer:
            return
        if not response.time_out:
            self._expire()
            return
        is_new = response.session_id != self.session_id
        self.session_id, self._password = response.session_id, response.passwd or b""
        self._timeout_ms = response.time_out
        self.is_connected = True
        self._heard_ms = self.node.now_ms
        self.set_timer("ping", self._timeout_ms / 3)
        self.set_timer("silence", self._timeout_ms * 2 / 3)
        self._set_watches_again()
        while self._queued:
            self._send(self._queued.popleft())
        if is_new:
            self._listener.on_session_established()

    def _set_watches_again(self) -> None:
        data, exist, child = map(tuple, (self._data_watches, self._exist_watches, self._child_watches))
        if data or exist or child:
            self.node.request(self._peer, zk.SetWatches(self._last_zxid, data, exist, child))

    def on_ping(self) -> None:
        """Say that we live, if nothing else says so."""
        if self.is_connected:
            if not self.node.waits_for(self._peer):
                self.node.request(self._peer, zk.PingRequest())
            self.set_timer("ping", self._timeout_ms / 3)

    def on_silence(self) -> None:
        """Has the server said nothing for two thirds of the time out? Then a third is left to find another."""
        left_ms = self._heard_ms + self._timeout_ms * 2 / 3 - self.node.now_ms
        if left_ms > 0:
            self.set_timer("silence", left_ms)
        else:
            self.on_peer_lost(self._peer, self.node.disconnect(self._peer))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """The connection broke, or could not be made: try another server in a moment."""
        if peer != self._peer:
            return
        self._leave()
        if self.is_closed:
            return
        lost, self._sent = self._sent, deque()
        self.set_timer("connect", self.node.random.random() * min(RECONNECT_MAX_MS, self._asked_timeout_ms / 10))
        self._queued.extendleft(ask for ask in reversed(lost) if ask.is_sure)
        self._fail([ask for ask in lost if not ask.is_sure], ZooKeeperError.CONNECTION_LOSS)

    def _leave(self) -> None:
        self._peer, self.is_connected = "", False
        self.cancel_timer("ping")
        self.cancel_timer("silence")

    # Replies and events ---------------------------------------------------------------------------------------------

    def on_reply(self, source: NodeName, reply: Reply, request: Any) -> None:
        """Hand it to who asked."""
        if source != self._peer:
            return
        self._heard_ms = self.node.now_ms
        self._last_zxid = max(self._last_zxid, reply.zxid)
        kind = type(request)
        if kind is zk.PingRequest or kind is zk.SetWatches:
            return
        ask = self._sent.popleft()
        if getattr(request, "watch", False):
            self._watch(request, reply.error)
        ask.then(_with_error_of_multi(reply), request, *ask.arguments)

    def _watch(self, request: Any, error: ZooKeeperError) -> None:
        """Remember what this server watches for us, to be able to tell the next one."""
        if type(request) is zk.ExistsRequest and error is ZooKeeperError.NO_NODE:
            self._exist_watches[request.path or ""] = None
        elif error is ZooKeeperError.OK:
            is_data = type(request) in {zk.ExistsRequest, zk.GetDataRequest}
            (self._data_watches if is_data else self._child_watches)[request.path or ""] = None

    def on_watcher_event(self, source: NodeName, event: zk.WatcherEvent) -> None:
        """A watch fired: it is gone here, too."""
        if source != self._peer:
            return
        path, kind = event.path or "", EventType(event.type)
        if kind is not EventType.NODE_CHILDREN_CHANGED:
            self._data_watches.pop(path, None)
            self._exist_watches.pop(path, None)
        if kind in {EventType.NODE_CHILDREN_CHANGED, EventType.NODE_DELETED}:
            self._child_watches.pop(path, None)
        self._listener.on_znode_event(path, kind)

    def _fail(self, asks: Sequence[_Ask], error: ZooKeeperError) -> None:
        for ask in asks:
            ask.then(Reply(0, 0, error, None), ask.request, *ask.arguments)

    # The end of a session -------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """A server said so. Whoever listens is told first, then everybody who had asked; and a new session begins."""
        self.node.disconnect(self._peer)
        self._leave()
        self.session_id, self._password = 0, b""
        for watches in (self._data_watches, self._exist_watches, self._child_watches):
            watches.clear()
        asks, self._queued = self._queued, deque()
        self._listener.on_session_expired()
        self._fail(asks, ZooKeeperError.SESSION_EXPIRED)
        if not self.is_closed:
            self.set_timer("connect", 0)

    def _closed(self, reply: Reply, request: zk.CloseSessionRequest) -> None:
        self.is_closed = True
        if self._peer:
            self.node.disconnect(self._peer)
            self._leave()
        self.cancel_timer("connect")
        asks, self._queued = [*self._sent, *self._queued], deque()
        self._sent = deque()
        self._fail(asks, ZooKeeperError.SESSION_EXPIRED)


def _with_error_of_multi(reply: Reply) -> Reply:
    """A multi that failed is answered with OK and the error of each part; the one that was refused is its error."""
    if type(reply.message) is not MultiResponse:
        return reply
    errors = (getattr(result, "err", 0) for result in reply.message.results)
    refused = next((error for error in errors if error not in {0, ZooKeeperError.RUNTIME_INCONSISTENCY}), 0)
    return replace(reply, error=ZooKeeperError(refused)) if refused else reply
