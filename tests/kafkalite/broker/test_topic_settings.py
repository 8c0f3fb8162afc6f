"""A topic's settings as values."""

from __future__ import annotations

import pytest

from kafkalite.broker.topic_settings import SETTINGS, defaults_of, makes_sense, settings_from
from kafkalite.config import BrokerConfig
from kafkalite.log.settings import LogConfig
from kafkalite.replication.ports import TopicSettings

DEFAULTS = defaults_of(BrokerConfig(101, ("z1",), message_max_bytes=5000, min_insync_replicas=2))


def test_a_topic_inherits_what_it_does_not_say() -> None:
    assert TopicSettings(LogConfig(max_message_bytes=5000), min_insync_replicas=2) == settings_from({}, DEFAULTS)


def test_a_topic_s_own_settings_win() -> None:
    texts = {
        "cleanup.policy": "compact",
        "max.message.bytes": "70",
        "message.timestamp.type": "LogAppendTime",
        "retention.bytes": "-1",
        "unclean.leader.election.enable": "true",
        "compression.type": "producer",
    }

    assert TopicSettings(
        LogConfig(max_message_bytes=70, delete=False, compact=True, log_append_time=True), 2, True
    ) == settings_from(texts, DEFAULTS)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_what_is_shown_of_a_setting_means_the_same_when_it_is_read(name: str) -> None:
    unusual = TopicSettings(LogConfig(77, 78, 79, 80, 81, 82, False, True, 83, 84, 85, True), 3, True)

    text = SETTINGS[name].show(unusual)

    assert text == SETTINGS[name].show(settings_from({name: text}, TopicSettings()))
    assert text != SETTINGS[name].show(TopicSettings())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("retention.ms", "-2"),
        ("retention.ms", "a week"),
        ("min.insync.replicas", "0"),
        ("cleanup.policy", "shred"),
        ("unclean.leader.election.enable", "perhaps"),
        ("message.timestamp.type", "createtime"),
    ],
)
def test_nonsense_is_as_if_it_were_not_there(name: str, text: str) -> None:
    assert not makes_sense(name, text)
    assert DEFAULTS == settings_from({name: text}, DEFAULTS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("retention.ms", "-1"),
        ("retention.bytes", "0"),
        ("min.insync.replicas", "1"),
        ("cleanup.policy", "compact,delete"),
        ("cleanup.policy", "delete"),
        ("message.timestamp.type", "CreateTime"),
        ("unclean.leader.election.enable", "false"),
    ],
)
def test_what_is_at_the_edge_is_read_and_shown_as_it_was_written(name: str, text: str) -> None:
    opposite = TopicSettings(LogConfig(log_append_time=True), unclean_leader_election_enable=True)

    assert text == SETTINGS[name].show(settings_from({name: text}, opposite))
