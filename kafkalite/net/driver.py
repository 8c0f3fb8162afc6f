"""One node in real time: events come from sockets, timers and the disk; effects become I/O, in order.

The node stays as it is in the simulator: it handles one event at a time, never waits, and knows its peers by name.

    who came to us       a name of its own, "127.0.0.1:51776", as long as the connection lasts
    whom we go to        "127.0.0.1:9092#fetch": the address, and which of several connections with it

Time is the loop's clock in ms; what a wall clock shows more than that is set once, at the start. A sync runs in a
thread, so that a slow disk does not stop the node. Left out: snapshots, faults, a trace (the simulator has those).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from kafkalite.errors import PartFailed
from kafkalite.net.checksums import use_fast_checksums
from kafkalite.node import (
    REPLY,
    CancelTimer,
    Disconnect,
    Effect,
    Event,
    Flush,
    Flushed,
    Node,
    Note,
    PeerLost,
    Received,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from kafkalite.protocol.buffers import BufferPool
from kafkalite.types import NodeName

log = logging.getLogger("kafkalite")

AGAIN_MS = 1000.0  # after a timer's work went wrong


class Peer(Protocol):
    """One connection, whoever opened it and whatever is spoken on it."""

    def send(self, message: Any, role: str) -> None:
        """Put a message on it."""
        ...

    def close(self) -> None:
        """Close it; nobody is told."""
        ...

    def fail(self) -> None:
        """What came on it could not be handled: close it, and say so before if there is a way to."""
        self.close()


Connect = Callable[["NodeDriver", NodeName], Peer]  # opens a connection; it says itself when it is lost


class NodeDriver:
    """Runs one node on the running loop until `stop()`."""

    def __init__(self, node: Node, connect: Connect, observe: Callable[[NodeName, Any], None] | None = None) -> None:
        """`connect` opens a connection to a peer that the node addresses; `observe` is told every fact."""
        self.node = node
        self._connect, self._observe = connect, observe
        self._peers: dict[NodeName, Peer] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_stopped = False
        self._events: list[Event] = []  # that came while one was being handled
        self._is_handling = False
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.buffers = BufferPool()  # of all its connections

    def start(self) -> None:
        """Let the node begin."""
        use_fast_checksums()
        self.node.wall_offset_ms = time.time() * 1000 - self.now_ms
        self.node.random = random.Random(random.SystemRandom().getrandbits(64))
        self.handle(Started())

    def stop(self) -> None:
        """Close every connection and forget every timer; the node handles nothing any more."""
        self._is_stopped = True
        for timer in self._timers.values():
            timer.cancel()
        for peer in list(self._peers.values()):
            peer.close()
        self._peers.clear()

    @property
    def now_ms(self) -> float:
        """Monotonic."""
        return self.loop.time() * 1000

    # Events ---------------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Let the node handle an event, now or, if it is handling one, next. A handler that raises is a bug: logged."""
        if self._is_stopped:
            return
        self._events.append(event)
        if self._is_handling:
            return
        self._is_handling = True
        try:
            while self._events:
                self._perform(self._handled(self._events.pop(0)))
        finally:
            self._is_handling = False

    def _handled(self, event: Event) -> list[Effect]:
        try:
            return self.node.handle(event, self.now_ms)
        except PartFailed:  # the log has it: it was told where it was raised
            return self._given_up(event)
        except Exception:
            log.exception("%s could not handle %.300s", self.node.name, event)
            return self._given_up(event)

    def _given_up(self, event: Event) -> list[Effect]:
        if isinstance(event, TimerFired):  # what is to be done again and again is tried again
            return [SetTimer(event.name, AGAIN_MS)]
        if isinstance(event, Received) and event.source in self._peers:
            self._peers.pop(event.source).fail()
            self._events.append(PeerLost(event.source))
        return []

    def peer(self, name: NodeName) -> Peer:
        """The connection of that name, opened if there is none."""
        peer = self._peers.get(name)
        if peer is None:
            peer = self._peers[name] = self._connect(self, name)
        return peer

    def peers(self) -> list[Peer]:
        """Every connection that there is."""
        return list(self._peers.values())

    def joined(self, name: NodeName, peer: Peer) -> None:
        """Somebody connected; too late, if the node has stopped meanwhile."""
        if self._is_stopped:
            peer.close()
        else:
            self._peers[name] = peer

    def received(self, name: NodeName, message: Any, version: int | None = None, client_id: str | None = None) -> None:
        """A message arrived on a connection that there still is."""
        if name in self._peers:
            self.handle(Received(name, message, version, client_id))

    def lost(self, name: NodeName, peer: Peer) -> None:
        """A connection is gone; told once, and only of the present one of that name."""
        if self._peers.get(name) is peer:
            del self._peers[name]
            self.handle(PeerLost(name))

    def _fired(self, name: str) -> None:
        del self._timers[name]
        self.handle(TimerFired(name))

    # Effects --------------------------------------------------------------------------------------------------------

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                self._send(effect)  # type: ignore[arg-type]  # the line above says so
            elif kind is SetTimer:
                name: str = effect.name  # type: ignore[union-attr]
                self._cancel(name)
                after_ms = effect.after_ms  # type: ignore[union-attr]
                self._timers[name] = self.loop.call_later(after_ms / 1000, self._fired, name)
            elif kind is CancelTimer:
                self._cancel(effect.name)  # type: ignore[union-attr]
            elif kind is Note:
                if self._observe is not None:
                    self._observe(self.node.name, effect.fact)  # type: ignore[union-attr]
            elif kind is Flush:
                self._flush(effect.token)  # type: ignore[union-attr]
            elif kind is Disconnect:
                self._disconnect(effect.to)  # type: ignore[union-attr]

    def _send(self, effect: Send) -> None:
        if effect.role == REPLY and effect.to not in self._peers:
            return  # whoever asked is gone
        self.peer(effect.to).send(effect.message, effect.role)

    def _disconnect(self, name: NodeName) -> None:
        peer = self._peers.pop(name, None)
        if peer is not None:
            peer.close()

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _flush(self, token: int) -> None:
        # The mark is taken now: what the node writes from here on is not meant.
        mark = self.node.storage.mark()
        syncing = self.loop.run_in_executor(None, self.node.storage.begin_sync(mark))
        syncing.add_done_callback(partial(self._flushed, token, mark))

    def _flushed(self, token: int, mark: Any, done: asyncio.Future[None]) -> None:
        if done.cancelled() or self._is_stopped:
            return
        error = done.exception()
        if error is not None:
            # A disk that does not sync has lost what was written, for good; the node must not go on as if it had not.
            log.critical("%s: the disk did not sync: %s", self.node.name, error)
            self.stop()
            return
        self.node.storage.synced(mark)
        self.handle(Flushed(token))
