"""What a topic says itself after a change of its settings. Pure; a refusal says why.

    SET        the setting has this value                     DELETE     it is the default again
    APPEND     the list has these members, too                SUBTRACT   it has these no longer

A list that the topic does not have itself is changed from its default. What a topic would have after the change is
judged as a whole, by the rules for new topics.

Source: Kafka's ConfigAdminManager (KIP-339).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from kafkalite.broker.topic_rules import LISTS_WITHOUT_EFFECT, Refusal, why_not_set
from kafkalite.broker.topic_settings import SETTINGS
from kafkalite.errors import ErrorCode
from kafkalite.replication.ports import TopicSettings


class Operation(IntEnum):
    """What is done with a setting, as IncrementalAlterConfigs numbers it."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class Change(NamedTuple):
    """One setting, and what is done with it; DELETE needs no value."""

    name: str
    operation: int
    value: str | None


def why_not_changed(changes: Sequence[Change]) -> Refusal | None:
    """Why a request cannot mean this, whatever the settings are now.

    >>> why_not_changed([Change("retention.ms", Operation.SET, None)])[1]
    'retention.ms: expected a value, got null'
    """
    for name, times in Counter(change.name for change in changes).items():
        if times > 1:
            return ErrorCode.INVALID_REQUEST, f"{name} is changed {times} times; expected each setting once"
    for name, operation, value in changes:
        if operation not in set(Operation):
            expected = ", ".join(f"{one.name} ({one.value})" for one in Operation)
            return ErrorCode.INVALID_REQUEST, f"{name}: expected one of {expected}; got operation {operation}"
        if value is None and operation != Operation.DELETE:
            return ErrorCode.INVALID_REQUEST, f"{name}: expected a value, got null"
    return None


def changed(
    texts: Mapping[str, str], changes: Sequence[Change], defaults: TopicSettings
) -> tuple[dict[str, str] | None, Refusal | None]:
    """What a topic that says `texts` says after these changes; or why it cannot.

    >>> changed({"cleanup.policy": "delete"}, [Change("cleanup.policy", Operation.APPEND, "compact")], TopicSettings())
    ({'cleanup.policy': 'delete,compact'}, None)
    >>> changed({}, [Change("retention.ms", Operation.APPEND, "1")], TopicSettings())[1][1]
    'retention.ms is no list: it can be set or deleted'
    """
    after = dict(texts)
    for name, operation, value in changes:
        if operation == Operation.DELETE:
            after.pop(name, None)
        elif operation == Operation.SET:
            after[name] = value or ""
        elif not is_list(name):
            return None, (ErrorCode.INVALID_CONFIG, f"{name} is no list: it can be set or deleted")
        else:
            before = after[name] if name in after else _default(name, defaults)
            after[name] = ",".join(_LISTED[operation](_members(before), _members(value or "")))
    refusal = why_not_set(after.items())
    return (None, refusal) if refusal else (after, None)


def is_list(name: str) -> bool:
    """Whether a setting's value has members.

    >>> is_list("cleanup.policy"), is_list("retention.ms")
    (True, False)
    """
    return name in LISTS_WITHOUT_EFFECT or (name in SETTINGS and SETTINGS[name].type == "LIST")


def _default(name: str, defaults: TopicSettings) -> str:
    return SETTINGS[name].show(defaults) if name in SETTINGS else ""


def _members(text: str) -> list[str]:
    return [member.strip() for member in text.split(",") if member.strip()]


def _with(members: list[str], more: list[str]) -> list[str]:
    return [*members, *(one for one in more if one not in members)]


def _without(members: list[str], fewer: list[str]) -> list[str]:
    return [one for one in members if one not in fewer]


_LISTED: Mapping[int, Callable[[list[str], list[str]], list[str]]] = {
    Operation.APPEND: _with,
    Operation.SUBTRACT: _without,
}
