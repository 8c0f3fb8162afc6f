"""A broker: one node made of components, each with a share of its work; this file puts them together and in order.

    zk            its session with ZooKeeper                          coordination
    settings      what every topic is set to
    registration  its znode: I am alive
    controller    the cluster's decisions, on one of the brokers      controller
    metadata      what it knows of the cluster, and tells clients
    replicas ...  the partitions it holds                             replication
    offsets_topic, groups   the groups it coordinates, and where they are kept
    transactions_topic, transactions, markers   the transactions it coordinates, and how they are ended
    produce, fetch, offsets, control, topics, configs, altering, producer_ids, ...      requests
    shutdown      stopping in order

It begins with a session: without ZooKeeper there is no broker (Z4). Then, one after the other, it reads the topics'
settings, opens its logs, registers, and offers itself as controller. It is not told from ZooKeeper who leads what, but
by the controller.

When the session expires the others take the broker for dead, and they are right to: it says so (BrokerFenced), goes on
serving what it has, which fencing makes harmless, and registers anew, as a new life with a new epoch. A connection that
breaks and comes back within the session changes nothing.

Left out: security, quotas. Source: Kafka's KafkaServer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.broker.altering import AlteringApi
from kafkalite.broker.api_versions import ApiVersions
from kafkalite.broker.configs import Configs
from kafkalite.broker.control import ControlApi
from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.fetch import FetchApi
from kafkalite.broker.group_api import GroupApi
from kafkalite.broker.group_coordinator import GroupCoordinator
from kafkalite.broker.group_offsets_api import GroupOffsetsApi
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.offsets import OffsetsApi
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.broker.produce import ProduceApi
from kafkalite.broker.producer_ids import ProducerIds
from kafkalite.broker.reassignments import ReassignmentApi
from kafkalite.broker.registration import Registration
from kafkalite.broker.settings import Settings
from kafkalite.broker.shutdown import ControlledShutdown
from kafkalite.broker.topics import TopicsApi
from kafkalite.broker.transaction_api import TransactionApi
from kafkalite.broker.transaction_coordinator import TransactionCoordinator
from kafkalite.broker.transaction_markers import TransactionMarkers
from kafkalite.broker.transaction_offsets_api import TransactionOffsetsApi
from kafkalite.broker.transactions_topic import TransactionsTopic
from kafkalite.config import BrokerConfig
from kafkalite.controller.controller import Controller
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.facts import BrokerFenced, BrokerStopped, RequestRefused
from kafkalite.node import Disconnect, Effect, Event, Node, Received
from kafkalite.parts import Parts
from kafkalite.protocol.zookeeper import EventType
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.storage import Storage
from kafkalite.types import NodeName, node_of


class Broker(Node):
    """A Kafka broker. What it must not forget is in `storage`; all else it is told anew when it begins."""

    def __init__(self, name: NodeName, config: BrokerConfig, parts: Parts, storage: Storage) -> None:
        super().__init__(name)
        self.config, self.storage = config, storage
        self._has_logs = self._has_left = self._is_serving = self._is_stopped = False
        self._peers: dict[NodeName, None] = {}  # who has a connection with it, by having sent something
        self._compose(parts)

    def _compose(self, parts: Parts) -> None:
        config = self.config
        self.zk = ZooKeeperClient(self, config.zookeepers, config.zookeeper_session_timeout_ms, self)
        self.fence = ControllerFence(self)
        self.settings = Settings(self, config, self.zk, self._settings_changed)
        self.metadata = MetadataCache(self, config, self.fence, self.settings)
        self.registration = Registration(self, config, self.zk, self.fence, self._registered)
        self.controller = Controller(self, config, self.zk, parts)
        self.replicas = ReplicaManager(self, config, self.zk, parts, self.metadata)
        ControlApi(self, self.replicas, self.fence, self.settings)
        ProduceApi(self, config, self.replicas)
        FetchApi(self, config, self.replicas)
        OffsetsApi(self, config, self.replicas)
        TopicsApi(self, config, self.zk, self.controller, parts)
        ReassignmentApi(self, self.controller)
        Configs(self, config, self.settings, self.metadata)
        AlteringApi(self, config, self.zk, self.settings, self.metadata)
        producer_ids = ProducerIds(self, config, self.zk)
        offsets_topic = OffsetsTopic(self, config, self.replicas, self.metadata, parts)
        groups = GroupCoordinator(self, config, offsets_topic, parts)
        transactions_topic = TransactionsTopic(self, config, self.replicas, self.metadata)
        transactions = TransactionCoordinator(self, config, transactions_topic, producer_ids, self.metadata, parts)
        GroupApi(self, config, offsets_topic, transactions_topic, groups)
        GroupOffsetsApi(self, config, offsets_topic, groups, self.metadata)
        TransactionApi(self, config, transactions, offsets_topic, producer_ids, self.metadata)
        TransactionOffsetsApi(self, config, offsets_topic, groups, self.metadata)
        TransactionMarkers(self, config, self.replicas, groups)
        ApiVersions(self, self.serves)
        self.controlled_shutdown = ControlledShutdown(self, config, self.zk, self.metadata, self.fence)

    # It begins ------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        self.zk.start()

    def on_session_established(self) -> None:
        """The first session, or a new one after one that expired."""
        self.settings.load(self._settings_loaded, self.zk.session_id)

    def _settings_loaded(self, session_id: int) -> None:
        if session_id != self.zk.session_id:
            return  # that session has expired meanwhile, and the next one loads again
        if not self._has_logs:
            self.replicas.start(self._disk_failed)
            self._has_logs = True
        if not self._has_left:
            self.registration.begin()

    def _registered(self) -> None:
        # Not sooner: before it knows its epoch, it could not tell that an order was meant for its life before this one,
        # whose log may have been longer.
        self._is_serving = True
        self.controller.start()

    # What ZooKeeper tells -------------------------------------------------------------------------------------------

    def on_session_expired(self) -> None:
        """To the others this broker is dead, and all it was told is about to be out of date."""
        if not self._has_left:
            self.note(BrokerFenced(self.config.broker_id))
            self.controller.on_session_expired()

    def on_znode_event(self, path: str, event: EventType) -> None:
        """A watched znode changed; whoever knows the path looks after it."""
        self.registration.on_znode_event(path, event)
        self.settings.on_znode_event(path, event)
        self.controller.on_znode_event(path, event)

    def _settings_changed(self, topic: str) -> None:
        self.replicas.settings_changed(topic)

    def _disk_failed(self) -> None:
        """Its one log directory is gone: it leaves the cluster, so that others lead in its place at once.

        Kafka's broker halts. This one stays to answer KAFKA_STORAGE_ERROR, and is back when it is restarted.
        """
        self._has_left = True
        self.note(BrokerFenced(self.config.broker_id))
        self.controller.on_session_expired()
        self.zk.close()

    # It stops -------------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Stop in order; `BrokerStopped` says when it is done."""
        is_registered = self._is_serving and not self._has_left
        self.controlled_shutdown.begin(self._leaderships_are_gone, is_registered=is_registered)

    def _leaderships_are_gone(self) -> None:
        if self._has_logs:
            self.replicas.close(self._logs_are_closed)
        else:  # it has not even looked at its disk, so it cannot say that all is well there
            self._logs_are_closed()

    def _logs_are_closed(self) -> None:
        if not self._has_left:
            self.zk.close()
        self.note(BrokerStopped(self.config.broker_id))
        self._is_serving, self._is_stopped = False, True
        for peer in self._peers:
            self.disconnect(peer)

    # Who may talk to it ---------------------------------------------------------------------------------------------

    def handle(self, event: Event, now_ms: float) -> list[Effect]:
        """As every node. Before it is registered, and when it has stopped, it refuses connections."""
        if self._is_serving or type(event) is not Received or node_of(event.source) in self.config.zookeepers:
            return [] if self._is_stopped else super().handle(event, now_ms)
        return [Disconnect(event.source)]

    def _receive(self, source: NodeName, message: Any) -> None:
        self._peers[source] = None
        super()._receive(source, message)

    def _lose(self, peer: NodeName) -> None:
        self._peers.pop(peer, None)
        super()._lose(peer)

    def _find(self, name: str) -> Callable[..., None]:
        """The handler; for a request that nobody here serves, one that closes the connection."""
        if name.endswith("_request") and not self.serves(name):
            return self._refuse
        return super()._find(name)

    def serves(self, handler: str) -> bool:
        """Whether there is such a handler."""
        return any(hasattr(owner, handler) for owner in (self, *self.components.values()))

    def _refuse(self, source: NodeName, request: Any) -> None:
        self.note(RequestRefused(type(request).__name__.removesuffix("Request"), "", -1, "UNSUPPORTED_VERSION"))
        self.disconnect(source)
