"""The frame: a node is a participant without clock, socket, thread or chance of its own.

An event and the time go in, effects come out; a driver performs the effects. Two drivers run nodes: `sim` (virtual
time, seeded) and later `net` (real time, TCP). Inside, handlers say `self.send(...)`, `self.set_timer(...)`,
`self.note(fact)`, and `handle` drains what they said: the outbox is filled inside and emptied outside (etcd/raft).

Which handler an event reaches is its name:

    Started                                  on_start()
    Received, a FetchRequest from c1         on_fetch_request("c1", request)
    Received, a FetchResponse                on_fetch_response(response, request)    the request it answers
    TimerFired("retry")                      on_retry()
    PeerLost("b1")                           on_peer_lost("b1", requests)            those left unanswered

Replies arrive in the order of their requests, because connections are FIFO and a broker answers one request at a time;
so a node remembers, per peer, the queue of what it asked. No closures: after a snapshot, a closure still drives the
original. For the same reason node state holds values and bound methods, never lambdas.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class Started:
    """The node begins, with empty memory."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message arrived on the connection with `source`."""

    source: NodeName
    message: Any


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
class Send:
    """Put a message on the connection with `to`."""

    to: NodeName
    message: Any


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


Event = Started | Received | TimerFired | PeerLost | Flushed
Effect = Send | SetTimer | CancelTimer | Flush | Note

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


class Node:
    """A sans-IO participant. Subclasses write `on_...` handlers; drivers call `handle`."""

    def __init__(self, name: NodeName) -> None:
        self.name = name
        self.now_ms = 0.0
        self._effects: list[Effect] = []
        self._asked: dict[NodeName, deque[Any]] = {}  # peer -> requests without an answer, oldest first

    def handle(self, event: Event, now_ms: float) -> list[Effect]:
        """Apply one event; return effects in the order the driver must perform them."""
        self.now_ms = now_ms
        kind = type(event)
        if kind is Received:
            self._receive(event.source, event.message)  # type: ignore[union-attr]  # the line above says so
        elif kind is TimerFired:
            getattr(self, "on_" + event.name)()  # type: ignore[union-attr]
        elif kind is Started:
            self.on_start()
        elif kind is PeerLost:
            peer: NodeName = event.peer  # type: ignore[union-attr]
            self.on_peer_lost(peer, tuple(self._asked.pop(peer, ())))
        else:
            self.on_flushed(event.token)  # type: ignore[union-attr]
        effects, self._effects = self._effects, []
        return effects

    def _receive(self, source: NodeName, message: Any) -> None:
        handler = getattr(self, handler_name(type(message)))
        if type(message).__name__.endswith("Response"):
            handler(message, self._asked[source].popleft())
        else:
            handler(source, message)

    # What handlers say ----------------------------------------------------------------------------------------------

    def send(self, to: NodeName, message: Any) -> None:
        """Send a message that is no request: a response, or one that needs none."""
        self._effects.append(Send(to, message))

    def request(self, to: NodeName, message: Any) -> None:
        """Send a request; its response will come to `on_..._response` together with it."""
        asked = self._asked.get(to)
        if asked is None:
            asked = self._asked[to] = deque()
        asked.append(message)
        self._effects.append(Send(to, message))

    def set_timer(self, name: str, after_ms: float) -> None:
        """Call `on_<name>` once, `after_ms` from now."""
        self._effects.append(SetTimer(name, after_ms))

    def cancel_timer(self, name: str) -> None:
        """Forget the timer of that name."""
        self._effects.append(CancelTimer(name))

    def flush(self, token: int) -> None:
        """Sync what was written so far; `on_flushed(token)` tells when it is done."""
        self._effects.append(Flush(token))

    def note(self, fact: Any) -> None:
        """Announce a fact."""
        self._effects.append(Note(fact))

    # What every node may be told; a subclass writes those it cares about --------------------------------------------

    def on_start(self) -> None:
        """The node begins."""

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """The connection broke; `requests` were sent and never answered, so they may have happened."""

    def on_flushed(self, token: int) -> None:
        """What was written before `flush(token)` is on the disk."""
