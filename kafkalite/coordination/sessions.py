"""Sessions: who is alive. The leader alone decides that a session has expired, and then by a committed change.

A client says every third of the time out that it lives. The server it is connected to notes that, and tells the leader
with its next heartbeat. A new leader knows the sessions (they are part of the tree) and not when they were last heard
of, so it gives each of them its whole time out again.

Left out: sessions that only one server knows (local sessions). Source: ZooKeeper's SessionTrackerImpl, ExpiryQueue.
"""

from __future__ import annotations

from hashlib import blake2b

_SECRET = b"kafkalite"  # keeps clients from going on with each other's sessions by mistake; it is no security


def password_of(session_id: int) -> bytes:
    """What a client must know to go on with the session: 16 bytes, the same on every server."""
    return blake2b(session_id.to_bytes(8, "big", signed=True), digest_size=16, key=_SECRET).digest()


class Sessions:
    """The leader's view: when each session expires unless it is heard of."""

    def __init__(self) -> None:
        self._timeouts_ms: dict[int, int] = {}
        self._expires_ms: dict[int, float] = {}
        self._owners: dict[int, int] = {}  # session -> the server its client is connected to

    def begin(self, sessions: dict[int, int], now_ms: float) -> None:
        """A leader begins: every session has its whole time out, wherever its client will turn up."""
        self._timeouts_ms = dict(sessions)
        self._expires_ms = {session_id: now_ms + timeout_ms for session_id, timeout_ms in sessions.items()}
        self._owners = {}

    def add(self, session_id: int, timeout_ms: int, owner: int, now_ms: float) -> None:
        """A session was opened at this server."""
        self._timeouts_ms[session_id] = timeout_ms
        self._expires_ms[session_id] = now_ms + timeout_ms
        self._owners[session_id] = owner

    def remove(self, session_id: int) -> None:
        """The session is closed."""
        for index in (self._timeouts_ms, self._expires_ms, self._owners):
            index.pop(session_id, None)

    def touch(self, session_id: int, now_ms: float) -> None:
        """Its client was heard of; too late if the session is being closed."""
        if session_id in self._expires_ms:
            self._expires_ms[session_id] = now_ms + self._timeouts_ms[session_id]

    def move(self, session_id: int, owner: int, now_ms: float) -> int:
        """The session goes on at this server: its time out in ms, or 0 if it has expired."""
        if session_id not in self._expires_ms:
            return 0
        self._owners[session_id] = owner
        self.touch(session_id, now_ms)
        return self._timeouts_ms[session_id]

    def is_at(self, session_id: int, server: int) -> bool:
        """May this server speak for the session? Not after its client turned up at another."""
        return self._owners.setdefault(session_id, server) == server

    def take_expired(self, now_ms: float) -> list[int]:
        """Sessions not heard of in time, each told once: they are to be closed, and cannot be saved any more."""
        expired = [session_id for session_id, at_ms in self._expires_ms.items() if at_ms <= now_ms]
        for session_id in expired:
            del self._expires_ms[session_id]
        return expired
