"""A broker's settings as people write them: Kafka's names with dots, NAME=VALUE.

>>> broker_settings(["log.flush.interval.messages=1", "auto.create.topics.enable=false"])
{'log_flush_interval_messages': 1, 'auto_create_topics_enable': False}

They are the fields of `BrokerConfig`. Left out: lists, and what decides where a broker is and who it is, which the plan
of a served cluster says.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from kafkalite.config import BrokerConfig
from kafkalite.errors import KafkaliteError

NOT_HERE = {"broker_id", "zookeepers", "host", "port", "cluster_id"}
BOOLEANS = {"true": True, "false": False}


class SettingRefused(KafkaliteError):
    """A setting that there is not, or a value that it cannot have."""


def broker_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Fields of BrokerConfig and their values. Raises SettingRefused."""
    return dict(map(_setting, texts))


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingRefused(f"expected NAME=VALUE, as in log.flush.interval.messages=1; found {text!r}")
    readers = _readers()
    if name not in readers:
        near = get_close_matches(name, readers, 3) or sorted(readers)
        raise SettingRefused(f"a broker has no setting {name!r} here; there is {', '.join(near)}")
    try:
        return name.replace(".", "_"), readers[name](value)
    except (ValueError, KeyError):
        kind = "true or false" if readers[name] is _boolean else "a whole number"
        raise SettingRefused(f"{name} is {kind}; found {value!r}") from None


@cache
def _readers() -> dict[str, Callable[[str], Any]]:
    """How the value of each setting is read."""
    kinds: dict[type, Callable[[str], Any]] = {bool: _boolean, int: int, str: str}
    found = {name: _plain_type(hint) for name, hint in get_type_hints(BrokerConfig).items() if name not in NOT_HERE}
    return {name.replace("_", "."): kinds[kind] for name, kind in found.items() if kind in kinds}


def _plain_type(hint: Any) -> Any:
    """The type of a value that there is: `int` of `int | None`."""
    return get_args(hint)[0] if get_origin(hint) is types.UnionType else hint


def _boolean(text: str) -> bool:
    return BOOLEANS[text]
