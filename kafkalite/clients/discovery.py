"""How a client finds the brokers, and goes on finding them: connected to one, connected to all.

    1. ask a bootstrap server for metadata; if it does not answer, the next one
    2. the answer lists every broker: from now on any of them is asked, and the bootstrap servers are needed no more
    3. ask again when the answer has turned out old (a broker refused, a connection broke), and when it is old by age

Asking fails over from broker to broker. Only when none of those known has answered are the bootstrap servers asked
again (KIP-899, KIP-1102), and when nobody at all has, everybody is asked anew, after a wait that grows.

A broker whose connection broke is left alone for a while, which grows as well: `is_reachable` says so.

Left out: resolving one host name to many addresses, and asking for ApiVersions first, which is the driver's business.
Source: NetworkClient and its DefaultMetadataUpdater, ClusterConnectionStates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.cluster_view import ClusterView
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import MetadataRefreshed
from kafkalite.node import Component, Node
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic, MetadataResponse
from kafkalite.types import NodeName

OLD_METADATA = frozenset(
    {
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.LEADER_NOT_AVAILABLE,
        ErrorCode.REPLICA_NOT_AVAILABLE,
        ErrorCode.FENCED_LEADER_EPOCH,
        ErrorCode.UNKNOWN_LEADER_EPOCH,
        ErrorCode.KAFKA_STORAGE_ERROR,
        ErrorCode.LISTENER_NOT_FOUND,
        ErrorCode.NETWORK_EXCEPTION,
        ErrorCode.NOT_CONTROLLER,
    }
)
"""Answers that say: whoever sent you here knew too little. Kafka's InvalidMetadataException, and NOT_CONTROLLER."""


class Listener(Protocol):
    """Who is told when something that could not be sent may be worth another try."""

    def on_routes_changed(self) -> None: ...


def whom_to_ask(known: list[NodeName], bootstrap: list[NodeName], tried: frozenset[NodeName]) -> list[NodeName]:
    """Who may be asked next: brokers that are known and were not tried in vain; without any, bootstrap servers.

    >>> whom_to_ask([], ["b1", "b2"], frozenset({"b1"}))
    ['b2']
    >>> whom_to_ask(["b3", "b4"], ["b1", "b2"], frozenset({"b3"}))
    ['b4']
    >>> whom_to_ask(["b3", "b4"], ["b1", "b3"], frozenset({"b3", "b4"}))
    ['b1']
    """
    return [peer for peer in known if peer not in tried] or [peer for peer in bootstrap if peer not in tried]


