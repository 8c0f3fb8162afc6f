"""What holds for one topic: its own settings where it has any, else the broker's, else Kafka's defaults.

A topic's settings are text, by Kafka's names, in its znode; here they become values. A setting this package has no use
for (compression.type, quotas ...) is kept in the znode and shown, and does nothing.

Left out: topic defaults that a broker's own properties could set (log.retention.ms ...); dynamic broker settings.
Source: Kafka's LogConfig, TopicConfig.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from kafkalite.config import BrokerConfig
from kafkalite.log.settings import LogConfig
from kafkalite.replication.ports import TopicSettings


@dataclass(frozen=True, slots=True)
class Setting:
    """One of Kafka's topic settings: how its text becomes values, and the text for its values."""

    type: str  # as DescribeConfigs names it
    read: Callable[[str], dict[str, Any]]  # text -> fields of TopicSettings, or of its LogConfig
    show: Callable[[TopicSettings], str]


def _number(name: str, least: int = 0, type_: str = "LONG") -> Setting:
    def read(text: str) -> dict[str, Any]:
        if int(text) < least:
            raise ValueError(f"{text}; expected at least {least}")
        return {name: int(text)}

    def show(settings: TopicSettings) -> str:
        return str(_value(settings, name))

    return Setting(type_, read, show)


def _limit(name: str) -> Setting:
    """A number for which -1 means that there is no limit."""

    def read(text: str) -> dict[str, Any]:
        if int(text) < -1:
            raise ValueError(f"{text}; expected a number, or -1 for no limit")
        return {name: None if int(text) == -1 else int(text)}

    def show(settings: TopicSettings) -> str:
        found = _value(settings, name)
        return "-1" if found is None else str(found)

    return Setting("LONG", read, show)


def _read_policy(text: str) -> dict[str, Any]:
    policies = {word.strip() for word in text.split(",")} if text.strip() else set()  # a log that loses nothing
    if not policies <= {"delete", "compact"}:
        raise ValueError(text)
    return {"delete": "delete" in policies, "compact": "compact" in policies}


def _show_policy(settings: TopicSettings) -> str:
    return ",".join(policy for policy in ("compact", "delete") if getattr(settings.log, policy))


def _read_timestamp_type(text: str) -> dict[str, Any]:
    return {"log_append_time": {"CreateTime": False, "LogAppendTime": True}[text]}


def _show_timestamp_type(settings: TopicSettings) -> str:
    return "LogAppendTime" if settings.log.log_append_time else "CreateTime"


def _read_unclean(text: str) -> dict[str, Any]:
    return {"unclean_leader_election_enable": {"true": True, "false": False}[text.lower()]}


def _show_unclean(settings: TopicSettings) -> str:
    return str(settings.unclean_leader_election_enable).lower()


SETTINGS: Mapping[str, Setting] = {
    "cleanup.policy": Setting("LIST", _read_policy, _show_policy),
    "delete.retention.ms": _number("delete_retention_ms"),
    "index.interval.bytes": _number("index_interval_bytes", type_="INT"),
    "max.message.bytes": _number("max_message_bytes", type_="INT"),
    "message.timestamp.type": Setting("STRING", _read_timestamp_type, _show_timestamp_type),
    "min.compaction.lag.ms": _number("min_compaction_lag_ms"),
    "min.insync.replicas": _number("min_insync_replicas", 1, "INT"),
    "retention.bytes": _limit("retention_bytes"),
    "retention.ms": _limit("retention_ms"),
    "segment.bytes": _number("segment_bytes", 14, "INT"),  # Kafka's floor: the overhead of a message
    "segment.ms": _number("segment_ms", 1),
    "unclean.leader.election.enable": Setting("BOOLEAN", _read_unclean, _show_unclean),
}

_IN_LOG = frozenset(one.name for one in fields(LogConfig))


def defaults_of(config: BrokerConfig) -> TopicSettings:
    """What holds for a topic that says nothing."""
    return TopicSettings(
        LogConfig(max_message_bytes=config.message_max_bytes),
        config.min_insync_replicas,
        config.unclean_leader_election_enable,
    )


def settings_from(texts: Mapping[str, str], defaults: TopicSettings) -> TopicSettings:
    """The values of a topic's own settings over the defaults. One that makes no sense is as if it were not there.

    >>> texts = {"retention.ms": "-1", "min.insync.replicas": "2", "segment.ms": "soon"}
    >>> settings = settings_from(texts, TopicSettings())
    >>> settings.log.retention_ms, settings.min_insync_replicas, settings.log.segment_ms
    (None, 2, 604800000)
    """
    settings = defaults
    for name, text in sorted(texts.items()):
        if name not in SETTINGS or not makes_sense(name, text):
            continue
        values = SETTINGS[name].read(text)
        in_log = {key: value for key, value in values.items() if key in _IN_LOG}
        others = {key: value for key, value in values.items() if key not in _IN_LOG}
        settings = replace(settings, log=replace(settings.log, **in_log), **others)
    return settings


def makes_sense(name: str, text: str) -> bool:
    """Whether a text is a value of this setting; of one that has no effect here, any text is.

    >>> makes_sense("min.insync.replicas", "two"), makes_sense("cleanup.policy", "compact,delete")
    (False, True)
    """
    try:
        if name in SETTINGS:
            SETTINGS[name].read(text)
    except (ValueError, KeyError):
        return False
    return True


def _value(settings: TopicSettings, name: str) -> Any:
    return getattr(settings.log if name in _IN_LOG else settings, name)
