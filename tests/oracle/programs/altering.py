"""Topics are set otherwise: all their settings at once, or one by one (KIP-339); and what is refused."""

from __future__ import annotations

from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.protocol.configs import (
    AlterableConfig,
    AlterConfigsRequest,
    AlterConfigsResource,
    DescribeConfigsRequest,
    DescribeConfigsResource,
    IncrementalAlterableConfig,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResource,
)
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import produce
from tests.oracle.session import Session, batch

TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = range(4)
Setting = tuple[str, int, str | None]
KEYS = ("cleanup.policy", "retention.ms", "min.insync.replicas", "compression.type")


def whole(name: str, *settings: tuple[str, str | None], kind: int = TOPIC) -> Any:
    """What AlterConfigs is told of one resource."""
    return AlterConfigsResource(kind, name, tuple(AlterableConfig(*one) for one in settings))


def changes(name: str, *settings: Setting, kind: int = TOPIC) -> Any:
    """What IncrementalAlterConfigs is told of one resource."""
    return IncrementalAlterConfigsResource(kind, name, tuple(IncrementalAlterableConfig(*one) for one in settings))


def describe(one: Session, topic: str) -> None:
    one.ask(DescribeConfigsRequest((DescribeConfigsResource(TOPIC, topic, KEYS),)))


@program
def settings_are_replaced(one: Session) -> None:
    topic = one.topic(cleanup_policy="compact", min_insync_replicas="1")
    for version in range(3):
        one.ask(AlterConfigsRequest((whole(topic, ("retention.ms", f"1000{version}")),)), version)
        describe(one, topic)
    one.ask(AlterConfigsRequest((whole(topic, ("retention.ms", "5")),), validate_only=True))
    describe(one, topic)
    one.ask(AlterConfigsRequest((whole(topic),)))
    describe(one, topic)


@program
def settings_are_changed_one_by_one(one: Session) -> None:
    topic = one.topic()
    first: list[Setting] = [("min.insync.replicas", SET, "1"), ("compression.type", SET, "lz4")]
    for version, change in enumerate(first):
        one.ask(IncrementalAlterConfigsRequest((changes(topic, change),)), version)
    for change in (
        ("retention.ms", SET, "123456"),
        ("retention.ms", DELETE, None),
        ("retention.ms", DELETE, "7"),
        ("cleanup.policy", APPEND, "compact"),
        ("cleanup.policy", APPEND, "compact"),
        ("cleanup.policy", SUBTRACT, "delete"),
        ("cleanup.policy", SUBTRACT, "delete"),
        ("cleanup.policy", DELETE, None),
        ("cleanup.policy", SUBTRACT, "compact"),
    ):
        one.ask(IncrementalAlterConfigsRequest((changes(topic, change),)))
        describe(one, topic)
    one.ask(IncrementalAlterConfigsRequest((changes(topic, ("retention.ms", SET, "9")),), validate_only=True))
    describe(one, topic)


@program
def settings_that_are_refused_later(one: Session) -> None:
    topic = one.topic()
    for change in (
        ("cleanup.policy", SET, "burn"),
        ("cleanup.policy", APPEND, "burn"),
        ("cleanup.policy", SUBTRACT, "delete"),
        ("retention.ms", SET, "long"),
        ("retention.ms", SET, None),
        ("retention.ms", APPEND, "5"),
        ("retention.ms", SUBTRACT, "5"),
        ("no.such.setting", SET, "1"),
        ("no.such.setting", DELETE, None),
        ("min.insync.replicas", SET, "0"),
        ("cleanup.policy", APPEND, None),
    ):
        one.ask(IncrementalAlterConfigsRequest((changes(topic, change),)))
    for setting in (("retention.ms", "long"), ("retention.ms", None), ("no.such.setting", "1"), ("segment.bytes", "1")):
        one.ask(AlterConfigsRequest((whole(topic, setting),)))
    describe(one, topic)


@program
def changes_that_say_a_thing_twice(one: Session) -> None:
    """An AlterConfigs that names a resource twice is not among them: Apache Kafka 3.7 never answers it."""
    topic, other = one.topic(), one.topic()
    twice = changes(topic, ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
    once = changes(other, ("retention.ms", SET, "3"))
    one.ask(IncrementalAlterConfigsRequest((twice, once)))
    one.ask(IncrementalAlterConfigsRequest((once, changes(topic), changes(other))))
    one.ask(AlterConfigsRequest((whole(topic, ("retention.ms", "1"), ("retention.ms", "2")), whole(other))))
    describe(one, topic)
    describe(one, other)


@program
def an_operation_that_there_is_not(one: Session) -> None:
    topic = one.topic()
    for operation in (4, -1):
        one.ask(IncrementalAlterConfigsRequest((changes(topic, ("retention.ms", operation, "1")),)))
    describe(one, topic)


@program
def settings_of_what_cannot_be_set(one: Session) -> None:
    setting = ("retention.ms", SET, "1")
    for kind, name in ((TOPIC, one.name("nowhere")), (TOPIC, "no/such name"), (TOPIC, ""), (99, "x"), (BROKER, "999")):
        one.ask(IncrementalAlterConfigsRequest((changes(name, setting, kind=kind),)))
        one.ask(AlterConfigsRequest((whole(name, ("retention.ms", "1"), kind=kind),)))
    one.ask(IncrementalAlterConfigsRequest((changes(one.name("nowhere"), ("retention.ms", SET, "long")),)))
    one.ask(IncrementalAlterConfigsRequest())
    one.ask(AlterConfigsRequest())


@program
def settings_of_a_broker(one: Session) -> None:
    one.ask(
        IncrementalAlterConfigsRequest(
            (changes("101", ("message.max.bytes", SET, "2000000"), kind=BROKER),), validate_only=True
        )
    )


@program
def what_is_set_later_holds(one: Session) -> None:
    topic = one.topic()
    large = produce(topic, batch(b"a" * 500))  # how many of them are taken before it holds is not said
    one.ask(large)
    one.ask(IncrementalAlterConfigsRequest((changes(topic, ("max.message.bytes", SET, "200")),)))

    def is_refused() -> bool:
        return one.quietly(large).responses[0].partition_responses[0].error_code is not ErrorCode.NONE

    one.until(is_refused, "a batch above the new limit is refused")  # brokers hear of it a moment later
    one.ask(large)
    small = one.quietly(produce(topic, batch(b"a")))
    one.say("a small one", small.responses[0].partition_responses[0].error_code.name)