class Discovery(Component):
    """Keeps a client's view of the cluster; `listener` is told of every change.

    At most one metadata request is under way (`_asked`); `_reason` is why there is, or will be, one.
    """

    def __init__(self, node: Node, config: ClientConfig, listener: Listener, *, creates_topics: bool = False) -> None:
        super().__init__(node, "discovery")
        self.view = ClusterView()
        self._config, self._listener, self._creates_topics = config, listener, creates_topics
        self._wanted: dict[str, None] = {}  # topics, in the order in which they were wanted
        self._reason = ""
        self._asked: NodeName | None = None
        self._last_asked_ms = float("-inf")
        self._was_answered = False  # the last one that was asked, did it answer?
        self._tried: set[NodeName] = set()  # in vain, since somebody last answered
        self._rounds = 0  # in which nobody answered, or the answer did not help
        self._failures: dict[NodeName, int] = {}
        self._rests_until_ms: dict[NodeName, float] = {}
        self._heard: set[NodeName] = set()  # connections that work
        self._is_stopped = False

    # What a client asks ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the bootstrap servers."""
        self._reason = "bootstrap"
        self._ask()

    def stop(self) -> None:
        """Ask nobody any more."""
        self._is_stopped = True
        for timer in ("ask", "age"):
            self.cancel_timer(timer)

    def want(self, topics: Iterable[str]) -> None:
        """Keep metadata of these topics, too; asks at once for those that are new."""
        new = [topic for topic in topics if topic not in self._wanted]
        self._wanted.update(dict.fromkeys(new))
        if new and self._asked is None:
            self._reason = "new topic"
            self._ask()

    def forget(self, topic: str) -> None:
        """Nobody wants this topic any more."""
        self._wanted.pop(topic, None)

    def refresh(self, reason: str) -> None:
        """What is known has turned out old: ask soon, and not more often than every `retry_backoff_ms`."""
        is_waiting_for_somebody = self._reason and not self._was_answered  # and then waits grow, whoever is impatient
        if self._asked is not None or is_waiting_for_somebody or self._is_stopped:
            return
        self._reason = reason
        wait_ms = self._last_asked_ms + self._config.retry_backoff_ms - self.node.now_ms
        if wait_ms > 0:
            self.set_timer("ask", wait_ms)
        else:
            self._ask()

    def heard(self, peer: NodeName) -> None:
        """A peer answered something: its connection works."""
        if peer not in self._heard:
            self._heard.add(peer)
            self._failures.pop(peer, None)

    def is_reachable(self, peer: NodeName) -> bool:
        """May this peer be sent something, or is it to be left alone after its connection broke?"""
        return peer not in self._rests_until_ms

    def leader_of(self, topic: str, partition: int) -> NodeName | None:
        """Where to send what is for this partition's leader; asks for metadata if there is none."""
        leader = self.view.leader(topic, partition)
        if leader is None:
            if not self._reason:
                self.refresh("no leader")
            return None
        peer = self.view.brokers[leader.leader]
        return peer if self.is_reachable(peer) else None

    def any_broker(self) -> NodeName | None:
        """A broker that can be asked what any can answer: the one with the fewest requests of ours in the works."""
        return self._least_busy(list(self.view.brokers.values()))

    # Asking ---------------------------------------------------------------------------------------------------------

    def _least_busy(self, peers: list[NodeName]) -> NodeName | None:
        loads = {peer: self.node.waits_for(peer) for peer in peers if self.is_reachable(peer)}
        least = min(loads.values(), default=0)
        idle = [peer for peer, load in loads.items() if load == least]
        return idle[self.node.random.randrange(len(idle))] if idle else None

    def _ask(self) -> None:
        if self._asked is not None or self._is_stopped:
            return
        known = list(self.view.brokers.values())
        may_ask = whom_to_ask(known, list(self._config.bootstrap_servers), frozenset(self._tried))
        if not may_ask:
            self._tried.clear()
            self._rounds += 1
            self.set_timer("ask", self._backoff_ms(self._rounds))
            return
        is_bootstrap = may_ask[0] not in known
        peer = next(filter(self.is_reachable, may_ask), None) if is_bootstrap else self._least_busy(may_ask)
        if peer is None:
            rested_ms = min(self._rests_until_ms[one] for one in may_ask)
            self.set_timer("ask", rested_ms - self.node.now_ms)
            return
        self._asked, self._last_asked_ms = peer, self.node.now_ms
        config = self._config
        patience_ms = config.request_timeout_ms
        if peer not in self._heard:
            patience_ms = min(patience_ms, config.socket_connection_setup_timeout_ms)
        topics = tuple(MetadataRequestTopic(topic) for topic in self._wanted)
        self.node.request(peer, MetadataRequest(topics, self._creates_topics), timeout_ms=patience_ms)

    def on_ask(self) -> None:
        """It is time to ask (again)."""
        self._ask()

    def on_age(self) -> None:
        """Nothing has gone wrong, but who knows what is new: ask."""
        self.refresh("age")

    def on_metadata_response(self, source: NodeName, response: MetadataResponse, request: MetadataRequest) -> None:
        """Believe it, unless it knows no broker at all, as one that has just begun."""
        self.heard(source)
        self._asked, self._was_answered = None, bool(response.brokers)
        if self._is_stopped:
            return
        if not response.brokers:
            self._tried.add(source)
            self._ask()
            return
        self.view.update(response)
        self._tried.clear()
        self.node.note(MetadataRefreshed(source, self._reason, tuple(sorted(self.view.brokers))))
        self._reason = ""
        self._ask_again(frozenset(topic.name for topic in request.topics or ()))
        self._listener.on_routes_changed()

    def _ask_again(self, asked_for: frozenset[str]) -> None:
        """An answer has come; when must the next question be asked?"""
        if not asked_for.issuperset(self._wanted):
            self._reason = "new topic"
            self._ask()
            return
        missing = next((reason for reason in map(self._missing, self._wanted) if reason), "")
        self._rounds = self._rounds + 1 if missing else 0
        self._reason = missing
        if missing:
            self.set_timer("ask", self._backoff_ms(self._rounds))
        self.set_timer("age", self._config.metadata_max_age_ms)

    def _missing(self, topic: str) -> str:
        """What a later answer may say of this topic that the last one did not; "" if nothing."""
        error = self.view.errors.get(topic)
        if error is not None:
            return error.name if error.retriable else ""
        partitions = self.view.partitions(topic) or 0
        return "" if all(self.view.leader(topic, index) for index in range(partitions)) else "no leader"

    def _backoff_ms(self, failures: int) -> float:
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        return backoff_ms(failures, least_ms, most_ms, self.node.random.random())

    # Connections ----------------------------------------------------------------------------------------------------

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """Leave the peer alone for a while. It may be gone: ask the others, who will know."""
        failures = self._failures[peer] = self._failures.get(peer, 0) + 1
        self._heard.discard(peer)
        least_ms, most_ms = self._config.reconnect_backoff_ms, self._config.reconnect_backoff_max_ms
        rest_ms = backoff_ms(failures, least_ms, most_ms, self.node.random.random())
        self._rests_until_ms[peer] = self.node.now_ms + rest_ms
        if self._is_stopped:
            return
        self.set_timer(f"rested:{peer}", rest_ms)
        if peer == self._asked:
            self._asked, self._was_answered = None, False
            self._tried.add(peer)
            self._ask()
        elif peer in self.view.brokers.values():
            self.refresh("connection lost")

    def on_rested(self, peer: NodeName) -> None:
        """The peer may be tried again."""
        self._rests_until_ms.pop(peer, None)
        self._listener.on_routes_changed()
