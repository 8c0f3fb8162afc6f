"""Producer ids: numbers that no other producer has, and InitProducerId for who wants nothing more (KIP-98).

    InitProducerId   key 22   v0-4   without a transactional id; those with one go on to `transaction_api`

Brokers take numbers from ZooKeeper in blocks of 1000, by compare-and-set on /latest_producer_id_block, and hand them
out one by one. What a broker has left of a block when it dies is never used: numbers are unique, not dense.

A producer without a transactional id that asks again with the id it has gets a new one, as in Kafka.
Source: Kafka's ZooKeeperProducerIdManager, ProducerIdBlockZNode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.transactions import InitProducerIdRequest, InitProducerIdResponse
from kafkalite.protocol.zookeeper import GetDataRequest, SetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import NodeName

BLOCK_SIZE = 1000
NO_ID = -1


class ProducerIds(Component):
    """The block this broker hands out from, and who waits for the next. `0 <= next <= end`."""

    def __init__(self, node: Node, config: BrokerConfig, zk: ZooKeeperClient) -> None:
        super().__init__(node, "producer_ids")
        self._broker, self._zk = config.broker_id, zk
        self._next = self._end = 0  # an empty block: [next, end)
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._is_fetching = False  # a block is on its way
        self.with_transactional_id: Callable[[NodeName, InitProducerIdRequest], None] | None = None

    def on_init_producer_id_request(self, source: NodeName, request: InitProducerIdRequest) -> None:
        if request.transactional_id is None:
            self.take(self._taken, source)
        elif self.with_transactional_id is not None:
            self.with_transactional_id(source, request)
        else:
            self.node.reply(source, InitProducerIdResponse(error_code=ErrorCode.UNSUPPORTED_VERSION))

    def _taken(self, producer_id: int, source: NodeName) -> None:
        if producer_id == NO_ID:
            self.node.reply(source, InitProducerIdResponse(error_code=ErrorCode.COORDINATOR_NOT_AVAILABLE))
        else:
            self.node.reply(source, InitProducerIdResponse(producer_id=producer_id))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self._waiting = [one for one in self._waiting if one != (self._taken, (peer,))]

    def take(self, then: Callable[..., None], *arguments: Any) -> None:
        """Call `then(producer_id, *arguments)` with a number of its own, or with NO_ID if there is none to be had."""
        self._waiting.append((then, arguments))
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._next < self._end:
            then, arguments = self._waiting.pop(0)
            self._next += 1
            then(self._next - 1, *arguments)
        if self._waiting and not self._is_fetching:
            self._is_fetching = True
            self._read()

    def _read(self) -> None:
        if self._zk.is_closed:  # the broker has left the cluster: another one has to be asked
            self._refuse()
        else:
            self._zk.ask_surely(GetDataRequest(znodes.PRODUCER_ID_BLOCK), self._was_read)

    def _was_read(self, reply: Reply, request: GetDataRequest) -> None:
        if reply.error is ZooKeeperError.SESSION_EXPIRED:
            self._read()  # in the next session
        elif reply.error is ZooKeeperError.OK:
            taken = znodes.decode_producer_id_block(reply.message.data)
            start = taken[2] + 1 if taken else 0
            data = znodes.encode_producer_id_block(self._broker, start, start + BLOCK_SIZE - 1)
            self._zk.ask(SetDataRequest(request.path, data, reply.message.stat.version), self._was_set, start)
        else:
            self._refuse()

    def _refuse(self) -> None:
        self._is_fetching = False
        waiting, self._waiting = self._waiting, []
        for then, arguments in waiting:
            then(NO_ID, *arguments)

    def _was_set(self, reply: Reply, request: SetDataRequest, start: int) -> None:
        if reply.error is not ZooKeeperError.OK:
            # Another broker was faster; or the answer is lost, and this block with it if the block is ours.
            self._read()
            return
        self._next, self._end, self._is_fetching = start, start + BLOCK_SIZE, False
        self._hand_out()
