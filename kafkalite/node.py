"""The frame: a node is a participant without clock, socket, thread or chance of its own.

An event and the time go in, effects come out; a driver performs the effects. Two drivers run nodes: `sim` (virtual
time, seeded) and later `net` (real time, TCP). Inside, handlers say `self.send(...)`, `self.set_timer(...)`,
`self.note(fact)`, and `handle` drains what they said: the outbox is filled inside and emptied outside (etcd/raft).

Which handler an event reaches is its name:

    Started                                  on_start()
    Received, a FetchRequest from c1         on_fetch_request("c1", request)
    Received, a FetchResponse from b1        on_fetch_response("b1", response, request)   the request it answers
    TimerFired("retry")                      on_retry()
    TimerFired("retry:orders-0")             on_retry("orders-0")
    PeerLost("b1")                           on_peer_lost("b1", requests)                 those left unanswered
    Called("close", (3,))                    close(3)                                     what the world asks of a node

A large node is made of *components*: each has handlers of its own and shares its node's outbox; its timers carry its
label in front, `TimerFired("zk.ping")`.

A peer is the other end of one connection: the name of a node, and where two nodes have more than one connection a
channel behind it, "b1#fetch". Both ends know a connection by the same channel, so whoever receives from "b2#fetch"
answers to "b2#fetch". A connection is FIFO, and its driver brings the next request only when the one before is answered
(Kafka mutes the channel meanwhile): replies arrive in the order of their requests, so a node remembers, per peer, the
queue of what it asked. No closures: after a snapshot, a closure still drives the original. For the same reason node
state holds values and bound methods, never lambdas.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class Started:
    """The node begins: its memory is empty, its storage holds what an earlier life of it has left."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message arrived on the connection with `source`. What a request's header said comes along, if it had one."""

    source: NodeName
    message: Any
    version: int | None = None  # None: the newest
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that the node set, and did not cancel or set again, is due."""

    name: str


@dataclass(frozen=True, slots=True)
class PeerLost:
    """The connection with `peer` broke. What was under way may or may not have arrived."""

    peer: NodeName


@dataclass(frozen=True, slots=True)
class Flushed:
    """What was written before `Flush(token)` is on the disk."""

    token: int


@dataclass(frozen=True, slots=True)
class Called:
    """The world outside asks something of the node: a program of its producer, an operator of its broker."""

    method: str
    arguments: tuple[Any, ...] = ()


NOTICE = "notice"
REQUEST = "request"
REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Send:
    """Put a message on the connection with `to`: a REQUEST expects a REPLY before the next one, a NOTICE nothing."""

    to: NodeName
    message: Any
    role: str = NOTICE


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection with `to`, as after a request that took too long. What was sent may still arrive."""

    to: NodeName


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire `name` once, `after_ms` from now; a timer of that name that is running already is replaced."""

    name: str
    after_ms: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of that name, if it runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Sync what was written so far to the disk, then say `Flushed(token)`."""

    token: int


@dataclass(frozen=True, slots=True)
class Note:
    """Announce a fact: what diagrams, checkers and logs read."""

    fact: Any


Event = Started | Received | TimerFired | PeerLost | Flushed | Called
Effect = Send | Disconnect | SetTimer | CancelTimer | Flush | Note

_handler_names: dict[type, str] = {}


def handler_name(kind: type) -> str:
    """The method that handles messages of this class.

    >>> class FetchRequest: ...
    >>> handler_name(FetchRequest)
    'on_fetch_request'
    """
    name = _handler_names.get(kind)
    if name is None:
        name = _handler_names[kind] = "on_" + re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return name


@cache
def is_reply(kind: type) -> bool:
    """Do messages of this class answer a request? Their names say so."""
    return kind.__name__.endswith(("Response", "Reply"))


