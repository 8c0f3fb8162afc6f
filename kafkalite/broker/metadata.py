"""What every broker tells every client: who is there, and who leads what. This is why any broker can be the first.

    UpdateMetadata    key 6    v6      from the controller: replaces the view
    Metadata          key 3    v0-9    answered from the view; null topics ask for all of them
    DescribeCluster   key 60   v0      KIP-700

A topic that is not in the view may exist all the same: the controller's word may be on its way. So the answer,
UNKNOWN_TOPIC_OR_PARTITION, is one that clients retry; and with `auto.create.topics.enable` the question brings the
topic about (see `auto_topics`), and the answer is LEADER_NOT_AVAILABLE.

Left out: authorized operations (always "not asked"), in version 0 an empty list (there it means all topics).
Source: Kafka's KafkaApis.handleTopicMetadataRequest, handleUpdateMetadataRequest, handleDescribeCluster.
"""

from __future__ import annotations

from kafkalite.broker.auto_topics import AutoTopics
from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata_view import MetadataView
from kafkalite.broker.settings import Settings
from kafkalite.broker.topic_rules import why_not_named
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.inter_broker import UpdateMetadataRequest, UpdateMetadataResponse
from kafkalite.protocol.metadata import (
    DescribeClusterRequest,
    DescribeClusterResponse,
    MetadataRequest,
    MetadataResponse,
    MetadataResponseTopic,
)
from kafkalite.replication.ports import TopicSettings
from kafkalite.types import NodeName


class MetadataCache(Component):
    """The broker's view of the cluster, and the answers that come from it."""

    def __init__(self, node: Node, config: BrokerConfig, fence: ControllerFence, settings: Settings) -> None:
        super().__init__(node, "metadata")
        self._config, self._fence, self._settings = config, fence, settings
        self._auto_topics = AutoTopics(node, config, self)
        self.view = MetadataView()
        self._epochs = (-1, -1)  # of the controller and of this broker, when the view was last told of

    # What the broker's replicas ask ---------------------------------------------------------------------------------

    def address_of(self, broker: int) -> NodeName | None:
        """Where a broker is reached; None if it is not known to be alive."""
        return self.view.address_of(broker)

    def rack_of(self, broker: int) -> str | None:
        """The broker's rack, if it is known to be alive and has one."""
        found = self.view.brokers.get(broker)
        return found.rack if found else None

    def is_known(self, topic: str, partition: int) -> bool:
        """Whether there is such a partition in the cluster, on whichever brokers."""
        return partition in self.view.topics.get(topic, {})

    def topic_settings(self, topic: str) -> TopicSettings:
        """The topic's settings; the broker's, where nothing is known of it."""
        return self._settings.of(topic)

    def bring_about(self, topic: str) -> None:
        """Have a topic created that nobody has asked for by name; whoever needs it asks again."""
        self._auto_topics.want(topic)
        self._auto_topics.forward()

    # Requests -------------------------------------------------------------------------------------------------------

    def on_update_metadata_request(self, source: NodeName, request: UpdateMetadataRequest) -> None:
        error = self._fence.refuses(request)
        if error is ErrorCode.NONE:
            # The first word of a new controller, and the first to a new life of this broker, is complete: what is not
            # in it is no more, though nobody has said so here.
            epochs = request.controller_epoch, request.broker_epoch
            before = self.view if epochs == self._epochs else MetadataView()
            self._epochs, self.view = epochs, before.updated(request)
        self.node.reply(source, UpdateMetadataResponse(error))

    def on_metadata_request(self, source: NodeName, request: MetadataRequest) -> None:
        if request.topics is None:
            names = sorted(self.view.topics)
        else:
            names = list(dict.fromkeys(topic.name for topic in request.topics))
        answer = MetadataResponse(
            brokers=self.view.broker_answers(),
            cluster_id=self._config.cluster_id,
            controller_id=self.view.living_controller(),
            topics=tuple(self._topic(name, may_create=request.allow_auto_topic_creation) for name in names),
        )
        self._auto_topics.forward()
        self.node.reply(source, answer)

    def _topic(self, name: str, *, may_create: bool) -> MetadataResponseTopic:
        if name in self.view.topics:
            return self.view.topic_answer(name)
        if why_not_named(name, ()):
            return MetadataResponseTopic(ErrorCode.INVALID_TOPIC_EXCEPTION, name)
        if may_create and self._config.auto_create_topics_enable:
            return MetadataResponseTopic(self._auto_topics.want(name), name)
        return MetadataResponseTopic(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name)

    def on_describe_cluster_request(self, source: NodeName, request: DescribeClusterRequest) -> None:
        answer = DescribeClusterResponse(
            cluster_id=self._config.cluster_id,
            controller_id=self.view.living_controller(),
            brokers=self.view.cluster_answers(),
        )
        self.node.reply(source, answer)
