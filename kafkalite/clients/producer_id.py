"""A producer's own id and epoch: asked for once, and begun anew when a partition's numbers have a hole.

Any broker can give an id. Beginning anew needs nobody: the producer takes the next epoch itself, until there is none
left (KIP-360). Partitions that have no hole go on under the old epoch until nothing of theirs is outstanding.

Source: TransactionManager.bumpIdempotentEpochAndResetIdIfNeeded.
"""

from __future__ import annotations

from typing import Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.clients.idempotence import Identity, Lane
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.transactions import InitProducerIdRequest, InitProducerIdResponse
from kafkalite.types import NodeName, TopicPartition


class Listener(Protocol):
    """Who waits for the id."""

    def pump(self) -> None: ...


class ProducerId(Component):
    """Who this producer is; `settle` before anything is sent."""

    def __init__(
        self,
        node: Node,
        discovery: Discovery,
        config: ClientConfig,
        lanes: dict[TopicPartition, Lane],
        listener: Listener,
    ) -> None:
        super().__init__(node, "producer_id")
        self._discovery, self._config, self._lanes, self._listener = discovery, config, lanes, listener
        self._identity: Identity | None = None
        self._beginning: dict[TopicPartition, None] = {}  # partitions that wait for a new epoch
        self._holes: dict[TopicPartition, None] = {}  # partitions in which a batch was given up that may be there
        self._asked: NodeName | None = None
        self._failures = 0
        self._is_resting = False

    @property
    def identity(self) -> Identity:
        """Id and epoch; there are none before `settle` has said so."""
        assert self._identity is not None
        return self._identity

    def begin_anew(self, partition: TopicPartition) -> None:
        """The numbers of this partition are of no use any more."""
        self._beginning[partition] = None

    def leave_hole(self, partition: TopicPartition) -> None:
        """A batch was given up, and nobody knows whether it is in the log: first see what becomes of the others."""
        self._holes[partition] = None

    def settle(self) -> bool:
        """Begin anew where that must be; is there an id to send under?"""
        for partition in [one for one in self._holes if not self._lanes[one].outstanding]:
            del self._holes[partition]
            lane = self._lanes[partition]
            if lane.is_next(lane.next_sequence):  # a later batch was taken, so the one given up is in the log
                lane.has_hole = False
            elif lane.has_hole:
                self._beginning[partition] = None
        if self._beginning and self._identity is not None:
            self._identity = self._identity.bumped()
            self._renumber()
        if self._identity is None:
            self._ask()
        return self._identity is not None

    def _renumber(self) -> None:
        """Let the partitions that wait for it begin anew, unless another id must be asked for first."""
        if self._identity is not None:
            for partition in self._beginning:
                self._lanes[partition].begin_anew(self._identity)
            self._beginning.clear()

    def _ask(self) -> None:
        if self._asked is not None or self._is_resting:
            return
        peer = self._discovery.any_broker()
        if peer is None:  # `settle` comes again when there is one
            return
        self._asked = peer
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=0)
        self.node.request(peer, request, timeout_ms=self._config.request_timeout_ms)

    def on_init_producer_id_response(
        self, source: NodeName, response: InitProducerIdResponse, request: InitProducerIdRequest
    ) -> None:
        """Take the id, or ask again after a while."""
        self._discovery.heard(source)
        self._asked = None
        error = ErrorCode.of(response.error_code)
        if error == ErrorCode.NONE:
            self._failures = 0
            self._identity = Identity(response.producer_id, response.producer_epoch)
            self._renumber()
            self._listener.pump()
        else:
            if error in OLD_METADATA:
                self._discovery.refresh(error.name)
            self._rest()

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """If the question is lost, it can be asked again: an id that nobody uses harms nobody."""
        if peer == self._asked:
            self._asked = None
            self._rest()

    def _rest(self) -> None:
        self._failures += 1
        self._is_resting = True
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        self.set_timer("ask", backoff_ms(self._failures, least_ms, most_ms, self.node.random.random()))

    def on_ask(self) -> None:
        """The wait is over."""
        self._is_resting = False
        self._listener.pump()
