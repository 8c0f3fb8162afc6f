"""A connection's buffers: whose they are when it ends, and how often something is put into them."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from kafkalite.net.stream import Stream
from kafkalite.protocol.buffers import BufferPool

SECONDS = 20.0


class Counted(BufferPool):
    """Counts what is not given back."""

    def __init__(self) -> None:
        super().__init__()
        self.lent = self.times = 0

    def take(self, size: int) -> bytearray:
        self.lent += 1
        self.times += 1
        return super().take(size)

    def give(self, buffer: bytearray) -> None:
        self.lent -= 1
        super().give(buffer)


@pytest.mark.parametrize("said", ["", "00 00 00 09 61", "00 00 00 01 61", "ff ff ff ff"])
@pytest.mark.parametrize("is_held", [False, True], ids=["", "in the middle of its request"])
def test_a_connection_that_ends_holds_no_buffer(said: str, is_held: bool) -> None:
    """Not even until the collector comes: that may be hundreds of connections later, and a buffer is a megabyte."""
    pool = Counted()
    streams: list[Stream] = []

    async def run() -> None:
        ended = asyncio.Event()

        def accepted() -> Stream:
            def on_frame(_: memoryview) -> None:
                if is_held:
                    streams[0].hold()

            streams.append(Stream(pool, on_frame, ended.set))
            return streams[0]

        server = await asyncio.get_running_loop().create_server(accepted, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(bytes.fromhex(said))
        writer.close()
        await asyncio.gather(asyncio.wait_for(ended.wait(), SECONDS), writer.wait_closed(), return_exceptions=True)
        server.close()
        await server.wait_closed()
        assert ended.is_set()

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()

    assert 0 == pool.lent
    assert pool.times > 0


class Woken(Stream):
    """Counts how often something has come."""

    times = 0

    def buffer_updated(self, nbytes: int) -> None:
        self.times += 1
        super().buffer_updated(nbytes)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is not asked to wait")
def test_a_large_frame_that_comes_bit_by_bit_is_looked_at_a_few_times_and_what_follows_it_at_once() -> None:
    frames: list[int] = []
    streams: list[Woken] = []
    size, bit = 1_000_000, 10_000

    async def run() -> None:
        come = asyncio.Semaphore(0)

        def accepted() -> Stream:
            def on_frame(frame: memoryview) -> None:
                frames.append(len(frame))
                come.release()

            streams.append(Woken(BufferPool(), on_frame, lambda: None))
            return streams[0]

        async def comes() -> None:
            await asyncio.wait_for(come.acquire(), SECONDS)

        server = await asyncio.get_running_loop().create_server(accepted, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(size.to_bytes(4, "big"))
        for _ in range(size // bit):
            writer.write(bytes(bit))
            await asyncio.sleep(0)  # the other side gets its turn
        await comes()
        assert streams[0].times < 20  # of a hundred
        writer.write((1).to_bytes(4, "big") + b"x")
        await comes()
        writer.write(size.to_bytes(4, "big") + bytes(size // 2))  # and no more: it must hear of the end
        writer.close()
        await writer.wait_closed()
        server.close()
        await asyncio.wait_for(server.wait_closed(), SECONDS)

    asyncio.run(run())

    assert [size, 1] == frames
