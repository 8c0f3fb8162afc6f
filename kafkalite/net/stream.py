"""A connection's bytes: frames in, frames out, and a pause while somebody downstream is busy.

One asyncio.BufferedProtocol serves all of them; what the frames hold is for who is handed them.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from kafkalite.errors import ProtocolError
from kafkalite.protocol.buffers import BufferPool
from kafkalite.protocol.frames import FRAME_BYTES_MAX, FrameReader
from kafkalite.protocol.pieces import Unread
from kafkalite.storage import Buffer

AT_LEAST_MAX = 256 * 1024  # bytes: more is not gained by waiting for more
AT_LEAST_MIN = 64 * 1024 if sys.platform == "linux" else sys.maxsize  # elsewhere the system is not asked to wait


class Stream(asyncio.BufferedProtocol):
    """Cuts what arrives into frames, and hands them over one at a time; the next when `next_frame()` is said."""

    def __init__(
        self,
        pool: BufferPool,
        on_frame: Callable[[memoryview], None],
        on_lost: Callable[[], None],
        on_made: Callable[[], None] | None = None,
        bytes_max: int = FRAME_BYTES_MAX,
    ) -> None:
        self._on_frame, self._on_lost, self._on_made = on_frame, on_lost, on_made
        self._reader = FrameReader(pool, bytes_max)
        self._frames: deque[memoryview] = deque()
        self._is_busy = self._is_paused = self._is_closed = False
        self._is_full = self._waits_for_room = False  # of what the other side has not taken yet
        self._transport: asyncio.Transport | None = None
        self._unsent: list[Buffer] = []
        self._at_least = 1  # bytes, before the system says that there is something to read

    # asyncio's side -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._is_closed or transport.get_extra_info("peername") is None:  # it came, and it is gone
            self._is_closed = True
            transport.abort()
            return
        with suppress(OSError):  # some systems refuse if the other side is gone: we hear of that soon enough
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._on_made is not None:
            self._on_made()
        for piece in self._unsent:
            transport.write(piece)
        self._unsent.clear()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._reader.room()

    def buffer_updated(self, nbytes: int) -> None:
        self._reader.filled(nbytes)
        try:
            self._frames.extend(self._reader.frames())
        except ProtocolError:
            self.abort()
            return
        self._pump()
        self._wait_for(self._reader.missing_bytes)

    def _wait_for(self, missing_bytes: int) -> None:
        """Be woken again only when so many bytes are there, or a good part of them.

        A frame of a megabyte else comes in twenty pieces, and each costs a turn of the loop.
        """
        at_least = min(missing_bytes, AT_LEAST_MAX) if missing_bytes >= AT_LEAST_MIN else 1
        if at_least != self._at_least and self._transport is not None and not self._is_closed:
            self._at_least = at_least
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, at_least)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._waits_for_room:
            self._waits_for_room = False
            self.next_frame()

    def connection_lost(self, exc: Exception | None) -> None:
        self._frames.clear()
        self._reader.close()  # this and the transport hold each other until the collector comes, and it comes rarely
        if not self._is_closed:
            self._is_closed = True
            self._on_lost()

    def peer_name(self) -> str:
        """Whom it is with: host and port."""
        assert self._transport is not None, "there is no connection yet"
        host, port = self._transport.get_extra_info("peername")[:2]
        return f"{host}:{port}"

    @property
    def unsent_bytes(self) -> int:
        """What was written and waits for the other side to take it."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    # Our side -------------------------------------------------------------------------------------------------------

    def write(self, *pieces: Buffer | Unread) -> None:
        """Send a frame, whole or in pieces, as soon as there is a connection.

        Raises StorageError if a piece cannot be read any more: then part of a frame is sent, and only abort() is left.
        """
        if self._is_closed:
            return
        for piece in pieces:
            data = piece if isinstance(piece, Buffer) else bytes(piece)
            if self._transport is None:
                self._unsent.append(data)
            else:
                self._transport.write(data)

    def hold(self) -> None:
        """Hand over nothing more until `next_frame()`."""
        self._is_busy = True

    def next_frame(self) -> None:
        """Go on with what has arrived meanwhile, once the other side has taken what was written (as Kafka does)."""
        self._waits_for_room = self._is_full
        if not self._is_full:
            self._is_busy = False
            self._pump()

    def close(self) -> None:
        """Close after what was written is sent; `on_lost` is not told."""
        if not self._is_closed:
            self._is_closed = True
            if self._transport is not None:
                self._transport.close()

    def abort(self) -> None:
        """Close at once, as for a peer that does not speak the protocol; `on_lost` is told."""
        if self._transport is not None:
            self._transport.abort()

    def _pump(self) -> None:
        while self._frames and not self._is_busy and not self._is_closed:
            self._on_frame(self._frames.popleft())
        self._reader.rest()
        if self._transport is None or self._is_closed:
            return
        # What waits here was read ahead; more is not read until it is handed over. That is the back-pressure.
        if self._is_busy and self._frames and not self._is_paused:
            self._transport.pause_reading()
            self._is_paused = True
        elif self._is_paused and not self._frames:
            self._transport.resume_reading()
            self._is_paused = False


def open_connection(loop: asyncio.AbstractEventLoop, stream: Stream, host: str, port: int) -> None:
    """Connect a stream in the background; if nobody is there, it is lost."""
    task = loop.create_task(_open(loop, stream, host, port))
    _opening.add(task)
    task.add_done_callback(_opening.discard)


async def _open(loop: asyncio.AbstractEventLoop, stream: Stream, host: str, port: int) -> None:
    try:
        await loop.create_connection(lambda: stream, host, port)
    except OSError as error:
        stream.connection_lost(error)


_opening: set[asyncio.Task[None]] = set()  # a task that nobody holds is collected
