"""Topics that come about because a client asked for them: the broker asks the controller to create them.

The client is told UNKNOWN_TOPIC_OR_PARTITION meanwhile and asks again. Nothing is retried here: a client that still
wants the topic asks again, and with that the broker does. While a topic is on its way it is not asked for twice.
`__consumer_offsets` comes about like this as well, with settings of its own.

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

OFFSETS_TOPIC = "__consumer_offsets"
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
        config = self._config
        is_ours = topic == OFFSETS_TOPIC
        replicas = config.offsets_topic_replication_factor if is_ours else config.default_replication_factor
        if len(self._metadata.view.brokers) < replicas:
            return ErrorCode.INVALID_REPLICATION_FACTOR
        if topic not in self._on_its_way:
            self._wanted[topic] = None
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

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
        if topic != OFFSETS_TOPIC:
            return CreatableTopic(topic, BROKERS_DEFAULT, BROKERS_DEFAULT)
        config = self._config
        settings = {"cleanup.policy": "compact", "segment.bytes": str(config.offsets_topic_segment_bytes)}
        return CreatableTopic(
            topic,
            config.offsets_topic_num_partitions,
            config.offsets_topic_replication_factor,
            configs=tuple(CreatableTopicConfig(name, value) for name, value in settings.items()),
        )

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
