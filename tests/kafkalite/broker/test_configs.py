"""DescribeConfigs."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.broker.configs import Configs
from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import encode_topic_config
from kafkalite.errors import ErrorCode
from kafkalite.protocol.configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)
from kafkalite.protocol.zookeeper import GetDataResponse

from .scripted import ScriptedZooKeeper, Stage
from .test_metadata_view import ORDERS, update


def stage(**texts: str) -> Stage:
    """A broker that knows `orders` and has `min.insync.replicas=2` of its own."""
    found, zk = Stage(), ScriptedZooKeeper()
    settings = configured(found, zk)
    settings.prepare(["orders"], found.node.on_start)
    zk.answer(GetDataResponse(encode_topic_config({key.replace("_", "."): text for key, text in texts.items()})))
    return found


def configured(stage: Stage, zk: Any) -> Settings:
    """A broker that knows that there is `orders`, and nothing of how it is set."""
    config = BrokerConfig(101, ("z1",), min_insync_replicas=2)
    settings = Settings(stage.node, config, zk, stage.node.note)
    metadata = MetadataCache(stage.node, config, ControllerFence(stage.node), settings)
    Configs(stage.node, config, settings, metadata)
    stage.hears("b102#control", update(ORDERS))
    return settings


def described(stage: Stage, kind: int, name: str, *keys: str, synonyms: bool = False) -> DescribeConfigsResult:
    resource = DescribeConfigsResource(kind, name, keys or None)
    [answer] = stage.hears("c1", DescribeConfigsRequest((resource,), include_synonyms=synonyms))
    [result] = answer.results
    assert isinstance(result, DescribeConfigsResult)
    return result


def by_name(result: DescribeConfigsResult) -> dict[str, DescribeConfigsResourceResult]:
    return {one.name: one for one in result.configs}


def test_a_topic_s_own_setting_wins_over_the_broker_s_and_that_over_kafka_s() -> None:
    configs = by_name(described(stage(retention_ms="50"), 2, "orders"))

    shown = {
        name: (configs[name].value, configs[name].config_source, configs[name].config_type)
        for name in ("retention.ms", "min.insync.replicas", "segment.bytes")
    }

    assert {
        "retention.ms": ("50", 1, 5),
        "min.insync.replicas": ("2", 4, 3),
        "segment.bytes": ("1073741824", 5, 3),
    } == shown


def test_the_synonyms_are_what_would_hold_otherwise_in_order() -> None:
    one = stage(min_insync_replicas="3")

    result = described(one, 2, "orders", "min.insync.replicas", synonyms=True)

    assert (
        DescribeConfigsSynonym("min.insync.replicas", "3", 1),
        DescribeConfigsSynonym("min.insync.replicas", "2", 4),
        DescribeConfigsSynonym("min.insync.replicas", "1", 5),
    ) == result.configs[0].synonyms


def test_a_setting_without_effect_here_is_shown_all_the_same() -> None:
    configs = by_name(described(stage(compression_type="lz4"), 2, "orders"))

    assert "lz4" == configs["compression.type"].value


def test_a_broker_shows_what_topics_inherit_from_it() -> None:
    configs = by_name(described(stage(), 4, "101"))

    assert {"message.max.bytes", "min.insync.replicas", "unclean.leader.election.enable"} == set(configs)
    assert "2" == configs["min.insync.replicas"].value


def test_an_empty_list_of_keys_asks_for_all_as_no_list_does() -> None:
    resource = DescribeConfigsResource(2, "orders", ())
    [answer] = stage().hears("c1", DescribeConfigsRequest((resource,)))

    assert described(stage(), 2, "orders").configs == answer.results[0].configs


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        (2, "nothing", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (2, "no/such name", ErrorCode.INVALID_TOPIC_EXCEPTION),
        (4, "102", ErrorCode.INVALID_REQUEST),
        (8, "101", ErrorCode.INVALID_REQUEST),
    ],
)
def test_what_this_broker_cannot_describe_is_an_error(kind: int, name: str, error: ErrorCode) -> None:
    result = described(stage(), kind, name)

    assert (error, ()) == (result.error_code, result.configs)


def test_nothing_is_set_for_all_brokers_at_once() -> None:
    result = described(stage(), 4, "")

    assert (ErrorCode.NONE, ()) == (result.error_code, result.configs)


def test_a_broker_that_holds_no_replica_of_a_topic_reads_its_settings_first() -> None:
    found, zk = Stage(), ScriptedZooKeeper()
    configured(found, zk)
    request = DescribeConfigsRequest((DescribeConfigsResource(2, "orders", ("retention.ms",)),))

    assert [] == found.hears("c1", request), "it does not know yet"
    zk.answer(GetDataResponse(encode_topic_config({"retention.ms": "50"})))

    found.drain()
    [(asker, answer)] = found.replies
    assert "c1" == asker
    assert ["50"] == [one.value for one in answer.results[0].configs]


def test_a_broker_that_has_left_the_cluster_says_what_it_knows() -> None:
    found, zk = Stage(), ScriptedZooKeeper()
    configured(found, zk)
    zk.is_closed = True

    assert ErrorCode.NONE == described(found, 2, "orders").error_code


def test_settings_are_in_order_and_without_synonyms_unless_they_are_asked_for() -> None:
    result = described(stage(compression_type="lz4"), 2, "orders")

    names = [one.name for one in result.configs]
    assert sorted(names) == names
    assert {()} == {one.synonyms for one in result.configs}
