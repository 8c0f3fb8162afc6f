"""DescribeConfigs · key 32 · v0-4: what a topic is set to, and where each setting comes from.

    v1 sources and synonyms (KIP-226) · v3 types (KIP-569)

A topic's own setting wins over the broker's, which wins over Kafka's default; the synonyms are that list, in that
order. A topic's settings are shown as its znode has them.

As Kafka does, version 0 never says of a setting that it is a default one.

Left out: documentation (null), a broker's settings beyond those that topics inherit.
Source: Kafka's ConfigHelper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings
from kafkalite.broker.topic_rules import why_not_named
from kafkalite.broker.topic_settings import SETTINGS
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)
from kafkalite.replication.ports import TopicSettings
from kafkalite.types import NodeName

TOPIC, BROKER = 2, 4  # of resources
EVERY_BROKER = ""  # what is set for all brokers while they run: nothing, here
OF_TOPIC, OF_BROKER, DEFAULT = 1, 4, 5  # sources: dynamic topic config, static broker config, default config
TYPES = {"BOOLEAN": 1, "STRING": 2, "INT": 3, "LONG": 5, "LIST": 7}
# What the broker's setting of the same meaning is called, where a topic inherits it here.
OF_BROKER_TOO = {
    "max.message.bytes": "message.max.bytes",
    "min.insync.replicas": "min.insync.replicas",
    "unclean.leader.election.enable": "unclean.leader.election.enable",
}
KAFKAS = TopicSettings()


class Configs(Component):
    """Answers DescribeConfigs."""

    def __init__(self, node: Node, config: BrokerConfig, settings: Settings, metadata: MetadataCache) -> None:
        super().__init__(node, "configs")
        self._config, self._settings, self._metadata = config, settings, metadata

    def on_describe_configs_request(self, source: NodeName, request: DescribeConfigsRequest) -> None:
        # Who holds no replica of a topic has had no need of its settings until now.
        topics = {one.resource_name for one in request.resources if one.resource_type == TOPIC}
        self._settings.prepare(topics & self._metadata.view.topics.keys(), self._answer, source, request)

    def _answer(self, source: NodeName, request: DescribeConfigsRequest) -> None:
        results = (self._describe(one, synonyms=request.include_synonyms) for one in request.resources)
        self.node.reply(source, DescribeConfigsResponse(results=tuple(results)))

    def _describe(self, asked: DescribeConfigsResource, *, synonyms: bool) -> DescribeConfigsResult:
        error, why = self._why_not(asked)
        configs: list[DescribeConfigsResourceResult] = []
        if error is ErrorCode.NONE and asked.resource_type == TOPIC:
            configs = topic_configs(self._settings.texts_of(asked.resource_name), self._settings.defaults)
        elif error is ErrorCode.NONE and asked.resource_name:
            configs = broker_configs(self._settings.defaults)
        if asked.configuration_keys:  # none at all ask for all
            configs = [one for one in configs if one.name in asked.configuration_keys]
        if not synonyms:
            configs = [replace(one, synonyms=()) for one in configs]
        return DescribeConfigsResult(error, why, asked.resource_type, asked.resource_name, tuple(configs))

    def _why_not(self, asked: DescribeConfigsResource) -> tuple[ErrorCode, str | None]:
        mine = str(self._config.broker_id)
        if asked.resource_type == TOPIC:
            if asked.resource_name in self._metadata.view.topics:
                return ErrorCode.NONE, None
            if why_not_named(asked.resource_name, ()):
                return ErrorCode.INVALID_TOPIC_EXCEPTION, f"{asked.resource_name!r} is no name of a topic"
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {asked.resource_name!r}"
        if asked.resource_type == BROKER:
            if asked.resource_name in (mine, EVERY_BROKER):
                return ErrorCode.NONE, None
            return ErrorCode.INVALID_REQUEST, f"expected broker {mine}, which was asked; got {asked.resource_name!r}"
        return ErrorCode.INVALID_REQUEST, f"expected a topic (2) or a broker (4); got a resource {asked.resource_type}"


def topic_configs(texts: Mapping[str, str], defaults: TopicSettings) -> list[DescribeConfigsResourceResult]:
    """Every setting of a topic that says `texts` itself, by name."""
    return [_result(name, _synonyms(name, texts, defaults)) for name in sorted({*SETTINGS, *texts})]


def broker_configs(defaults: TopicSettings) -> list[DescribeConfigsResourceResult]:
    """What topics inherit from a broker, under the broker's names."""
    results = []
    for name, broker_name in sorted(OF_BROKER_TOO.items(), key=lambda pair: pair[1]):
        synonyms = tuple(one for one in _synonyms(name, {}, defaults) if one.name == broker_name)
        results.append(_result(broker_name, synonyms, kind=SETTINGS[name].type))
    return results


def _synonyms(name: str, texts: Mapping[str, str], defaults: TopicSettings) -> tuple[DescribeConfigsSynonym, ...]:
    found = [DescribeConfigsSynonym(name, texts[name], OF_TOPIC)] if name in texts else []
    if name not in SETTINGS:
        return tuple(found)
    broker_name, show = OF_BROKER_TOO.get(name, name), SETTINGS[name].show
    if show(defaults) != show(KAFKAS):
        found.append(DescribeConfigsSynonym(broker_name, show(defaults), OF_BROKER))
    return (*found, DescribeConfigsSynonym(broker_name, show(KAFKAS), DEFAULT))


def _result(
    name: str, synonyms: tuple[DescribeConfigsSynonym, ...], kind: str | None = None
) -> DescribeConfigsResourceResult:
    type_ = kind or (SETTINGS[name].type if name in SETTINGS else "STRING")
    return DescribeConfigsResourceResult(
        name=name,
        value=synonyms[0].value,
        config_source=synonyms[0].source,
        synonyms=synonyms,
        config_type=TYPES[type_],
        documentation=None,
    )