class _Handlers(dict[Any, Callable[..., None]]):
    """Handlers that were looked up once. A copy of the node looks them up again: these are bound to the original."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Handlers:
        return _Handlers()


class Node:
    """A sans-IO participant. Subclasses write `on_...` handlers; drivers call `handle`.

    A driver sets `wall_offset_ms` and `random` before the first event, and reads `storage`, which a subclass sets if it
    has a disk.
    """

    def __init__(self, name: NodeName) -> None:
        self.name = name
        self.now_ms = 0.0  # monotonic: for timers; two nodes' clocks begin anywhere
        self.wall_offset_ms = 0.0  # what a wall clock shows more than that: for timestamps and retention
        self.random = Random(0)
        self.storage: Any = None  # a kafkalite.storage.Storage
        self.components: dict[str, Component] = {}
        self.asked_version: int | None = None  # what the header said of the request whose handler runs
        self.asked_by: str | None = None  # the client's name for itself
        self._effects: list[Effect] = []
        self._asked: dict[NodeName, deque[tuple[Any, float]]] = {}  # peer -> what it has not answered, and its deadline
        self._watched: set[NodeName] = set()  # peers with a timer for those deadlines
        self._flushing: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}
        self._flushes = 0
        self._handlers = _Handlers()

    @property
    def wall_ms(self) -> int:
        """What this node's wall clock shows, in ms since 1970; it may be wrong, and may go backwards."""
        return int(self.now_ms + self.wall_offset_ms)

    def handle(self, event: Event, now_ms: float) -> list[Effect]:
        """Apply one event; return effects in the order the driver must perform them."""
        self.now_ms = now_ms
        kind = type(event)
        if kind is Received:
            self.asked_version, self.asked_by = event.version, event.client_id  # type: ignore[union-attr]  # see above
            self._receive(event.source, event.message)  # type: ignore[union-attr]
        elif kind is TimerFired:
            self._fire(event.name)  # type: ignore[union-attr]
        elif kind is Started:
            self.on_start()
        elif kind is PeerLost:
            self._lose(event.peer)  # type: ignore[union-attr]
        elif kind is Flushed:
            then, arguments = self._flushing.pop(event.token)  # type: ignore[union-attr]
            then(*arguments)
        else:
            getattr(self, event.method)(*event.arguments)  # type: ignore[union-attr]
        effects, self._effects = self._effects, []
        return effects

    def is_asked_since(self, version: int) -> bool:
        """Whether the request whose handler runs is of that version, or a newer one."""
        return self.asked_version is None or self.asked_version >= version

    def _receive(self, source: NodeName, message: Any) -> None:
        kind = type(message)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = self._find(handler_name(kind))
        if is_reply(kind):  # type: ignore[arg-type]  # mypy takes no type for hashable
            handler(source, message, self._asked[source].popleft()[0])
        else:
            handler(source, message)

    def _fire(self, timer: str) -> None:
        name, _, argument = timer.partition(":")
        handler = self._handlers.get(name)
        if handler is None:
            label, _, method = name.rpartition(".")
            owner = self.components[label] if label else self
            handler = self._handlers[name] = getattr(owner, "on_" + method)
        if argument:
            handler(argument)
        else:
            handler()

    def _find(self, name: str) -> Callable[..., None]:
        for owner in (self, *self.components.values()):
            handler: Callable[..., None] | None = getattr(owner, name, None)
            if handler is not None:
                return handler
        raise AttributeError(f"{self.name} ({type(self).__name__}) was sent a message and has no `{name}` for it")

    def _lose(self, peer: NodeName) -> None:
        self._watched.discard(peer)
        self.on_peer_lost(peer, tuple(message for message, _ in self._asked.pop(peer, ())))

    # What handlers say ----------------------------------------------------------------------------------------------

    def send(self, to: NodeName, message: Any) -> None:
        """Send what nobody answers."""
        self._effects.append(Send(to, message))

    def reply(self, to: NodeName, message: Any) -> None:
        """Answer the request that came from `to`; the connection's next one may then come."""
        self._effects.append(Send(to, message, REPLY))

    def request(self, to: NodeName, message: Any, timeout_ms: float | None = None) -> None:
        """Send a request; its response will come to `on_..._response` together with it.

        If it is not answered within `timeout_ms`, the connection is closed and `on_peer_lost` told, as of a broken one.
        """
        asked = self._asked.get(to)
        if asked is None:
            asked = self._asked[to] = deque()
        asked.append((message, float("inf") if timeout_ms is None else self.now_ms + timeout_ms))
        self._effects.append(Send(to, message, REQUEST))
        if timeout_ms is not None and to not in self._watched:
            self._watched.add(to)
            self.set_timer(f"overdue:{to}", timeout_ms)

    def waits_for(self, peer: NodeName) -> int:
        """How many requests to this peer are without an answer."""
        return len(self._asked.get(peer, ()))

    def disconnect(self, peer: NodeName) -> tuple[Any, ...]:
        """Close the connection; return the requests that were never answered, so may have happened."""
        self._effects.append(Disconnect(peer))
        self._watched.discard(peer)
        return tuple(message for message, _ in self._asked.pop(peer, ()))

    def set_timer(self, name: str, after_ms: float) -> None:
        """Call `on_<name>` once, `after_ms` from now; what stands behind a colon is its argument."""
        self._effects.append(SetTimer(name, after_ms))

    def cancel_timer(self, name: str) -> None:
        """Forget the timer of that name."""
        self._effects.append(CancelTimer(name))

    def flush(self, then: Callable[..., None], *arguments: Any) -> None:
        """Sync what was written so far, then call `then(*arguments)`; a bound method, never a lambda."""
        self._flushes += 1
        self._flushing[self._flushes] = (then, arguments)
        self._effects.append(Flush(self._flushes))

    def note(self, fact: Any) -> None:
        """Announce a fact."""
        self._effects.append(Note(fact))

    # What every node may be told; a subclass writes those it cares about --------------------------------------------

    def on_start(self) -> None:
        """The node begins."""

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """The connection broke; `requests` were sent and never answered, so they may have happened."""
        for component in self.components.values():
            component.on_peer_lost(peer, requests)

    def on_overdue(self, peer: NodeName) -> None:
        """Look whether the peer's oldest request is overdue: one timer a peer, however many requests."""
        self._watched.discard(peer)
        asked = self._asked.get(peer)
        if not asked:
            return
        left_ms = min(deadline_ms for _, deadline_ms in asked) - self.now_ms
        if left_ms <= 0:
            self.on_peer_lost(peer, self.disconnect(peer))
        elif left_ms != float("inf"):
            self._watched.add(peer)
            self.set_timer(f"overdue:{peer}", left_ms)


class Component:
    """A share of a node, with handlers of its own: `on_...` methods are found here as in the node itself."""

    def __init__(self, node: Node, label: str) -> None:
        """Join the node under a label that no other component of it has."""
        assert label not in node.components, f"{node.name} has a component {label!r} already"
        self.node, self.label = node, label
        node.components[label] = self

    def set_timer(self, name: str, after_ms: float) -> None:
        """Call this component's `on_<name>` once; as `Node.set_timer`."""
        self.node.set_timer(f"{self.label}.{name}", after_ms)

    def cancel_timer(self, name: str) -> None:
        """Forget this component's timer of that name."""
        self.node.cancel_timer(f"{self.label}.{name}")

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """A connection of the node broke; which of the requests are this component's, it knows itself."""
