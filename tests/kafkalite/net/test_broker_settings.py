"""Settings as people write them reach every broker of a served cluster, and what cannot be is said at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kafkalite.__main__ import main
from kafkalite.config import BrokerConfig
from kafkalite.net.broker_settings import NOT_HERE, SettingRefused, broker_settings
from kafkalite.net.plan import Process, ServePlan


def test_settings_have_kafkas_names_and_their_fields_types() -> None:
    texts = ["log.flush.interval.ms=100", "unclean.leader.election.enable=true", "rack=r1", "num.partitions=4"]

    assert {
        "log_flush_interval_ms": 100,
        "unclean_leader_election_enable": True,
        "rack": "r1",
        "num_partitions": 4,
    } == broker_settings(texts)


def test_every_setting_but_who_and_where_a_broker_is_can_be_set() -> None:
    values = {"int": "7", "int | None": "7", "bool": "true", "str | None": "a"}
    names = {one.name: values[str(one.type)] for one in fields(BrokerConfig) if one.name not in NOT_HERE}

    assert names.keys() == broker_settings(f"{name.replace('_', '.')}={names[name]}" for name in names).keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log.flush.interval.messages", "expected NAME=VALUE"),
        ("log.flush.interval.message=1", "there is log.flush.interval.messages"),
        ("broker.id=7", "a broker has no setting 'broker.id' here"),
        ("num.partitions=many", "num.partitions is a whole number; found 'many'"),
        ("auto.create.topics.enable=yes", "auto.create.topics.enable is true or false; found 'yes'"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(text: str, said: str) -> None:
    with pytest.raises(SettingRefused, match=said):
        broker_settings([text])


def test_each_broker_of_a_plan_is_given_them() -> None:
    plan = ServePlan(3, 3, settings=("log.flush.interval.messages=1", "replica.fetch.backoff.ms=5"))

    brokers = [Process.from_data(one.to_data()).config for one in plan.processes() if one.kind == "broker"]

    assert [(1, 5)] * 3 == [
        (one.log_flush_interval_messages, one.replica_fetch_backoff_ms)
        for one in brokers
        if isinstance(one, BrokerConfig)
    ]


def test_a_setting_that_is_none_is_told_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["serve", "--data", str(tmp_path / "data"), "--set", "log.flush=1"])

    assert "a broker has no setting 'log.flush' here; there is log.flush" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
