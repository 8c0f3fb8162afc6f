"""A producer of the smallest broker: it sends batches one after another, each when the one before is answered.

Left out: keys, partitions, batching by size and time, retries (chapter 7). A batch whose connection broke *may have
happened*; this writer does not send it again, so a broken connection shows as a batch that was or was not appended.
"""

from __future__ import annotations

from typing import Any

from kafkalite.node import Node
from kafkalite.protocol import one_partition as wire
from kafkalite.types import NodeName


class Writer(Node):
    """Sends each batch of a plan: `(pause_ms before sending, values)`."""

    def __init__(self, name: NodeName, broker: NodeName, plan: tuple[tuple[float, tuple[str, ...]], ...]) -> None:
        super().__init__(name)
        self.broker, self.plan, self.done = broker, plan, 0

    def on_start(self) -> None:
        self._wait()

    def on_send(self) -> None:
        self.request(self.broker, wire.ProduceRequest(self.plan[self.done][1]))

    def on_produce_response(
        self, source: NodeName, response: wire.ProduceResponse, request: wire.ProduceRequest
    ) -> None:
        self._next()

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if requests:
            self._next()

    def _next(self) -> None:
        self.done += 1
        self._wait()

    def _wait(self) -> None:
        if self.done < len(self.plan):
            self.set_timer("send", self.plan[self.done][0])
