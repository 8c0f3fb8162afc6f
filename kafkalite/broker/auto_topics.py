"""Topics that come about because a client asked for them: the broker asks the controller to create them.

The client is told LEADER_NOT_AVAILABLE meanwhile and asks again. Nothing is retried here: a client that still
wants the topic asks again, and with that the broker does. While a topic is on its way it is not asked for twice.
`__consumer_offsets` and `__transaction_state` come about like this as well, with settings of their own.

Source: Kafka's AutoTopicCreationManager (KIP-590).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse
from kafkalite.types import NodeName, channel

if TYPE_CHECKING:
    from kafkalite.broker.metadata import MetadataCache

OFFSETS_TOPIC, TRANSACTIONS_TOPIC = "__consumer_offsets", "__transaction_state"
BROKERS_DEFAULT = -1  # partitions or replicas: what the controller's own settings say (KIP-464)


class AutoTopics(Component):
    """What was asked of the controller and is not answered yet."""

    def __init__(self, node: Node, config: BrokerConfig, metadata: MetadataCache) -> None:
        super().__init__(node, "auto_topics")
        self._config, self._metadata = config, metadata
        self._wanted: dict[str, None] = {}  # since the last `forward`, in the order of asking
        self._on_its_way: set[str] = set()

    def want(self, topic: str) -> ErrorCode:
        """Have the topic created by the next `forward`; what to tell the client meanwhile."""
        replicas = self._creatable(topic).replication_factor
        if replicas == BROKERS_DEFAULT:
            replicas = self._config.default_replication_factor
        if len(self._metadata.view.brokers) < replicas:
            return ErrorCode.INVALID_REPLICATION_FACTOR
        if topic not in self._on_its_way:
            self._wanted[topic] = None
        return ErrorCode.LEADER_NOT_AVAILABLE

    def forward(self) -> None:
        """Ask the controller for the topics wanted, if it is known."""
        wanted, self._wanted = self._wanted, {}
        controller = self._metadata.address_of(self._metadata.view.controller_id)
        if not wanted or controller is None:
            return
        self._on_its_way.update(wanted)
        topics = tuple(map(self._creatable, wanted))
        timeout_ms = self._config.controller_socket_timeout_ms
        request = CreateTopicsRequest(topics, timeout_ms=timeout_ms)
        self.node.request(channel(controller, "admin"), request, timeout_ms=timeout_ms)

    def _creatable(self, topic: str) -> CreatableTopic:
        config = self._config
        if topic == OFFSETS_TOPIC:
            partitions, replicas = config.offsets_topic_num_partitions, config.offsets_topic_replication_factor
            settings = {"cleanup.policy": "compact", "segment.bytes": str(config.offsets_topic_segment_bytes)}
        elif topic == TRANSACTIONS_TOPIC:
            partitions = config.transaction_state_log_num_partitions
            replicas = config.transaction_state_log_replication_factor
            settings = {
                "cleanup.policy": "compact",
                "min.insync.replicas": str(config.transaction_state_log_min_isr),
                "segment.bytes": str(config.transaction_state_log_segment_bytes),
                "unclean.leader.election.enable": "false",
            }
        else:
            return CreatableTopic(topic, BROKERS_DEFAULT, BROKERS_DEFAULT)
        configs = tuple(CreatableTopicConfig(name, value) for name, value in settings.items())
        return CreatableTopic(topic, partitions, replicas, configs=configs)

    def on_create_topics_response(
        self, source: NodeName, response: CreateTopicsResponse, request: CreateTopicsRequest
    ) -> None:
        self._answered(request)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for request in requests:
            if isinstance(request, CreateTopicsRequest):
                self._answered(request)

    def _answered(self, request: CreateTopicsRequest) -> None:
        self._on_its_way.difference_update(topic.name for topic in request.topics)
