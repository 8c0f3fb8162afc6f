"""Markers on their way: a decided transaction is told to the leader of every partition it wrote to, until all have it.

    WriteTxnMarkers   key 27   v0-1   from the coordinator; one request in the works for each broker, with all that is
                                      due there

A partition that has moved is asked for where it is led now, one that is gone needs no marker. A leader that knows a
newer producer or coordinator says so: then another coordinator is at work, and this one leaves it to it.

Source: Kafka's TransactionMarkerChannelManager, TransactionMarkerRequestCompletionHandler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafkalite.broker.metadata import MetadataCache
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import (
    WritableTxnMarker,
    WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
)
from kafkalite.transactions.records import TRANSACTIONS_TOPIC, by_topic
from kafkalite.types import NodeName, TopicPartition, channel

RETRY_MS = 100
FENCED = frozenset({ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.TRANSACTION_COORDINATOR_FENCED})


class Decision(NamedTuple):
    """A transaction that is decided."""

    name: str  # the transactional id
    producer_id: int
    epoch: int
    is_commit: bool
    coordinator_epoch: int


@dataclass(slots=True)
class Telling:
    """A decision, and where it is not written yet; for each partition whether a request with it is under way."""

    decision: Decision
    left: dict[TopicPartition, bool]


class MarkerSender(Component):
    """The decisions that are not everywhere yet. `done(name)` is called when one is."""

    def __init__(self, node: Node, config: BrokerConfig, metadata: MetadataCache, done: Callable[[str], None]) -> None:
        super().__init__(node, "markers")
        self._config, self._metadata, self._done = config, metadata, done
        self.decisions: dict[str, Telling] = {}
        self._busy: dict[NodeName, list[tuple[Telling, TopicPartition]]] = {}  # what each broker was asked to write
        self._is_waiting = False

    def send(self, decision: Decision, partitions: Iterable[TopicPartition]) -> None:
        """Tell these partitions."""
        self.decisions[decision.name] = Telling(decision, dict.fromkeys(sorted(partitions), False))
        self._go_on()

    def forget(self, name: str) -> None:
        """Another coordinator does it."""
        self.decisions.pop(name, None)

    # Asking ---------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Ask whoever is free for what is due there."""
        due: dict[NodeName, list[tuple[Telling, TopicPartition]]] = {}
        is_stuck = False
        for telling in list(self.decisions.values()):
            for partition in [one for one, is_under_way in telling.left.items() if not is_under_way]:
                peer = self._leader_of(partition)
                if peer is None and self._is_gone(partition):
                    del telling.left[partition]
                elif peer is None:
                    is_stuck = True
                elif peer not in self._busy:
                    due.setdefault(peer, []).append((telling, partition))
        for peer, asked in due.items():
            self._ask(peer, asked)
        for telling in [one for one in self.decisions.values() if not one.left]:
            # What is done then may have done the same for those behind it.
            if self.decisions.get(telling.decision.name) is telling:
                del self.decisions[telling.decision.name]
                self._done(telling.decision.name)
        if is_stuck:
            self._wait()

    def _leader_of(self, partition: TopicPartition) -> NodeName | None:
        view = self._metadata.view
        state = view.topics.get(partition[0], {}).get(partition[1])
        address = view.address_of(state.leader) if state is not None else None
        return None if address is None else channel(address, "markers")

    def _is_gone(self, partition: TopicPartition) -> bool:
        """Whether there is no such partition; a view without our own topic is too new to say."""
        topics = self._metadata.view.topics
        return TRANSACTIONS_TOPIC in topics and partition[1] not in topics.get(partition[0], {})

    def _ask(self, peer: NodeName, asked: list[tuple[Telling, TopicPartition]]) -> None:
        self._busy[peer] = asked
        partitions: dict[Decision, list[TopicPartition]] = {}
        for telling, partition in asked:
            telling.left[partition] = True
            partitions.setdefault(telling.decision, []).append(partition)
        markers = tuple(
            WritableTxnMarker(
                decision.producer_id,
                decision.epoch,
                decision.is_commit,
                tuple(WritableTxnMarkerTopic(*one) for one in _by_topic(found)),
                decision.coordinator_epoch,
            )
            for decision, found in partitions.items()
        )
        self.node.request(peer, WriteTxnMarkersRequest(markers), timeout_ms=2 * self._config.request_timeout_ms)

    # Answers --------------------------------------------------------------------------------------------------------

    def on_write_txn_markers_response(
        self, source: NodeName, response: WriteTxnMarkersResponse, request: WriteTxnMarkersRequest
    ) -> None:
        answers = {
            (marker.producer_id, topic.name, one.partition_index): one.error_code
            for marker in response.markers
            for topic in marker.topics
            for one in topic.partitions
        }
        is_refused = False
        for telling, partition in self._busy.pop(source, []):
            error = answers.get((telling.decision.producer_id, *partition), ErrorCode.UNKNOWN_SERVER_ERROR)
            telling.left[partition] = False
            if error is ErrorCode.NONE:
                del telling.left[partition]
            elif error in FENCED:
                if self.decisions.get(telling.decision.name) is telling:
                    self.forget(telling.decision.name)
            else:
                is_refused = True
        if is_refused:
            self._wait()
        else:
            self._go_on()

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if peer not in self._busy:
            return
        for telling, partition in self._busy.pop(peer):
            telling.left[partition] = False
        self._wait()

    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self.set_timer("retry", RETRY_MS)

    def on_retry(self) -> None:
        """Where is what is left led by now?"""
        self._is_waiting = False
        self._go_on()


def _by_topic(partitions: list[TopicPartition]) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.topic, one.partition_ids) for one in by_topic(frozenset(partitions))]
