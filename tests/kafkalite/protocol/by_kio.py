"""The same message as an entity of `kio`, whose classes are generated from Apache Kafka's schemas."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import types
import uuid
from functools import cache
from typing import Any, Union, get_args, get_origin

from kio.index import UnknownAPIKey, UnknownEntity, load_payload_module
from kio.schema import errors as kio_errors
from kio.serial import entity_reader, entity_writer
from kio.static.constants import EntityType

from kafkalite.protocol.registry import entry_of


@cache
def entity_class(message: type, version: int) -> Any:
    """Kio's class of that message and version; None where it has none."""
    entry = entry_of(message)
    kind = EntityType.request if message is entry.request else EntityType.response
    try:
        return getattr(load_payload_module(entry.api.key, version, kind), message.__name__)  # type: ignore[arg-type]
    except (UnknownAPIKey, UnknownEntity):
        return None


def encode(entity: Any) -> bytes:
    buffer = io.BytesIO()
    entity_writer(type(entity))(buffer, entity)
    return buffer.getvalue()


def decode(kind: Any, data: bytes) -> Any:
    entity, size = entity_reader(kind)(data, 0)
    assert len(data) == size
    return entity


def entity_of(value: Any, kind: Any) -> Any:
    """Our message as kio's entity: the same names, but times as timedelta and datetime, and no id as None."""
    ours = {field.name for field in dataclasses.fields(value)}
    converted = {}
    for field in dataclasses.fields(kind):
        name = field.name if field.name in ours else f"{field.name}_ms"
        converted[field.name] = _converted(getattr(value, name), field)
    return kind(**converted)


def _converted(value: Any, field: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        (inner,) = (each for each in _alternatives(field.type) if get_origin(each) is tuple)
        item = get_args(inner)[0]
        return tuple(entity_of(each, item) if dataclasses.is_dataclass(each) else each for each in value)
    return _plain(value, field.metadata["kafka_type"])


def _plain(value: Any, kafka_type: str) -> Any:
    if kafka_type == "error_code":
        return kio_errors.ErrorCode(value)
    if kafka_type.startswith("timedelta"):
        return dt.timedelta(milliseconds=value)
    if kafka_type == "datetime_i64":
        return None if value == -1 else dt.datetime.fromtimestamp(value / 1000, dt.UTC)
    if isinstance(value, uuid.UUID):
        return value if value.int else None
    return value


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
