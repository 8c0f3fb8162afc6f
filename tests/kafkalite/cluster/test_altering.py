"""Topics are set otherwise while they are in use: whoever leads or follows goes by it, and no change is lost."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestRefused
from kafkalite.protocol.configs import (
    IncrementalAlterableConfig,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResource,
)
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed

from .reading import Asker, facts, leader_of


def cluster_of(**more: Any) -> Cluster:
    return Cluster(brokers=3, zookeepers=3, seed=1, through_codec=True, **more).topic("orders", replicas=3)


def settings_at(cluster: Cluster, broker: str) -> TopicSettings:
    found: Any = cluster.sim.nodes[broker]
    settings: TopicSettings = found.settings.of("orders")
    return settings


def log_at(cluster: Cluster, broker: str) -> Any:
    found: Any = cluster.sim.nodes[broker]
    return found.replicas.partitions["orders", 0].log


def asked(cluster: Cluster, name: str, broker: str, setting: str, value: str) -> Asker:
    """Somebody asks that broker to set `orders` so."""
    change = IncrementalAlterConfigsResource(2, "orders", (IncrementalAlterableConfig(setting, 0, value),))
    asker = Asker(name, broker, IncrementalAlterConfigsRequest((change,)))
    cluster.sim.add(asker)
    return asker


def error_told(asker: Asker) -> Any:
    response: Any = asker.response
    return None if response is None else response.responses[0].error_code


def found_at(cluster: Cluster, broker: str) -> dict[str, str]:
    """What that broker knows of what `orders` says itself."""
    found: Any = cluster.sim.nodes[broker]
    return dict(found.settings.texts_of("orders"))


def test_leader_and_followers_go_by_the_new_settings_and_by_the_default_again() -> None:
    cluster = cluster_of()
    cluster.admin().alter_topic("orders", retention_ms="50", cleanup_policy="compact,delete", min_insync_replicas="2")
    cluster.run_for(1000)

    for broker in cluster.brokers:
        settings, log = settings_at(cluster, broker), log_at(cluster, broker)
        assert (50, True, 2) == (settings.log.retention_ms, settings.log.compact, settings.min_insync_replicas)
        assert settings.log == log.config
    cluster.admin().alter_topic("orders", retention_ms=None, cleanup_policy=None)
    cluster.run_for(1000)

    assert {604_800_000} == {settings_at(cluster, broker).log.retention_ms for broker in cluster.brokers}
    assert {False} == {log_at(cluster, broker).config.compact for broker in cluster.brokers}
    assert {2} == {settings_at(cluster, broker).min_insync_replicas for broker in cluster.brokers}


def test_a_record_that_has_become_too_large_is_refused() -> None:
    cluster = cluster_of()
    producer = cluster.producer()
    assert 0 == producer.send("orders", b"v" * 500).result()

    cluster.admin().alter_topic("orders", max_message_bytes="200")
    cluster.run_for(1000)

    with pytest.raises(RequestFailed, match="MESSAGE_TOO_LARGE"):
        producer.send("orders", b"v" * 500).result()
    assert 1 == producer.send("orders", b"v").result()


def test_old_records_go_once_they_are_not_to_be_kept_any_longer() -> None:
    cluster = cluster_of(broker={"log_retention_check_interval_ms": 1000})
    for _ in range(3):
        cluster.producer().send("orders", b"v").result()
    cluster.run_for(5000)
    assert {0} == {log_at(cluster, broker).log_start_offset for broker in cluster.brokers}

    cluster.admin().alter_topic("orders", retention_ms="1000")
    cluster.run_for(10_000)

    assert {3} == {log_at(cluster, broker).log_start_offset for broker in cluster.brokers}


def test_fewer_in_sync_than_there_must_be_from_now_on() -> None:
    cluster = cluster_of(broker={"zookeeper_session_timeout_ms": 4000, "replica_lag_time_max_ms": 3000})
    for broker in cluster.brokers:
        if broker != leader_of(cluster, "orders"):
            cluster.kill(broker)
    cluster.run_for(20_000)
    assert 0 == cluster.producer("p1", acks="all").send("orders", b"v").result()

    cluster.admin().alter_topic("orders", min_insync_replicas="2")
    cluster.run_for(1000)

    with pytest.raises(RequestFailed, match="it has not happened"):
        cluster.producer("p2", acks="all", delivery_timeout_ms=3000).send("orders", b"v").result()
    assert {"NOT_ENOUGH_REPLICAS"} == {one.error for one in facts(cluster, RequestRefused) if one.api == "Produce"}


def test_who_asks_the_same_broker_next_sees_the_change() -> None:
    cluster = cluster_of()
    for number in range(5):
        admin = cluster.admin()
        admin.alter_topic("orders", retention_ms=str(number))

        assert str(number) == admin.topic_settings("orders")["retention.ms"]


@pytest.mark.parametrize("seed", range(10))
def test_changes_through_all_brokers_at_once_are_all_there(seed: int) -> None:
    cluster = Cluster(brokers=3, zookeepers=3, seed=seed, through_codec=True).topic("orders", replicas=3)
    wanted = {"retention.ms": "1", "segment.ms": "2", "min.insync.replicas": "2", "cleanup.policy": "compact"}
    wanted |= {"max.message.bytes": "5000", "retention.bytes": "6"}
    askers = [
        asked(cluster, f"a{number}", cluster.brokers[number % 3], *setting)
        for number, setting in enumerate(wanted.items())
    ]
    cluster.run_until(lambda: all(one.is_done for one in askers), "all answers")
    cluster.run_for(1000)

    assert {ErrorCode.NONE} == {error_told(one) for one in askers}
    assert wanted == found_at(cluster, cluster.brokers[0])


def test_without_zookeeper_a_request_ends_and_the_broker_goes_on() -> None:
    cluster = cluster_of(broker={"request_timeout_ms": 5000})
    for server in cluster.zookeepers:
        cluster.kill(server)
    asker = asked(cluster, "a1", cluster.brokers[0], "retention.ms", "5")
    cluster.run_for(6000)

    assert ErrorCode.REQUEST_TIMED_OUT == error_told(asker)
    for server in cluster.zookeepers:
        cluster.restart(server)
    cluster.run_for(30_000)
    cluster.admin().alter_topic("orders", retention_ms="7")
    assert "7" == cluster.admin().topic_settings("orders")["retention.ms"]


def test_what_is_no_value_changes_nothing() -> None:
    cluster = cluster_of()

    with pytest.raises(RequestFailed, match="INVALID_CONFIG"):
        cluster.admin().alter_topic("orders", retention_ms="soon", segment_ms="5")
    with pytest.raises(RequestFailed, match="UNKNOWN_TOPIC_OR_PARTITION"):
        cluster.admin().alter_topic("nothing", retention_ms="5")

    assert "604800000" == cluster.admin().topic_settings("orders")["segment.ms"]


NAMES = (
    *("retention.ms", "segment.ms", "flush.ms", "retention.bytes", "delete.retention.ms", "min.compaction.lag.ms"),
    *("flush.messages", "file.delete.delay.ms", "segment.jitter.ms", "segment.index.bytes", "max.compaction.lag.ms"),
)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_dies_a_change_that_was_answered_is_there_and_every_request_ends(seed: int) -> None:
    rng = Random(seed)
    settings = {"zookeeper_session_timeout_ms": 4000, "request_timeout_ms": 10_000}
    cluster = Cluster(brokers=3, zookeepers=3, seed=seed, broker=settings, through_codec=True)
    cluster.topic("orders", replicas=3)
    askers: dict[str, Asker] = {}
    for number, name in enumerate(NAMES):
        askers[name] = asked(cluster, f"a{number}", rng.choice(cluster.brokers), name, "5")
        if number % 3 == 0:
            victim = rng.choice((*cluster.brokers, *cluster.zookeepers))
            cluster.kill(victim)
            cluster.run_for(rng.choice((5, 50, 6000)))
            cluster.restart(victim)
        cluster.run_for(rng.choice((0, 1, 5, 20)))
    cluster.run_until(lambda: all(one.is_done for one in askers.values()), "all answers")
    cluster.run_for(30_000)

    texts = [found_at(cluster, broker) for broker in cluster.brokers]
    assert [texts[0]] * 3 == texts
    done = {name for name in NAMES if error_told(askers[name]) == ErrorCode.NONE}
    assert done
    assert set() == done - texts[0].keys()
