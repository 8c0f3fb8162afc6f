"""What a topic says itself after a change."""

from __future__ import annotations

import pytest

from kafkalite.broker.config_changes import Change, Operation, changed, why_not_changed
from kafkalite.errors import ErrorCode
from kafkalite.replication.ports import TopicSettings

SET, DELETE, APPEND, SUBTRACT = Operation
POLICY, THROTTLED = "cleanup.policy", "leader.replication.throttled.replicas"


@pytest.mark.parametrize(
    ("texts", "change", "after"),
    [
        ({}, Change("retention.ms", SET, "5"), {"retention.ms": "5"}),
        ({"retention.ms": "5"}, Change("retention.ms", SET, "6"), {"retention.ms": "6"}),
        ({"retention.ms": "5", "segment.ms": "7"}, Change("retention.ms", DELETE, None), {"segment.ms": "7"}),
        ({}, Change("retention.ms", DELETE, "whatever"), {}),
        ({"no.such": "1"}, Change("no.such", DELETE, None), {}),
        ({}, Change(POLICY, APPEND, "compact"), {POLICY: "delete,compact"}),
        ({POLICY: "compact"}, Change(POLICY, APPEND, "compact,delete"), {POLICY: "compact,delete"}),
        ({POLICY: "compact,delete"}, Change(POLICY, SUBTRACT, "delete"), {POLICY: "compact"}),
        ({POLICY: "compact"}, Change(POLICY, SUBTRACT, "delete"), {POLICY: "compact"}),
        ({}, Change(THROTTLED, APPEND, "0:101,1:102"), {THROTTLED: "0:101,1:102"}),
    ],
)
def test_a_change_touches_what_it_names(texts: dict[str, str], change: Change, after: dict[str, str]) -> None:
    assert (after, None) == changed(texts, [change], TopicSettings())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("retention.ms", SET, "soon"), "'soon' is no value of retention.ms"),
        (Change("no.such", SET, "1"), "unknown topic setting 'no.such'"),
        (Change("no.such", APPEND, "1"), "no.such is no list"),
        (Change("retention.ms", SUBTRACT, "1"), "retention.ms is no list"),
        (Change(POLICY, APPEND, "burn"), "'delete,burn' is no value of cleanup.policy"),
    ],
)
def test_what_a_new_topic_could_not_have_no_topic_gets_later(change: Change, said: str) -> None:
    after, refusal = changed({}, [change], TopicSettings())

    assert after is None
    assert refusal is not None
    assert ErrorCode.INVALID_CONFIG is refusal[0]
    assert said in refusal[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([Change("a", SET, "1"), Change("a", DELETE, None)], "a is changed 2 times; expected each setting once"),
        ([Change("a", SET, None)], "a: expected a value, got null"),
        ([Change("a", APPEND, None)], "a: expected a value, got null"),
        ([Change("a", 4, "1")], "got operation 4"),
    ],
)
def test_what_a_request_cannot_mean_is_refused_unread(changes: list[Change], said: str) -> None:
    refusal = why_not_changed(changes)

    assert refusal is not None
    assert ErrorCode.INVALID_REQUEST is refusal[0]
    assert said in refusal[1]


def test_the_texts_that_were_are_not_touched() -> None:
    before = {"retention.ms": "5"}

    changed(before, [Change("retention.ms", DELETE, None)], TopicSettings())

    assert {"retention.ms": "5"} == before
