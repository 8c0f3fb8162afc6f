"""What every topic is set to, as ZooKeeper has it: read before it is needed, and read again when it changes.

A topic's settings stand in /config/topics/T. Whoever reads one leaves a watch there, in the same request, so that no
change falls between. An order of the controller to lead or follow a partition waits until the settings of its topic are
known (`prepare`); its connection is muted meanwhile, so orders keep their sequence.

Left out: Kafka's /config/changes, one sequential znode a change, so that each broker needs one watch and not one a
topic; settings of brokers, clients and users. Source: Kafka's ZkConfigManager, DynamicConfigManager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kafkalite.broker.topic_settings import defaults_of, settings_from
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.errors import ProtocolError
from kafkalite.node import Component, Node
from kafkalite.protocol.zookeeper import EventType, GetChildrenRequest, GetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.replication.ports import TopicSettings


class Settings(Component):
    """The settings of all topics this broker has heard of. `on_change(topic)` is called when they are others."""

    def __init__(self, node: Node, config: BrokerConfig, zk: ZooKeeperClient, on_change: Callable[[str], None]) -> None:
        super().__init__(node, "settings")
        self._zk, self._on_change = zk, on_change
        self.defaults = defaults_of(config)
        self._texts: dict[str, Mapping[str, str]] = {}
        self._values: dict[str, TopicSettings] = {}
        self._waiting: list[tuple[set[str], Callable[..., None], tuple[Any, ...]]] = []

    def of(self, topic: str) -> TopicSettings:
        """The topic's settings; the broker's, where nothing is known of it."""
        return self._values.get(topic, self.defaults)

    def texts_of(self, topic: str) -> Mapping[str, str]:
        """What the topic says itself."""
        return self._texts.get(topic, {})

    def load(self, then: Callable[..., None], *arguments: Any) -> None:
        """In a new session: read the settings of all topics, then call `then(*arguments)`."""
        self._zk.ask_surely(GetChildrenRequest(znodes.TOPIC_CONFIGS), self._listed, then, arguments)

    def prepare(self, topics: Iterable[str], then: Callable[..., None], *arguments: Any) -> None:
        """Call `then(*arguments)` once the settings of these topics are known, or never will be."""
        unknown = [] if self._zk.is_closed else sorted(set(topics) - self._texts.keys())
        self._wait_for(unknown, then, arguments)

    def refresh(self, topic: str, then: Callable[..., None], *arguments: Any) -> None:
        """Call `then(*arguments)` once the topic's settings, as they are now or later, are known."""
        self._wait_for([topic], then, arguments)

    def on_znode_event(self, path: str, event: EventType) -> None:
        """A topic's settings changed, or are gone."""
        folder, _, topic = path.rpartition("/")
        if folder == znodes.TOPIC_CONFIGS:
            self._read(topic)

    def _listed(self, reply: Reply, request: Any, then: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if reply.error is ZooKeeperError.SESSION_EXPIRED:
            return  # the next session begins with a `load` of its own
        topics = reply.message.children if reply.message else ()
        # What was asked in the session before and never answered; what is gone since, and no watch was left to say so.
        open_ones = {topic for missing, _, _ in self._waiting for topic in missing} | self._texts.keys()
        for topic in sorted(open_ones - set(topics)):
            self._read(topic)
        self._wait_for(sorted(topics), then, arguments)

    def _wait_for(self, topics: list[str], then: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if not topics:
            then(*arguments)
            return
        self._waiting.append((set(topics), then, arguments))
        for topic in topics:
            self._read(topic)

    def _read(self, topic: str) -> None:
        if not self._zk.is_closed:  # a broker that has left the cluster learns nothing any more
            self._zk.ask_surely(GetDataRequest(znodes.topic_config_path(topic), watch=True), self._was_read, topic)

    def _was_read(self, reply: Reply, request: GetDataRequest, topic: str) -> None:
        if reply.error is ZooKeeperError.SESSION_EXPIRED:
            return
        before = self.of(topic)
        if reply.error is ZooKeeperError.OK:
            self._texts[topic] = texts_in(topic, reply.message.data)
            self._values[topic] = settings_from(self._texts[topic], self.defaults)
        else:  # the topic is gone, or on its way: whoever needs it reads again
            self._texts.pop(topic, None)
            self._values.pop(topic, None)
        if before != self.of(topic):
            self._on_change(topic)
        self._release(topic)

    def _release(self, topic: str) -> None:
        for missing, _, _ in self._waiting:
            missing.discard(topic)
        ready = [one for one in self._waiting if not one[0]]
        self._waiting = [one for one in self._waiting if one[0]]
        for _, then, arguments in ready:
            then(*arguments)


def texts_in(topic: str, data: bytes | None) -> dict[str, str]:
    """What a topic's znode says; nothing, if that is not what it should look like."""
    try:
        return znodes.decode_topic_config(topic, data)
    except ProtocolError:  # a person has written there; the broker goes on without
        return {}
