"""Our bytes are Kafka's: for every message and version, the same as two independent libraries write and read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.protocol.registry import message_codec
from tests.kafkalite.protocol import by_kafka_python, by_kio
from tests.kafkalite.protocol.values import EVERY_MESSAGE, message_id, messages

ONLY_HAND_MADE = {"LeaderAndIsr", "StopReplica", "UpdateMetadata", "ControlledShutdown"}  # see test_inter_broker.py
BY_KIO = [(message, version) for message, version in EVERY_MESSAGE if by_kio.entity_class(message, version)]
BY_KAFKA_PYTHON = [(message, version) for message, version in EVERY_MESSAGE if by_kafka_python.message_class(message)]

few = settings(max_examples=6, deadline=None, derandomize=True, database=None)


def ours(message: Any, version: int) -> bytes:
    out = bytearray()
    message_codec(type(message), version).encode(message, out)
    return bytes(out)


@pytest.mark.parametrize(("message", "version"), BY_KIO, ids=message_id)
@few
@given(data=st.data())
def test_bytes_are_those_of_kio_in_both_directions(message: type, version: int, data: st.DataObject) -> None:
    value = data.draw(messages(message, version))
    kind = by_kio.entity_class(message, version)
    entity = by_kio.entity_of(value, kind)

    written = ours(value, version)

    assert by_kio.encode(entity) == written
    assert entity == by_kio.decode(kind, written)
    assert value == message_codec(message, version).decode(written)


@pytest.mark.parametrize(("message", "version"), BY_KAFKA_PYTHON, ids=message_id)
@few
@given(data=st.data())
def test_bytes_are_those_of_kafka_python_in_both_directions(message: type, version: int, data: st.DataObject) -> None:
    value = data.draw(messages(message, version))

    written = ours(value, version)

    assert by_kafka_python.encode(value, version) == written
    assert by_kafka_python.same(value, by_kafka_python.decode(message, written, version))
    assert value == message_codec(message, version).decode(written)


def test_no_message_is_without_an_oracle_but_those_made_by_hand() -> None:
    checked = {*BY_KIO, *BY_KAFKA_PYTHON}
    unchecked = {message.__name__ for message, version in EVERY_MESSAGE if (message, version) not in checked}

    assert unchecked == {f"{name}{half}" for name in ONLY_HAND_MADE for half in ("Request", "Response")}


def test_most_messages_have_both_oracles() -> None:
    """A library that dropped a message, or was renamed, would otherwise go unnoticed."""
    assert len(EVERY_MESSAGE) == len({*BY_KIO, *BY_KAFKA_PYTHON}) + 14
    assert len(BY_KIO) > 0.8 * len(EVERY_MESSAGE)
