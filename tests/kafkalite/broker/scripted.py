"""One node under test, its peers played by the test; and a ZooKeeper that answers when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.node import REPLY, REQUEST, Called, Disconnect, Effect, Node, Note, PeerLost, Received, Send, TimerFired
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply


class Stage:
    """What a node did in answer to the last event, sorted by kind."""

    def __init__(self, node: Node | None = None) -> None:
        self.node = node or Node("b101")
        self.now_ms = 0.0
        self.effects: list[Effect] = []

    def hears(self, source: str, message: Any) -> list[Any]:
        """A message arrives; what the node replies to its source."""
        self._do(Received(source, message))
        return [one.message for one in self.effects if isinstance(one, Send) and one.to == source and one.role == REPLY]

    def loses(self, peer: str) -> None:
        self._do(PeerLost(peer))

    def fires(self, timer: str) -> None:
        self._do(TimerFired(timer))

    def calls(self, method: str, *arguments: Any) -> None:
        self._do(Called(method, arguments))

    def _do(self, event: Any) -> None:
        self.effects = self.node.handle(event, self.now_ms)

    def drain(self) -> list[Effect]:
        """What was said outside an event, as by a component that the test called itself."""
        self.effects, self.node._effects = self.node._effects, []
        return self.effects

    @property
    def requests(self) -> list[tuple[str, Any]]:
        return [(one.to, one.message) for one in self.effects if isinstance(one, Send) and one.role == REQUEST]

    @property
    def replies(self) -> list[tuple[str, Any]]:
        return [(one.to, one.message) for one in self.effects if isinstance(one, Send) and one.role == REPLY]

    @property
    def facts(self) -> list[Any]:
        return [one.fact for one in self.effects if isinstance(one, Note)]

    @property
    def disconnected(self) -> list[str]:
        return [one.to for one in self.effects if isinstance(one, Disconnect)]


class ScriptedZooKeeper:
    """Takes what a component asks, in order; the test answers one at a time."""

    def __init__(self) -> None:
        self.session_id, self.is_closed = 7, False
        self.asked: list[tuple[Any, Callable[..., None], tuple[Any, ...]]] = []

    def ask(self, request: Any, then: Callable[..., None], *arguments: Any) -> None:
        self.asked.append((request, then, arguments))

    ask_surely = ask

    @property
    def requests(self) -> list[Any]:
        return [request for request, _, _ in self.asked]

    def answer(self, message: Any = None, error: ZooKeeperError = ZooKeeperError.OK) -> Any:
        """Answer the oldest question; return it."""
        request, then, arguments = self.asked.pop(0)
        then(Reply(0, 1, error, message), request, *arguments)
        return request
