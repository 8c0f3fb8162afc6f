"""How a broker says that it lives: an ephemeral znode, /brokers/ids/N, which goes with its session.

The zxid that made the znode is the broker's epoch: a number that grows with every life of the broker, so an order
meant for an earlier one can be told (KIP-380).

    create  ->  made                          registered
            ->  there, of this session        registered: an earlier attempt, whose answer was lost
            ->  there, of another session     an earlier life of this broker, whose session has not expired yet: wait

Kafka's broker stops with an error in the last case and leaves the waiting to whoever restarts it; this one waits, also
for another broker that was given the same id by mistake.

Source: Kafka's KafkaZkClient.registerBroker, CheckedEphemeral.
"""

from __future__ import annotations

from collections.abc import Callable

from kafkalite.broker.fence import ControllerFence
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.facts import BrokerRegistered
from kafkalite.node import Component, Node
from kafkalite.protocol.zookeeper import (
    Create2Request,
    CreateFlags,
    CreateRequest,
    EventType,
    ExistsRequest,
    ZooKeeperError,
)
from kafkalite.protocol.zookeeper_frames import Reply


class Registration(Component):
    """The broker's znode. `then()` is called each time it has been made."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        zk: ZooKeeperClient,
        fence: ControllerFence,
        then: Callable[[], None],
    ) -> None:
        super().__init__(node, "registration")
        self._config, self._zk, self._fence, self._then = config, zk, fence, then
        self._path = znodes.broker_path(config.broker_id)

    def begin(self) -> None:
        """In a new session: make the znode, and before it the paths that everybody counts on."""
        for path in znodes.PERSISTENT_PATHS:
            self._zk.ask_surely(CreateRequest(path), self._path_is_there)
        self._create()

    def _path_is_there(self, reply: Reply, request: CreateRequest) -> None:
        """Made now, or by another broker before."""

    def _create(self) -> None:
        config = self._config
        broker = znodes.LiveBroker(config.broker_id, config.host or self.node.name, config.port, config.rack)
        data = znodes.encode_broker(broker, self.node.wall_ms)
        request = Create2Request(self._path, data, flags=CreateFlags.EPHEMERAL)
        self._zk.ask_surely(request, self._created)

    def _created(self, reply: Reply, request: Create2Request) -> None:
        if reply.error is ZooKeeperError.OK:
            self._registered(reply.message.stat.czxid)
        elif reply.error is ZooKeeperError.NODE_EXISTS:
            self._zk.ask_surely(ExistsRequest(self._path, watch=True), self._looked)

    def _looked(self, reply: Reply, request: ExistsRequest) -> None:
        if reply.error is ZooKeeperError.NO_NODE:
            self._create()
        elif reply.error is ZooKeeperError.OK and reply.message.stat.ephemeral_owner == self._zk.session_id:
            self._registered(reply.message.stat.czxid)
        # Else it is of another session, and the watch will tell when it is gone.

    def on_znode_event(self, path: str, event: EventType) -> None:
        """The znode of an earlier life is gone at last."""
        if path == self._path and event is EventType.NODE_DELETED:
            self._create()

    def _registered(self, broker_epoch: int) -> None:
        self._fence.broker_epoch = broker_epoch
        self.node.note(BrokerRegistered(self._config.broker_id, broker_epoch))
        self._then()
